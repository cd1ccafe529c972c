/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Alerts: a look at the ledger, and the list of kept alerts, sorted and filtered. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "app/app.h"
#include "app/forget.h"
#include "whittle/app_alerts.h"
#include "whittle/intel.h"
#include "whittle/recommended.h"
#include "whittle/review.h"

int wh_app_alert_types(const struct wh_app *a, struct wh_arena *mem, struct wh_alert_types *out, struct wh_error *err)
{
	char path[PATH_MAX];
	int rc = wh_rules_path(a->config->harden.rules_dir, "alerts.yaml", path, sizeof path, err);
	return rc ? rc : wh_alert_types_load(path, mem, out, err);
}

static int load_domains(const struct wh_app *a, struct wh_arena *mem, struct wh_alert_domains *out, struct wh_error *err)
{
	char path[PATH_MAX];
	int rc = wh_rules_path(a->config->harden.rules_dir, "domains.yaml", path, sizeof path, err);
	if (rc == -ENOENT) /* rules of an earlier version, kept in a place of the user's own */
		return 0;
	return rc ? rc : wh_alert_domains_load(path, mem, out, err);
}

/* Rules that were never calculated are no error: then only alerts that need none are raised. */
static int calculated(const struct wh_app *a, struct wh_state *s, struct wh_arena *mem, bool *out, struct wh_error *err)
{
	static const struct wh_estate nothing;
	const struct wh_resource *none = NULL;
	struct wh_recommendation *head;
	int rc = wh_recommendation_load_of(s, &nothing, &none, 0, mem, &head, err);
	*out = !rc;
	if (rc == -ENOENT)
		wh_app_note(a, "no rules were calculated yet, so traffic outside them can't be detected: whittle recommend");
	return rc == -ENOENT ? 0 : rc;
}

/* The groups' rules are most of a large estate, and only today's judgement asks for them, which calculated rules alone need. */
static int open_to_look(const struct wh_app *a, struct wh_arena *mem, struct wh_app_ledger *l, struct wh_recommendation **rec,
                        struct wh_error *err)
{
	bool whole = false;
	*rec = NULL;
	int rc = wh_app_open_bare(a, WH_STATE_WRITE, l, err);
	rc = rc ? rc : calculated(a, l->is.state, mem, &whole, err);
	if (!rc)
		rc = (whole ? wh_estate_load : wh_estate_load_without_rules)(&l->is, mem, &l->estate, err);
	return rc || !whole ? rc : wh_review_load(l->is.state, l->estate, mem, rec, err);
}

/* ---- today's judgement ---- */

/* Log-odds: it is twenty times as likely to be unwanted as a peer of which nothing is known. */
#define SUSPECT (-3.0)

struct judging { struct wh_alert_judgement *to; const struct wh_recommendation *rec; struct wh_arena *mem; };

static int take_judged(void *arg, const struct wh_judged_peer *p)
{
	struct judging *j = arg;
	bool by_rule = p->verdict == WH_PEER_HOSTILE_INTEL || p->verdict == WH_PEER_HOSTILE_ALERT;
	const struct wh_alert_judged judged = {.resource = p->resource,
	                                       .direction = p->direction,
	                                       .proto = p->proto,
	                                       .port = p->port,
	                                       .peer = p->addr,
	                                       .stays = wh_stays(p->verdict),
	                                       .suspect = by_rule || p->evidence <= SUSPECT};
	wh_alert_judge(j->to, j->rec, &judged, j->mem);
	return 0;
}

int wh_app_alert_judgement(const struct wh_harden_ask *ask, const struct wh_recommendation *rec, struct wh_arena *mem,
                           struct wh_alert_judgement *out, struct wh_error *err)
{
	struct judging j = {out, rec, mem};
	*out = (struct wh_alert_judgement){0};
	int rc = wh_judge_peers(ask, take_judged, &j, err);
	wh_alert_judgement_end(out);
	return rc;
}

