/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Why: the derivation of one rule, run again and told. Which peers stand behind it and what spoke for them, what was left out and
 * by which rule, and for each prefix what the next wider and the next narrower choice would have cost.
 */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "harden/advice.h"
#include "harden/select.h"
#include "whittle/intel.h"

#define SHOWN_PREFIXES 12
#define SHOWN_PEERS 8 /* of each kind, in words; JSON has up to JSON_PEERS */
#define JSON_PEERS 10000

static const char *const verdict_names[] = {"belongs", "does-not-belong", "trusted", "threat-intelligence", "alert", "outside-policy"};
static const char *const verdict_words[] = {"belong", "do not belong, by the evidence", "are trusted configuration, always kept",
                                            "are on a threat list: never allowed", "raised an alert of severity 1 or 2: never allowed",
                                            "are not let in by the rules in force"};

struct story {
	struct wh_analysis a;
	const struct wh_resource *resource;
	struct wh_resource_traffic all;
	struct wh_port_traffic traffic;
	struct wh_present present;
	struct wh_select_input input;
	struct wh_recommended_rule rule;
	bool narrow_already;
	const char *why_not; /* why it would not be offered; NULL */
	struct wh_intel_list *lists; size_t n_lists; /* threat lists: who says so */
	struct wh_arena *mem;
};

/* The names of the threat lists that hold an address, ", " between; NULL where none does. */
static const char *named_by(const struct story *st, const struct wh_addr *a)
{
	const char *names = NULL;
	for (size_t i = 0; i < st->n_lists; i++)
		if (wh_intel_lookup(&st->lists[i], a))
			names = names ? wh_arena_printf(st->mem, "%s, %s", names, st->lists[i].name) : st->lists[i].name;
	return names;
}

/* "22", "22/tcp", or a rule's own name, "TCP-Inbound-22" or "TCP-Outbound-443". */
static int parse_rule(const char *text, enum wh_direction *d, uint8_t *proto, unsigned *port, struct wh_error *err)
{
	char word[64], *end, *dash;
	unsigned long n;

	snprintf(word, sizeof word, "%.63s", text);
	*proto = WH_PROTO_TCP;
	*d = WH_INBOUND;
	if ((dash = strchr(word, '-'))) { /* PROTO-Direction-PORT */
		char *last = strrchr(word, '-');
		*dash = *last = 0;
		*d = !strcmp(dash + 1, "Outbound") ? WH_OUTBOUND : WH_INBOUND;
		if (wh_proto_parse(word, proto) || last == dash || strcmp(dash + 1, wh_direction_text(*d)))
			return wh_fail_input(err, -EINVAL, "'%s' is no rule such as 22, 22/tcp or TCP-Inbound-22", text);
		n = strtoul(last + 1, &end, 10);
	} else {
		n = strtoul(word, &end, 10);
		if (*end == '/' && !wh_proto_parse(end + 1, proto))
			end += strlen(end);
	}
	if (*end || n < 1 || n > 65535 || (word[0] == '-'))
		return wh_fail_input(err, -EINVAL, "'%.60s' is no rule such as 22, 22/tcp or TCP-Inbound-22", text);
	*port = (unsigned)n;
	return 0;
}

static int derive_again(struct story *st, enum wh_direction d, uint8_t proto, unsigned port, struct wh_error *err)
{
	struct wh_port_traffic none = {.direction = d, .proto = proto, .port = (uint16_t)port};
	const struct wh_port_traffic *found;
	int rc = wh_analysis_traffic(&st->a, st->resource, st->mem, &st->all, err);

	if (rc)
		return rc;
	found = wh_traffic_find(&st->all, d, proto, (uint16_t)port);
	st->traffic = found ? *found : none;
	if ((rc = wh_present(st->a.estate, st->resource, d, proto, (uint16_t)port, st->mem, &st->present, err)))
		return rc;
	wh_analysis_weigh(&st->a, &st->present, &st->traffic);
	wh_select_input(&st->a, &st->traffic, &st->present, WH_NO_LIMITS, st->mem, &st->input);
	rc = wh_derive_rule(&st->a, st->resource, &st->all, &st->traffic, &st->present, WH_NO_LIMITS, st->mem, &st->rule, err);
	st->narrow_already = rc == 1;
	if (rc < 0)
		return rc;
	return wh_judge_rule(&st->a, &st->traffic, &st->present, WH_NO_LIMITS, st->mem, &st->rule, &st->why_not, err);
}

