/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Openings in a network security group. For each port of a policy, and each address family of the resource, before the group's
 * first rule that lets anybody in there: whittle-jit-ID-vm1-TCP-22 allow, the opening's source (none when nothing is open)
 * whittle-jit-deny-vm1-TCP-22 deny, everybody What was ours before is taken out first, so what has ended goes by being left out,
 * and writing twice gives the same. An opening must lie within what the group allows without our rules: the rest of the group is
 * unchanged, so nothing is widened.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include "base/text.h"
#include "jit/grants.h"
#include "nsg/edit.h"
#include "whittle/jit.h"

#define PREFIX "whittle-jit-"

struct writer {
	const struct wh_estate *estate;
	struct wh_tag_context tags;
	const struct wh_nsg *nsg;
	struct wh_nsg others;         /* without our rules */
	const struct wh_jit_grant *grants; size_t n;
	int64_t now_us;
	struct wh_arena *mem;
	struct wh_nsg_line *line;     /* inbound */
	struct wh_nsg_entry *entries; size_t n_entries; /* at most the group's rules, and one of ours for each inbound priority */
	size_t allows, denies;
	struct wh_error *err;
};

/* One port of one resource's addresses of one family, and the priorities that its rules may have. */
struct spot {
	const struct wh_resource *resource;
	struct wh_jit_port port;
	bool v4;
	unsigned from, below;
	const char *before;
};

static bool is_ours(const struct wh_rule *r)
{
	return !r->is_default && !strncasecmp(r->name, PREFIX, strlen(PREFIX));
}

/* The others stay as they are. Returns the number of ours, which are left out. */
static size_t keep_others(struct writer *w)
{
	size_t gone = 0;
	w->line = wh_arena_alloc(w->mem, sizeof *w->line);
	w->entries = wh_arena_array(w->mem, w->nsg->n_rules + WH_NSG_LAST, sizeof *w->entries);
	for (size_t i = 0; i < w->nsg->n_rules; i++) {
		const struct wh_rule *r = &w->nsg->rules[i];
		gone += is_ours(r);
		if (r->is_default || is_ours(r))
			continue;
		struct wh_nsg_entry *e = &w->entries[w->n_entries++];
		*e = (struct wh_nsg_entry){
			.existing = r, .name = r->name, .direction = r->direction, .allow = r->allow, .priority = r->priority};
		if (r->direction == WH_INBOUND)
			w->line->at[r->priority] = e;
	}
	return gone;
}

/* The rule of an opening, or the deny (g NULL). */
static int put(struct writer *w, struct spot *at, const struct wh_jit_grant *g)
{
	char t[WH_TIME_STRLEN], proto[8];
	struct wh_nsg_entry *e = &w->entries[w->n_entries];
	unsigned priority = wh_nsg_take_first(w->line, e, at->from, at->below);
	if (!priority)
		return wh_fail(w->err, -ENOSPC, "%s: no priority is free before %s; renumber the group first", w->nsg->name,
		               at->before);
	at->from = priority + 1;
	const char *clean = wh_nsg_clean_name(at->resource->name, 30, w->mem), *p = wh_proto_text(at->port.proto, proto);
	const char *says = g ? wh_arena_printf(w->mem, "Until %s, opened by %s%s%s", wh_time_text(g->expires_us, t), g->who,
	                                       g->why ? ": " : "", g->why ? g->why : "")
	                     : "Closed but for what whittle jit opens";
	uint16_t *port = wh_arena_alloc(w->mem, sizeof *port);
	*port = at->port.port;
	*e = (struct wh_nsg_entry){
		.name = g ? wh_arena_printf(w->mem, PREFIX "%s-%s-%s-%u", g->id, clean, p, at->port.port)
	                  : wh_arena_printf(w->mem, PREFIX "deny-%s-%s-%u%s", clean, p, at->port.port, at->v4 ? "" : "-v6"),
		.description = wh_nsg_description(w->mem, says),
		.direction = WH_INBOUND,
		.allow = g,
		.proto = at->port.proto,
		.ports = port,
		.n_ports = 1,
		.everyone = !g,
		.peers = g ? &g->from : NULL,
		.n_peers = g != NULL,
		.priority = priority};
	e->n_locals = wh_nsg_locals(at->resource->addrs, at->resource->n_addrs, at->v4, w->mem, &e->locals);
	w->n_entries++;
	*(g ? &w->allows : &w->denies) += 1;
	return 0;
}

