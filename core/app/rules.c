/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The reviewed rules, a person's changes of them, and which of them are in force. */
#include <string.h>
#include "app/app.h"
#include "base/json.h"
#include "whittle/app_opened.h"
#include "whittle/recommended.h"

/* The journal's last enforcement that held, whether it was taken back, and whether what is saved was changed after it. */
enum { MAX_WITHIN_S = 86400 };
struct search {
	const struct wh_estate *estate;
	const struct wh_recommendation *recommendation;
	struct wh_app_last_enforced all, *last; /* what concerns all resources; each one */
};

/* Rules applied to the kernel take effect once confirmed; rules sent to Azure, once read back. */
static bool holds(const char *what, const char *json)
{
	if (strcmp(what, "azure.apply") != 0)
		return !strcmp(what, "enforce.confirm");
	json_t *o = json_loads(json, 0, NULL);
	const char *state = json_string_value(json_object_get(o, "state"));
	bool yes = state && (!strcmp(state, "applied") || !strcmp(state, "unchanged"));
	json_decref(o);
	return yes;
}

/* Rules that wait, or waited, for a confirmation. */
static void applied(struct wh_app_last_enforced *l, int64_t time_us, const char *who, const char *json)
{
	json_t *o = json_loads(json, 0, NULL);
	json_int_t within_s = json_integer_value(json_object_get(o, "confirmWithin"));
	json_decref(o);
	l->applied_us = within_s > 0 && within_s <= MAX_WITHIN_S ? time_us : 0;
	l->until_us = l->applied_us ? time_us + within_s * 1000000 : 0;
	snprintf(l->applied_by, sizeof l->applied_by, "%s", who);
	wh_text_make_printable(l->applied_by);
}

static int journal_entry(void *arg, int64_t seq, int64_t time_us, const char *who, const char *what, const char *json)
{
	struct search *s = arg;
	struct wh_app_last_enforced *l = &s->all;
	(void)seq;
	if (!strncmp(what, "enforce.", 8) && strcmp(what, "enforce.apply") != 0)
		l->applied_us = l->until_us = 0;
	if (!strcmp(what, "enforce.apply")) {
		applied(l, time_us, who, json);
	} else if (!strcmp(what, "enforce.rollback") || !strcmp(what, "azure.rollback") || !strcmp(what, "enforce.uninstall")) {
		l->taken_back = true;
	} else if (holds(what, json)) {
		l->time_us = time_us;
		l->taken_back = false;
		snprintf(l->who, sizeof l->who, "%s", who);
		wh_text_make_printable(l->who); /* it would else be a line of its own */
	} else if (!strncmp(what, "review.", 7)) {
		json_t *o = json_loads(json, 0, NULL);
		const char *name = json_string_value(json_object_get(o, "resource"));
		const struct wh_resource *r = name ? wh_estate_find(s->estate, name) : NULL;
		for (size_t i = 0; r && i < s->recommendation->n_resources; i++)
			if (s->recommendation->resources[i].resource == r)
				s->last[i].changed_us = time_us;
		json_decref(o);
	}
	return 0;
}

static int read_last(const struct wh_app_ledger *l, struct wh_app_rules *out, struct wh_arena *mem, struct wh_error *err)
{
	size_t n = out->recommendation->n_resources;
	struct search s = {l->estate, out->recommendation, {0}, wh_arena_array(mem, n + 1, sizeof *out->last)};
	int rc = n ? wh_state_log_each(l->is.state, NULL, journal_entry, &s, err) : 0;
	for (size_t i = 0; i < n; i++) {
		int64_t changed_us = s.last[i].changed_us;
		s.last[i] = s.all;
		s.last[i].changed_us = changed_us;
	}
	out->last = s.last;
	return rc;
}

/* The reviewed rules of the resources of these names; of all where there are none. */
static int load_named(const struct wh_app_ledger *l, const char *const *names, size_t n, struct wh_arena *mem,
                      struct wh_recommendation **out, struct wh_error *err)
{
	const struct wh_resource **only = wh_arena_array(mem, n + 1, sizeof *only);
	int rc = wh_estate_require_all(l->estate, names, n, err);
	for (size_t i = 0; i < n && !rc; i++)
		only[i] = wh_estate_find(l->estate, names[i]);
	return rc ? rc : wh_review_load_of(l->is.state, l->estate, n ? only : NULL, n, mem, out, err);
}

static int list(const struct wh_app *a, const struct wh_app_ledger *l, const char *const *names, size_t n, struct wh_arena *mem,
                struct wh_app_rules *out, struct wh_error *err)
{
	int rc = load_named(l, names, n, mem, &out->recommendation, err);
	rc = rc ? rc : wh_reject_from(&a->config->enforce, mem, &out->reject, err);
	if (rc)
		return rc;
	if (!read_last(l, out, mem, &out->last_unknown))
		out->last_unknown.code = 0;
	if (!wh_app_kept(a, l->estate, mem, &out->kept, &out->n_kept, &out->kept_unknown))
		out->kept_unknown.code = 0;
	return 0;
}

int wh_app_rules_list(const struct wh_app *a, const char *const *names, size_t n, struct wh_arena *mem, struct wh_app_rules *out,
                      struct wh_error *err)
{
	struct wh_app_ledger l;
	*out = (struct wh_app_rules){.estate = NULL};
	int rc = wh_app_open_without_rules(a, WH_STATE_READ, mem, &l, err);
	rc = rc ? rc : list(a, &l, names, n, mem, out, err);
	wh_app_close(&l, rc ? NULL : &out->estate);
	return rc;
}

