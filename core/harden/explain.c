/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Why: the derivation of one rule, run again and told. Which peers stand behind it and what spoke for them, what was left out and
 * by which rule, and for each prefix what the next wider and the next narrower choice would have cost.
 *
 * It is told of what recommend offers, with the options that the kept recommendation was made with. Where that one was held to fewer lines, by
 * --lines or by what its group holds, the choice among all rules of a resource is not made again: its rule is explained as it was kept, as
 * long as it lets in whom the evidence of today wants in. Where nothing is offered, recommend itself is asked why, for this port alone.
 */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "harden/advice.h"
#include "harden/select.h"
#include "whittle/intel.h"

#define SHOWN_PREFIXES 12
#define SHOWN_TRUSTED 3
#define SHOWN_PEERS 8 /* of each kind, in words; JSON has up to JSON_PEERS */
#define JSON_PEERS 10000

static const char *const verdict_names[] = {"belongs", "does-not-belong", "trusted", "threat-intelligence", "alert", "outside-policy"};
static const char *const verdict_words[][2] = {{"belongs", "belong"}, {"does not belong, by the evidence", "do not belong, by the evidence"},
                                               {"is trusted configuration, always kept", "are trusted configuration, always kept"},
                                               {"is on a threat list: never allowed", "are on a threat list: never allowed"},
                                               {"raised an alert of severity 1 or 2: never allowed", "raised an alert of severity 1 or 2: never allowed"},
                                               {"is not let in by the rules in force", "are not let in by the rules in force"}};

