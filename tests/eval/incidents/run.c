/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "run.h"
#include "whittle/app_alerts.h"
#include "whittle/app_learning.h"
#include "whittle/app_rules.h"

static const char estate[] = "resources:\n"
			     "  - {name: web, addresses: [\"" WEB "\"], internet-facing: true}\n"
			     "  - {name: gate, addresses: [\"" GATE
			     "\", \"20.50.60.9\", \"2001:db8:ffff::20\"], internet-facing: true}\n"
			     "  - {name: app, addresses: [\"" APP "\"]}\n"
			     "  - {name: db, addresses: [\"" DB "\"], internet-facing: true}\n"
			     "  - {name: directory, addresses: [\"" DIRECTORY "\"]}\n"
			     "  - {name: mail, addresses: [\"" MAIL "\"], internet-facing: true}\n"
			     "  - {name: files, addresses: [\"" FILES "\"], internet-facing: true}\n";

struct work {
	const char *dir;
	struct site site;
	struct wh_config config;
	struct wh_intel_source list;
	struct wh_prefix trusted;
	struct wh_app app;
	struct wh_arena *mem;
	struct wh_error *err;
};

static char *in(const struct work *w, const char *name)
{
	return wh_arena_printf(w->mem, "%s/%s", w->dir, name);
}

static int write_text(const char *path, const char *text, const char *more)
{
	FILE *f = fopen(path, "w");
	if (!f)
		return -errno;
	fputs(text, f);
	fputs(more, f);
	return fclose(f) ? -errno : 0;
}

static int copy(const char *name, const char *dir, const char *more)
{
	char from[PATH_MAX], to[PATH_MAX];
	struct wh_error err;
	size_t n = 0;
	char *text = NULL;
	if (wh_rules_path(NULL, name, from, sizeof from, &err))
		return err.code;
	FILE *f = fopen(from, "r");
	int rc = f && getdelim(&text, &n, 0, f) > 0 ? 0 : -EIO;
	if (f)
		fclose(f);
	snprintf(to, sizeof to, "%s/rules/%s", dir, name);
	rc = rc ? rc : write_text(to, text, more);
	free(text);
	return rc;
}

int rules_begin(const char *dir)
{
	static const char *const plain[] = {"alerts.yaml", "evidence.yaml", "ports.yaml"};
	char rules[PATH_MAX];
	snprintf(rules, sizeof rules, "%s/rules", dir);
	int rc = mkdir(rules, 0777) && errno != EEXIST ? -errno : 0;
	for (int i = 0; i < 3 && !rc; i++)
		rc = copy(plain[i], dir, "");
	return rc ? rc
	          : copy("domains.yaml", dir,
	                 "\nlisted: [listed-name.example]\nsinkhole: [sinkholed.example]\nphishing: [phishing-name.example]\n");
}

/* ---- the site ---- */

static int make_logs(struct work *w, const struct scenario *sc, uint64_t seed)
{
	struct site *s = &w->site;
	*s = (struct site){.r = rng_of(seed, 77), .from = 0, .to = SITE_DAYS};
	for (int i = 0; i < 2; i++)
		if (!(s->log[i] = fopen(in(w, i ? "week.json" : "before.json"), "w")))
			return wh_fail(w->err, -errno, "%s: %s", w->dir, strerror(errno));
	uint64_t purpose = 78;
	for (const char *c = sc->what; *c; c++)
		purpose = purpose * 31 + (unsigned char)*c;
	struct rng own = rng_of(seed, purpose), ordinarily = s->r;
	s->r = own;
	sc->make(s); /* first: it may silence the sensor */
	s->r = ordinarily;
	ordinary(s);
	for (int i = 0; i < 2; i++)
		if (fclose(s->log[i]))
			return wh_fail(w->err, -EIO, "%s: cannot be written", w->dir);
	return 0;
}

static void on_file(void *arg, const char *path, const struct wh_ingest_result *r, const struct wh_error *err)
{
	(void)arg, (void)path, (void)r, (void)err;
}

static int read_log(struct work *w, const char *name)
{
	const char *const path[] = {in(w, name)};
	struct wh_app_ingested done = {0};
	const struct wh_app_ingest ask = {.paths = path, .n_paths = 1, .discover = "off", .read = on_file};
	int rc = wh_app_ingest(&w->app, &ask, &done, w->err);
	return rc ? rc
	       : done.stats.malformed
	               ? wh_fail(w->err, -EIO, "%s: %llu lines are malformed", name, (unsigned long long)done.stats.malformed)
	               : 0;
}

