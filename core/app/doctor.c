/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * doctor: checks everything that whittle needs on this machine and reports each fault with its remedy. It only looks: nothing is
 * created, changed or loaded into the kernel.
 */
#include <dlfcn.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include "app/doctor.h"
#include "base/store_url.h"
#include "base/yaml.h"
#include "whittle/app_firewall.h"
#include "whittle/app_health.h"
#include "whittle/firewall.h"

#define FEW_BYTES (256ull << 20)

struct wh_app_check *wh_doctor_note(struct wh_app_doctor *r, const char *name, enum wh_app_check_state state, const char *fmt,
                                    ...)
{
	struct wh_app_check *c = &r->checks[r->n < sizeof r->checks / sizeof *r->checks ? r->n++ : r->n - 1];
	va_list ap;
	c->name = name;
	c->state = state;
	c->remedy[0] = 0;
	va_start(ap, fmt);
	vsnprintf(c->found, sizeof c->found, fmt, ap);
	va_end(ap);
	return c;
}

void wh_doctor_remedy(struct wh_app_check *c, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(c->remedy, sizeof c->remedy, fmt, ap);
	va_end(ap);
}

static void check_config(const struct wh_app_doctor_ask *ask, struct wh_app_doctor *r)
{
	const char *path = ask->config_path ? ask->config_path : WH_DEFAULT_CONFIG;

	if (!ask->config_path && access(path, F_OK) != 0) {
		wh_doctor_note(r, "configuration", WH_APP_CHECK_OK, "%s does not exist: the defaults apply", path);
	} else if (ask->bad_config.code) {
		wh_doctor_remedy(wh_doctor_note(r, "configuration", WH_APP_CHECK_FAIL, "%s", ask->bad_config.text),
		       "correct the line; until then every command and the plugin refuse the file");
	} else {
		wh_doctor_note(r, "configuration", WH_APP_CHECK_OK, "%s", path);
	}
}

/* The directory part of a store's path, or NULL when the URL is not a path of ours. */
static const char *store_path(const char *url, char dir[static PATH_MAX])
{
	const char *path = wh_store_path(url);
	const char *slash = strrchr(path, '/');
	if (!slash)
		snprintf(dir, PATH_MAX, ".");
	else
		snprintf(dir, PATH_MAX, "%.*s", slash == path ? 1 : (int)(slash - path), path);
	return path;
}

static void note_totals(const char *path, const struct wh_store_totals *t, struct wh_app_doctor *r)
{
	char number[32];
	wh_doctor_note(r, "ledger", WH_APP_CHECK_OK, "%s: %s edges", path, wh_number_text(t->edges, number));
	if (t->crowded)
		wh_doctor_remedy(
			wh_doctor_note(
				r, "ledger bounds", WH_APP_CHECK_WARN,
				"%s edges were removed, because their ports had more than port-edges: those peers are unknown",
				wh_number_text(t->crowded, number)),
			"see which peers crowd the port ('whittle edges'), or set port-edges higher");
	if (t->full)
		wh_doctor_remedy(
			wh_doctor_note(
				r, "ledger size", WH_APP_CHECK_WARN,
				"%s edges were not added, because the ledger had reached ledger-size: no rule is made from such days",
				wh_number_text(t->full, number)),
			"see what fills it ('whittle edges'), or set ledger-size higher");
	if (access(path, W_OK) != 0)
		wh_doctor_remedy(wh_doctor_note(r, "ledger access", WH_APP_CHECK_WARN,
		                                "%s can be read but not written by this user", path),
		                 "run ingest and enforce as its owner");
}

static void check_disk(const char *dir, struct wh_app_doctor *r)
{
	struct statvfs fs;
	if (statvfs(dir, &fs))
		return;
	unsigned long long bytes = (unsigned long long)fs.f_bavail * fs.f_frsize;
	struct wh_app_check *k = wh_doctor_note(r, "disk", bytes < FEW_BYTES ? WH_APP_CHECK_WARN : WH_APP_CHECK_OK,
	                                        "%.1f GiB free in %s", (double)bytes / (1 << 30), dir);
	if (k->state == WH_APP_CHECK_WARN)
		wh_doctor_remedy(k, "a full disk stops learning (nothing that was committed is lost): make room");
}