/* ---- the alternatives ---- */

struct choice {
	double cost;
	size_t lines;
	struct wh_select_terms terms;
};

static struct choice as_chosen(const struct story *st, const struct wh_prefix *p)
{
	struct choice c = {.lines = 1};
	c.cost = wh_select_price(&st->input, p, st->mem, &c.terms);
	return c;
}

/* One bit shorter; false where that would leave the rules in force, or the family. */
static bool wider(const struct story *st, const struct wh_prefix *p, struct wh_prefix *out, struct choice *c)
{
	bool inside = false;
	if (p->len == (wh_prefix_is_v4(p) ? 96 : 0))
		return false;
	*out = wh_prefix_of(&p->addr, p->len - 1u);
	for (size_t i = 0; i < st->present.n_prefixes && !inside; i++)
		inside = wh_prefix_covers(&st->present.prefixes[i], out);
	if (inside)
		*c = as_chosen(st, out);
	return inside;
}

/* The best within its two halves. */
static bool narrower(const struct story *st, const struct wh_prefix *p, struct choice *c)
{
	struct wh_prefix halves[2];
	struct wh_selection s;

	if (p->len >= (wh_prefix_is_v4(p) ? 128 : 64))
		return false;
	halves[0] = wh_prefix_of(&p->addr, p->len + 1u);
	struct wh_addr last = wh_prefix_last(p);
	halves[1] = wh_prefix_of(&last, p->len + 1u);
	if (wh_select(&st->input, halves, 2, st->mem, &s, NULL))
		return false;
	*c = (struct choice){.cost = s.cost, .lines = s.n_prefixes};
	c->terms = (struct wh_select_terms){.unseen = s.unseen, .newcomers = s.newcomers, .out = s.n_except};
	return true;
}

/* ---- in words ---- */

static const char *units_word(const struct wh_prefix *p, double n)
{
	return wh_prefix_is_v4(p) ? n == 1 ? "address" : "addresses" : n == 1 ? "/64" : "/64s";
}

static void tell_prefix(FILE *f, const struct story *st, const struct wh_prefix *p)
{
	char buf[WH_PREFIX_STRLEN], wide[WH_PREFIX_STRLEN];
	struct choice c = as_chosen(st, p), w, n;
	struct wh_prefix wp;

	fprintf(f, "  %s holds %zu of the peers", wh_prefix_text(p, buf), c.terms.peers);
	if (c.terms.unseen > 0)
		fprintf(f, ", %.6g %s not seen yet", c.terms.unseen, units_word(p, c.terms.unseen));
	if (c.terms.newcomers > 0)
		fprintf(f, ", %.3g newcomers expected in %.0f days", c.terms.newcomers, st->input.costs.horizon_days);
	if (c.terms.out)
		fprintf(f, ", %zu carved out", c.terms.out);
	fprintf(f, ": cost %.2f\n", c.cost);
	if (wider(st, p, &wp, &w))
		fprintf(f, "    wider:    %s would cost %.2f: %.6g %s not seen\n", wh_prefix_text(&wp, wide), w.cost, w.terms.unseen,
		        units_word(p, w.terms.unseen));
	if (narrower(st, p, &n) && n.lines)
		fprintf(f, "    narrower: its halves would cost %.2f in %zu line%s: %.6g not seen, %.3g newcomers let in\n", n.cost, n.lines,
		        n.lines == 1 ? "" : "s", n.terms.unseen, n.terms.newcomers);
}

/* What was taken off its days. */
static double posing(const struct wh_evidence_peer *p)
{
	return p->value[WH_F_NEIGHBOURS] == 0 ? p->posing : 0;
}

