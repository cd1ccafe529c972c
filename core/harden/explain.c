/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Explains one rule by deriving it again: the peers behind it, those left out, the reasons, and for each prefix the cost of the
 * next wider and the next narrower choice.
 *
 * The derivation takes the options that the kept recommendation was made with. If that one was limited to fewer lines (by
 * --lines, or by the room in its group), the choice among all rules of a resource is not repeated: the kept rule is explained, as
 * long as it lets in the peers that belong by today's evidence. If no rule is offered, recommend runs for this port alone and
 * gives the reason.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "harden/explanation.h"
#include "whittle/nat64.h"
#include "whittle/recommended.h"

const char *wh_explanation_named_by(const struct wh_explanation *st, const struct wh_addr *a)
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
		return wh_fail_input(err, -EINVAL, "'%.60s' is not a rule such as 22, 22/tcp, 443/tcp out or TCP-Inbound-22",
		                     text);
	*port = (unsigned)n;
	return 0;
}

/* ---- the offer ---- */

static void find_last(struct wh_explanation *st, struct wh_state *s, const struct wh_estate *e, enum wh_direction d,
                      uint8_t proto, unsigned port)
{
	struct wh_recommendation *rec;
	struct wh_error none = {0};

	if (wh_recommendation_load_of(s, e, &st->resource, 1, st->mem, &rec, &none))
		return; /* none yet, or unreadable: recommend reports it */
	for (size_t i = 0; i < rec->n_resources; i++) {
		if (rec->resources[i].resource != st->resource)
			continue;
		st->last = rec;
		st->last_reason = wh_reason_of_port(&rec->resources[i], d, (uint16_t)port, proto);
		for (size_t k = 0; k < rec->resources[i].n_rules; k++)
			if (rec->resources[i].rules[k].direction == d && rec->resources[i].rules[k].proto == proto &&
			    rec->resources[i].rules[k].port == port)
				st->last_rule = &rec->resources[i].rules[k];
	}
}

/* Why recommend passes the port over; NULL when it does not. */
static const char *passed_over(const struct wh_explanation *st, const struct wh_harden_options *opt, enum wh_direction d,
                               uint8_t proto, unsigned port)
{
	const struct wh_port_list *list = d == WH_INBOUND ? opt->ports : opt->ports_outbound;
	if (st->present.unknown || st->present.differs)
		return NULL; /* recommend reports it */
	if (!st->present.explicit_allow || !st->present.allowed.n)
		return d == WH_INBOUND ? "no rule in force opens this port"
		                       : "no outbound rule opens this port by name: the default rules are left alone";
	if (st->last_rule)
		return NULL;
	if (list && !wh_port_list_has(list, proto, (uint16_t)port))
		return wh_arena_printf(
			st->mem,
			"Port %u/%s is not in the list of checked ports (ports.yaml). `whittle recommend --ports %u/%s` checks it",
			port, proto == WH_PROTO_TCP ? "tcp" : "udp", port, proto == WH_PROTO_TCP ? "tcp" : "udp");
	if (opt->directions == (d == WH_INBOUND ? WH_DIRECTIONS_OUTBOUND : WH_DIRECTIONS_INBOUND))
		return wh_arena_printf(st->mem, "%s rules were not asked for: 'whittle recommend --direction both' does",
		                       d == WH_INBOUND ? "inbound" : "outbound");
	return NULL;
}

/* Asks recommend for this port alone: its rule, or its reason. */
static int ask_recommend(struct wh_explanation *st, struct wh_store *s, enum wh_direction d, uint8_t proto, unsigned port,
                         struct wh_error *err)
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
	if ((rc = wh_recommend(&(struct wh_harden_ask){s, st->a.estate, &st->resource->name, 1, &one}, st->mem, &rec, err)))
		return rc;
	if (!rec->resources[0].n_rules)
		st->why_not = rec->resources[0].reason;
	return 0;
}

/* Whether the rule allows all allowed peers and no excluded one, by the present evidence. */
static bool still_serves(const struct wh_explanation *st, const struct wh_recommended_rule *r)
{
	struct wh_ranges in = wh_let_in(r->prefixes, r->n_prefixes, r->except, r->n_except, st->mem);
	struct wh_ranges out = wh_ranges_from_prefixes(st->input.excluded, st->input.n_out, st->mem);

	for (size_t i = 0; i < st->traffic.n; i++) {
		if (wh_stays(st->traffic.peers[i].verdict) && !wh_ranges_has(in, &st->traffic.peers[i].addr))
			return false;
	}
	return !wh_ranges_meet(in, out, NULL) && !wh_ranges_minus(in, st->present.allowed, st->mem).n;
}

static bool same_prefixes(const struct wh_prefix *a, size_t n_a, const struct wh_prefix *b, size_t n_b)
{
	return n_a == n_b && (!n_a || !memcmp(a, b, n_a * sizeof *a));
}

static void compare_with_last(struct wh_explanation *st)
{
	const struct wh_recommended_rule *k = st->last_rule;
	size_t lines = st->rule.n_prefixes + st->rule.n_except;

	if (!k || (same_prefixes(k->prefixes, k->n_prefixes, st->rule.prefixes, st->rule.n_prefixes) &&
	           same_prefixes(k->except, k->n_except, st->rule.except, st->rule.n_except))) {
		if (!k && st->last_reason && !st->why_not &&
		    !st->narrow_already) /* for want of room, which is not this port's alone */
			st->why_not = wh_arena_printf(st->mem, "the port is %s", wh_reason_outcome(st->last_reason, st->mem));
		st->last_differs = st->last && !k && !st->why_not && !st->narrow_already;
		return;
	}
	if (k->n_prefixes + k->n_except < lines && k->n_prefixes && still_serves(st, k)) {
		st->limited = lines;
		st->rule = *k;
		st->rule.narrows = st->present.narrows;
	} else {
		st->last_differs = true;
	}
}