/* ---- of a ledger that stays open ---- */

struct wh_app_opened { struct wh_app_ledger ledger; struct wh_arena *mem; };

int wh_app_keep_open(const struct wh_app *a, struct wh_app_opened **out, struct wh_error *err)
{
	struct wh_arena *mem = wh_arena_new();
	struct wh_app_opened *o = wh_arena_alloc(mem, sizeof *o);
	o->mem = mem;
	int rc = wh_app_open(a, WH_STATE_READ, mem, &o->ledger, err);
	*out = o;
	if (rc) {
		wh_app_close_opened(o);
		*out = NULL;
	}
	return rc;
}

void wh_app_close_opened(struct wh_app_opened *o)
{
	if (!o)
		return;
	wh_app_close(&o->ledger, NULL);
	wh_arena_free(o->mem);
}

int wh_app_rules_of(const struct wh_app *a, const struct wh_app_opened *o, const char *const *names, size_t n,
                    struct wh_arena *mem, struct wh_app_rules *out, struct wh_error *err)
{
	*out = (struct wh_app_rules){.estate = NULL};
	return list(a, &o->ledger, names, n, mem, out, err);
}

int wh_app_rules_change(const struct wh_app *a, const struct wh_review_change *change, struct wh_arena *mem, const char **said,
                        struct wh_error *err)
{
	struct wh_app_ledger l;
	int rc = wh_app_open(a, WH_STATE_WRITE, mem, &l, err);
	if (!rc)
		wh_app_present(a, &l, mem);
	rc = rc ? rc : wh_review_change(l.is.state, l.estate, change, mem, said, err);
	wh_app_close(&l, NULL);
	return rc;
}

int wh_app_rules_undo(const struct wh_app *a, const char *resource, struct wh_arena *mem, const char **said, struct wh_error *err)
{
	struct wh_app_ledger l;
	int rc = wh_app_open_without_rules(a, WH_STATE_WRITE, mem, &l, err);
	rc = rc ? rc : wh_review_undo(l.is.state, l.estate, resource, a->who, mem, said, err);
	wh_app_close(&l, NULL);
	return rc;
}

int wh_app_rules_reset(const struct wh_app *a, const char *resource, struct wh_arena *mem, const char **said,
                       struct wh_error *err)
{
	struct wh_app_ledger l;
	size_t n = 0;
	int rc = wh_app_open_without_rules(a, WH_STATE_WRITE, mem, &l, err);
	rc = rc ? rc : wh_review_reset(l.is.state, l.estate, resource, a->who, &n, err);
	if (!rc)
		*said = wh_arena_printf(mem, "%zu change%s forgotten; `whittle rules undo` brings them back", n,
		                        n == 1 ? "" : "s");
	wh_app_close(&l, NULL);
	return rc;
}

/* ---- history ---- */

struct history { struct wh_app_steps *out; struct wh_arena *mem; size_t room; };

static const char *copied(const char *text, struct wh_arena *mem)
{
	return text ? wh_arena_strdup(mem, text) : NULL;
}

static int add_step(void *arg, int64_t time_us, const char *who, const char *what, const char *resource, const char *rule,
                    const char *why, const char *detail)
{
	struct history *h = arg;
	struct wh_arena *mem = h->mem;
	struct wh_app_steps *s = h->out;
	s->list = wh_arena_grown(mem, s->list, s->n, &h->room, sizeof *s->list);
	s->list[s->n++] = (struct wh_app_step){.time_us = time_us,
	                                       .who = copied(who, mem),
	                                       .what = copied(what, mem),
	                                       .resource = copied(resource, mem),
	                                       .rule = copied(rule, mem),
	                                       .why = copied(why, mem),
	                                       .prefixes = copied(detail, mem)};
	return 0;
}

int wh_app_rules_history(const struct wh_app *a, const char *resource, struct wh_arena *mem, struct wh_app_steps *out,
                         struct wh_error *err)
{
	struct wh_app_ledger l;
	struct history h = {out, mem, 0};
	*out = (struct wh_app_steps){.n = 0};
	int rc = wh_app_open(a, WH_STATE_READ, mem, &l, err);
	const struct wh_resource *known = !rc && resource ? wh_estate_find(l.estate, resource) : NULL;
	rc = rc ? rc : wh_review_history(l.is.state, known ? known->name : resource, add_step, &h, err);
	if (!rc && !out->n && resource && !known) { /* a resource that is no longer in the estate still has its history */
		rc = wh_estate_require_all(l.estate, &resource, 1, err);
	}
	wh_app_close(&l, NULL);
	return rc;
}

json_t *wh_app_history_json(const struct wh_app_steps *s)
{
	char t[WH_TIME_STRLEN];
	json_t *list = json_array();
	for (size_t i = 0; i < s->n; i++) {
		const struct wh_app_step *x = &s->list[i];
		json_array_append_new(list, json_pack("{s:s,s:s,s:s,s:s,s:s*,s:s*,s:s}", "time", wh_time_text(x->time_us, t),
		                                      "who", x->who, "what", x->what, "resource", x->resource, "rule", x->rule,
		                                      "why", x->why, "prefixes", x->prefixes));
	}
	return list;
}
