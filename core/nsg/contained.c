/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether one reading of a network security group lets through nothing that another does not.
 *
 * Problem: allowed(a) ⊆ allowed(b) over all packets, where a and b are a thousand rules of which few differ. Method: a packet
 * that no differing rule can match meets the same rules in the same order in both, and is decided alike. So the two are
 * compared only in the region of each differing rule: its direction, protocol, ports and local addresses. Both filters are
 * clipped to it, which leaves few classes to distinguish (policy/filter_contained.c). A rule that may match (a tag or an
 * application security group with unknown addresses) and is in both matches a packet in both or in neither, and only the first
 * matching one decides. So the proof is made once without all of them, and once with each of them alone, as if it matched all
 * that it may. If only one of the two has such a rule, it counts against the proof: an allow of `a`, and a deny of `b`, is
 * refused.
 */
#include <string.h>
#include <strings.h>
#include "nsg/filter.h"

enum { MAX_CLASSES = 100000 }; /* of one region */

/* Two readings, and which rules of each the other has too, in the same order; a number alone decides nothing. */
struct sides {
	const struct wh_nsg *a, *b;
	bool *a_in_b, *b_in_a;
	struct wh_filter in_a, in_b;
	struct wh_filter_packet *ce;
	struct wh_error *err;
};

static void pair(struct sides *s, struct wh_arena *mem)
{
	size_t next = 0; /* pairs cross nowhere: where two rules changed places, one of them counts as changed */
	s->a_in_b = wh_arena_array(mem, s->a->n_rules + 1, sizeof *s->a_in_b);
	s->b_in_a = wh_arena_array(mem, s->b->n_rules + 1, sizeof *s->b_in_a);
	for (size_t i = 0; i < s->a->n_rules; i++) {
		const struct wh_rule *r = &s->a->rules[i];
		for (size_t j = next; j < s->b->n_rules; j++) {
			const struct wh_rule *o = &s->b->rules[j];
			if (strcasecmp(o->name, r->name) || o->is_default != r->is_default || !wh_rule_same(s->b, o, s->a, r))
				continue;
			s->a_in_b[i] = s->b_in_a[j] = true;
			next = j + 1;
			break;
		}
	}
}

static bool shared(const struct sides *s, const struct wh_rule *r)
{
	bool of_a = r >= s->a->rules && r < s->a->rules + s->a->n_rules;
	return of_a ? s->a_in_b[r - s->a->rules] : s->b_in_a[r - s->b->rules];
}

/* NULL is everything, in and out. */
static const struct wh_ranges *clip(const struct wh_ranges *a, const struct wh_ranges *b, struct wh_arena *mem)
{
	if (!a || !b)
		return a ? a : b;
	struct wh_ranges *both = wh_arena_alloc(mem, sizeof *both);
	*both = wh_ranges_intersect(*a, *b, mem);
	return both;
}

static bool nothing(const struct wh_ranges *r)
{
	return r && !r->n;
}

/* The rules of `f` as packets of the region `to` meet them. Of the rules that may match only `alone` does, NULL: none. */
static struct wh_filter clipped(const struct sides *s, const struct wh_filter *f, const struct wh_filter_rule *to,
                                const struct wh_rule *alone, struct wh_arena *mem)
{
	struct wh_filter_rule *rules = wh_arena_array(mem, f->n + 1, sizeof *rules);
	size_t n = 0;
	for (size_t i = 0; i < f->n; i++) {
		struct wh_filter_rule r = f->rules[i];
		const struct wh_rule *from = r.from;
		if (r.direction != to->direction ||
		    (r.proto != WH_PROTO_ANY && to->proto != WH_PROTO_ANY && r.proto != to->proto))
			continue;
		if (r.may && !(alone && shared(s, from) && !strcasecmp(from->name, alone->name)))
			continue;
		r.may = NULL;
		r.proto = r.proto == WH_PROTO_ANY ? to->proto : r.proto;
		r.dport = clip(r.dport, to->dport, mem);
		r.sport = clip(r.sport, to->sport, mem);
		r.local = clip(r.local, to->local, mem);
		if (!nothing(r.dport) && !nothing(r.sport) && !nothing(r.local) && !nothing(r.peer))
			rules[n++] = r;
	}
	return (struct wh_filter){.name = f->name, .rules = rules, .n = n, .otherwise = WH_DENIED};
}

static int compare(const struct sides *s, const struct wh_filter_rule *region, const struct wh_rule *alone)
{
	struct wh_arena *scratch = wh_arena_new();
	struct wh_filter a = clipped(s, &s->in_a, region, alone, scratch), b = clipped(s, &s->in_b, region, alone, scratch);
	int rc = wh_filter_contained(&a, &b, MAX_CLASSES, scratch, s->ce, s->err);
	wh_arena_free(scratch);
	return rc;
}

/* In the region of one differing rule: of the part of it whose reach is known. */
static int compare_at(const struct sides *s, const struct wh_filter_rule *region)
{
	const struct wh_rule *last = NULL;
	int rc = compare(s, region, NULL);
	for (size_t k = 0; k < s->in_a.n && !rc; k++) {
		const struct wh_filter_rule *r = &s->in_a.rules[k];
		if (!r->may || r->from == last || r->direction != region->direction || !shared(s, r->from))
			continue;
		rc = compare(s, region, last = r->from);
	}
	return rc;
}

static int compare_of(const struct sides *s, const struct wh_filter *f, enum wh_filter_action bad, const char *how)
{
	int rc = 0;
	for (size_t i = 0; i < f->n && !rc; i++) {
		const struct wh_filter_rule *r = &f->rules[i];
		if (shared(s, r->from))
			continue;
		if (r->may && r->action == bad)
			rc = wh_fail_input(
				s->err, -EPERM,
				"the rule %.80s would be %s, and the addresses that it matches cannot be resolved", r->name, how);
		else if (!r->may)
			rc = compare_at(s, r);
	}
	return rc;
}

int wh_nsg_contained(const struct wh_nsg *a, const struct wh_nsg *b, const struct wh_tag_context *tags, struct wh_arena *mem,
                     struct wh_filter_packet *ce, struct wh_error *err)
{
	struct sides s = {.a = a, .b = b, .ce = ce, .err = err};
	pair(&s, mem);
	wh_nsg_filter(a, tags, NULL, mem, &s.in_a);
	wh_nsg_filter(b, tags, NULL, mem, &s.in_b);
	int rc = compare_of(&s, &s.in_a, WH_FILTER_ALLOW, "added");
	return rc ? rc : compare_of(&s, &s.in_b, WH_FILTER_DENY, "taken away");
}
