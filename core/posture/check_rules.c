/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checks of network security groups by their rules. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "posture/checks.h"
#include "whittle/findings.h"

static const char type[] = "Microsoft.Network/networkSecurityGroups";

/* ---- rules without their apparent effect ---- */

/* Counts rules that never decide; generalised and correlated rules are mostly intended. */
static size_t count_dead(const struct wh_filter *f, size_t *steps, struct wh_arena *mem, const char **example, size_t *skipped)
{
	struct wh_anomaly *a;
	struct wh_filter written = wh_reach_written(f);
	size_t beyond, n = wh_anomalies(&written, steps, mem, &a, &beyond), dead = 0;
	*skipped += beyond;
	for (size_t i = 0; i < n; i++) {
		const struct wh_rule *r = a[i].rule->from, *by = a[i].other ? a[i].other->from : NULL;
		if (a[i].kind != WH_SHADOWED && a[i].kind != WH_REDUNDANT)
			continue;
		if (!dead++)
			*example = wh_arena_printf(mem, "rule %s (%u) is %s%s%s", r->name, (unsigned)r->priority,
			                           wh_anomaly_text(a[i].kind), by ? " by " : "", by ? by->name : "");
	}
	return dead;
}

int wh_check_anomalies(struct wh_run *run, struct wh_error *err)
{
	const struct wh_topology *t = run->in->topology;
	size_t *dead = wh_arena_array(run->mem, t->n_nsgs + 1, sizeof *dead), n = wh_reach_lists(run->in->reach);
	const char **example = wh_arena_array(run->mem, t->n_nsgs + 1, sizeof *example);
	bool *done = wh_arena_array(run->mem, 2 * t->n_nsgs + 1, sizeof *done);
	size_t *skipped = wh_arena_array(run->mem, t->n_nsgs + 1, sizeof *skipped), steps = WH_ANOMALY_STEPS;
	(void)err;
	for (size_t i = 0; i < n; i++) {
		enum wh_direction d;
		size_t nsg;
		const struct wh_filter *f = wh_reach_list(run->in->reach, i, &nsg, &d);
		if (!wh_known(nsg) || wh_nsg_is_acl(&t->nsgs[nsg]) ||
		    done[2 * nsg + d]) /* one reading is enough: a group's rules mean much the same at each place */
			continue;
		done[2 * nsg + d] = true;
		dead[nsg] += count_dead(f, &steps, run->mem, &example[nsg], &skipped[nsg]);
	}
	for (size_t i = 0; i < t->n_nsgs; i++) {
		if (!done[2 * i] && !done[2 * i + 1])
			continue;
		if (dead[i])
			wh_run_add(run, t->nsgs[i].id, type, WH_POSTURE_UNHEALTHY, "%zu of its rules never decide: %s", dead[i],
			           example[i]);
		else if (skipped[i])
			wh_run_add(run, t->nsgs[i].id, type, WH_POSTURE_NO_EVIDENCE,
			           "%zu of its rules cannot be decided: they overlap others in too many pieces", skipped[i]);
		else
			wh_run_add(run, t->nsgs[i].id, type, WH_POSTURE_HEALTHY, NULL);
	}
	return 0;
}

/* ---- groups ---- */

int wh_check_unused_group(struct wh_run *run, struct wh_error *err)
{
	const struct wh_topology *t = run->in->topology;
	bool *used = wh_arena_array(run->mem, t->n_nsgs + 1, sizeof *used);
	(void)err;
	for (size_t i = 0; i < t->n_subnets; i++)
		if (wh_known(t->subnets[i].nsg))
			used[t->subnets[i].nsg] = true;
	for (size_t i = 0; i < t->n_nics; i++)
		if (wh_known(t->nics[i].nsg))
			used[t->nics[i].nsg] = true;
	for (size_t i = 0; i < t->n_nsgs; i++)
		wh_run_add(run, t->nsgs[i].id, type, used[i] ? WH_POSTURE_HEALTHY : WH_POSTURE_UNHEALTHY,
		           used[i] ? NULL : "it stands before nothing");
	return 0;
}

/* Settings: `rules` and `prefixes` from which on a group is near Azure's limits, or too large to be read. */
int wh_check_group_size(struct wh_run *run, struct wh_error *err)
{
	const struct wh_topology *t = run->in->topology;
	size_t most_rules = (size_t)wh_run_number(run, "rules", 200),
	       most_prefixes = (size_t)wh_run_number(run, "prefixes", 3200);
	(void)err;
	for (size_t i = 0; i < t->n_nsgs; i++) {
		size_t rules = 0, prefixes = 0;
		const struct wh_nsg *g = wh_topology_group(t, i);
		for (size_t k = 0; k < g->n_rules; k++) {
			const struct wh_rule *r = &g->rules[k];
			rules += !r->is_default;
			prefixes += r->is_default ? 0 : r->n_peers + r->n_locals;
		}
		bool large = rules > most_rules || prefixes > most_prefixes;
		wh_run_add(run, t->nsgs[i].id, type, large ? WH_POSTURE_UNHEALTHY : WH_POSTURE_HEALTHY,
		           large ? "it has %zu rules with %zu prefixes" : NULL, rules, prefixes);
	}
	return 0;
}