static int check_within(struct writer *w, const struct wh_resource *r, const struct wh_jit_grant *g)
{
	const struct wh_nsg *one[] = {&w->others};
	char addr[WH_ADDR_STRLEN];
	for (size_t j = 0; j < r->n_addrs; j++) {
		struct wh_ranges allowed;
		if (wh_addr_is_v4(&r->addrs[j]) != wh_prefix_is_v4(&g->from))
			continue;
		wh_policy_allowed(one, 1, &w->tags, &(struct wh_nsg_question){WH_INBOUND, g->proto, &r->addrs[j], g->port},
		                  w->mem, &allowed, NULL);
		struct wh_ranges over = wh_ranges_minus(wh_ranges_from_prefixes(&g->from, 1, w->mem), allowed, w->mem);
		if (over.n)
			return wh_fail_input(
				w->err, -EPERM,
				"refused (narrow-only): opening %s would let %s in, which %s does not allow; close it with `whittle jit close %s`",
				g->id, wh_addr_text(&over.r[0].from, addr), w->nsg->name,
				wh_shell_word(g->id, (char[WH_SHELL_WORD]){0}));
	}
	return 0;
}

static int one_port(struct writer *w, const struct wh_resource *r, struct wh_jit_port port)
{
	int rc = 0;
	for (int v4 = 1; v4 >= 0; v4--) {
		const struct wh_nsg_narrowing narrowed = {.direction = WH_INBOUND,
		                                          .proto = port.proto,
		                                          .port = port.port,
		                                          .locals = r->addrs,
		                                          .n_locals = r->n_addrs,
		                                          .v4 = v4};
		bool has = false;
		for (size_t j = 0; j < r->n_addrs; j++)
			has |= wh_addr_is_v4(&r->addrs[j]) == (bool)v4;
		if (!has)
			continue;
		/* ours must come before the first rule that allows any peer to this port of these addresses */
		const struct wh_rule *first = wh_nsg_first_allow(&w->others, &w->tags, &narrowed, w->mem);
		struct spot at = {r,
		                  port,
		                  v4,
		                  WH_NSG_FIRST,
		                  first ? first->priority : WH_NSG_LAST + 1,
		                  first ? first->name : "the default rules"};
		for (size_t i = 0; !rc && i < w->n; i++) {
			const struct wh_jit_grant *g = &w->grants[i];
			if (!g->nsg || !wh_jit_in_time(g, w->now_us) || strcmp(g->resource, r->name) != 0 ||
			    g->proto != port.proto || g->port != port.port || wh_prefix_is_v4(&g->from) != (bool)v4)
				continue;
			if (!(rc = check_within(w, r, g)))
				rc = put(w, &at, g);
		}
		if (!rc)
			rc = put(w, &at, NULL);
		if (rc)
			return rc;
	}
	return 0;
}

static const struct wh_jit_policy *policy_of(const struct wh_jit_config *c, const struct wh_resource *r)
{
	for (size_t i = 0; i < c->n_policies; i++)
		if (!strcmp(c->policies[i].resource, r->name))
			return &c->policies[i];
	return NULL;
}

static int notes_of(const struct writer *w, size_t gone, char **notes)
{
	int n = asprintf(notes, "whittle: %s: %zu opening%s, %zu port%s closed; %zu earlier rule%s of ours replaced\n",
	                 w->nsg->name, w->allows, w->allows == 1 ? "" : "s", w->denies, w->denies == 1 ? "" : "s", gone,
	                 gone == 1 ? "" : "s");
	if (n >= 0)
		return 0;
	*notes = NULL;
	return wh_fail(w->err, -ENOMEM, "out of memory");
}

int wh_jit_nsg(const struct wh_jit_openings *o, const struct wh_nsg *nsg, struct wh_arena *mem, json_t **out, char **notes,
               struct wh_error *err)
{
	const struct wh_estate *e = o->estate;
	const json_t *rules = wh_nsg_rules(nsg->source);
	struct writer w = {.estate = e,
	                   .tags = wh_estate_tags(e),
	                   .nsg = nsg,
	                   .others = wh_nsg_without(nsg, is_ours, mem),
	                   .grants = o->grants,
	                   .n = o->n,
	                   .now_us = o->now_us,
	                   .mem = mem,
	                   .err = err};
	*notes = NULL;
	if (rules && !json_is_array(rules))
		return wh_fail(err, -EBADMSG, "%s: has no list of rules", nsg->name);
	size_t gone = keep_others(&w);
	int rc = 0;
	for (size_t i = 0; !rc && i < e->n_resources; i++) {
		const struct wh_jit_policy *p = policy_of(o->config, &e->resources[i]);
		for (size_t k = 0; !rc && p && wh_resource_guarded_by(&e->resources[i], nsg) && k < p->n_ports; k++)
			rc = one_port(&w, &e->resources[i], p->ports[k]);
	}
	if (!rc)
		rc = notes_of(&w, gone, notes);
	if (!rc && !(*out = wh_nsg_json(nsg, nsg->name, w.entries, w.n_entries)))
		rc = wh_fail(err, -ENOMEM, "out of memory");
	return rc;
}
