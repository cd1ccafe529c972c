/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An explanation in words: the offer, prefix by prefix, peer by peer, and its confidence. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "harden/explanation.h"
#include "whittle/nat64.h"

#define SHOWN_PREFIXES 12
#define SHOWN_TRUSTED 3
#define SHOWN_PEERS 8 /* of each kind, in words */

static const char *const verdict_words[][2] = {
	{"belongs", "belong"},
	{"does not belong, by the evidence", "do not belong, by the evidence"},
	{"is trusted configuration, always kept", "are trusted configuration, always kept"},
	{"is on a threat list: never allowed", "are on a threat list: never allowed"},
	{"raised an alert of severity 1 or 2: never allowed", "raised an alert of severity 1 or 2: never allowed"},
	{"is not let in by the rules in force", "are not let in by the rules in force"},
	{"belonged and raised an alert: held, allowed until you decide",
         "belonged and raised an alert: held, allowed until you decide"}};

/* "3 addresses", "1 /64"; of a part of a /64, addresses. */
static const char *units_text(const struct wh_prefix *p, double n, char buf[static 64])
{
	char count[WH_NUMBER_STRLEN];
	const struct wh_prefix nat64 = wh_nat64();
	bool v4 = wh_prefix_is_v4(p) || wh_prefix_covers(&nat64, p), part = !v4 && p->len > 64;

	n = part ? round(ldexp(n, 64)) : n;
	snprintf(buf, 64, "%s %s", wh_count_text(n, count),
	         v4 || part ? n == 1 ? "address" : "addresses"
	         : n == 1   ? "/64"
	                    : "/64s");
	return buf;
}

static bool is_trusted(const struct wh_explanation *st, const struct wh_prefix *p)
{
	for (size_t i = 0; i < st->input.n_trusted; i++)
		if (wh_prefix_covers(&st->input.trusted[i], p))
			return true;
	return false;
}

static void tell_trusted(FILE *f, const struct wh_explanation *st, const struct wh_prefix *p)
{
	char buf[WH_PREFIX_STRLEN];
	size_t n = 0;

	for (size_t i = 0; i < st->input.n_trusted; i++)
		if (wh_prefix_covers(p, &st->input.trusted[i]) && n++ < SHOWN_TRUSTED)
			fprintf(f, "%s%s", n > 1 ? " " : ", trusted ", wh_prefix_text(&st->input.trusted[i], buf));
	if (n > SHOWN_TRUSTED)
		fprintf(f, " and %zu more", n - SHOWN_TRUSTED);
}

static void tell_prefix(FILE *f, const struct wh_explanation *st, const struct wh_prefix *p)
{
	char buf[WH_PREFIX_STRLEN], wide[WH_PREFIX_STRLEN], n_text[64];
	struct wh_choice c = wh_explanation_chosen(st, p), w, n;
	struct wh_prefix wp;

	if (is_trusted(st, p)) {
		fprintf(f, "  %s is trusted configuration: kept whole, seen or not\n", wh_prefix_text(p, buf));
		return;
	}
	fprintf(f, "  %s holds %zu of the peers", wh_prefix_text(p, buf), c.terms.peers);
	tell_trusted(f, st, p);
	if (c.terms.unseen > 0)
		fprintf(f, ", %s not seen yet", units_text(p, c.terms.unseen, n_text));
	if (c.terms.newcomers > 0)
		fprintf(f, ", %.3g newcomers expected in %.0f days", c.terms.newcomers, st->input.costs.horizon_days);
	if (c.terms.out)
		fprintf(f, ", %zu carved out", c.terms.out);
	fprintf(f, ": cost %.2f\n", c.cost);
	if (wh_explanation_wider(st, p, &wp, &w))
		fprintf(f, "    wider:    %s costs %.2f: %s not seen yet\n", wh_prefix_text(&wp, wide), w.cost,
		        units_text(&wp, w.terms.unseen, n_text));
	if (wh_explanation_narrower(st, p, &n) && n.lines)
		fprintf(f, "    narrower: its halves cost %.2f in %zu line%s: %s not seen yet, %.3g expected newcomers get in\n",
		        n.cost, n.lines, n.lines == 1 ? "" : "s", wh_count_text(n.terms.unseen, n_text), n.terms.newcomers);
}