/* Whether the ledger can be read: checks that need it are not made otherwise, since each would wait for a lock again. */
static bool check_store(const struct wh_app *a, const struct wh_app_doctor_ask *ask, struct wh_app_doctor *r)
{
	char dir[PATH_MAX];
	struct wh_ledger ledger = {NULL, NULL};
	struct wh_store_totals totals;
	struct wh_error err = {0};
	bool readable = false;

	const char *path = store_path(a->store_url, dir);
	if (ask->no_store.code && access(dir, F_OK) && errno == ENOENT) {
		wh_doctor_remedy(wh_doctor_note(r, "ledger", WH_APP_CHECK_WARN, "%s: not there yet", path),
		       "whittle estate import FILE or whittle ingest LOG (makes it); for the plugin: install -d -o USER %s", dir);
	} else if (ask->no_store.code) {
		wh_doctor_remedy(wh_doctor_note(r, "ledger", WH_APP_CHECK_FAIL, "%s", ask->no_store.text),
		       "correct what the message names; until then every command refuses to open the ledger");
	} else if (access(path, F_OK) != 0 && errno == ENOENT) {
		if (access(dir, W_OK) == 0)
			wh_doctor_remedy(wh_doctor_note(r, "ledger", WH_APP_CHECK_WARN, "%s: not there yet", path),
			       "whittle ingest LOG, or the plugin, makes it");
		else
			wh_doctor_remedy(wh_doctor_note(r, "ledger", WH_APP_CHECK_FAIL, "%s: not there, and %s %s", path, dir,
			            errno == ENOENT ? "does not exist" : "cannot be written to"),
			       "install -d -o USER %s, for the user that runs whittle", dir);
	} else if (wh_ledger_open(a->store_url, WH_STATE_READ, &ledger, &err) || wh_state_check(ledger.state, &err) ||
	           wh_store_totals(ledger.store, &totals, &err)) {
		wh_doctor_remedy(wh_doctor_note(r, "ledger", WH_APP_CHECK_FAIL, "%s", err.text),
		       err.code == -ENODATA ? "whittle recommend"
		       : err.code == -EACCES ? "run doctor as root, or as the ledger's owner"
		                             : "see the reason; `whittle restore-backup FILE` puts an earlier copy in its place");
	} else {
		note_totals(path, &totals, r);
		readable = true;
	}
	wh_ledger_close(&ledger);
	check_disk(dir, r);
	return readable;
}

static void check_features(struct wh_app_doctor *r)
{
	struct wh_error err = {0};
	char what[480];
	int missing = wh_firewall_missing_features(what, sizeof what, &err);
	if (missing == 0)
		wh_doctor_note(r, "kernel features", WH_APP_CHECK_OK, "it has all that enforce needs");
	else if (missing < 0)
		wh_doctor_note(r, "kernel features", WH_APP_CHECK_WARN, "%s", err.text);
	else
		wh_doctor_remedy(wh_doctor_note(r, "kernel features", WH_APP_CHECK_FAIL, "this kernel lacks %s", what),
		       "load or build these modules; until then 'enforce' refuses and changes nothing");
}

static void check_kernel(struct wh_app_doctor *r)
{
	struct wh_nft_state state;
	struct wh_error err;
	bool admin = !wh_firewall_ready(&err);
	int rc = wh_firewall_state(&state, &err);

	if (rc == 0)
		wh_doctor_note(r, "nf_tables", WH_APP_CHECK_OK, "the kernel answers over netlink");
	else if (rc == -EPERM && !admin)
		wh_doctor_remedy(wh_doctor_note(r, "nf_tables", WH_APP_CHECK_WARN, "the kernel answers only to CAP_NET_ADMIN"),
		       "run doctor as root to check nf_tables");
	else
		wh_doctor_remedy(wh_doctor_note(r, "nf_tables", WH_APP_CHECK_FAIL,
		                                "the kernel has no nf_tables, or does not answer: %s", strerror(-rc)),
		                 "modprobe nf_tables; without it 'enforce' cannot work here, but 'export' can");
	if (rc == 0 && admin)
		check_features(r);
	if (admin)
		wh_doctor_note(r, "privilege", WH_APP_CHECK_OK, "this process has CAP_NET_ADMIN");
	else
		wh_doctor_remedy(wh_doctor_note(r, "privilege", WH_APP_CHECK_WARN, "this process does not have CAP_NET_ADMIN"),
		       "enforce, confirm and rollback need it: run them as root");
}