static void tell_peer(FILE *f, const struct story *st, const struct wh_evidence_peer *p)
{
	char addr[WH_ADDR_STRLEN];

	fprintf(f, "    %-15s %u day%s, %llu flow%s", wh_addr_text(&p->addr, addr), p->n_days, p->n_days == 1 ? "" : "s",
	        (unsigned long long)p->edge->flows, p->edge->flows == 1 ? "" : "s");
	if (p->verdict == WH_PEER_IN || p->verdict == WH_PEER_OUT) {
		fprintf(f, "; score %+.1f = prior %+.1f", p->score, st->a.weights.prior);
		for (unsigned i = 0; i < WH_N_FEATURES; i++) {
			double term = p->value[i] * st->a.weights.weight[i];
			if (fabs(term) >= 0.05)
				fprintf(f, " %s %+.1f", wh_feature_names[i], term);
		}
		if (posing(p) > 0)
			fprintf(f, "; its sessions are like failed logins: %.0f %% of what its days say is taken off", 100 * posing(p));
		if (p->verdict == WH_PEER_IN && p->blocked)
			fprintf(f, "; was refused %llu times since: comes again", (unsigned long long)p->blocked);
		if (p->one_off)
			fprintf(f, "; came in passing and will hardly come again: left out");
		else if (p->gone)
			fprintf(f, "; came regularly and has stopped: left out");
	} else if (p->verdict == WH_PEER_HOSTILE_INTEL) {
		const char *lists = named_by(st, &p->addr);
		fprintf(f, "; on %s", lists ? lists : "no list any more");
	}
	fputc('\n', f);
}

static int by_flows(const void *a, const void *b)
{
	const struct wh_evidence_peer *x = *(struct wh_evidence_peer *const *)a, *y = *(struct wh_evidence_peer *const *)b;
	if (x->edge->flows != y->edge->flows)
		return x->edge->flows < y->edge->flows ? 1 : -1;
	return wh_addr_cmp(&x->addr, &y->addr);
}

static void tell_verdict(FILE *f, const struct story *st, enum wh_verdict v)
{
	const struct wh_evidence_peer **of = wh_arena_array(st->mem, st->traffic.n + 1, sizeof *of);
	size_t n = 0;

	for (size_t i = 0; i < st->traffic.n; i++)
		if (st->traffic.peers[i].verdict == v)
			of[n++] = &st->traffic.peers[i];
	if (!n)
		return;
	qsort(of, n, sizeof *of, by_flows);
	fprintf(f, "  %zu %s\n", n, verdict_words[v]);
	for (size_t i = 0; i < n && i < SHOWN_PEERS; i++)
		tell_peer(f, st, of[i]);
	if (n > SHOWN_PEERS)
		fprintf(f, "    and %zu more\n", n - SHOWN_PEERS);
}

static void tell_sure(FILE *f, const struct wh_recommended_rule *r)
{
	const struct wh_breakage *own = &r->replayed, *b = &r->expected;

	fprintf(f, "\nSure to %.0f %%: ", 100 * r->confidence);
	if (r->system_generated)
		fprintf(f, "the sensor watched for %u days, and nobody who belongs came.\n", r->days);
	else
		fprintf(f, "stability %.0f %% (peers that came in both halves of the window), prediction %.0f %% (newcomers that are only expected).\n",
		        100 * r->stability, 100 * r->leans);
	fprintf(f, "Replayed on its own %u days it loses %llu of %llu flows of peers that belong.\n", own->days, (unsigned long long)own->flows,
	        (unsigned long long)own->of);
	if (b->days && b->of)
		fprintf(f, "Expected breakage: the rule of %u days ago would since have stopped %llu of %llu flows; at most %.2g %% (95 %%); %llu of %llu peers.\n",
		        b->days, (unsigned long long)b->flows, (unsigned long long)b->of, 100 * b->upper, (unsigned long long)b->peers,
		        (unsigned long long)b->of_peers);
	else if (b->days)
		fprintf(f, "Expected breakage can't be told: no peer that belongs came in the last %u days.\n", b->days);
	else
		fprintf(f, "Expected breakage can't be told yet: the window is too short to leave days out.\n");
}

