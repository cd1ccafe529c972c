/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The original rule, kept below the rules that narrow it until a given day, and removed after it.
 *
 * It is removed only if nothing depends on it any more: for each address of each resource that the group guards, and each of the
 * rule's ports and protocols, the group must let the same peers through with and without it, whatever rules of unknown reach
 * mean. If that is not so, or not known, it stays and a note gives the reason. A removed allow can only narrow, whatever else the
 * group guards.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "render/nsg_plan.h"

enum { MOST_PORTS = 1024 };

const char *wh_nsg_keep_day(const struct wh_nsg *nsg, const struct wh_render_options *opt, const struct wh_rule *original,
                            struct wh_arena *mem)
{
	struct wh_kept k;
	if (!opt || !original || !original->allow || original->is_default || original->origin != WH_ORIGIN_PERSON)
		return NULL;
	if (opt->keep_until)
		return opt->keep_until;
	for (size_t i = 0; i < nsg->n_rules; i++)
		if (wh_kept_parse(nsg->rules[i].description, mem, &k) && !strcasecmp(k.rule, original->name))
			return wh_arena_strdup(mem, k.until);
	for (size_t i = 0; i < opt->n_kept; i++)
		if (!strcasecmp(opt->kept[i].rule, original->name) && !strcasecmp(opt->kept[i].nsg, nsg->name))
			return opt->kept[i].until;
	return NULL;
}

/* The rules whose day has passed: in the group itself, and among those that the caller removed from it. */
static size_t overdue(const struct wh_nsg *nsg, const struct wh_render_options *opt, struct wh_arena *mem, struct wh_kept **out)
{
	struct wh_kept *own;
	size_t n = opt && opt->today ? wh_nsg_kept(nsg, mem, &own) : 0, m = 0;
	*out = wh_arena_array(mem, n + (opt ? opt->n_kept : 0) + 1, sizeof **out);
	for (size_t i = 0; i < n; i++)
		if (strcmp(own[i].until, opt->today) < 0 && !(opt->keep_until && strcmp(opt->keep_until, opt->today) >= 0))
			(*out)[m++] = own[i];
	for (size_t i = 0; opt && opt->today && i < opt->n_kept; i++)
		if (!strcasecmp(opt->kept[i].nsg, nsg->name) && strcmp(opt->kept[i].until, opt->today) < 0 &&
		    wh_rule_named(nsg, opt->kept[i].rule) && !opt->keep_until)
			(*out)[m++] = opt->kept[i];
	return m;
}

bool wh_nsg_overdue(const struct wh_nsg *nsg, const struct wh_render_options *opt, struct wh_arena *mem)
{
	struct wh_kept *list;
	return nsg && overdue(nsg, opt, mem, &list) > 0;
}

/* ---- does anything depend on it? ---- */

static struct wh_nsg without(const struct wh_nsg *nsg, const struct wh_rule *gone, struct wh_arena *mem)
{
	struct wh_nsg copy = *nsg;
	copy.rules = wh_arena_array(mem, nsg->n_rules, sizeof *copy.rules);
	copy.n_rules = 0;
	for (size_t i = 0; i < nsg->n_rules; i++)
		if (&nsg->rules[i] != gone)
			copy.rules[copy.n_rules++] = nsg->rules[i];
	return copy;
}

/* The most peers that the rule can decide: those that no rule before it certainly decides. A rule of unknown reach certainly
 * decides only the prefixes that it names. */
static struct wh_ranges reach(const struct wh_nsg *nsg, const struct wh_rule *of, const struct wh_tag_context *tags,
                              const struct wh_addr *local, uint8_t proto, uint16_t port, struct wh_arena *mem)
{
	struct wh_ranges open = wh_ranges_family(wh_addr_is_v4(local), mem);
	for (size_t i = 0; i < nsg->n_rules && open.n; i++) {
		const struct wh_rule *r = &nsg->rules[i];
		bool unknown;
		enum wh_match match = wh_rule_match(r, tags, of->direction, proto, local, port, mem);
		struct wh_ranges peers = wh_rule_peers(r, tags, mem, &unknown);
		if (r == of && match == WH_MATCH_NO)
			break;
		if (r == of)
			return unknown ? open : wh_ranges_intersect(open, peers, mem);
		if (match == WH_MATCH_YES)
			open = wh_ranges_minus(open, peers, mem);
	}
	return (struct wh_ranges){0};
}

/* No peer reaches the rule, or those that do pass without it as well. A rule of unknown reach may decide that: then it is not
 * known. */
static bool same_from(const struct wh_nsg *with, const struct wh_rule *r, const struct wh_tag_context *tags,
                      const struct wh_addr *local, uint8_t proto, uint16_t port, struct wh_arena *mem)
{
	struct wh_ranges caught = reach(with, r, tags, local, proto, port, mem), now;
	struct wh_nsg less = without(with, r, mem);
	const struct wh_nsg *list[] = {&less};
	bool unknown;
	if (!caught.n)
		return true;
	wh_policy_allowed(list, 1, tags, &(struct wh_nsg_question){r->direction, proto, local, port}, mem, &now, &unknown);
	return !unknown && !wh_ranges_minus(caught, now, mem).n;
}