static void check_rules(const struct wh_app *a, struct wh_app_doctor *r)
{
	static const char *const names[] = {"ports.yaml", "evidence.yaml", "alerts.yaml", "domains.yaml"};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct wh_error err = {0};
		struct wh_arena *mem = wh_arena_new();
		struct wh_yaml *root;
		char path[PATH_MAX];
		if (wh_rules_path(a->config ? a->config->harden.rules_dir : NULL, names[i], path, sizeof path, &err) ||
		    wh_yaml_parse_file(path, mem, &root, &err))
			wh_doctor_remedy(wh_doctor_note(r, names[i], WH_APP_CHECK_FAIL, "%s", err.text),
			                 a->config && a->config->harden.rules_dir
			                         ? "copy the installed file there"
			                         : "'make install' puts it in place; 'recommend' needs it");
		else
			wh_doctor_note(r, names[i], WH_APP_CHECK_OK, "%s", path);
		wh_arena_free(mem);
	}
}

/* The plugin is looked for next to the program, then where `make install` puts it. */
static bool find_plugin(char path[static PATH_MAX])
{
	char exe[PATH_MAX], *slash;
	ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
	static const char *const places[] = {"", "/../lib/whittle", "/../lib"};

	if (n <= 0)
		return false;
	exe[n] = 0;
	if (!(slash = strrchr(exe, '/')))
		return false;
	*slash = 0;
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		if (snprintf(path, PATH_MAX, "%s%s/whittle-suricata.so", exe, places[i]) < PATH_MAX && access(path, R_OK) == 0)
			return true;
	}
	return false;
}

static bool in_path(const char *program, char found[static PATH_MAX])
{
	const char *path = getenv("PATH");
	char *copy = strdup(path ? path : "/usr/bin:/usr/sbin"), *save = NULL;
	bool is = false;
	for (char *dir = copy ? strtok_r(copy, ":", &save) : NULL; dir && !is; dir = strtok_r(NULL, ":", &save))
		is = snprintf(found, PATH_MAX, "%s/%s", dir, program) < PATH_MAX && access(found, X_OK) == 0;
	free(copy);
	return is;
}

static void check_plugin(struct wh_app_doctor *r, const char *given)
{
	char path[PATH_MAX], suricata[PATH_MAX];
	bool found = true;

	if (given)
		snprintf(path, sizeof path, "%s", given);
	else
		found = find_plugin(path);
	void *so = NULL;
	if (!found) {
		wh_doctor_remedy(
			wh_doctor_note(r, "plugin", WH_APP_CHECK_WARN, "whittle-suricata.so is not installed"),
			"install the package whittle-suricata, or run 'make install'; not needed if 'ingest' reads the logs");
	} else if (!(so = dlopen(path, RTLD_NOW | RTLD_LOCAL))) {
		const char *why = dlerror();
		wh_doctor_remedy(wh_doctor_note(r, "plugin", WH_APP_CHECK_FAIL, "%s: cannot be loaded: %s", path,
		                                why ? why : "no reason given"),
		                 "build it on this system: make && make install");
	} else if (!dlsym(so, "SCPluginRegister")) {
		wh_doctor_remedy(wh_doctor_note(r, "plugin", WH_APP_CHECK_FAIL, "%s: loads, but is not a Suricata plugin", path),
		       "give the path of whittle-suricata.so");
	} else {
		wh_doctor_note(r, "plugin", WH_APP_CHECK_OK, "%s loads", path);
	}
	if (so)
		dlclose(so);
	if (in_path("suricata", suricata))
		wh_doctor_note(r, "suricata", WH_APP_CHECK_OK, "%s", suricata);
	else
		wh_doctor_remedy(wh_doctor_note(r, "suricata", WH_APP_CHECK_WARN, "not found in $PATH"),
		       "needed only for the plugin; 'ingest' also reads an eve.json from elsewhere");
}