/* For a /64 whose hosts change their addresses, and count as one, the /64. */
static const char *peer_text(const struct wh_evidence_peer *p, char buf[static WH_PREFIX_STRLEN])
{
	struct wh_prefix at = wh_prefix_of(&p->addr, !wh_addr_is_v4(&p->addr) && !wh_addr_low(&p->addr) ? 64 : 128);
	return wh_prefix_text(&at, buf);
}

/* The special features of its flows, and its signatures. */
static void tell_kind(FILE *f, const struct wh_evidence_peer *p)
{
	const struct wh_edge *e = p->edge;
	char alert[WH_ALERT_STRLEN];

	if (e->connects)
		fprintf(f, "; %s%s connected and closed without data from both sides, as a health check does",
		        e->connects < e->flows ? "some " : "", "flows");
	if (p->unproven)
		fprintf(f, p->in_flood ? "; one of many that were new at the time, whose sources may be forged: no evidence"
		                       : "; all within five minutes, by a source that may be forged: no evidence");
	if (p->verdict == WH_PEER_HELD || p->verdict == WH_PEER_HOSTILE_ALERT)
		fprintf(f, "; kept out by an alert (%s)%s", wh_alert_text(e, alert),
		        p->verdict == WH_PEER_HELD
		                ? " but for what it did before: add it to 'trusted' in whittle.yaml, or to a threat list"
		        : wh_alert_alone(p) ? " alone: to keep it, add it to 'trusted' in whittle.yaml"
		                            : "");
	if (e->marks & WH_EDGE_OPEN)
		fprintf(f, "; was seen as an open connection");
	if (e->marks & WH_EDGE_PROXY)
		fprintf(f, "; speaks for others (xff): a proxy");
	if (e->marks & WH_EDGE_ALERT_OTHER)
		fprintf(f, "; a signature fired on what it did not send, or over UDP: no evidence against it");
}

/* The discount of a peer's days for the shape of its sessions. */
static void print_discount(FILE *f, const struct wh_evidence_peer *p)
{
	const char *what = p->elsewhere_here ? "days and other ports" : "days";
	if (p->posing > 0.995)
		fprintf(f, "; its sessions look like failed logins, so its %s do not count", what);
	else
		fprintf(f, "; its sessions look like failed logins, so %.0f %% of its %s do not count", 100 * p->posing, what);
}