static int derive_again(struct wh_explanation *st, enum wh_direction d, uint8_t proto, unsigned port, struct wh_error *err)
{
	struct wh_port_traffic none = {.direction = d, .proto = proto, .port = (uint16_t)port};
	const struct wh_port_traffic *found;
	struct wh_reason why_not;
	int rc = wh_analysis_traffic(&st->a, st->resource, st->mem, &st->all, err);

	if (rc)
		return rc;
	found = wh_traffic_find(&st->all, d, proto, (uint16_t)port);
	st->traffic = found ? *found : none;
	if ((rc = wh_present(st->a.estate, st->resource, d, proto, (uint16_t)port, st->mem, &st->present, err)))
		return rc;
	wh_analysis_weigh(&st->a, &st->present, &st->traffic);
	wh_select_input(&st->a, &st->traffic, &st->present, WH_NO_LIMITS, st->mem, &st->input);
	const struct wh_judged_port judged = {st->resource, &st->all, &st->traffic, &st->present};
	rc = wh_derive_rule(&st->a, &judged, WH_NO_LIMITS, st->mem, &st->rule, err);
	st->narrow_already = rc == 1;
	if (rc < 0 || (rc = wh_judge_rule(&st->a, &judged, WH_NO_LIMITS, st->mem, &st->rule, &why_not, err)))
		return rc;
	st->why_not = why_not.code ? wh_reason_why(&why_not, st->mem) : NULL;
	return 0;
}

/* Takes the options of the kept recommendation, instead of those of today's whittle.yaml and command line. */
static void take_asked(const struct wh_asked *a, struct wh_harden_options *opt)
{
	opt->permissiveness = a->permissiveness;
	opt->max_prefixes = a->max_prefixes;
	opt->min_days = a->min_days;
	opt->window_days = a->window_days;
	opt->stable_days = a->stable_days;
}

/* ---- the alternatives ---- */

struct wh_choice wh_explanation_chosen(const struct wh_explanation *st, const struct wh_prefix *p)
{
	struct wh_choice c = {.lines = 1};
	c.cost = wh_select_price(&st->input, p, st->mem, &c.terms);
	return c;
}

bool wh_explanation_wider(const struct wh_explanation *st, const struct wh_prefix *p, struct wh_prefix *out, struct wh_choice *c)
{
	bool inside = false;
	if (p->len == (wh_prefix_is_v4(p) ? 96 : 0))
		return false;
	*out = wh_prefix_of(&p->addr, p->len - 1u);
	for (size_t i = 0; i < st->present.n_prefixes && !inside; i++)
		inside = wh_prefix_covers(&st->present.prefixes[i], out);
	if (inside)
		*c = wh_explanation_chosen(st, out);
	return inside;
}

bool wh_explanation_narrower(const struct wh_explanation *st, const struct wh_prefix *p, struct wh_choice *c)
{
	struct wh_prefix halves[2];
	struct wh_selection s;

	if (p->len >= (wh_addr_has_64(&p->addr) ? 64 : 128))
		return false;
	halves[0] = wh_prefix_of(&p->addr, p->len + 1u);
	struct wh_addr last = wh_prefix_last(p);
	halves[1] = wh_prefix_of(&last, p->len + 1u);
	if (wh_select(&st->input, halves, 2, st->mem, &s, NULL))
		return false;
	*c = (struct wh_choice){.cost = s.cost, .lines = s.n_prefixes};
	c->terms = (struct wh_select_terms){.unseen = s.unseen, .newcomers = s.newcomers, .out = s.n_except};
	return true;
}

int wh_explain(const struct wh_ledger *l, const struct wh_estate *estate, const char *resource, const char *rule,
               const struct wh_harden_options *opt, bool json, char **out, struct wh_error *err)
{
	struct wh_explanation st = {.resource = wh_estate_require(estate, resource, err), .mem = wh_arena_new()};
	struct wh_harden_options as_last = *opt;
	enum wh_direction d = WH_INBOUND;
	unsigned port = 0;
	uint8_t proto = 0;
	size_t len;
	int rc;

	*out = NULL;
	if (!st.mem)
		return wh_fail(err, -ENOMEM, "out of memory");
	rc = st.resource ? parse_rule(rule, &d, &proto, &port, err) : -ENXIO;
	if (rc || (rc = wh_intel_lists(l->state, st.mem, &st.lists, &st.n_lists, err)))
		goto out;
	find_last(&st, l->state, estate, d, proto, port);
	if (st.last)
		take_asked(&st.last->asked, &as_last);
	if ((rc = wh_analysis_open(&st.a, l->store, estate, &as_last, err)))
		goto out;
	if ((rc = derive_again(&st, d, proto, port, err)))
		goto close;
	if (!st.why_not && !(st.why_not = passed_over(&st, opt, d, proto, port)) &&
	    (rc = ask_recommend(&st, l->store, d, proto, port, err)))
		goto close;
	st.narrow_already = st.narrow_already && !passed_over(&st, opt, d, proto, port) && !st.present.unknown &&
	                    !st.present.differs;
	compare_with_last(&st);
	if (json) {
		*out = wh_explanation_json(&st);
	} else {
		FILE *f = open_memstream(out, &len);
		if (f) {
			wh_explanation_print(f, &st);
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