/* ---- copies ---- */

struct copy { size_t nsg, rules; uint64_t hash; };

/* Of what equal rules have in common, in their order. */
static struct copy copy_of(const struct wh_topology *t, size_t nsg)
{
	const struct wh_nsg *g = wh_topology_group(t, nsg);
	struct copy c = {.nsg = nsg, .hash = UINT64_C(0x9e3779b97f4a7c15)};
	for (size_t k = 0; k < g->n_rules; k++) {
		const struct wh_rule *r = &g->rules[k];
		uint64_t port = r->n_dst_ports ? (uint64_t)r->dst_ports[0].from << 16 | r->dst_ports[0].to : 0,
			 word = port << 16 | (uint64_t)r->proto << 8 | (uint64_t)r->direction << 1 | r->allow;
		if (r->is_default)
			continue;
		c.rules++;
		c.hash = (c.hash ^ word ^ (uint64_t)r->n_peers << 48) * UINT64_C(0x100000001b3);
		c.hash ^= c.hash >> 29;
	}
	return c;
}

static bool is_copy(const struct wh_topology *t, const struct copy *a, const struct copy *b)
{
	const struct wh_nsg *x = wh_topology_group(t, a->nsg), *y = wh_topology_group(t, b->nsg);
	size_t i = 0, k = 0;
	if (a->hash != b->hash || a->rules != b->rules || x->aws != y->aws)
		return false;
	for (size_t left = a->rules; left; left--, i++, k++) {
		while (x->rules[i].is_default)
			i++;
		while (y->rules[k].is_default)
			k++;
		if (!wh_rule_same(x, &x->rules[i], y, &y->rules[k]))
			return false;
	}
	return true;
}

static int by_hash(const void *a, const void *b)
{
	const struct copy *x = a, *y = b;
	return x->hash != y->hash ? (x->hash > y->hash) - (x->hash < y->hash) : (x->nsg > y->nsg) - (x->nsg < y->nsg);
}

/* Groups with the same rules in the same order, whatever their names and numbers. Groups without rules are not copies. */
int wh_check_twin_groups(struct wh_run *run, struct wh_error *err)
{
	const struct wh_topology *t = run->in->topology;
	struct copy *all = wh_arena_array(run->mem, t->n_nsgs + 1, sizeof *all);
	const char **twin = wh_arena_array(run->mem, t->n_nsgs + 1, sizeof *twin);
	size_t n = 0;
	(void)err;
	for (size_t i = 0; i < t->n_nsgs; i++)
		if (!wh_nsg_is_acl(&t->nsgs[i]))
			all[n++] = copy_of(t, i);
	if (n)
		qsort(all, n, sizeof *all, by_hash);
	for (size_t i = 0; i < n; i++)
		for (size_t k = i + 1; k < n && all[k].hash == all[i].hash && all[i].rules; k++)
			if (is_copy(t, &all[i], &all[k])) {
				twin[all[k].nsg] = twin[all[k].nsg] ? twin[all[k].nsg] : t->nsgs[all[i].nsg].name;
				twin[all[i].nsg] = twin[all[i].nsg] ? twin[all[i].nsg] : t->nsgs[all[k].nsg].name;
			}
	for (size_t i = 0; i < n; i++) {
		const char *other = twin[all[i].nsg];
		if (all[i].rules)
			wh_run_add(run, t->nsgs[all[i].nsg].id, type, other ? WH_POSTURE_UNHEALTHY : WH_POSTURE_HEALTHY,
			           other ? "it has the same rules as %s" : NULL, other);
	}
	return 0;
}

/* ---- tags that are too wide ---- */

static const char *wide_tag(const struct wh_rule *r, const char *const *tags, size_t n)
{
	for (size_t i = 0; r->allow && !r->is_default && i < r->n_peer_tags; i++)
		if (wh_run_has(tags, n, r->peer_tags[i]))
			return r->peer_tags[i];
	return NULL;
}

/* Setting `tags`: those that contain everybody's addresses, or a service's everywhere. */
int wh_check_wide_tags(struct wh_run *run, struct wh_error *err)
{
	const struct wh_topology *t = run->in->topology;
	const char **tags;
	size_t n = wh_run_texts(run, "tags", &tags);
	(void)err;
	for (size_t i = 0; i < t->n_nsgs; i++) {
		const char *tag = NULL;
		const struct wh_rule *by = NULL;
		const struct wh_nsg *g = wh_topology_group(t, i);
		for (size_t k = 0; k < g->n_rules && !tag; k++)
			if ((tag = wide_tag(&g->rules[k], tags, n)))
				by = &g->rules[k];
		wh_run_add(run, t->nsgs[i].id, type, tag ? WH_POSTURE_UNHEALTHY : WH_POSTURE_HEALTHY,
		           tag ? "rule %s (%u) names %s: the addresses of everybody there" : NULL, by ? by->name : "",
		           by ? (unsigned)by->priority : 0, tag);
	}
	return 0;
}
