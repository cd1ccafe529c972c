/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Peers of the Internet where tags have no known addresses.
 *
 * Problem: without the list of service tags a rule that names one is undecided for every address, so that a deny of AzureDevOps
 * ahead of an allow of any source would leave the whole Internet in doubt. Yet such a tag is some service of Microsoft's, and
 * AzureCloud includes every tenant's machines. Method: the estate is judged for several strangers. The first is at the address of
 * no tag: each published tag without a list is empty. For AzureCloud, and for each region of it that a rule names, there is
 * another stranger, with a machine there: this tag contains every address, as does AzureCloud, which contains its regions. A name
 * that is no published tag stays unknown. An application security group that no document has and no interface names has no member
 * here, and never one on the Internet: it is empty.
 *
 *   100 deny AzureDevOps, 300 allow * → 22        at no tag: 22 is open
 *   300 allow AzureCloud.westeurope → 22          at no tag: closed; in AzureCloud.westeurope: 22 is open
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "nsg/published_tags.h"
#include "reach/policy.h"

struct tags {
	const char **list; size_t n, room;
	struct wh_asg *groups; size_t n_groups, room_groups; /* application security groups that no document has */
	const char **known; /* the ids of the others, sorted */
	const struct wh_topology *t;
	struct wh_arena *mem;
};

static int by_text(const void *a, const void *b)
{
	return strcasecmp(*(const char *const *)a, *(const char *const *)b);
}

static bool is_listed(const struct tags *s, const char *tag)
{
	for (size_t i = 0; i < s->n; i++)
		if (!strcasecmp(s->list[i], tag))
			return true;
	return false;
}

static void add_unlisted(struct tags *s, const char *const *tags, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!wh_tag_is_published(tags[i]) || !strcasecmp(tags[i], "Internet") || !strcasecmp(tags[i], "VirtualNetwork") ||
		    !strcasecmp(tags[i], WH_PROBES_TAG) || wh_service_tag_find(&s->t->service, tags[i]) ||
		    is_listed(s, tags[i]))
			continue;
		s->list = wh_arena_grown(s->mem, s->list, s->n, &s->room, sizeof *s->list);
		s->list[s->n++] = tags[i];
	}
}

static void add_unseen(struct tags *s, const char *const *ids, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		bool there = s->t->n_asgs && bsearch(&ids[i], s->known, s->t->n_asgs, sizeof *s->known, by_text);
		for (size_t k = 0; k < s->n_groups && !there; k++)
			there = !strcasecmp(s->groups[k].id, ids[i]);
		if (there)
			continue;
		s->groups = wh_arena_grown(s->mem, s->groups, s->n_groups, &s->room_groups, sizeof *s->groups);
		s->groups[s->n_groups++] = (struct wh_asg){.id = ids[i], .name = ids[i]};
	}
}

static void add_rule(struct tags *s, const struct wh_rule *r)
{
	add_unseen(s, r->peer_asgs, r->n_peer_asgs);
	add_unseen(s, r->local_asgs, r->n_local_asgs);
	add_unlisted(s, r->peer_tags, r->n_peer_tags);
	add_unlisted(s, r->local_tags, r->n_local_tags);
}

static struct tags unlisted(struct wh_reach *r)
{
	const struct wh_topology *t = r->t;
	struct tags s = {.t = t, .mem = r->mem, .known = wh_arena_array(r->mem, t->n_asgs + 1, sizeof *s.known)};
	for (size_t i = 0; i < t->n_asgs; i++)
		s.known[i] = t->asgs[i].id;
	if (t->n_asgs)
		qsort(s.known, t->n_asgs, sizeof *s.known, by_text);
	for (size_t g = 0; g < t->n_nsgs; g++)
		for (size_t i = 0; i < wh_topology_group(t, g)->n_rules; i++)
			add_rule(&s, &t->nsgs[g].rules[i]);
	for (size_t i = 0; i < t->n_admin; i++)
		add_rule(&s, &t->admin[i].rule);
	return s;
}

static int by_name(const void *a, const void *b)
{
	return strcasecmp(((const struct wh_service_tag *)a)->name, ((const struct wh_service_tag *)b)->name);
}

/* The estate's reach with lists for these tags: every address for `cloud` and AzureCloud, else none. */
static struct wh_reach *as_found(struct wh_reach *r, const struct tags *s, const char *cloud)
{
	struct wh_topology *t = wh_arena_alloc(r->mem, sizeof *t);
	struct wh_prefix *all = wh_arena_array(r->mem, 2, sizeof *all);
	*t = *r->t;
	all[0] = wh_prefix_all_v4;
	all[1] = wh_prefix_all_v6;
	struct wh_service_tag *list = wh_arena_array(r->mem, t->service.n + s->n, sizeof *list);
	if (t->service.n)
		memcpy(list, t->service.list, t->service.n * sizeof *list);
	for (size_t i = 0; i < s->n; i++) {
		bool whole = cloud && (!strcasecmp(s->list[i], cloud) || !strcasecmp(s->list[i], "AzureCloud"));
		list[t->service.n + i] = (struct wh_service_tag){s->list[i], all, whole ? 2 : 0};
	}
	t->service.list = list;
	t->service.n += s->n;
	t->asgs = wh_arena_array(r->mem, t->n_asgs + s->n_groups + 1, sizeof *t->asgs);
	for (size_t i = 0; i < t->n_asgs + s->n_groups; i++)
		t->asgs[i] = i < t->n_asgs ? r->t->asgs[i] : s->groups[i - t->n_asgs];
	t->n_asgs += s->n_groups;
	qsort(list, t->service.n, sizeof *list, by_name);
	return wh_reach_like(t, r);
}

const struct wh_strangers *wh_reach_strangers(struct wh_reach *r)
{
	if (r->strangers)
		return r->strangers;
	struct tags s = unlisted(r);
	struct wh_strangers *out = r->strangers = wh_arena_alloc(r->mem, sizeof *out);
	*out = (struct wh_strangers){.list = wh_arena_array(r->mem, s.n + 1, sizeof *out->list)};
	out->list[out->n++] = (struct wh_stranger){.reach = s.n || s.n_groups ? as_found(r, &s, NULL) : r};
	for (size_t i = 0; i < s.n; i++)
		if (wh_tag_is_cloud(s.list[i]))
			out->list[out->n++] = (struct wh_stranger){as_found(r, &s, s.list[i]), s.list[i]};
	return out;
}