static void tell_peer(FILE *f, const struct wh_explanation *st, const struct wh_evidence_peer *p, int width)
{
	char addr[WH_PREFIX_STRLEN], flows[WH_NUMBER_STRLEN];

	fprintf(f, "    %-*s %u day%s, %s flow%s", width, peer_text(p, addr), p->n_days, p->n_days == 1 ? "" : "s",
	        wh_number_text(p->edge->flows, flows), p->edge->flows == 1 ? "" : "s");
	tell_kind(f, p);
	if (p->verdict == WH_PEER_IN || p->verdict == WH_PEER_OUT || p->verdict == WH_PEER_HELD) {
		fprintf(f, "; score %+.1f = prior %+.1f", p->score, st->a.weights.prior);
		for (unsigned i = 0; i < WH_N_FEATURES; i++) {
			double term = p->value[i] * st->a.weights.weight[i];
			if (fabs(term) >= 0.05)
				fprintf(f, " %s %+.1f", wh_feature_names[i], term);
		}
		if (p->posing > 0)
			print_discount(f, p);
		if (p->verdict == WH_PEER_IN && p->blocked)
			fprintf(f, "; was refused %llu times since: comes again", (unsigned long long)p->blocked);
		if (p->one_off)
			fprintf(f, "; came in passing and will hardly come again: left out");
		else if (p->gone)
			fprintf(f, "; came regularly and has stopped: left out");
	} else if (p->verdict == WH_PEER_OUTSIDE_POLICY && p->blocked) {
		fprintf(f, "; was refused %llu times since", (unsigned long long)p->blocked);
	} else if (p->verdict == WH_PEER_HOSTILE_INTEL) {
		const char *lists = wh_explanation_named_by(st, &p->addr);
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

static void tell_verdict(FILE *f, const struct wh_explanation *st, enum wh_verdict v)
{
	const struct wh_evidence_peer **of = wh_arena_array(st->mem, st->traffic.n + 1, sizeof *of);
	char text[WH_PREFIX_STRLEN];
	int width = 15; /* of any IPv4 address */
	size_t n = 0;

	for (size_t i = 0; i < st->traffic.n; i++)
		if (st->traffic.peers[i].verdict == v)
			of[n++] = &st->traffic.peers[i];
	if (!n)
		return;
	qsort(of, n, sizeof *of, by_flows);
	fprintf(f, "  %zu %s\n", n, verdict_words[v][n > 1]);
	for (size_t i = 0; i < n && i < SHOWN_PEERS; i++)
		width = (int)strlen(peer_text(of[i], text)) > width ? (int)strlen(text) : width;
	for (size_t i = 0; i < n && i < SHOWN_PEERS; i++)
		tell_peer(f, st, of[i], width);
	if (n > SHOWN_PEERS)
		fprintf(f, "    and %zu more\n", n - SHOWN_PEERS);
}

static void tell_sure(FILE *f, const struct wh_recommended_rule *r)
{
	const struct wh_breakage *own = &r->replayed, *b = &r->expected;
	char most[WH_PERCENT_STRLEN], a[WH_NUMBER_STRLEN], z[WH_NUMBER_STRLEN];

	fprintf(f, r->confidence < 0.995 ? "\nSure to %.0f %%: " : "\nSure to more than 99 %%: ", 100 * r->confidence);
	if (r->system_generated)
		fprintf(f, "the sensor watched for %u day%s, and nobody who belongs came.\n", r->days, r->days == 1 ? "" : "s");
	else
		fprintf(f,
		        "stability %.0f %% (peers that came in both halves of the window), prediction %.0f %% (newcomers that are only expected).\n",
		        100 * r->stability, 100 * r->leans);
	fprintf(f, "Replayed on its own %u day%s it loses %s of %s flows of peers that belong.\n", own->days,
	        own->days == 1 ? "" : "s", wh_number_text(own->flows, a), wh_number_text(own->of, z));
	if (b->days && b->of)
		fprintf(f,
		        "Expected breakage: the rule of %u days ago would since have stopped %s of %s flows; at most %s %% (95 %%); %llu of %llu peers.\n",
		        b->days, wh_number_text(b->flows, a), wh_number_text(b->of, z), wh_percent(b->upper, most),
		        (unsigned long long)b->peers, (unsigned long long)b->of_peers);
	else if (b->days)
		fprintf(f, "Expected breakage is not known: no peer that belongs came in the last %u days.\n", b->days);
	else
		fprintf(f, "Expected breakage is not known yet: the window is too short to leave days out.\n");
}

static const char *day_before(int64_t us, char buf[static WH_TIME_STRLEN])
{
	wh_time_text(us - 1, buf);
	buf[10] = 0;
	return buf;
}

/* Rules are never widened. If they are whittle's own, from an earlier export that was imported again, there is still a
 * way. */
static void tell_shut_out(FILE *f, const struct wh_explanation *st)
{
	bool ours = false;
	size_t n = 0;

	for (size_t i = 0; i < st->traffic.n; i++) {
		const struct wh_evidence_peer *p = &st->traffic.peers[i];
		n += p->verdict == WH_PEER_OUTSIDE_POLICY && p->blocked && p->score > 0 && p->n_days > 1;
	}
	for (size_t i = 0; n && i < st->resource->n_nsgs; i++)
		for (size_t k = 0; k < st->resource->nsgs[i]->n_rules; k++)
			ours = ours || st->resource->nsgs[i]->rules[k].origin == WH_ORIGIN_WHITTLE;
	if (n)
		fprintf(f,
		        "%zu peer%s would belong by the evidence, and %s refused by the rules in force, which are never widened%s.\n",
		        n, n == 1 ? "" : "s", n == 1 ? "is" : "are",
		        ours ? "; some of them are whittle's own: import the group as it was without these, and recommend goes by that"
		             : "");
}

/* Whether it is offered, and how it compares to the kept one. */
static void tell_offer(FILE *f, const struct wh_explanation *st)
{
	char at[WH_TIME_STRLEN];

	if (st->narrow_already)
		fprintf(f, "The rules in force are as narrow already: nothing is proposed.\n");
	else if (st->why_not)
		/* a sentence of its own, or the rest of this one */
		fprintf(f, "Nothing is proposed%s %s.\n", *st->why_not == 'P' ? "." : ":", st->why_not);
	tell_shut_out(f, st);
	if (st->last_differs && st->last_rule)
		fprintf(f,
		        "The last 'whittle recommend', of what was learned up to %s, kept another rule: what that rests on has changed since, so run it again.\n",
		        day_before(st->last->to_us, at));
	else if (st->last_differs)
		fprintf(f, "The last 'whittle recommend', of what was learned up to %s, kept no rule for it: run it again.\n",
		        day_before(st->last->to_us, at));
}

static void tell_allowed(FILE *f, const struct wh_explanation *st)
{
	const struct wh_recommended_rule *r = &st->rule;
	const char *allowed = st->why_not || st->narrow_already ? "It would allow" : "Allowed";
	char buf[WH_PREFIX_STRLEN];

	if (!r->n_prefixes)
		fprintf(f, "\n%s: nobody (System Generated)\n", allowed);
	else if (st->limited)
		fprintf(f,
		        "\n%s: %zu prefix%s, %zu carved out (within the limit of lines; without it, %zu lines have the lowest cost)\n",
		        allowed, r->n_prefixes, r->n_prefixes == 1 ? "" : "es", r->n_except, st->limited);
	else
		fprintf(f, "\n%s: %zu prefix%s, %zu carved out (the choice with the lowest cost)\n", allowed, r->n_prefixes,
		        r->n_prefixes == 1 ? "" : "es", r->n_except);
	for (size_t i = 0; i < r->n_prefixes && i < SHOWN_PREFIXES; i++)
		tell_prefix(f, st, &r->prefixes[i]);
	if (r->n_prefixes > SHOWN_PREFIXES)
		fprintf(f, "  and %zu more (--json has all)\n", r->n_prefixes - SHOWN_PREFIXES);
	for (size_t i = 0; i < r->n_except && i < SHOWN_PREFIXES; i++)
		fprintf(f, "%s%s", i ? ", " : "  not ", wh_prefix_text(&r->except[i], buf));
	fputs(r->n_except ? r->n_except > SHOWN_PREFIXES ? " and more\n" : "\n" : "", f);
}

void wh_explanation_print(FILE *f, const struct wh_explanation *st)
{
	static const enum wh_verdict order[] = {WH_PEER_IN,
	                                        WH_PEER_TRUSTED,
	                                        WH_PEER_HELD,
	                                        WH_PEER_OUT,
	                                        WH_PEER_HOSTILE_INTEL,
	                                        WH_PEER_HOSTILE_ALERT,
	                                        WH_PEER_OUTSIDE_POLICY};
	const struct wh_recommended_rule *r = &st->rule;
	bool closed = !st->present.explicit_allow || !st->present.allowed.n; /* as it is: there is nothing to narrow */
	char proto[8], count[WH_NUMBER_STRLEN];

	fprintf(f, "%s, port %u/%s%s", st->resource->name, r->port, wh_proto_text(r->proto, proto),
	        r->direction == WH_OUTBOUND ? " out" : "");
	fprintf(f,
	        r->narrows               ? ", narrows %s\n"
	        : st->resource->n_nsgs ? "\n"
	        : st->resource->host   ? ", which this machine's own rules leave open\n"
	                               : ", which no rule guards\n",
	        r->narrows);
	if (r->note && !closed)
		fprintf(f, "%s\n", r->note);
	tell_offer(f, st);
	fprintf(f, "\nSeen on %u of the %u days up to the window's end; %s flows were not answered.\n", wh_bits(st->all.days),
	        st->a.window.days, wh_number_text(st->traffic.refused, count));
	if (!closed)
		tell_allowed(f, st);
	fprintf(f, "\nPeers that were answered: %zu\n", st->traffic.n);
	for (size_t i = 0; i < sizeof order / sizeof *order; i++)
		tell_verdict(f, st, order[i]);
	if (closed)
		return;
	tell_sure(f, r);
	fprintf(f, "\nThe proposal would have stopped %s flow%s of %llu answered peer%s.\n",
	        wh_number_text(r->denied_flows, count), r->denied_flows == 1 ? "" : "s", (unsigned long long)r->denied_peers,
	        r->denied_peers == 1 ? "" : "s");
}