/* For calculated rules; without any, no judgement is needed. */
static int judge(const struct wh_app *a, const struct wh_app_ledger *l, struct wh_arena *mem, struct wh_alert_judgement *out,
                 struct wh_alert_look *look, struct wh_error *err)
{
	struct wh_harden_options opt;
	if (!look->rec)
		return 0;
	int rc = wh_harden_options_load(&a->config->harden, l->is.state, "all", mem, &opt, err);
	const struct wh_harden_ask ask = {.store = l->is.store, .estate = l->estate, .opt = &opt};
	rc = rc ? rc : wh_app_alert_judgement(&ask, look->rec, mem, out, err);
	look->judgement = rc ? NULL : out;
	return rc;
}

int wh_app_alerts_update(const struct wh_app *a, int64_t now_us, struct wh_alert_counts *out, struct wh_error *err)
{
	struct wh_arena *mem = wh_arena_new();
	struct wh_app_ledger l;
	struct wh_alert_types types;
	struct wh_alert_domains domains = {0};
	struct wh_intel_list *lists = NULL;
	struct wh_alert_judgement judgement;
	struct wh_alert_look look = {.config = &a->config->alerts, .types = &types, .domains = &domains, .now_us = now_us};
	struct wh_recommendation *rec;
	int rc = open_to_look(a, mem, &l, &rec, err);
	look.rec = rec;
	rc = rc ? rc : wh_app_alert_types(a, mem, &types, err);
	rc = rc ? rc : load_domains(a, mem, &domains, err);
	rc = rc ? rc : judge(a, &l, mem, &judgement, &look, err);
	rc = rc ? rc : wh_intel_lists(l.is.state, mem, &lists, &look.n_lists, err);
	if (!rc) {
		size_t n = a->config->harden.n_trusted;
		struct wh_prefix *trusted = wh_arena_array(mem, n, sizeof *trusted);
		if (n)
			memcpy(trusted, a->config->harden.trusted, n * sizeof *trusted);
		look.ledger = &l.is;
		look.estate = l.estate;
		look.lists = lists;
		look.trusted = trusted;
		look.n_trusted = wh_prefix_merge(trusted, n);
		rc = wh_app_retain(a, &l.is, err);
		rc = rc ? rc : wh_alerts_update(&look, out, err);
	}
	wh_app_close(&l, NULL);
	wh_arena_free(mem);
	return rc;
}

/* ---- the list ---- */

static bool wanted(const struct wh_app_alerts *ask, const json_t *a)
{
	const char *status = wh_alert_property(a, "status"), *end = wh_alert_property(a, "endTimeUtc");
	int64_t end_us = 0;
	bool open = !strcmp(status, "Active") || !strcmp(status, "InProgress");
	if (ask->status ? strcasecmp(ask->status, status) != 0 : !ask->all && !open)
		return false;
	if (ask->since_us && (wh_time_parse(end, strlen(end), &end_us) || end_us < ask->since_us))
		return false;
	return wh_alert_severity(a) >= ask->least &&
	       (!ask->resource || !strcasecmp(ask->resource, wh_alert_property(a, "compromisedEntity"))) &&
	       (!ask->tactic || !strcasecmp(ask->tactic, wh_alert_property(a, "intent"))) &&
	       (!ask->title || strcasestr(wh_alert_property(a, "alertDisplayName"), ask->title));
}

const char *const wh_app_alert_orders[] = {"severity", "time", "title", "resource", "tactic", "status", NULL};
static const char *const fields[] = {"severity", "endTimeUtc", "alertDisplayName", "compromisedEntity", "intent", "status"};

struct sorted { const json_t *alert; unsigned order; };

