/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * init: the first files of an installation. It finds this machine's name and addresses and Suricata's configuration, and writes
 * whittle.yaml, an estate with this machine in it and, where logs are read, the unit that reads them. An existing file stays,
 * unless its replacement was requested. Each thing done has the command that undoes it.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "app/app.h"
#include "base/json.h"
#include "base/replace_file.h"
#include "base/trusted_path.h"
#include "whittle/app_init.h"
#include "whittle/enforce.h"
#include "whittle/estate.h"

const char *const wh_app_init_kinds[] = {"suricata", "host", "azure", NULL};
const char *const wh_app_init_modes[] = {"dry-run", "audit", NULL};

/* ---- the present state ---- */

static void find_name(char name[static 64])
{
	char host[64] = "";
	size_t n = 0;
	if (gethostname(host, sizeof host - 1))
		*host = 0;
	for (const char *p = host; *p && n < 62; p++)
		if (strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-", *p))
			name[n++] = *p;
	name[n] = 0;
	if (!n || *name == '-' || *name == '.')
		snprintf(name, 64, "this-host");
}

int wh_app_init_find(struct wh_arena *mem, struct wh_app_init_found *out, struct wh_error *err)
{
	static const char *const configs[] = {"/etc/suricata/suricata.yaml", "/usr/local/etc/suricata/suricata.yaml"};
	const struct wh_nft_ruleset none = {0};
	struct wh_covered *all;
	size_t n;
	*out = (struct wh_app_init_found){.kind = "host"};
	int rc = wh_nft_coverage(&none, NULL, mem, &all, &n, err);
	if (rc)
		return rc;
	out->addrs = wh_arena_array(mem, n + 1, sizeof *out->addrs);
	for (size_t i = 0; i < n; i++)
		if (all[i].kind != WH_LINK_LOCAL)
			out->addrs[out->n_addrs++] = all[i].addr;
	for (size_t i = 0; i < sizeof configs / sizeof *configs && !out->suricata_yaml; i++)
		if (!access(configs[i], F_OK))
			out->suricata_yaml = configs[i];
	if (out->suricata_yaml)
		out->kind = "suricata";
	else if (wh_platform_found(WH_ASSET_TAG_FILE) == WH_PLATFORM_AZURE)
		out->kind = "azure";
	find_name(out->name);
	return 0;
}

const char *wh_app_init_logs(const char *kind)
{
	return !strcmp(kind, "suricata") ? "/var/log/suricata/eve.json"
	       : !strcmp(kind, "azure")  ? "/var/lib/whittle/flow-logs"
	                                 : NULL;
}

/* ---- the texts ---- */

static char *config_text(const struct wh_app_init *ask, struct wh_arena *mem)
{
	const char *keys = !strcmp(ask->kind, "host")
	                           ? "# Learn from the connections that the kernel tracks.\nwatch:\n  learn: conntrack\n"
	                   : !strcmp(ask->kind, "azure") ? "# The load balancer's health probes stay allowed.\nplatform: azure\n"
	                                                 : "";
	return wh_arena_printf(mem, "# Written by `whittle init`. `whittle config` prints every key with its help.\n%s",
	                       *keys ? keys : "{}\n");
}

static char *estate_text(const struct wh_app_init_found *f, struct wh_arena *mem)
{
	char *list = wh_arena_strdup(mem, ""), addr[WH_ADDR_STRLEN];
	bool faces = false;
	for (size_t i = 0; i < f->n_addrs; i++) {
		list = wh_arena_printf(mem, "%s%s\"%s\"", list, i ? ", " : "", wh_addr_text(&f->addrs[i], addr));
		faces |= !wh_addr_is_private(&f->addrs[i]);
	}
	return wh_arena_printf(
		mem,
		"# Written by `whittle init`: this machine. Import it again after a change: whittle estate import FILE\n"
		"resources:\n  - name: %s\n    addresses: [%s]\n%s",
		f->name, list, faces ? "    internet-facing: true\n" : "");
}

static int unit_text(const struct wh_app_init *ask, struct wh_arena *mem, char **out, struct wh_error *err)
{
	char program[PATH_MAX] = "";
	ssize_t n = readlink("/proc/self/exe", program, sizeof program - 1);
	program[n > 0 ? n : 0] = 0;
	if (ask->logs[strspn(ask->logs, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-")])
		return wh_fail_input(err, -EINVAL, "'%s': a path for a unit has letters, digits and /._- only", ask->logs);
	*out = wh_arena_printf(
		mem,
		"# Written by `whittle init`.\n[Unit]\nDescription=whittle: learn from %s\nDocumentation=man:whittle(1)\nAfter=network.target\n\n"
		"[Service]\nExecStart=%s ingest --follow %s\nRestart=on-failure\nRestartSec=30\nUMask=0077\nNoNewPrivileges=yes\nProtectSystem=strict\n"
		"ReadWritePaths=-/var/lib/whittle\nProtectHome=yes\nPrivateTmp=yes\nMemoryMax=1G\n\n[Install]\nWantedBy=multi-user.target\n",
		ask->logs, program, ask->logs);
	return 0;
}

/* ---- writing ---- */

static void did(json_t *doc, const char *what, const char *path, const char *undo)
{
	json_array_append_new(json_object_get(doc, "did"),
	                      json_pack("{s:s, s:s, s:s?}", "what", what, "path", path, "undo", undo));
}

/* A directory of the new files. */
struct place { const char *path; int fd; };

static int put(const struct wh_app_init *ask, const struct place *dir, const char *name, const char *text, json_t *doc,
               struct wh_arena *mem, struct wh_error *err)
{
	const char *path = wh_arena_printf(mem, "%s/%s", dir->path, name), *before = wh_arena_printf(mem, "%s.before", name);
	struct stat st;
	char *old;
	size_t len;
	bool there = !fstatat(dir->fd, name, &st, AT_SYMLINK_NOFOLLOW);
	if (there && !wh_read_file(path, 1 << 20, &old, &len, err)) {
		bool same = len == strlen(text) && !memcmp(old, text, len);
		free(old);
		if (same) {
			did(doc, "unchanged", path, NULL);
			return 0;
		}
	}
	if (there && !(ask->replace && ask->replace(ask->arg, path))) {
		did(doc, "kept", path, NULL);
		return 0;
	}
	if (there && renameat(dir->fd, name, dir->fd, before))
		return wh_fail(err, -errno, "%s: cannot be moved to %s.before: %s", path, path, strerror(errno));
	int rc = wh_replace_file(dir->fd, name, text, strlen(text));
	if (rc)
		return wh_fail(err, rc, "%s: cannot be written: %s", path, strerror(-rc));
	did(doc, there ? "replaced" : "written", path,
	    there ? wh_arena_printf(mem, "mv %s.before %s", path, path) : wh_arena_printf(mem, "rm %s", path));
	return 0;
}

static int open_place(struct place *p, const char *path, bool make, json_t *doc, struct wh_arena *mem, struct wh_error *err)
{
	bool made = false;
	*p = (struct place){path, wh_trusted_directory(path, make ? &made : NULL, err)};
	if (p->fd >= 0 && made)
		did(doc, "made", path, wh_arena_printf(mem, "rmdir %s", path));
	return p->fd < 0 ? p->fd : 0;
}

static void close_place(const struct place *p)
{
	if (p->fd >= 0)
		close(p->fd);
}

static void next(json_t *doc, const char *command, const char *why)
{
	json_array_append_new(json_object_get(doc, "next"), json_pack("{s:s, s:s}", "command", command, "why", why));
}

static void next_steps(const struct wh_app_init *ask, const char *estate, json_t *doc, struct wh_arena *mem)
{
	next(doc, wh_arena_printf(mem, "whittle estate import %s", estate),
	     "records in the ledger which addresses are this machine's");
	if (!strcmp(ask->kind, "host"))
		next(doc, "systemctl enable --now whittle-watch", "learns from the kernel's connections, and watches the rules");
	else if (ask->logs)
		next(doc, "systemctl daemon-reload && systemctl enable --now whittle-ingest", "reads the logs from now on");
	next(doc, "whittle doctor", "checks the installation");
	next(doc, "whittle recommend --min-days 1 --dry-run", "shows a first preview after a day; rules need 30 days");
	next(doc, "whittle recommend", "after 30 days: saves the narrowed rules");
	if (!strcmp(ask->mode, "audit"))
		next(doc, "whittle enforce --audit && whittle confirm",
		     "counts what they would drop, drops nothing; `whittle audit` lists it");
	else
		next(doc, "whittle enforce --dry-run", "shows what would be applied");
}

static int write_all(const struct wh_app_init *ask, const struct wh_app_init_found *found, json_t *doc, struct wh_arena *mem,
                     struct wh_error *err)
{
	struct place dir = {.fd = -1}, units = {.fd = -1};
	char *unit = NULL;
	int rc = ask->logs ? unit_text(ask, mem, &unit, err) : 0;
	rc = rc ? rc : open_place(&dir, ask->directory, true, doc, mem, err);
	rc = rc ? rc : put(ask, &dir, "whittle.yaml", config_text(ask, mem), doc, mem, err);
	rc = rc ? rc : put(ask, &dir, "estate.yaml", estate_text(found, mem), doc, mem, err);
	if (!rc && unit)
		rc = open_place(&units, ask->units, false, doc, mem, err);
	if (!rc && unit)
		rc = put(ask, &units, "whittle-ingest.service", unit, doc, mem, err);
	if (!rc)
		next_steps(ask, wh_arena_printf(mem, "%s/estate.yaml", ask->directory), doc, mem);
	close_place(&dir);
	close_place(&units);
	return rc;
}

int wh_app_init(const struct wh_app_init *ask, const struct wh_app_init_found *found, json_t **out, struct wh_error *err)
{
	struct wh_arena *mem = wh_arena_new();
	if (!found->n_addrs) {
		wh_arena_free(mem);
		return wh_fail(err, -EADDRNOTAVAIL,
		               "this machine has no address but loopback and link-local ones: bring the network up first");
	}
	*out = json_pack("{s:s, s:s, s:s?, s:s, s:[], s:[]}", "kind", ask->kind, "name", found->name, "logs", ask->logs, "mode",
	                 ask->mode, "did", "next");
	int rc = write_all(ask, found, *out, mem, err); /* the steps done until then are in the document */
	wh_arena_free(mem);
	return rc;
}