static bool same_at(const struct wh_nsg *with, const struct wh_tag_context *tags, const struct wh_addr *local,
                    const struct wh_rule *r, uint8_t proto, uint16_t port)
{
	struct wh_arena *mem = wh_arena_new();
	struct wh_port_range *classes;
	size_t n = wh_source_ports(&with, 1, r->direction, proto, port, mem, &classes);
	bool same = true;
	for (size_t c = 0; c < n && same; c++) {
		struct wh_nsg seen = wh_nsg_from_port(with, classes[c].from, mem);
		same = same_from(&seen, &seen.rules[r - with->rules], tags, local, proto, port, mem);
	}
	wh_arena_free(mem);
	return same;
}

/* NULL if nothing depends on it, else the reason. */
static const char *still_needed(const struct wh_nsg *after, const struct wh_rule *r, const struct wh_nsg *group,
                                const struct wh_estate *e, struct wh_arena *mem)
{
	static const uint8_t any[] = {WH_PROTO_TCP, WH_PROTO_UDP, WH_PROTO_ICMP, 50, 51};
	const struct wh_tag_context tags = wh_estate_tags(e);
	const uint8_t *protos = r->proto == WH_PROTO_ANY ? any : &r->proto;
	size_t ports = 0;
	char addr[WH_ADDR_STRLEN];
	for (size_t i = 0; i < r->n_dst_ports; i++)
		ports += (size_t)(r->dst_ports[i].to - r->dst_ports[i].from) + 1;
	if (r->unsupported || ports > MOST_PORTS)
		return r->unsupported ? "its source cannot be resolved" : "it opens more ports than were narrowed";
	for (size_t i = 0; i < e->n_resources; i++)
		for (size_t j = 0; j < e->resources[i].n_addrs && wh_resource_guarded_by(&e->resources[i], group); j++)
			for (size_t k = 0; k < r->n_dst_ports; k++)
				for (unsigned p = r->dst_ports[k].from; p <= r->dst_ports[k].to; p++)
					for (size_t q = 0; q < (r->proto == WH_PROTO_ANY ? sizeof any : 1); q++)
						if (!same_at(after, &tags, &e->resources[i].addrs[j], r, protos[q], (uint16_t)p))
							return wh_arena_printf(
								mem, "it still lets peers in to port %u of %s, or may", p,
								wh_addr_text(&e->resources[i].addrs[j], addr));
	return NULL;
}

static void drop(struct wh_nsg_plan *plan, const char *name)
{
	size_t kept = 0;
	for (size_t i = 0; i < plan->n; i++)
		if (!plan->entries[i].existing || strcasecmp(plan->entries[i].existing->name, name) != 0)
			plan->entries[kept++] = plan->entries[i];
	plan->n = kept;
}

int wh_nsg_remove_overdue(struct wh_nsg_plan *plan, const struct wh_estate *e, const struct wh_render_options *opt,
                          struct wh_arena *mem, const char **notes, struct wh_error *err)
{
	struct wh_kept *list;
	size_t n = overdue(plan->nsg, opt, mem, &list);
	int rc = 0;
	*notes = "";
	for (size_t i = 0; i < n && !rc; i++) {
		struct wh_nsg after = {0};
		json_t *doc = wh_nsg_plan_json(plan);
		rc = wh_nsg_read(plan->name, doc, mem, &after, err);
		const struct wh_rule *r = rc ? NULL : wh_rule_named(&after, list[i].rule);
		const char *why = !r || !r->allow                 ? NULL
		                  : r->origin == WH_ORIGIN_PERSON ? still_needed(&after, r, plan->nsg, e, mem)
		                                                  : "it is not whittle's to remove";
		if (r && r->allow && why) {
			*notes = wh_arena_printf(mem, "%s%s: %s was kept until %s, and stays: %s\n", *notes, plan->name,
			                         list[i].rule, list[i].until, why);
		} else if (r && r->allow) {
			drop(plan, list[i].rule);
			plan->n_removed++;
			*notes = wh_arena_printf(mem,
			                         "%s%s: %s was kept until %s, and is removed: nothing depends on it any more\n",
			                         *notes, plan->name, list[i].rule, list[i].until);
		}
		wh_nsgs_free(&after, 1);
		json_decref(doc);
	}
	return rc;
}

bool wh_nsg_plan_removes(const struct wh_nsg_plan *p, const struct wh_rule *r)
{
	for (size_t k = 0; k < p->n; k++)
		if (p->entries[k].existing == r)
			return false;
	return !r->is_default && r->origin != WH_ORIGIN_WHITTLE;
}
