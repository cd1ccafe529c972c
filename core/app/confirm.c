/* SPDX-License-Identifier: GPL-2.0-or-later */
/* After an enforce: keeps what it applied, or removes it; and checks whether it is unchanged. */
#include <stdlib.h>
#include <string.h>
#include "app/app.h"
#include "whittle/app_firewall.h"

int wh_app_confirm(const struct wh_app *a, void (*done)(void *arg, const struct wh_app_confirmed *c), void *arg,
                   struct wh_error *err)
{
	struct wh_app_confirmed out = {.survives_reboot = false};
	struct wh_error ignored;
	int rc = wh_firewall_ready(err);
	if (!rc)
		wh_app_adopt_earlier(a, &(struct wh_error){0}); /* if it fails, the next step reports that nothing is kept */
	rc = rc ? rc : wh_firewall_confirm(&out.is, err);
	if (rc && !out.is.too_late)
		return rc;
	if (!out.is.stored || out.is.too_late)
		out.unstored = *err;
	if (!out.is.too_late) {
		out.survives_reboot = out.is.stored && wh_persist_survives_reboot("", a->state_dir, &out.survives_not);
		out.survives_not = out.survives_reboot ? NULL : out.is.stored ? out.survives_not : out.unstored.text;
		wh_firewall_state(&out.state, &ignored);
	}
	if (done)
		done(arg, &out);
	if (!out.is.too_late)
		wh_app_journal(a, "enforce.confirm", json_object());
	return 0;
}

json_t *wh_app_confirmed_json(const struct wh_app_confirmed *c)
{
	char t[WH_TIME_STRLEN];
	json_t *o;
	if (c->is.too_late) {
		o = json_pack("{s:b,s:b,s:b,s:b,s:s}", "confirmed", 0, "tooLate", 1, "earlierRulesInForce", c->is.earlier,
		              "survivesReboot", 0, "text", c->unstored.text);
		if (c->is.expired_us)
			json_object_set_new(o, "expired", json_string(wh_time_text(c->is.expired_us, t)));
		return o;
	}
	o = json_pack("{s:b,s:b,s:I,s:b}", "confirmed", 1, "tooLate", 0, "ports", (json_int_t)c->state.ports, "survivesReboot",
	              c->survives_reboot);
	if (!c->survives_reboot)
		json_object_set_new(o, "survivesRebootNot", json_string(c->survives_not));
	return o;
}

static const char *const hows[] = {"nothing", "pending", "expired", "earlier", "removed"};

int wh_app_rollback(const struct wh_app *a, bool all, void (*done)(void *arg, const struct wh_app_rolled_back *r), void *arg,
                    struct wh_error *err)
{
	struct wh_app_rolled_back out = {.all = all};
	int rc = wh_firewall_ready(err);
	rc = rc ? rc : wh_firewall_rollback(all, &out.is, err);
	if (rc)
		return rc;
	if (!out.is.stored)
		out.unstored = *err;
	if (done)
		done(arg, &out);
	wh_app_journal(a, "enforce.rollback", json_pack("{s:b,s:s}", "all", all, "how", hows[out.is.how]));
	return 0;
}

json_t *wh_app_rolled_back_json(const struct wh_app_rolled_back *r)
{
	return json_pack("{s:b,s:s,s:b,s:b}", "wasThere", r->is.how != WH_ROLLBACK_NOTHING, "how", hows[r->is.how], "inForce",
	                 r->is.how != WH_ROLLBACK_NOTHING && r->is.how != WH_ROLLBACK_REMOVED, "forgotten", r->is.stored);
}

/* ---- drift ---- */

/* The lines of a difference, which may be NULL and is freed. */
static void add_lines(char *difference, struct wh_arena *mem, size_t *room, struct wh_app_drift *out)
{
	char *save;
	for (char *line = difference ? strtok_r(difference, "\n", &save) : NULL; line; line = strtok_r(NULL, "\n", &save)) {
		out->lines = wh_arena_grown(mem, out->lines, out->n, room, sizeof *out->lines);
		out->lines[out->n++] = wh_arena_strdup(mem, line);
	}
	free(difference);
}

int wh_app_drift(const struct wh_app *a, struct wh_arena *mem, struct wh_app_drift *out, struct wh_error *err)
{
	char *rules = NULL, *jit = NULL;
	size_t room = 0;
	int rc = wh_firewall_ready(err);
	(void)a;

	*out = (struct wh_app_drift){.n = 0};
	if (rc)
		return rc;
	rc = wh_firewall_compare(WH_STORED_WANTED, &out->state, &rules, err);
	int also = wh_firewall_jit_differs(&jit, &out->jit_unknown);
	if (also >= 0)
		out->jit_unknown.code = 0;
	if (rc == -ENOENT && also == 1) /* nothing is enforced; just-in-time access is not as it was */
		rc = 0;
	add_lines(rules, mem, &room, out);
	add_lines(jit, mem, &room, out);
	struct wh_error ignored;
	if (wh_firewall_counts(mem, &out->counts, &ignored))
		out->counts.n = 0;
	return rc < 0 ? rc : 0;
}

json_t *wh_app_drift_json(const struct wh_app_drift *d)
{
	json_t *list = json_array(), *doc;
	size_t audited = 0;
	for (size_t i = 0; i < d->n; i++)
		json_array_append_new(list, json_string(d->lines[i]));
	for (size_t i = 0; i < d->counts.n; i++)
		audited += d->counts.ports[i].audit;
	doc = json_pack("{s:b,s:o,s:s,s:i,s:i}", "same", d->n == 0, "differences", list, "state",
	                !d->state.present ? "absent" : d->state.expires_in_ms ? "pending" : "confirmed", "ports",
	                (int)d->counts.n, "auditedPorts", (int)audited);
	if (d->state.expires_in_ms)
		json_object_set_new(doc, "expiresIn", json_integer((d->state.expires_in_ms + 999) / 1000));
	return doc;
}