struct story {
	struct wh_analysis a;
	const struct wh_resource *resource;
	struct wh_resource_traffic all;
	struct wh_port_traffic traffic;
	struct wh_present present;
	struct wh_select_input input;
	struct wh_recommended_rule rule;
	bool narrow_already;
	const char *why_not; /* why it is not offered; NULL */
	const struct wh_recommendation *kept;       /* by the last recommend; NULL */
	const struct wh_recommended_rule *kept_rule; /* its rule of this port; NULL */
	const char *kept_said; /* of the port, where it has none; NULL */
	bool kept_differs;   /* from what is derived now */
	size_t limited;      /* kept_rule is told, since it was held to fewer lines than these; 0: not so */
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

/* A rule's own name, "TCP-Inbound-22"; "22", "22/tcp", or as recommend's table has it, "443/TCP out". */
static int parse_rule(const char *text, enum wh_direction *d, uint8_t *proto, unsigned *port, struct wh_error *err)
{
	char word[64], *end, *dash;
	unsigned long n;
	bool good = true;

	snprintf(word, sizeof word, "%.63s", text);
	*proto = WH_PROTO_TCP;
	*d = WH_INBOUND;
	if ((dash = strchr(word, '-')) && dash > word) {
		char *last = strrchr(word, '-');
		*dash = *last = 0;
		*d = !strcasecmp(dash + 1, "Outbound") ? WH_OUTBOUND : WH_INBOUND;
		good = last != dash && !strcasecmp(dash + 1, wh_direction_text(*d)) && !wh_proto_parse(word, proto);
		n = strtoul(last + 1, &end, 10);
		good = good && last[1] >= '0' && last[1] <= '9' && !*end;
	} else {
		size_t len = strlen(word);
		if (len > 4 && strchr(" /", word[len - 4]) && !strcasecmp(word + len - 3, "out")) {
			*d = WH_OUTBOUND;
			word[len - 4] = 0;
		}
		n = strtoul(word, &end, 10);
		good = word[0] >= '0' && word[0] <= '9' && (!*end || (*end == '/' && !wh_proto_parse(end + 1, proto)));
	}
	if (!good || n < 1 || n > 65535 || (*proto != WH_PROTO_TCP && *proto != WH_PROTO_UDP))
		return wh_fail_input(err, -EINVAL, "'%.60s' is no rule such as 22, 22/tcp, 443/tcp out or TCP-Inbound-22", text);
	*port = (unsigned)n;
	return 0;
}

/* ---- what is offered ---- */

static void find_kept(struct story *st, struct wh_store *s, const struct wh_estate *e, enum wh_direction d, uint8_t proto, unsigned port)
{
	struct wh_recommendation *rec;
	struct wh_error none = {0};

	if (wh_recommendation_load(s, e, st->mem, &rec, &none))
		return; /* none yet, or none that can be read: recommend says so */
	for (size_t i = 0; i < rec->n_resources; i++) {
		if (rec->resources[i].resource != st->resource)
			continue;
		st->kept = rec;
		st->kept_said = wh_reason_of_port(rec->resources[i].reason, d, (uint16_t)port, proto, st->mem);
		for (size_t k = 0; k < rec->resources[i].n_rules; k++)
			if (rec->resources[i].rules[k].direction == d && rec->resources[i].rules[k].proto == proto && rec->resources[i].rules[k].port == port)
				st->kept_rule = &rec->resources[i].rules[k];
	}
}

/* Why recommend passes the port over; NULL when it does not. */
static const char *passed_over(const struct story *st, const struct wh_harden_options *opt, enum wh_direction d, uint8_t proto, unsigned port)
{
	const struct wh_port_list *list = d == WH_INBOUND ? opt->ports : opt->ports_outbound;
	char text[8];

	if (st->present.unknown || st->present.differs)
		return NULL; /* said by recommend */
	if (!st->present.explicit_allow || !st->present.allowed.n)
		return d == WH_INBOUND ? "no rule in force opens this port" : "no outbound rule opens this port by name: the default rules are left alone";
	if (st->kept_rule)
		return NULL;
	if (list && !wh_port_list_has(list, proto, (uint16_t)port))
		return wh_arena_printf(st->mem, "it is none of the ports that are looked at: 'whittle recommend --ports %u/%s' does", port, wh_proto_text(proto, text));
	if (opt->directions == (d == WH_INBOUND ? WH_DIRECTIONS_OUTBOUND : WH_DIRECTIONS_INBOUND))
		return wh_arena_printf(st->mem, "%s rules were not asked for: 'whittle recommend --direction both' does", d == WH_INBOUND ? "inbound" : "outbound");
	return NULL;
}

/* Asks recommend for this port alone: its rule, or its reason. */
static int ask_recommend(struct story *st, struct wh_store *s, enum wh_direction d, uint8_t proto, unsigned port, struct wh_error *err)
{
	struct wh_harden_options one = *st->a.opt;
	struct wh_recommendation *rec;
	struct wh_port_list *list;
	char spec[32], text[8];
	int rc;

	snprintf(spec, sizeof spec, "%u/%s", port, wh_proto_text(proto, text));
	one.directions = d == WH_INBOUND ? WH_DIRECTIONS_INBOUND : WH_DIRECTIONS_OUTBOUND;
	one.max_lines = 0;
	one.no_holdout = true;
	one.progress = NULL;
	if ((rc = wh_port_list_load(spec, NULL, st->mem, &list, err)))
		return rc;
	one.ports = one.ports_outbound = list;
	if ((rc = wh_recommend(s, st->a.estate, &st->resource->name, 1, &one, st->mem, &rec, err)))
		return rc;
	if (!rec->resources[0].n_rules)
		st->why_not = rec->resources[0].reason;
	return 0;
}

/* Whether the rule lets in everybody who belongs and nobody who must stay out, as the evidence is now. */
static bool still_serves(const struct story *st, const struct wh_recommended_rule *r)
{
	struct wh_ranges in = wh_let_in(r->prefixes, r->n_prefixes, r->except, r->n_except, st->mem);
	struct wh_ranges out = wh_ranges_from_prefixes(st->input.keep_out, st->input.n_out, st->mem);

	for (size_t i = 0; i < st->traffic.n; i++) {
		enum wh_verdict v = st->traffic.peers[i].verdict;
		if ((v == WH_PEER_IN || v == WH_PEER_TRUSTED) && !wh_ranges_has(in, &st->traffic.peers[i].addr))
			return false;
	}
	return !wh_ranges_intersect(in, out, st->mem).n && !wh_ranges_minus(in, st->present.allowed, st->mem).n;
}

static bool same_prefixes(const struct wh_prefix *a, size_t n_a, const struct wh_prefix *b, size_t n_b)
{
	return n_a == n_b && (!n_a || !memcmp(a, b, n_a * sizeof *a));
}

static void compare_with_kept(struct story *st)
{
	const struct wh_recommended_rule *k = st->kept_rule;
	size_t lines = st->rule.n_prefixes + st->rule.n_except;

	if (!k || (same_prefixes(k->prefixes, k->n_prefixes, st->rule.prefixes, st->rule.n_prefixes) &&
	           same_prefixes(k->except, k->n_except, st->rule.except, st->rule.n_except))) {
		if (!k && st->kept_said && !st->why_not && !st->narrow_already) /* for want of room, which is not this port's alone */
			st->why_not = wh_arena_printf(st->mem, "the port is %s", st->kept_said);
		st->kept_differs = st->kept && !k && !st->why_not && !st->narrow_already;
		return;
	}
	if (k->n_prefixes + k->n_except < lines && k->n_prefixes && still_serves(st, k)) {
		st->limited = lines;
		st->rule = *k;
		st->rule.narrows = st->present.narrows;
	} else {
		st->kept_differs = true;
	}
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
	return rc < 0 ? rc : wh_judge_rule(&st->a, &st->traffic, &st->present, WH_NO_LIMITS, st->mem, &st->rule, &st->why_not, err);
}

/* What the kept recommendation was asked for, of whittle.yaml and of the command line, is what is explained. */
static void take_asked(const struct wh_asked *a, struct wh_harden_options *opt)
{
	opt->permissiveness = a->permissiveness;
	opt->max_prefixes = a->max_prefixes;
	opt->min_days = a->min_days;
	opt->window_days = a->window_days;
	opt->stable_days = a->stable_days;
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

/* "3 addresses", "1 /64"; of a part of a /64, addresses. */
static const char *units_text(const struct wh_prefix *p, double n, char buf[static 64])
{
	char count[WH_COUNT_STRLEN];
	bool v4 = wh_prefix_is_v4(p), part = !v4 && p->len > 64;

	n = part ? round(ldexp(n, 64)) : n;
	snprintf(buf, 64, "%s %s", wh_count_text(n, count), v4 || part ? n == 1 ? "address" : "addresses" : n == 1 ? "/64" : "/64s");
	return buf;
}

static bool is_trusted(const struct story *st, const struct wh_prefix *p)
{
	for (size_t i = 0; i < st->input.n_trusted; i++)
		if (wh_prefix_covers(&st->input.trusted[i], p))
			return true;
	return false;
}

static void tell_trusted(FILE *f, const struct story *st, const struct wh_prefix *p)
{
	char buf[WH_PREFIX_STRLEN];
	size_t n = 0;

	for (size_t i = 0; i < st->input.n_trusted; i++)
		if (wh_prefix_covers(p, &st->input.trusted[i]) && n++ < SHOWN_TRUSTED)
			fprintf(f, "%s%s", n > 1 ? " " : ", trusted ", wh_prefix_text(&st->input.trusted[i], buf));
	if (n > SHOWN_TRUSTED)
		fprintf(f, " and %zu more", n - SHOWN_TRUSTED);
}

static void tell_prefix(FILE *f, const struct story *st, const struct wh_prefix *p)
{
	char buf[WH_PREFIX_STRLEN], wide[WH_PREFIX_STRLEN], n_text[64];
	struct choice c = as_chosen(st, p), w, n;
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
	if (wider(st, p, &wp, &w))
		fprintf(f, "    wider:    %s would cost %.2f: %s not seen\n", wh_prefix_text(&wp, wide), w.cost, units_text(&wp, w.terms.unseen, n_text));
	if (narrower(st, p, &n) && n.lines)
		fprintf(f, "    narrower: its halves would cost %.2f in %zu line%s: %s not seen, %.3g newcomers let in\n", n.cost, n.lines,
		        n.lines == 1 ? "" : "s", wh_count_text(n.terms.unseen, n_text), n.terms.newcomers);
}

/* What was taken off its days. */
static double posing(const struct wh_evidence_peer *p)
{
	return p->value[WH_F_NEIGHBOURS] == 0 ? p->posing : 0;
}

static void tell_peer(FILE *f, const struct story *st, const struct wh_evidence_peer *p)
{
	char addr[WH_ADDR_STRLEN + 4];
	bool folded = !wh_addr_is_v4(&p->addr) && !wh_addr_low(&p->addr); /* its hosts change their addresses, and stand for one */

	wh_addr_text(&p->addr, addr);
	fprintf(f, "    %-15s %u day%s, %llu flow%s", folded ? strcat(addr, "/64") : addr, p->n_days, p->n_days == 1 ? "" : "s",
	        (unsigned long long)p->edge->flows, p->edge->flows == 1 ? "" : "s");
	if (p->verdict == WH_PEER_IN || p->verdict == WH_PEER_OUT) {
		fprintf(f, "; score %+.1f = prior %+.1f", p->score, st->a.weights.prior);
		for (unsigned i = 0; i < WH_N_FEATURES; i++) {
			double term = p->value[i] * st->a.weights.weight[i];
			if (fabs(term) >= 0.05)
				fprintf(f, " %s %+.1f", wh_feature_names[i], term);
		}
		if (posing(p) > 0)
			fprintf(f, "; its sessions are like failed logins: %.0f %% of what its days%s say is taken off", 100 * posing(p),
			        p->elsewhere_here ? " and other ports" : "");
		if (p->verdict == WH_PEER_IN && p->blocked)
			fprintf(f, "; was refused %llu times since: comes again", (unsigned long long)p->blocked);
		if (p->one_off)
			fprintf(f, "; came in passing and will hardly come again: left out");
		else if (p->gone)
			fprintf(f, "; came regularly and has stopped: left out");
	} else if (p->verdict == WH_PEER_OUTSIDE_POLICY && p->blocked) {
		fprintf(f, "; was refused %llu times since", (unsigned long long)p->blocked);
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
	fprintf(f, "  %zu %s\n", n, verdict_words[v][n > 1]);
	for (size_t i = 0; i < n && i < SHOWN_PEERS; i++)
		tell_peer(f, st, of[i]);
	if (n > SHOWN_PEERS)
		fprintf(f, "    and %zu more\n", n - SHOWN_PEERS);
}

static void tell_sure(FILE *f, const struct wh_recommended_rule *r)
{
	const struct wh_breakage *own = &r->replayed, *b = &r->expected;
	char most[WH_PERCENT_STRLEN];

	fprintf(f, r->confidence < 0.995 ? "\nSure to %.0f %%: " : "\nSure to more than 99 %%: ", 100 * r->confidence);
	if (r->system_generated)
		fprintf(f, "the sensor watched for %u day%s, and nobody who belongs came.\n", r->days, r->days == 1 ? "" : "s");
	else
		fprintf(f, "stability %.0f %% (peers that came in both halves of the window), prediction %.0f %% (newcomers that are only expected).\n",
		        100 * r->stability, 100 * r->leans);
	fprintf(f, "Replayed on its own %u day%s it loses %llu of %llu flows of peers that belong.\n", own->days, own->days == 1 ? "" : "s",
	        (unsigned long long)own->flows, (unsigned long long)own->of);
	if (b->days && b->of)
		fprintf(f, "Expected breakage: the rule of %u days ago would since have stopped %llu of %llu flows; at most %s %% (95 %%); %llu of %llu peers.\n",
		        b->days, (unsigned long long)b->flows, (unsigned long long)b->of, wh_percent(b->upper, most), (unsigned long long)b->peers,
		        (unsigned long long)b->of_peers);
	else if (b->days)
		fprintf(f, "Expected breakage can't be told: no peer that belongs came in the last %u days.\n", b->days);
	else
		fprintf(f, "Expected breakage can't be told yet: the window is too short to leave days out.\n");
}

static const char *day_before(int64_t us, char buf[static WH_TIME_STRLEN])
{
	wh_time_text(us - 1, buf);
	buf[10] = 0;
	return buf;
}

/* Rules are never widened. Where they are whittle's own, of an earlier export that was imported again, there is a way all the same. */
static void tell_shut_out(FILE *f, const struct story *st)
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
		fprintf(f, "%zu peer%s would belong by the evidence, and %s refused by the rules in force, which are never widened%s.\n", n, n == 1 ? "" : "s",
		        n == 1 ? "is" : "are", ours ? "; some of them are whittle's own: import the group as it was without these, and recommend goes by that" : "");
}

/* Whether it is offered, and how it stands to what was kept. */
static void tell_offer(FILE *f, const struct story *st)
{
	char at[WH_TIME_STRLEN];

	if (st->narrow_already)
		fprintf(f, "The rules in force are as narrow already: nothing is proposed.\n");
	else if (st->why_not)
		fprintf(f, "Nothing is proposed: %s.\n", st->why_not);
	tell_shut_out(f, st);
	if (st->kept_differs && st->kept_rule)
		fprintf(f, "The last 'whittle recommend', of what was learned up to %s, kept another rule: what that rests on has changed since, so run it again.\n",
		        day_before(st->kept->to_us, at));
	else if (st->kept_differs)
		fprintf(f, "The last 'whittle recommend', of what was learned up to %s, kept no rule for it: run it again.\n", day_before(st->kept->to_us, at));
}

static void tell_allowed(FILE *f, const struct story *st)
{
	const struct wh_recommended_rule *r = &st->rule;
	const char *allowed = st->why_not || st->narrow_already ? "It would allow" : "Allowed";
	char buf[WH_PREFIX_STRLEN];

	if (!r->n_prefixes)
		fprintf(f, "\n%s: nobody (System Generated)\n", allowed);
	else if (st->limited)
		fprintf(f, "\n%s: %zu prefix%s, %zu carved out (as recommended within a limit of lines; without one, %zu lines would cost least)\n", allowed,
		        r->n_prefixes, r->n_prefixes == 1 ? "" : "es", r->n_except, st->limited);
	else
		fprintf(f, "\n%s: %zu prefix%s, %zu carved out (of all choices, what costs least)\n", allowed, r->n_prefixes, r->n_prefixes == 1 ? "" : "es",
		        r->n_except);
	for (size_t i = 0; i < r->n_prefixes && i < SHOWN_PREFIXES; i++)
		tell_prefix(f, st, &r->prefixes[i]);
	if (r->n_prefixes > SHOWN_PREFIXES)
		fprintf(f, "  and %zu more (--json has all)\n", r->n_prefixes - SHOWN_PREFIXES);
	for (size_t i = 0; i < r->n_except && i < SHOWN_PREFIXES; i++)
		fprintf(f, "%s%s", i ? ", " : "  not ", wh_prefix_text(&r->except[i], buf));
	fputs(r->n_except ? r->n_except > SHOWN_PREFIXES ? " and more\n" : "\n" : "", f);
}

static void tell(FILE *f, const struct story *st)
{
	static const enum wh_verdict order[] = {WH_PEER_IN,           WH_PEER_TRUSTED, WH_PEER_OUT, WH_PEER_HOSTILE_INTEL,
	                                        WH_PEER_HOSTILE_ALERT, WH_PEER_OUTSIDE_POLICY};
	const struct wh_recommended_rule *r = &st->rule;
	bool closed = !st->present.explicit_allow || !st->present.allowed.n; /* as it is: there is nothing to narrow */
	char proto[8];

	fprintf(f, "%s, port %u/%s%s", st->resource->name, r->port, wh_proto_text(r->proto, proto), r->direction == WH_OUTBOUND ? " out" : "");
	fprintf(f, r->narrows ? ", narrows %s\n" : st->resource->n_nsgs ? "\n" : ", which no rule guards\n", r->narrows);
	if (r->note && !closed)
		fprintf(f, "%s\n", r->note);
	tell_offer(f, st);
	fprintf(f, "\nSeen on %u of the %u days up to the window's end; %llu flows were not answered.\n", wh_bits(st->all.days),
	        st->a.window.days, (unsigned long long)st->traffic.refused);
	if (!closed)
		tell_allowed(f, st);
	fprintf(f, "\nPeers that were answered: %zu\n", st->traffic.n);
	for (size_t i = 0; i < sizeof order / sizeof *order; i++)
		tell_verdict(f, st, order[i]);
	if (closed)
		return;
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

/* The trusted prefixes that p holds, or that hold it. */
static json_t *trusted_json(const struct story *st, const struct wh_prefix *p)
{
	char buf[WH_PREFIX_STRLEN];
	json_t *list = json_array();
	for (size_t i = 0; i < st->input.n_trusted; i++)
		if (wh_prefix_covers(p, &st->input.trusted[i]) || wh_prefix_covers(&st->input.trusted[i], p))
			json_array_append_new(list, json_string(wh_prefix_text(&st->input.trusted[i], buf)));
	return list;
}

static json_t *prefix_json(const struct story *st, const struct wh_prefix *p)
{
	char buf[WH_PREFIX_STRLEN];
	struct choice c = as_chosen(st, p), w, n;
	struct wh_prefix wp;
	json_t *o = choice_json(&c);
	json_object_set_new(o, "prefix", json_string(wh_prefix_text(p, buf)));
	json_object_set_new(o, "peers", json_integer((json_int_t)c.terms.peers));
	json_object_set_new(o, "trusted", trusted_json(st, p));
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
	json_object_set_new(doc, "direction", json_string(wh_direction_text(r->direction)));
	json_object_set_new(doc, "notOffered", st->narrow_already ? json_string("the rules in force are as narrow already") : st->why_not ?
	                    json_string(st->why_not) : json_null());
	json_object_set_new(doc, "limitedLines", json_boolean(st->limited));
	json_object_set_new(doc, "keptDiffers", json_boolean(st->kept_differs));
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
	struct wh_harden_options as_kept = *opt;
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
	if (rc || (rc = wh_intel_lists(s, st.mem, &st.lists, &st.n_lists, err)))
		goto out;
	find_kept(&st, s, estate, d, proto, port);
	if (st.kept)
		take_asked(&st.kept->asked, &as_kept);
	if ((rc = wh_analysis_open(&st.a, s, estate, &as_kept, err)))
		goto out;
	if ((rc = derive_again(&st, d, proto, port, err)))
		goto close;
	if (!st.why_not && !(st.why_not = passed_over(&st, opt, d, proto, port)) && (rc = ask_recommend(&st, s, d, proto, port, err)))
		goto close;
	st.narrow_already = st.narrow_already && !passed_over(&st, opt, d, proto, port) && !st.present.unknown && !st.present.differs;
	compare_with_kept(&st);
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