static int compare(const void *x, const void *y)
{
	const struct sorted *a = x, *b = y;
	const char *field = fields[a->order];
	int by = 0;
	if (a->order == 0)
		by = (int)wh_alert_severity(b->alert) - (int)wh_alert_severity(a->alert);
	else
		by = strcmp(wh_alert_property(a->alert, field), wh_alert_property(b->alert, field)) * (a->order == 1 ? -1 : 1);
	return by ? by : strcmp(wh_alert_property(b->alert, "endTimeUtc"), wh_alert_property(a->alert, "endTimeUtc"));
}

static int sort(const json_t *all, const struct wh_app_alerts *ask, json_t **out)
{
	struct sorted *s = calloc(json_array_size(all) + 1, sizeof *s);
	size_t n = 0, i;
	json_t *a;
	*out = s ? json_array() : NULL;
	if (!*out) {
		free(s);
		return -ENOMEM;
	}
	json_array_foreach((json_t *)all, i, a)
		if (wanted(ask, a))
			s[n++] = (struct sorted){a, ask->order};
	if (n)
		qsort(s, n, sizeof *s, compare);
	for (i = 0; i < n; i++)
		json_array_append(*out, (json_t *)s[i].alert);
	free(s);
	return 0;
}

int wh_app_alerts(const struct wh_app *a, const struct wh_app_alerts *ask, json_t **out, struct wh_error *err)
{
	struct wh_state *s;
	json_t *all = NULL;
	*out = NULL;
	int rc = wh_ledger_state(a->store_url, WH_STATE_READ, &s, err);
	rc = rc ? rc : wh_alerts_list(s, &all, err);
	if (!rc && sort(all, ask, out))
		rc = wh_fail(err, -ENOMEM, "out of memory");
	json_decref(all);
	wh_state_close(s);
	return rc;
}

int wh_app_alert(const struct wh_app *a, const char *name, json_t **out, struct wh_error *err)
{
	struct wh_state *s;
	*out = NULL;
	int rc = wh_ledger_state(a->store_url, WH_STATE_READ, &s, err);
	rc = rc ? rc : wh_alert_find(s, name, out, err);
	wh_state_close(s);
	return rc;
}

int wh_app_alert_set(const struct wh_app *a, const char *name, enum wh_alert_status status, const char *reason,
                     struct wh_error *err)
{
	struct wh_state *s;
	int rc = wh_ledger_state(a->store_url, WH_STATE_WRITE, &s, err);
	rc = rc ? rc : wh_alert_set(s, name, status, a->who, reason, err);
	wh_state_close(s);
	return rc;
}

/* ---- suppression ---- */

int wh_app_alert_suppress(const struct wh_app *a, const struct wh_alert_rule *r, bool simulate, size_t *would, size_t *of,
                          struct wh_error *err)
{
	struct wh_arena *mem = wh_arena_new();
	struct wh_alert_types types;
	struct wh_state *s = NULL;
	int rc = wh_app_alert_types(a, mem, &types, err);
	rc = rc ? rc : wh_ledger_state(a->store_url, simulate ? WH_STATE_READ : WH_STATE_WRITE, &s, err);
	rc = rc ? rc : wh_alert_rule_simulate(s, r, &types, would, of, err);
	if (!rc && !simulate)
		rc = wh_alert_rule_put(s, r, &types, a->who, err);
	wh_state_close(s);
	wh_arena_free(mem);
	return rc;
}

int wh_app_alert_unsuppress(const struct wh_app *a, const char *name, struct wh_error *err)
{
	struct wh_state *s;
	int rc = wh_ledger_state(a->store_url, WH_STATE_WRITE, &s, err);
	rc = rc ? rc : wh_alert_rule_delete(s, name, a->who, err);
	wh_state_close(s);
	return rc;
}

int wh_app_alert_rules(const struct wh_app *a, json_t **out, struct wh_error *err)
{
	struct wh_state *s;
	*out = NULL;
	int rc = wh_ledger_state(a->store_url, WH_STATE_READ, &s, err);
	rc = rc ? rc : wh_alert_rules_list(s, wh_now_us(), out, err);
	wh_state_close(s);
	return rc;
}
