/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Observations of `whittle watch`: another program changed our table, a rule drops an allowed peer, a port drops far more than it
 * used to, the clock was set. It leaves one document for each kind, peer and port (wh_alert_noticed), which becomes a finding
 * here.
 */
#include <stdlib.h>
#include <string.h>
#include "alert/document.h"
#include "alert/finding.h"

#define NOTICED "watch-noticed"
enum { MOST = 1000 };

static const struct { const char *kind, *type;
} kinds[] = {{"blocked", "Whittle_RuleBlocksNormal"},
             {"reverted", "Whittle_RuleBlocksNormal"},
             {"flushed", "Whittle_FirewallChanged"},
             {"changed", "Whittle_FirewallChanged"},
             {"surge", "Whittle_DropSurge"},
             {"clock", "Whittle_ClockStep"}};

static const char *type_of(const char *kind)
{
	for (size_t i = 0; kind && i < sizeof kinds / sizeof *kinds; i++)
		if (!strcmp(kinds[i].kind, kind))
			return kinds[i].type;
	return NULL;
}

struct walk { const struct wh_alert_look *l; struct wh_findings *all; };

static int64_t time_of(const json_t *doc, const char *key)
{
	const char *text = json_string_value(json_object_get(doc, key));
	int64_t us = 0;
	return text && !wh_time_parse(text, strlen(text), &us) && us > 0 ? us : 0;
}

static int see(void *arg, const char *key, const char *json)
{
	struct walk *w = arg;
	json_t *doc = wh_alert_read(json);
	const char *type = type_of(json_string_value(json_object_get(doc, "kind"))),
		   *text = json_string_value(json_object_get(doc, "text")),
		   *peer = json_string_value(json_object_get(doc, "peer")),
		   *local = json_string_value(json_object_get(doc, "local"));
	json_int_t port = json_integer_value(json_object_get(doc, "port")),
		   proto = json_integer_value(json_object_get(doc, "proto")),
		   out = json_integer_value(json_object_get(doc, "direction"));
	struct wh_addr a;
	(void)key;
	struct wh_finding f = type ? wh_finding_new(w->l, type) : (struct wh_finding){0};
	if (f.type && text && time_of(doc, "last") && port >= 0 && port <= UINT16_MAX && proto >= 0 && proto <= UINT8_MAX) {
		f.direction = out == WH_OUTBOUND ? WH_OUTBOUND : WH_INBOUND;
		f.proto = (uint8_t)proto;
		f.port = (uint16_t)port;
		f.first_us = time_of(doc, "first");
		f.last_us = time_of(doc, "last");
		f.note = wh_arena_strdup(w->all->mem, text);
		if (local && !wh_addr_parse(local, strlen(local), &a))
			f.resource = wh_estate_by_addr(w->l->estate, &a);
		struct wh_finding *is = wh_finding_of(w->all, &f);
		if (peer && !wh_addr_parse(peer, strlen(peer), &a))
			wh_finding_add(w->all, is,
			               &(struct wh_finding_source){
					       .addr = a,
					       .unanswered = (uint64_t)llabs(json_integer_value(json_object_get(doc, "drops"))),
					       .so_far = true,
					       .first_us = f.first_us,
					       .last_us = f.last_us});
	}
	json_decref(doc);
	return 0;
}

int wh_alert_detect_watch(const struct wh_alert_look *l, struct wh_findings *all, struct wh_error *err)
{
	struct walk w = {l, all};
	return wh_state_each(l->ledger->state, NOTICED, see, &w, err);
}

static int count(void *arg, const char *key, const char *json)
{
	(void)key, (void)json;
	++*(unsigned *)arg;
	return 0;
}

int wh_alert_noticed(struct wh_state *s, const struct wh_alert_noticed *n, struct wh_error *err)
{
	char key[128], peer[WH_ADDR_STRLEN] = "", local[WH_ADDR_STRLEN] = "", first[WH_TIME_STRLEN], last[WH_TIME_STRLEN];
	char *text = NULL;
	unsigned kept = 0;
	if (!type_of(n->kind))
		return 0;
	if (n->peer)
		wh_addr_text(n->peer, peer);
	if (n->local)
		wh_addr_text(n->local, local);
	snprintf(key, sizeof key, "%s|%s|%u|%u", n->kind, peer, n->proto, n->port);
	int rc = wh_state_get(s, NOTICED, key, &text, err);
	rc = rc || text ? rc : wh_state_each(s, NOTICED, count, &kept, err);
	json_t *was = text ? wh_alert_read(text) : NULL;
	int64_t first_us = was && time_of(was, "first") ? time_of(was, "first") : n->time_us;
	json_decref(was);
	free(text);
	if (rc || kept >= MOST)
		return rc;
	json_t *doc = json_pack("{s:s, s:s, s:s, s:s, s:i, s:i, s:i, s:I, s:s*, s:s*}", "kind", n->kind, "text", n->text, "first",
	                        wh_time_text(first_us, first), "last", wh_time_text(n->time_us, last), "proto", n->proto, "port",
	                        n->port, "direction", (int)n->direction, "drops", (json_int_t)n->drops, "peer",
	                        n->peer ? peer : NULL, "local", n->local ? local : NULL);
	return wh_state_put_json(s, NOTICED, key, doc, err);
}