static void tell(FILE *f, const struct story *st)
{
	static const enum wh_verdict order[] = {WH_PEER_IN,           WH_PEER_TRUSTED, WH_PEER_OUT, WH_PEER_HOSTILE_INTEL,
	                                        WH_PEER_HOSTILE_ALERT, WH_PEER_OUTSIDE_POLICY};
	const struct wh_recommended_rule *r = &st->rule;
	char proto[8], buf[WH_PREFIX_STRLEN];

	fprintf(f, "%s, port %u/%s", st->resource->name, r->port, wh_proto_text(r->proto, proto));
	fprintf(f, r->narrows ? ", narrows %s\n" : ", which no rule guards\n", r->narrows);
	if (r->note)
		fprintf(f, "%s\n", r->note);
	if (st->narrow_already)
		fprintf(f, "The rules in force are as narrow already: nothing is proposed.\n");
	if (st->why_not)
		fprintf(f, "It is not offered: %s.\n", st->why_not);
	fprintf(f, "\nSeen on %u of the %u days up to the window's end; %llu flows were not answered.\n", wh_bits(st->all.days),
	        st->a.window.days, (unsigned long long)st->traffic.refused);
	if (r->n_prefixes)
		fprintf(f, "\nAllowed: %zu prefix%s, %zu carved out (of all choices, what costs least)\n", r->n_prefixes,
		        r->n_prefixes == 1 ? "" : "es", r->n_except);
	else
		fprintf(f, "\nAllowed: nobody (System Generated)\n");
	for (size_t i = 0; i < r->n_prefixes && i < SHOWN_PREFIXES; i++)
		tell_prefix(f, st, &r->prefixes[i]);
	if (r->n_prefixes > SHOWN_PREFIXES)
		fprintf(f, "  and %zu more (--json has all)\n", r->n_prefixes - SHOWN_PREFIXES);
	for (size_t i = 0; i < r->n_except && i < SHOWN_PREFIXES; i++)
		fprintf(f, "%s%s", i ? ", " : "  not ", wh_prefix_text(&r->except[i], buf));
	fputs(r->n_except ? r->n_except > SHOWN_PREFIXES ? " and more\n" : "\n" : "", f);
	fprintf(f, "\nPeers that were answered: %zu\n", st->traffic.n);
	for (size_t i = 0; i < sizeof order / sizeof *order; i++)
		tell_verdict(f, st, order[i]);
	tell_sure(f, r);
	fprintf(f, "\nThe proposal would have stopped %llu flow%s of %llu answered peer%s.\n", (unsigned long long)r->denied_flows,
	        r->denied_flows == 1 ? "" : "s", (unsigned long long)r->denied_peers, r->denied_peers == 1 ? "" : "s");
}

/* ---- as JSON ---- */

static json_t *choice_json(const struct choice *c)
{
	return json_pack("{s:f, s:i, s:f, s:f, s:i}", "cost", c->cost, "lines", (int)c->lines, "unseen", c->terms.unseen, "newcomers",
	                 c->terms.newcomers, "carvedOut", (int)c->terms.out);
}

static json_t *prefix_json(const struct story *st, const struct wh_prefix *p)
{
	char buf[WH_PREFIX_STRLEN];
	struct choice c = as_chosen(st, p), w, n;
	struct wh_prefix wp;
	json_t *o = choice_json(&c);
	json_object_set_new(o, "prefix", json_string(wh_prefix_text(p, buf)));
	json_object_set_new(o, "peers", json_integer((json_int_t)c.terms.peers));
	json_t *wide = wider(st, p, &wp, &w) ? choice_json(&w) : json_null();
	if (json_is_object(wide))
		json_object_set_new(wide, "prefix", json_string(wh_prefix_text(&wp, buf)));
	json_object_set_new(o, "wider", wide);
	json_object_set_new(o, "narrower", narrower(st, p, &n) && n.lines ? choice_json(&n) : json_null());
	return o;
}

