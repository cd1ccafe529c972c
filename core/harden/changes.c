/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The differences from the last calculation, and their reasons. The address space that a rule gained or lost is exact; the reason
 * is looked up in the ledger: the peers seen there, since when or until when, and which of them were refused meanwhile (heaviest
 * refused sources of the port's sketch that came and went as answered peers before: a rule in force may be blocking those that
 * belong). If a rule is no longer proposed nothing is lost, since the port keeps the rules in force: the reason is the new
 * calculation's for the port.
 */
#include <string.h>
#include "harden/advice.h"
#include "whittle/intel.h"

/* A rule that gained or lost, and what is looked up for it. */
struct looked {
	struct wh_change *change;
	const struct wh_recommended_rule *rule;
	struct wh_ranges gained, lost;
	uint64_t new_peers, old_peers, refused;
	uint64_t listed, alerted;           /* of the old ones: on a threat list, or with an alert of severity 1 or 2 */
	int32_t first, last;                /* first day of those in `gained`, last day of those in `lost` */
};

struct lists { struct wh_prefix *p; size_t n; };
/* Those of one resource after another, so that each one's edges are read once, and the sketches once for all. */
struct looking {
	struct looked *list; size_t n, from; /* [from, n) are of the resource at hand */
	struct lists hostile;                /* threat lists, merged */
	struct wh_changes *out;
	struct wh_arena *mem;
};

static void look_at(struct looked *l, const struct lists *hostile, const struct wh_edge_key *k, const struct wh_edge *e)
{
	if (wh_ranges_has(l->gained, &k->peer)) {
		l->new_peers++;
		l->first = wh_day(e->first_us) < l->first ? wh_day(e->first_us) : l->first;
	} else if (wh_ranges_has(l->lost, &k->peer)) {
		l->old_peers++;
		bool listed = wh_intel_find(hostile->p, hostile->n, &k->peer);
		l->listed += listed;
		l->alerted += !listed && (e->alerts[0] || e->alerts[1]);
		l->last = e->day0 > l->last ? e->day0 : l->last;
	}
}

static int look(void *arg, const struct wh_edge_key *k, const struct wh_edge *e)
{
	struct looking *all = arg;
	for (size_t i = all->from; i < all->n; i++) {
		struct looked *l = &all->list[i];
		if (k->port == l->rule->port && k->proto == l->rule->proto && k->direction == l->rule->direction && e->flows)
			look_at(l, &all->hostile, k, e);
	}
	return 0;
}

static int look_refused(void *arg, const struct wh_addr *local, uint8_t proto, uint16_t port, const struct wh_sketch *sk)
{
	struct looking *all = arg;
	for (size_t at = 0; at < all->n; at++) {
		struct looked *l = &all->list[at];
		const struct wh_resource *r = l->change->resource;
		if (port != l->rule->port || proto != l->rule->proto || l->rule->direction != WH_INBOUND)
			continue;
		for (size_t i = 0; i < r->n_addrs; i++)
			for (unsigned k = 0; k < WH_SKETCH_TOP && wh_addr_eq(&r->addrs[i], local); k++)
				if (sk->top[k].count && wh_ranges_has(l->gained, &sk->top[k].addr))
					l->refused += sk->top[k].count;
	}
	return 0;
}

static struct wh_ranges region(const struct wh_recommended_rule *r, struct wh_arena *mem)
{
	struct wh_ranges none = {0};
	if (!r)
		return none;
	return wh_ranges_minus(wh_ranges_from_prefixes(r->prefixes, r->n_prefixes, mem),
	                       wh_ranges_from_prefixes(r->except, r->n_except, mem), mem);
}

static const struct wh_recommended_rule *same_rule(const struct wh_resource_result *res, const struct wh_recommended_rule *r)
{
	for (size_t i = 0; res && i < res->n_rules; i++)
		if (res->rules[i].port == r->port && res->rules[i].proto == r->proto && res->rules[i].direction == r->direction)
			return &res->rules[i];
	return NULL;
}

static const struct wh_resource_result *same_resource(const struct wh_recommendation *rec, const struct wh_resource_result *res)
{
	for (size_t i = 0; i < rec->n_resources; i++)
		if (!strcmp(rec->resources[i].resource->name, res->resource->name))
			return &rec->resources[i];
	return NULL;
}

static const char *day_text(int32_t day, struct wh_arena *mem)
{
	char at[WH_TIME_STRLEN];
	wh_time_text(day * WH_US_PER_DAY, at);
	return wh_arena_printf(mem, "%.10s", at);
}

