/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Protocol evidence of our addresses, as documents. */
#include <string.h>
#include "whittle/app_learning.h"

enum { MOST = 10000 };

static const char *address(const struct wh_addr *a, char buf[static WH_ADDR_STRLEN])
{
	static const struct wh_addr none;
	return wh_addr_eq(a, &none) ? "" : wh_addr_text(a, buf);
}

json_t *wh_app_fact_json(const struct wh_fact_key *k, const struct wh_fact_row *r)
{
	char local[WH_ADDR_STRLEN], peer[WH_ADDR_STRLEN], proto[8], first[WH_TIME_STRLEN], last[WH_TIME_STRLEN];
	struct wh_addr target;
	json_t *o = json_pack("{s:s, s:s, s:s, s:s}", "kind", wh_fact_words[k->kind], "value", k->value, "first",
	                      wh_time_text(r->first_us, first), "last", wh_time_text(r->last_us, last));
	if (k->kind == WH_FACT_CAPTURE) {
		const struct wh_capture c = wh_fact_capture(r);
		json_object_set_new(o, "packets", json_integer((json_int_t)c.packets));
		json_object_set_new(o, "drops", json_integer((json_int_t)c.drops));
		return o;
	}
	if (k->kind == WH_FACT_SIGNATURES)
		return o;
	json_object_set_new(o, "local", json_string(address(&k->local, local)));
	json_object_set_new(o, "count", json_integer((json_int_t)r->count));
	if (!strcmp(k->value, WH_FACT_MORE))
		return o;
	json_object_set_new(o, "direction", json_string(wh_direction_text((enum wh_direction)k->direction)));
	const char *other = address(&k->peer, peer);
	bool has_peer = *other != 0;
	if (has_peer)
		json_object_set_new(o, "peer", json_string(other));
	if (has_peer || k->port || k->kind == WH_FACT_ATTEMPTS) {
		json_object_set_new(o, "port", json_integer(k->port));
		json_object_set_new(o, "protocol", json_string(wh_proto_text(k->proto, proto)));
	}
	if (k->kind == WH_FACT_ATTEMPTS && wh_fact_target(r, &target)) /* one of them, drawn evenly from all attempts */
		json_object_set_new(o, "target", json_string(address(&target, peer)));
	else if (r->failed && k->kind != WH_FACT_ATTEMPTS)
		json_object_set_new(o, "failed", json_integer((json_int_t)r->failed));
	if (k->kind == WH_FACT_DNS_DOMAIN || k->kind == WH_FACT_DNS_FAILED || k->kind == WH_FACT_ATTEMPTS)
		json_object_set_new(o, "distinct", json_integer((json_int_t)(wh_fact_distinct(r) + 0.5)));
	if (k->kind == WH_FACT_DNS_DOMAIN) {
		json_object_set_new(o, "bytesInNames", json_integer((json_int_t)r->up));
		json_object_set_new(o, "bytesInAnswers", json_integer((json_int_t)r->down));
	}
	return o;
}

struct listing { const struct wh_app_evidence *ask; json_t *list; size_t more; };

static int each(void *arg, const struct wh_fact_key *k, const struct wh_fact_row *r)
{
	struct listing *l = arg;
	if ((l->ask->kind == WH_FACT_KINDS && k->kind == WH_FACT_DNS_NAME) || wh_fact_is_mark(k) ||
	    (l->ask->only && !wh_addr_eq(l->ask->only, &k->local)))
		return 0;
	if (json_array_size(l->list) < MOST)
		json_array_append_new(l->list, wh_app_fact_json(k, r));
	else
		l->more++;
	return 0;
}

int wh_app_evidence(const struct wh_app *a, const struct wh_app_evidence *ask, json_t **out, struct wh_error *err)
{
	struct listing l = {ask, json_array(), 0};
	struct wh_ledger ledger = {NULL, NULL};
	int rc = wh_ledger_open(a->store_url, WH_STATE_READ, &ledger, err);
	rc = rc ? rc : wh_store_facts(ledger.store, ask->kind, each, &l, err);
	wh_ledger_close(&ledger);
	*out = json_pack("{s:i, s:o, s:I}", "version", 1, "evidence", l.list, "more", (json_int_t)l.more);
	if (rc)
		json_decref(*out);
	return rc;
}
