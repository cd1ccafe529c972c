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

struct looked {
	const struct wh_recommended_rule *rule;
	struct wh_ranges gained, lost;
	const struct wh_resource *resource;
	const struct wh_prefix *hostile; size_t n_hostile; /* threat lists, merged */
	uint64_t new_peers, old_peers, refused;
	uint64_t listed, alerted;           /* of the old ones: on a threat list, or with an alert of severity 1 or 2 */
	int32_t first, last;                /* first day of those in `gained`, last day of those in `lost` */
};

static int look(void *arg, const struct wh_edge_key *k, const struct wh_edge *e)
{
	struct looked *l = arg;
	if (k->port != l->rule->port || k->proto != l->rule->proto || k->direction != l->rule->direction || !e->flows)
		return 0;
	if (wh_ranges_has(l->gained, &k->peer)) {
		l->new_peers++;
		l->first = wh_day(e->first_us) < l->first ? wh_day(e->first_us) : l->first;
	} else if (wh_ranges_has(l->lost, &k->peer)) {
		l->old_peers++;
		bool listed = wh_prefix_find(l->hostile, l->n_hostile, &k->peer);
		l->listed += listed;
		l->alerted += !listed && (e->alerts[0] || e->alerts[1]);
		l->last = e->day0 > l->last ? e->day0 : l->last;
	}
	return 0;
}

static int look_refused(void *arg, const struct wh_addr *local, uint8_t proto, uint16_t port, const struct wh_sketch *sk)
{
	struct looked *l = arg;
	if (port != l->rule->port || proto != l->rule->proto || l->rule->direction != WH_INBOUND)
		return 0;
	for (size_t i = 0; i < l->resource->n_addrs; i++)
		for (unsigned k = 0; k < WH_SKETCH_TOP && wh_addr_eq(&l->resource->addrs[i], local); k++)
			if (sk->top[k].count && wh_ranges_has(l->gained, &sk->top[k].addr))
				l->refused += sk->top[k].count;
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
		gained = wh_arena_printf(mem, "%llu peer%s seen in what is new, the first on %s",
		                         (unsigned long long)l->new_peers, l->new_peers == 1 ? " was" : "s were",
		                         day_text(l->first, mem));
	else if (l->gained.n)
		gained = "Added to save lines; no traffic came from there";
	if (l->refused)
		gained = wh_arena_printf(mem, "%s; %llu attempts from there were refused: the rule in force may be blocking them",
		                         gained, (unsigned long long)l->refused);
	if (l->old_peers)
		lost = wh_arena_printf(mem, "%llu peer%s seen in what is gone, the last on %s", (unsigned long long)l->old_peers,
		                       l->old_peers == 1 ? " was" : "s were", day_text(l->last, mem));
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
	return wh_arena_printf(mem, "nobody who belongs came, on %u day%s on which the sensor saw the resource", r->days,
	                       r->days == 1 ? "" : "s");
}

static bool same_prefixes(const struct wh_prefix *a, size_t n_a, const struct wh_prefix *b, size_t n_b)
{
	return n_a == n_b && (!n_a || !memcmp(a, b, n_a * sizeof *a));
}

struct lists { struct wh_prefix *p; size_t n; };

static int compare(struct wh_store *s, const struct lists *lists, const struct wh_resource *resource,
                   const struct wh_recommended_rule *before, const struct wh_recommended_rule *now, struct wh_arena *mem,
                   struct wh_changes *out, struct wh_error *err)
{
	if (before && now && same_prefixes(before->prefixes, before->n_prefixes, now->prefixes, now->n_prefixes) &&
	    same_prefixes(before->except, before->n_except, now->except, now->n_except))
		return 0;
	struct wh_ranges was = region(before, mem), is = region(now, mem);
	struct looked l = {.rule = now ? now : before,
	                   .resource = resource,
	                   .first = INT32_MAX,
	                   .last = INT32_MIN,
	                   .hostile = lists->p,
	                   .n_hostile = lists->n,
	                   .gained = wh_ranges_minus(is, was, mem),
	                   .lost = wh_ranges_minus(was, is, mem)};
	struct wh_change *c = &out->list[out->n];
	int rc = 0;

	if (before && now && !l.gained.n && !l.lost.n)
		return 0;
	if (!now || (!before && !l.gained.n)) {
		*c = (struct wh_change){.resource = resource,
		                        .rule = l.rule,
		                        .is_new = !before,
		                        .is_gone = !now,
		                        .why = now ? why_closed(now, mem) : NULL};
		out->n++;
		return 0;
	}
	for (size_t i = 0; i < resource->n_addrs && !rc; i++)
		rc = wh_store_edges(s, &resource->addrs[i], look, &l, err);
	if (rc || (rc = wh_store_sketches(s, look_refused, &l, err)))
		return rc;
	*c = (struct wh_change){.resource = resource,
	                        .rule = l.rule,
	                        .is_new = !before,
	                        .is_gone = !now,
	                        .why = why(&l, mem),
	                        .refused = l.refused};
	wh_ranges_to_prefixes(l.gained, mem, &c->gained, &c->n_gained);
	wh_ranges_to_prefixes(l.lost, mem, &c->lost, &c->n_lost);
	out->n++;
	return 0;
}

int wh_changes(const struct wh_ledger *l, const struct wh_recommendation *before, const struct wh_recommendation *now,
               struct wh_arena *mem, struct wh_changes *out, struct wh_error *err)
{
	struct wh_intel_list *all;
	struct lists lists = {NULL, 0};
	size_t most = 0, n_lists = 0;
	int rc = wh_intel_lists(l->state, mem, &all, &n_lists, err);

	if (rc)
		return rc;
	wh_intel_merged(all, n_lists, mem, &lists.p, &lists.n);
	for (size_t i = 0; i < before->n_resources; i++)
		most += before->resources[i].n_rules;
	for (size_t i = 0; i < now->n_resources; i++)
		most += now->resources[i].n_rules;
	*out = (struct wh_changes){.since_us = before->calculated_us, .list = wh_arena_array(mem, most + 1, sizeof *out->list)};
	for (size_t i = 0; i < now->n_resources && !rc; i++) {
		const struct wh_resource_result *res = &now->resources[i], *old = same_resource(before, res);
		for (size_t k = 0; k < res->n_rules && !rc; k++)
			rc = compare(l->store, &lists, res->resource, same_rule(old, &res->rules[k]), &res->rules[k], mem, out,
			             err);
		for (size_t k = 0; old && k < old->n_rules && !rc; k++)
			if (!same_rule(res, &old->rules[k])) {
				size_t at = out->n;
				rc = compare(l->store, &lists, res->resource, &old->rules[k], NULL, mem, out, err);
				if (rc)
					break;
				out->list[at].why = said_of(now, res, &old->rules[k], mem);
				out->list[at].is_kept = !wh_looked_at(now, old->rules[k].direction, old->rules[k].proto,
				                                      old->rules[k].port);
			}
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