/* The addresses of this machine that `enforce` would judge. An address of a resource without learned traffic gives a warning. */
static void check_coverage(const struct wh_app *a, struct wh_app_doctor *r, struct wh_arena *mem)
{
	struct wh_error err = {0};
	struct wh_app silent = *a;
	bool unheard = false;
	silent.note = NULL;
	struct wh_app_own *own = &r->own;
	int rc = wh_app_own_rules(&silent, NULL, 0, false, mem, own, &err);
	if (own->present)
		wh_doctor_note(r, "present policy", own->assumed ? WH_APP_CHECK_WARN : WH_APP_CHECK_OK, "%s", own->present);
	if (rc) { /* no resource is this machine, or nothing is recommended: it may be meant for others */
		wh_doctor_note(r, "coverage", rc == -ENOENT || rc == -ENODATA ? WH_APP_CHECK_OK : WH_APP_CHECK_WARN,
		     "no address of this machine is judged: %s", err.text);
		own->n_covered = 0;
		return;
	}
	if (!own->rs->n_ports) {
		wh_doctor_note(r, "coverage", WH_APP_CHECK_OK, "no rule is recommended for this machine: no address is judged");
		return;
	}
	for (size_t i = 0; i < own->n_covered; i++)
		unheard |= own->covered[i].kind == WH_NOTHING_LEARNED && own->covered[i].resource;
	struct wh_app_check *k = wh_doctor_note(r, "coverage",
	                                        unheard || !wh_app_own_is_met(own) ? WH_APP_CHECK_WARN : WH_APP_CHECK_OK, "%s",
	                                        wh_app_coverage_line(own->covered, own->n_covered, mem));
	if (unheard)
		wh_doctor_remedy(
			k,
			"whittle selftest ADDRESS, run on another machine (says whether the sensor hears it); until then that address stays as open as it is");
}

/* Ports that are translated to a narrowed one, and would be a way around its rule. */
static void check_doors(struct wh_app_doctor *r)
{
	enum { SHOWN = 16 };
	const struct wh_app_own *own = &r->own;
	for (size_t i = 0; i < own->n_doors && i < SHOWN; i++)
		wh_doctor_remedy(wh_doctor_note(r, "published ports", WH_APP_CHECK_WARN, "%s%s", own->doors[i].text,
		            i + 1 == SHOWN && own->n_doors > SHOWN ? "; there are more (`enforce --dry-run`)" : ""),
		       "%s", own->doors[i].remedy);
	if (own->n_covered && own->doors_unread)
		wh_doctor_remedy(
			wh_doctor_note(r, "published ports", WH_APP_CHECK_WARN, "not all are known: %s", own->doors_unread),
			"see that none of them leads to a narrowed port");
	else if (own->n_covered && !own->n_doors)
		wh_doctor_note(r, "published ports", WH_APP_CHECK_OK,
		               "none leads to a narrowed port without being judged itself");
}

/* The checks that need the ledger's contents, where it can be opened. */
static void look_into(const struct wh_app *a, const struct wh_app_doctor_ask *ask, bool readable, struct wh_arena *mem,
                      struct wh_app_doctor *r)
{
	struct wh_app_ledger l = {.estate = NULL};
	struct wh_error err;
	bool there = readable && !wh_app_open_without_rules(a, WH_STATE_READ, mem, &l, &err);
	if (!ask->bad_config.code)
		wh_doctor_values(a, there ? &l : NULL, mem, r);
	wh_doctor_around(a, there ? &l : NULL, r);
	wh_app_close(&l, NULL);
}

void wh_app_doctor(const struct wh_app *a, const struct wh_app_doctor_ask *ask, struct wh_arena *mem, struct wh_app_doctor *out)
{
	*out = (struct wh_app_doctor){.n = 0};
	check_config(ask, out);
	bool readable = check_store(a, ask, out);
	check_kernel(out);
	check_rules(a, out);
	check_plugin(out, ask->plugin);
	wh_doctor_suricata(a, mem, out);
	look_into(a, ask, readable, mem, out);
	if (readable && !ask->bad_config.code)
		check_coverage(a, out, mem);
	check_doors(out);
	for (size_t i = 0; i < out->n; i++)
		if (out->checks[i].state > out->worst)
			out->worst = out->checks[i].state;
}

const char *wh_app_check_state_text(enum wh_app_check_state s)
{
	static const char *const names[] = {"ok", "warn", "fail"};
	return names[s];
}

json_t *wh_app_doctor_json(const struct wh_app_doctor *r)
{
	json_t *list = json_array();
	for (size_t i = 0; i < r->n; i++) {
		const struct wh_app_check *k = &r->checks[i];
		json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s?}", "check", k->name, "state",
		                                      wh_app_check_state_text(k->state), "found", k->found, "remedy",
		                                      *k->remedy ? k->remedy : NULL));
	}
	return json_pack("{s:i, s:s, s:s, s:o, s:o, s:o}", "version", 1, "whittle", WH_VERSION, "state",
	                 wh_app_check_state_text(r->worst), "checks", list, "addresses",
	                 wh_app_coverage_json(r->own.covered, r->own.n_covered), "unjudgedPorts", wh_app_doors_json(&r->own));
}