static int learn(struct work *w)
{
	struct wh_estate_summary sum = {0};
	struct wh_app_recommended r = {0};
	const char *const path[] = {in(w, "estate.yaml")};
	int rc = write_text(path[0], estate, "");
	rc = rc ? wh_fail(w->err, rc, "%s: %s", path[0], strerror(-rc)) : wh_app_estate_import(&w->app, path, 1, &sum, w->err);
	free(sum.note_texts);
	rc = rc ? rc : read_log(w, "before.json");
	rc = rc ? rc : wh_app_recommend(&w->app, &(struct wh_app_recommend){.resources = NULL}, w->mem, &r, w->err);
	if (!rc)
		wh_estate_free(r.estate);
	return rc;
}

static void on_list(void *arg, const struct wh_app_intel_updated *u)
{
	if (u->failed.code)
		*(struct wh_error *)arg = u->failed;
}

/* What becomes known in the week, beside traffic. */
static int learn_more(struct work *w)
{
	struct wh_ledger l;
	int rc = 0;
	if (*w->site.listed) {
		rc = write_text(w->list.file, w->site.listed, "");
		rc = rc ? rc
		        : wh_app_intel_update(
				  &w->app, &(struct wh_app_intel_update){.force = true, .each = on_list, .arg = w->err}, w->err);
	}
	if (!rc && w->site.sensor) {
		rc = wh_ledger_open(w->app.store_url, WH_STATE_WRITE, &l, w->err);
		rc = rc ? rc : wh_state_put_json(l.state, "sensor", "suricata", w->site.sensor, w->err);
		w->site.sensor = NULL;
		wh_ledger_close(&l);
	}
	return rc;
}

static int look(struct work *w, int day)
{
	struct wh_alert_counts n;
	return wh_app_alerts_update(&w->app, ((int64_t)EVAL_FIRST_DAY + day) * WH_US_PER_DAY, &n, w->err);
}

/* ---- the verdict ---- */

static bool means(const struct work *w, const struct scenario *sc, const char *type, const char *resource)
{
	return sc->incident && !strcmp(type, sc->type) && (!w->site.about || !strcmp(resource, w->site.about));
}

static bool is_right(const struct scenario *sc, const char *type)
{
	char word[64];
	snprintf(word, sizeof word, " %s ", type);
	return (sc->incident && !strcmp(type, sc->type)) || (sc->also && strstr(sc->also, word));
}

static void judge(const struct work *w, const struct scenario *sc, const json_t *alerts, struct verdict *out)
{
	const json_t *a;
	size_t i;
	json_array_foreach((json_t *)alerts, i, a) {
		const char *type = wh_alert_property(a, "alertType");
		unsigned k = 0;
		out->found |= means(w, sc, type, wh_alert_property(a, "compromisedEntity"));
		while (k < out->n_wrong && strcmp(out->wrong[k], type) != 0)
			k++;
		if (!is_right(sc, type) && k == out->n_wrong && k < 8)
			snprintf(out->wrong[out->n_wrong++], sizeof out->wrong[0], "%s", type);
	}
	/* one of a tunnel's three, as its direction looks */
	for (i = 0; !out->found && sc->incident && sc->also && strstr(sc->type, "AzureDNS_Data") && i < json_array_size(alerts);
	     i++)
		out->found = !strncmp(wh_alert_property(json_array_get(alerts, i), "alertType"), "AzureDNS_Data", 13);
}

static void sweep(struct work *w)
{
	static const char *const names[] = {"l.db", "l.db-wal", "l.db-shm", "before.json", "week.json"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		unlink(in(w, names[i]));
}

int site_judge(const char *dir, const struct scenario *sc, uint64_t seed, struct verdict *out, struct wh_error *err)
{
	struct work w = {.dir = dir, .mem = wh_arena_new(), .err = err};
	json_t *alerts = NULL;
	*out = (struct verdict){.n_wrong = 0};
	struct wh_addr monitor;
	wh_addr_parse(MONITOR, strlen(MONITOR), &monitor);
	w.trusted = wh_prefix_of(&monitor, 128);
	w.list = (struct wh_intel_source){.name = "list", .file = in(&w, "list.txt")};
	w.config.harden = (struct wh_harden_config){.trusted = &w.trusted, .n_trusted = 1, .rules_dir = in(&w, "rules")};
	w.config.intel = (struct wh_intel_config){&w.list, 1};
	w.app = (struct wh_app){.store_url = in(&w, "l.db"), .config = &w.config, .who = "eval", .state_dir = dir, .beside = ""};
	sweep(&w);
	int rc = make_logs(&w, sc, seed);
	rc = rc ? rc : learn(&w);
	rc = rc ? rc : look(&w, SITE_WEEK);
	rc = rc ? rc : read_log(&w, "week.json");
	rc = rc ? rc : learn_more(&w);
	rc = rc ? rc : look(&w, SITE_DAYS);
	rc = rc ? rc : wh_app_alerts(&w.app, &(struct wh_app_alerts){.all = true}, &alerts, err);
	if (!rc)
		judge(&w, sc, alerts, out);
	json_decref(alerts);
	json_decref(w.site.sensor);
	sweep(&w);
	wh_arena_free(w.mem);
	return rc;
}