static const char *why(const struct looked *l, struct wh_arena *mem)
{
	const char *gained = NULL, *lost = NULL;
	if (l->new_peers)
		gained = wh_arena_printf(mem, "%llu peer%s seen in the added prefixes, the first on %s",
		                         (unsigned long long)l->new_peers, l->new_peers == 1 ? " was" : "s were",
		                         day_text(l->first, mem));
	else if (l->gained.n)
		gained = "Added to save lines; no traffic came from there";
	if (l->refused)
		gained = wh_arena_printf(mem, "%s; %llu attempts from there were refused: the rule in force may be blocking them",
		                         gained, (unsigned long long)l->refused);
	if (l->old_peers)
		lost = wh_arena_printf(mem, "%llu peer%s seen in the removed prefixes, the last on %s",
		                       (unsigned long long)l->old_peers, l->old_peers == 1 ? " was" : "s were",
		                       day_text(l->last, mem));
	else if (l->lost.n)
		lost = "nobody uses what is gone any more";
	if (l->listed)
		lost = wh_arena_printf(mem, "%s; %llu %s on a threat list", lost, (unsigned long long)l->listed,
		                       l->listed == 1 ? "is" : "are");
	if (l->alerted)
		lost = wh_arena_printf(mem, "%s; %llu raised an alert of severity 1 or 2", lost, (unsigned long long)l->alerted);
	return gained && lost ? wh_arena_printf(mem, "%s; %s", gained, lost) : gained ? gained : lost;
}

bool wh_looked_at(const struct wh_recommendation *r, enum wh_direction d, uint8_t proto, uint16_t port)
{
	if (r->directions == (d == WH_INBOUND ? WH_DIRECTIONS_OUTBOUND : WH_DIRECTIONS_INBOUND))
		return false;
	const struct wh_port_list *list = d == WH_INBOUND ? r->ports : r->ports_outbound;
	return !list || wh_port_list_has(list, proto, port);
}

/* Why there is no rule for an examined port without another reason. */
static const char *narrow_by_now(const struct wh_recommendation *rec, const struct wh_resource *res,
                                 const struct wh_recommended_rule *r, struct wh_arena *mem)
{
	struct wh_present present;
	struct wh_error err;
	if (!rec->estate || wh_present(rec->estate, res, r->direction, r->proto, r->port, mem, &present, &err))
		return "Nothing is left to narrow.";
	return present.n_prefixes ? "The rules in force are as narrow as the traffic by now."
	                          : "The rules in force no longer open the port.";
}

/* This run's reason for a port without a rule: the resource's reason if it has none for single ports. */
static const char *said_of(const struct wh_recommendation *rec, const struct wh_resource_result *res,
                           const struct wh_recommended_rule *r, struct wh_arena *mem)
{
	const struct wh_reason *said = wh_reason_of_port(res, r->direction, r->port, r->proto);

	if (rec->directions == (r->direction == WH_INBOUND ? WH_DIRECTIONS_OUTBOUND : WH_DIRECTIONS_INBOUND))
		return "This run did not look at rules of this direction (--direction).";
	if (!wh_looked_at(rec, r->direction, r->proto, r->port))
		return "This run did not look at the port (--ports).";
	if (res->status == WH_UNSCANNED && res->reason)
		return res->reason;
	return said ? wh_arena_printf(mem, "the port is %s", wh_reason_outcome(said, mem))
	            : narrow_by_now(rec, res->resource, r, mem);
}

static const char *why_closed(const struct wh_recommended_rule *r, struct wh_arena *mem)
{
	return wh_arena_printf(mem, "no peer that belongs came on %u day%s on which the sensor saw the resource", r->days,
	                       r->days == 1 ? "" : "s");
}

static bool same_prefixes(const struct wh_prefix *a, size_t n_a, const struct wh_prefix *b, size_t n_b)
{
	return n_a == n_b && (!n_a || !memcmp(a, b, n_a * sizeof *a));
}

