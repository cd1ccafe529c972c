/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Putting narrowed rules into a group without changing any other decision.
 *
 * For one resource, direction, protocol and port let F be the first rule of the group that could allow it. Directly before F go: a deny for the
 * carve-outs, an allow for the proposed prefixes, a deny for everybody else, each for the resource's own addresses and that one port only. Rules
 * before F can only deny there, and still come first; the proposal is a subset of what the group allows; so afterwards exactly
 * (before ∧ proposed) passes on that port, and nothing else is touched.
 *
 * Priorities: ours take the numbers directly below F's. Where the gap is too small, F and what follows move up by as little as needed;
 * where 4096 is reached, what precedes moves down.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "render/nsg_plan.h"

enum { FIRST = 100, LAST = 4096, MAX_RULES = 1000, MAX_PREFIXES = 4000, MAX_NAME = 80, MAX_DESCRIPTION = 140 };

struct builder {
	struct wh_arena *mem;
	struct wh_error *err;
	const struct wh_nsg *nsg;
	struct wh_nsg_plan *plan;
	struct pending { const struct wh_rule *before; struct wh_nsg_entry e; size_t order; } *ours;
	size_t n_ours, room;
};

/* ---- names ---- */

static char *clean_name(struct wh_arena *mem, const char *s)
{
	char *out = wh_arena_strdup(mem, s);
	for (char *p = out; *p; p++)
		if (!((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') || *p == '-' || *p == '_' || *p == '.'))
			*p = '-';
	if (strlen(out) > 40)
		out[40] = 0;
	size_t n = strlen(out);
	while (n && (out[n - 1] == '-' || out[n - 1] == '.'))
		out[--n] = 0;
	return out;
}

static unsigned number_of(const char *resource, const struct wh_recommended_rule *r)
{
	uint64_t h = 14695981039346656037u; /* FNV-1a: the same rule has the same number in every run */
	char key[256];
	snprintf(key, sizeof key, "%s/%d/%u/%u", resource, (int)r->direction, r->proto, r->port);
	for (const char *p = key; *p; p++)
		h = (h ^ (unsigned char)*p) * 1099511628211u;
	return (unsigned)(h % 90000000 + 10000000);
}

static const char *evidence_text(struct wh_arena *mem, const struct wh_recommended_rule *r)
{
	char *s = r->system_generated
	                  ? wh_arena_printf(mem, "whittle: System Generated; nobody was answered here; %s%s", r->narrows ? "narrows " : "", r->narrows ? r->narrows : "")
	                  : wh_arena_printf(mem, "whittle: %llu peers seen on %u days in %llu flows, %.0f unseen%s%s", (unsigned long long)r->sources, r->days,
	                                    (unsigned long long)r->flows, r->unseen, r->narrows ? "; narrows " : "", r->narrows ? r->narrows : "");
	if (strlen(s) > MAX_DESCRIPTION)
		s[MAX_DESCRIPTION] = 0;
	return s;
}

/* ---- which rule is narrowed ---- */

static bool could_allow(const struct wh_rule *r, const struct wh_recommended_rule *rec)
{
	if (!r->allow || r->direction != rec->direction || (r->proto && r->proto != rec->proto))
		return false;
	for (size_t i = 0; i < r->n_dst_ports; i++)
		if (rec->port >= r->dst_ports[i].from && rec->port <= r->dst_ports[i].to)
			return true;
	return false;
}

static void add(struct builder *b, const struct wh_rule *before, struct wh_nsg_entry e)
{
	if (b->n_ours == b->room) {
		size_t room = b->room ? b->room * 2 : 16;
		struct pending *more = wh_arena_array(b->mem, room, sizeof *more);
		if (b->n_ours)
			memcpy(more, b->ours, b->n_ours * sizeof *more);
		b->ours = more;
		b->room = room;
	}
	b->ours[b->n_ours] = (struct pending){before, e, b->n_ours};
	b->n_ours++;
}

static size_t of_family(const struct wh_prefix *p, size_t n, bool v4, struct wh_arena *mem, const struct wh_prefix **out)
{
	struct wh_prefix *q = wh_arena_array(mem, n, sizeof *q);
	size_t m = 0;
	for (size_t i = 0; i < n; i++)
		if (wh_prefix_is_v4(&p[i]) == v4)
			q[m++] = p[i];
	*out = q;
	return m;
}

static void add_family(struct builder *b, const struct wh_resource *res, const struct wh_recommended_rule *r, const struct wh_rule *before, bool v4)
{
	char proto[8];
	struct wh_prefix *locals = wh_arena_array(b->mem, res->n_addrs, sizeof *locals);
	struct wh_nsg_entry e = {.direction = r->direction, .proto = r->proto, .port = r->port, .locals = locals, .description = evidence_text(b->mem, r)};
	for (size_t i = 0; i < res->n_addrs; i++)
		if (wh_addr_is_v4(&res->addrs[i]) == v4)
			locals[e.n_locals++] = wh_prefix_of(&res->addrs[i], 128);
	if (!e.n_locals)
		return;
	const char *p = wh_proto_text(r->proto, proto);
	char *base = wh_arena_printf(b->mem, "whittle-%s-%s-%s-%u%s", clean_name(b->mem, res->name), p, r->direction == WH_OUTBOUND ? "out" : "in", r->port, v4 ? "" : "-v6");
	if (r->n_except) {
		struct wh_nsg_entry c = e;
		c.n_peers = of_family(r->except, r->n_except, v4, b->mem, &c.peers);
		c.name = wh_arena_printf(b->mem, "%s-except", base);
		if (c.n_peers)
			add(b, before, c);
	}
	struct wh_nsg_entry a = e;
	a.allow = true;
	a.n_peers = of_family(r->prefixes, r->n_prefixes, v4, b->mem, &a.peers);
	a.name = wh_arena_printf(b->mem, "%s-allow", base);
	if (a.n_peers)
		add(b, before, a);
	e.peers = NULL;
	e.system_generated = true;
	e.name = wh_arena_printf(b->mem, "%s-%s-DENY-%u%s", p, wh_direction_text(r->direction), number_of(res->name, r), v4 ? "" : "-v6");
	add(b, before, e);
}

/* ---- order and priorities ---- */

static int by_place(const void *a, const void *b)
{
	const struct pending *x = a, *y = b;
	if (x->e.direction != y->e.direction)
		return (int)x->e.direction - (int)y->e.direction;
	if (x->before->priority != y->before->priority)
		return (int)x->before->priority - (int)y->before->priority;
	return x->order < y->order ? -1 : 1;
}

static bool is_ours(const struct wh_rule *r, const struct builder *b)
{
	for (size_t i = 0; i < b->n_ours; i++)
		if (!strcasecmp(r->name, b->ours[i].e.name))
			return true;
	return false;
}

static int number(struct builder *b, enum wh_direction dir)
{
	struct wh_nsg_entry *e = b->plan->entries;
	size_t n = b->plan->n, first = 0, end;
	while (first < n && e[first].direction != dir)
		first++;
	for (end = first; end < n && e[end].direction == dir; end++)
		;
	/* ours: directly below the existing rule that follows; after the last one, above it with room left for others */
	for (size_t i = end; i-- > first;) {
		if (e[i].existing)
			e[i].priority = e[i].existing->priority;
		else if (i + 1 < end)
			e[i].priority = e[i + 1].priority - 1;
		else
			e[i].priority = LAST;
	}
	if (end > first && !e[end - 1].existing) {
		size_t tail = end;
		while (tail > first && !e[tail - 1].existing)
			tail--;
		unsigned from = tail > first ? e[tail - 1].priority + 10 : 1000, count = (unsigned)(end - tail);
		if (from + count - 1 > LAST)
			from = LAST - count + 1;
		for (size_t i = tail; i < end; i++)
			e[i].priority = from + (unsigned)(i - tail);
	}
	for (size_t i = first; i < end; i++) { /* forward: strictly increasing, from 100 */
		unsigned least = i > first ? e[i - 1].priority + 1 : FIRST;
		if (e[i].priority < least || e[i].priority > 100000)
			e[i].priority = least;
	}
	for (size_t i = end; i-- > first;) { /* backward: none past 4096 */
		unsigned most = i + 1 < end ? e[i + 1].priority - 1 : LAST;
		if (e[i].priority > most)
			e[i].priority = most;
		if (e[i].priority < FIRST)
			return wh_fail(b->err, -ENOSPC, "%s: there is no room for %zu rules between priorities 100 and 4096", b->plan->name, end - first);
	}
	for (size_t i = first; i < end; i++)
		if (e[i].existing && e[i].priority != e[i].existing->priority) {
			e[i].renumbered = true;
			b->plan->n_renumbered++;
		}
	return 0;
}

static int check_limits(struct builder *b)
{
	size_t prefixes = 0;
	if (b->plan->n > MAX_RULES)
		return wh_fail(b->err, -E2BIG, "%s: %zu rules are more than the 1,000 that Azure takes in one group; set max-prefixes, or split it", b->plan->name, b->plan->n);
	for (size_t i = 0; i < b->plan->n; i++) {
		const struct wh_nsg_entry *e = &b->plan->entries[i];
		prefixes += e->existing ? e->existing->n_peers + e->existing->n_locals : e->n_peers + e->n_locals;
		if (!e->existing && strlen(e->name) > MAX_NAME)
			return wh_fail(b->err, -ENAMETOOLONG, "%s: the rule name %s is longer than 80 characters", b->plan->name, e->name);
	}
	if (prefixes > MAX_PREFIXES)
		return wh_fail(b->err, -E2BIG, "%s: %zu address prefixes are more than the 4,000 that Azure takes in one group; set max-prefixes", b->plan->name, prefixes);
	return 0;
}

static int finish(struct builder *b)
{
	size_t existing = b->nsg ? b->nsg->n_rules : 0, at = 0;
	if (b->n_ours)
		qsort(b->ours, b->n_ours, sizeof *b->ours, by_place);
	b->plan->entries = wh_arena_array(b->mem, existing + b->n_ours, sizeof *b->plan->entries);
	for (size_t i = 0; i <= existing; i++) {
		const struct wh_rule *r = i < existing ? &b->nsg->rules[i] : NULL;
		for (size_t k = 0; r && k < b->n_ours; k++)
			if (b->ours[k].before == r)
				b->plan->entries[at++] = b->ours[k].e;
		if (r && !r->is_default && !is_ours(r, b))
			b->plan->entries[at++] = (struct wh_nsg_entry){.existing = r, .name = r->name, .direction = r->direction, .allow = r->allow};
	}
	if (!b->nsg)
		for (size_t k = 0; k < b->n_ours; k++)
			b->plan->entries[at++] = b->ours[k].e;
	b->plan->n = at;
	b->plan->n_new = b->n_ours;
	int rc = number(b, WH_INBOUND);
	if (!rc)
		rc = number(b, WH_OUTBOUND);
	return rc ? rc : check_limits(b);
}

static const struct wh_rule *first_that_could_allow(const struct builder *b, const struct wh_recommended_rule *r)
{
	static const struct wh_rule nothing = {.priority = 65500};
	for (size_t i = 0; b->nsg && i < b->nsg->n_rules; i++)
		if (could_allow(&b->nsg->rules[i], r) && strncmp(b->nsg->rules[i].name, "whittle-", 8))
			return &b->nsg->rules[i];
	return b->nsg ? NULL : &nothing;
}

static void add_resource(struct builder *b, const struct wh_resource_result *res)
{
	for (size_t i = 0; i < res->n_rules; i++) {
		const struct wh_rule *before = first_that_could_allow(b, &res->rules[i]);
		if (!before)
			continue; /* this group lets nobody through there: there is nothing to narrow */
		add_family(b, res->resource, &res->rules[i], before, true);
		add_family(b, res->resource, &res->rules[i], before, false);
	}
}

static bool wanted(const struct wh_resource *r, const struct wh_render_options *opt)
{
	bool in = !opt || !opt->n_resources;
	for (size_t i = 0; opt && i < opt->n_resources; i++)
		in |= !strcmp(opt->resources[i], r->name) || (r->id && !strcmp(opt->resources[i], r->id));
	return in;
}

int wh_nsg_plans(const struct wh_recommendation *r, const struct wh_estate *e, const struct wh_render_options *opt, struct wh_arena *mem,
                 struct wh_nsg_plan **out, size_t *n, struct wh_error *err)
{
	*out = wh_arena_array(mem, e->n_nsgs + r->n_resources, sizeof **out);
	*n = 0;
	for (size_t i = 0; i < e->n_nsgs; i++) {
		struct builder b = {.mem = mem, .err = err, .nsg = &e->nsgs[i], .plan = &(*out)[*n]};
		if (opt && opt->nsg && strcmp(opt->nsg, e->nsgs[i].name) && (!e->nsgs[i].id || strcmp(opt->nsg, e->nsgs[i].id)))
			continue;
		*b.plan = (struct wh_nsg_plan){.nsg = b.nsg, .name = b.nsg->name};
		for (size_t j = 0; j < r->n_resources; j++)
			for (size_t k = 0; wanted(r->resources[j].resource, opt) && k < r->resources[j].resource->n_nsgs; k++)
				if (r->resources[j].resource->nsgs[k] == b.nsg)
					add_resource(&b, &r->resources[j]);
		if (!b.n_ours)
			continue;
		int rc = finish(&b);
		if (rc)
			return rc;
		(*n)++;
	}
	for (size_t j = 0; j < r->n_resources && !(opt && opt->nsg); j++) {
		const struct wh_resource *res = r->resources[j].resource;
		struct builder b = {.mem = mem, .err = err, .plan = &(*out)[*n]};
		if (res->n_nsgs || !r->resources[j].n_rules || !wanted(res, opt))
			continue;
		*b.plan = (struct wh_nsg_plan){.name = wh_arena_printf(mem, "whittle-%s", clean_name(mem, res->name))};
		add_resource(&b, &r->resources[j]);
		int rc = finish(&b);
		if (rc)
			return rc;
		(*n)++;
	}
	return 0;
}