static json_t *peer_json(const struct story *st, const struct wh_evidence_peer *p)
{
	char buf[WH_ADDR_STRLEN];
	json_t *terms = json_array();
	for (unsigned i = 0; i < WH_N_FEATURES; i++)
		if (p->value[i] != 0)
			json_array_append_new(terms, json_pack("{s:s, s:f, s:f}", "feature", wh_feature_names[i], "value", p->value[i], "weight",
			                                       st->a.weights.weight[i]));
	return json_pack("{s:s, s:s, s:s?, s:f, s:b, s:b, s:f, s:i, s:I, s:I, s:i, s:o}", "address", wh_addr_text(&p->addr, buf), "verdict",
	                 verdict_names[p->verdict], "lists", p->verdict == WH_PEER_HOSTILE_INTEL ? named_by(st, &p->addr) : NULL, "score",
	                 p->score, "oneOff", p->one_off, "gone", p->gone, "posing", posing(p), "days", (int)p->n_days, "flows",
	                 (json_int_t)p->edge->flows, "refusedSince", (json_int_t)p->blocked, "elsewhere", (int)p->elsewhere, "features", terms);
}

static char *as_json(const struct story *st)
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
	json_t *doc = json_pack("{s:s, s:s, s:i, s:s, s:s?, s:s?, s:b, s:i, s:i, s:I, s:f, s:I, s:I, s:o, s:o, s:I, s:o}", "resource", st->resource->name,
	                        "rule", r->name, "destinationPort", (int)r->port, "protocol", wh_proto_text(r->proto, proto), "narrows", r->narrows,
	                        "note", r->note, "narrowAlready", st->narrow_already, "days", (int)st->a.window.days, "daysWithData",
	                        wh_bits(st->all.days), "unanswered", (json_int_t)st->traffic.refused, "prior", st->a.weights.prior,
	                        "deniedPeers", (json_int_t)r->denied_peers, "deniedFlows", (json_int_t)r->denied_flows, "prefixes", prefixes,
	                        "except", except, "answeredPeers", (json_int_t)st->traffic.n, "peers", peers);
	json_object_set_new(doc, "notOffered", st->why_not ? json_string(st->why_not) : json_null());
	json_object_set_new(doc, "confidence", json_real(r->confidence));
	json_object_set_new(doc, "stability", json_real(r->stability));
	json_object_set_new(doc, "prediction", json_real(r->leans));
	json_object_set_new(doc, "replayed", wh_breakage_json(&r->replayed));
	json_object_set_new(doc, "expectedBreakage", wh_breakage_json(&r->expected));
	text = doc ? json_dumps(doc, JSON_INDENT(2) | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(8)) : NULL;
	json_decref(doc);
	return text;
}

int wh_explain(struct wh_store *s, const struct wh_estate *estate, const char *resource, const char *rule,
               const struct wh_harden_options *opt, bool json, char **out, struct wh_error *err)
{
	struct story st = {.resource = wh_estate_find(estate, resource), .mem = wh_arena_new()};
	enum wh_direction d = WH_INBOUND;
	unsigned port = 0;
	uint8_t proto = 0;
	size_t len;
	int rc;

	*out = NULL;
	if (!st.mem)
		return wh_fail(err, -ENOMEM, "out of memory");
	if (!st.resource)
		rc = wh_fail_input(err, -ENOENT, "there is no resource '%.100s'", resource);
	else
		rc = parse_rule(rule, &d, &proto, &port, err);
	if (rc || (rc = wh_intel_lists(s, st.mem, &st.lists, &st.n_lists, err)) || (rc = wh_analysis_open(&st.a, s, estate, opt, err)))
		goto out;
	if ((rc = derive_again(&st, d, proto, port, err)))
		goto close;
	if (json) {
		*out = as_json(&st);
	} else {
		FILE *f = open_memstream(out, &len);
		if (f) {
			tell(f, &st);
			if (fclose(f))
				*out = NULL;
		}
	}
	if (!*out)
		rc = wh_fail(err, -ENOMEM, "out of memory");
close:
	wh_analysis_close(&st.a);
out:
	wh_arena_free(st.mem);
	return rc;
}
