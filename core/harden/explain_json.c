/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An explanation as JSON. */
#include <jansson.h>
#include "harden/explanation.h"

#define JSON_PEERS 10000

static const char *const verdict_names[] = {"belongs", "does-not-belong", "trusted", "threat-intelligence",
                                            "alert",   "outside-policy",  "held"};

static json_t *choice_json(const struct wh_choice *c)
{
	return json_pack("{s:f, s:i, s:f, s:f, s:i}", "cost", c->cost, "lines", (int)c->lines, "unseen", c->terms.unseen,
	                 "newcomers", c->terms.newcomers, "carvedOut", (int)c->terms.out);
}

/* The trusted prefixes that p holds, or that hold it. */
static json_t *trusted_json(const struct wh_explanation *st, const struct wh_prefix *p)
{
	char buf[WH_PREFIX_STRLEN];
	json_t *list = json_array();
	for (size_t i = 0; i < st->input.n_trusted; i++)
		if (wh_prefix_covers(p, &st->input.trusted[i]) || wh_prefix_covers(&st->input.trusted[i], p))
			json_array_append_new(list, json_string(wh_prefix_text(&st->input.trusted[i], buf)));
	return list;
}

static json_t *prefix_json(const struct wh_explanation *st, const struct wh_prefix *p)
{
	char buf[WH_PREFIX_STRLEN];
	struct wh_choice c = wh_explanation_chosen(st, p), w, n;
	struct wh_prefix wp;
	json_t *o = choice_json(&c);
	json_object_set_new(o, "prefix", json_string(wh_prefix_text(p, buf)));
	json_object_set_new(o, "peers", json_integer((json_int_t)c.terms.peers));
	json_object_set_new(o, "trusted", trusted_json(st, p));
	json_t *wide = wh_explanation_wider(st, p, &wp, &w) ? choice_json(&w) : json_null();
	if (json_is_object(wide))
		json_object_set_new(wide, "prefix", json_string(wh_prefix_text(&wp, buf)));
	json_object_set_new(o, "wider", wide);
	json_object_set_new(o, "narrower", wh_explanation_narrower(st, p, &n) && n.lines ? choice_json(&n) : json_null());
	return o;
}

static json_t *peer_json(const struct wh_explanation *st, const struct wh_evidence_peer *p)
{
	char buf[WH_ADDR_STRLEN];
	json_t *terms = json_array();
	for (unsigned i = 0; i < WH_N_FEATURES; i++)
		if (p->value[i] != 0)
			json_array_append_new(terms, json_pack("{s:s, s:f, s:f}", "feature", wh_feature_names[i], "value",
			                                       p->value[i], "weight", st->a.weights.weight[i]));
	return json_pack("{s:s, s:s, s:s?, s:f, s:b, s:b, s:f, s:i, s:I, s:I, s:i, s:o}", "address", wh_addr_text(&p->addr, buf),
	                 "verdict", verdict_names[p->verdict], "lists",
	                 p->verdict == WH_PEER_HOSTILE_INTEL ? wh_explanation_named_by(st, &p->addr) : NULL, "score", p->score,
	                 "oneOff", p->one_off, "gone", p->gone, "posing", p->posing, "days", (int)p->n_days, "flows",
	                 (json_int_t)p->edge->flows, "refusedSince", (json_int_t)p->blocked, "elsewhere", (int)p->elsewhere,
	                 "features", terms);
}

char *wh_explanation_json(const struct wh_explanation *st)
{
	const struct wh_recommended_rule *r = &st->rule;
	json_t *prefixes = json_array(), *peers = json_array(), *except = json_array();
	char proto[8], buf[WH_PREFIX_STRLEN], *text;

	for (size_t i = 0; i < r->n_prefixes; i++)
		json_array_append_new(prefixes, prefix_json(st, &r->prefixes[i]));
	for (size_t i = 0; i < r->n_except; i++)
		json_array_append_new(except, json_string(wh_prefix_text(&r->except[i], buf)));
	for (size_t i = 0; i < st->traffic.n && i < JSON_PEERS; i++)
		json_array_append_new(peers, peer_json(st, &st->traffic.peers[i]));
	json_t *doc = json_pack("{s:s, s:s, s:i, s:s, s:s?, s:s?, s:b, s:i, s:i, s:I, s:f, s:I, s:I, s:o, s:o, s:I, s:o}",
	                        "resource", st->resource->name, "rule", r->name, "destinationPort", (int)r->port, "protocol",
	                        wh_proto_text(r->proto, proto), "narrows", r->narrows, "note", r->note, "narrowAlready",
	                        st->narrow_already, "days", (int)st->a.window.days, "daysWithData", wh_bits(st->all.days),
	                        "unanswered", (json_int_t)st->traffic.refused, "prior", st->a.weights.prior, "deniedPeers",
	                        (json_int_t)r->denied_peers, "deniedFlows", (json_int_t)r->denied_flows, "prefixes", prefixes,
	                        "except", except, "answeredPeers", (json_int_t)st->traffic.n, "peers", peers);
	json_object_set_new(doc, "direction", json_string(wh_direction_text(r->direction)));
	json_object_set_new(doc, "notOffered",
	                    st->narrow_already ? json_string("the rules in force are as narrow already")
	                    : st->why_not      ? json_string(st->why_not)
	                                       : json_null());
	json_object_set_new(doc, "limitedLines", json_boolean(st->limited));
	json_object_set_new(doc, "keptDiffers", json_boolean(st->last_differs));
	json_object_set_new(doc, "confidence", json_real(r->confidence));
	json_object_set_new(doc, "stability", json_real(r->stability));
	json_object_set_new(doc, "prediction", json_real(r->leans));
	json_object_set_new(doc, "replayed", wh_breakage_json(&r->replayed));
	json_object_set_new(doc, "expectedBreakage", wh_breakage_json(&r->expected));
	text = doc ? json_dumps(doc, JSON_INDENT(2) | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(8)) : NULL;
	json_decref(doc);
	return text;
}