/* Adds the change from the one rule to the other, either of which may be NULL, if there is one. */
static struct wh_change *compare(struct looking *all, const struct wh_resource *resource,
                                 const struct wh_recommended_rule *before, const struct wh_recommended_rule *now)
{
	if (before && now && same_prefixes(before->prefixes, before->n_prefixes, now->prefixes, now->n_prefixes) &&
	    same_prefixes(before->except, before->n_except, now->except, now->n_except))
		return NULL;
	struct wh_ranges was = region(before, all->mem), is = region(now, all->mem);
	struct wh_ranges gained = wh_ranges_minus(is, was, all->mem), lost = wh_ranges_minus(was, is, all->mem);
	if (before && now && !gained.n && !lost.n)
		return NULL;
	struct wh_change *c = &all->out->list[all->out->n++];
	*c = (struct wh_change){.resource = resource, .rule = now ? now : before, .is_new = !before, .is_gone = !now};
	if (!now || (!before && !gained.n)) {
		c->why = now ? why_closed(now, all->mem) : NULL;
		return c;
	}
	all->list[all->n++] = (struct looked){
		.change = c, .rule = c->rule, .first = INT32_MAX, .last = INT32_MIN, .gained = gained, .lost = lost};
	wh_ranges_to_prefixes(gained, all->mem, &c->gained, &c->n_gained);
	wh_ranges_to_prefixes(lost, all->mem, &c->lost, &c->n_lost);
	return c;
}

/* The changes of one resource, in order; and reads its edges for them. */
static int of_resource(struct looking *all, struct wh_store *s, const struct wh_recommendation *now,
                       const struct wh_resource_result *res, const struct wh_resource_result *old, struct wh_error *err)
{
	int rc = 0;
	all->from = all->n;
	for (size_t k = 0; k < res->n_rules; k++)
		compare(all, res->resource, same_rule(old, &res->rules[k]), &res->rules[k]);
	for (size_t k = 0; old && k < old->n_rules; k++) {
		const struct wh_recommended_rule *gone = &old->rules[k];
		if (same_rule(res, gone))
			continue;
		struct wh_change *c = compare(all, res->resource, gone, NULL);
		c->why = said_of(now, res, gone, all->mem);
		c->is_kept = !wh_looked_at(now, gone->direction, gone->proto, gone->port);
	}
	for (size_t i = 0; i < res->resource->n_addrs && !rc && all->from < all->n; i++)
		rc = wh_store_edges(s, &res->resource->addrs[i], look, all, err);
	return rc;
}

int wh_changes(const struct wh_ledger *l, const struct wh_recommendation *before, const struct wh_recommendation *now,
               struct wh_arena *mem, struct wh_changes *out, struct wh_error *err)
{
	struct looking all = {.out = out, .mem = mem};
	struct wh_intel_list *lists;
	size_t most = 0, n_lists = 0;
	int rc = wh_intel_lists(l->state, mem, &lists, &n_lists, err);

	if (rc)
		return rc;
	wh_intel_merged(lists, n_lists, mem, &all.hostile.p, &all.hostile.n);
	for (size_t i = 0; i < before->n_resources; i++)
		most += before->resources[i].n_rules;
	for (size_t i = 0; i < now->n_resources; i++)
		most += now->resources[i].n_rules;
	*out = (struct wh_changes){.since_us = before->calculated_us, .list = wh_arena_array(mem, most + 1, sizeof *out->list)};
	all.list = wh_arena_array(mem, most + 1, sizeof *all.list);
	for (size_t i = 0; i < now->n_resources && !rc; i++)
		rc = of_resource(&all, l->store, now, &now->resources[i], same_resource(before, &now->resources[i]), err);
	if (!rc && all.n)
		rc = wh_store_sketches(l->store, look_refused, &all, err);
	for (size_t i = 0; i < all.n && !rc; i++) {
		all.list[i].change->refused = all.list[i].refused;
		all.list[i].change->why = why(&all.list[i], mem);
	}
	return rc;
}

json_t *wh_changes_json(const struct wh_changes *c)
{
	char at[WH_TIME_STRLEN], text[WH_PREFIX_STRLEN];
	json_t *list = json_array();
	for (size_t i = 0; i < c->n; i++) {
		const struct wh_change *x = &c->list[i];
		json_t *gained = json_array(), *lost = json_array();
		for (size_t k = 0; k < x->n_gained; k++)
			json_array_append_new(gained, json_string(wh_prefix_text(&x->gained[k], text)));
		for (size_t k = 0; k < x->n_lost; k++)
			json_array_append_new(lost, json_string(wh_prefix_text(&x->lost[k], text)));
		json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:o, s:o, s:I, s:s?}", "resource", x->resource->name,
		                                      "rule", x->rule->name, "change",
		                                      x->is_new    ? "new"
		                                      : x->is_kept ? "kept"
		                                      : x->is_gone ? "gone"
		                                                   : "changed",
		                                      "gained", gained, "lost", lost, "refused", (json_int_t)x->refused, "why",
		                                      x->why));
	}
	return json_pack("{s:s, s:o}", "since", wh_time_text(c->since_us, at), "rules", list);
}
