/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One block for several ports, and the rules that a block consists of, with their names and their evidence. */
#include <stdlib.h>
#include <strings.h>
#include "render/nsg_build.h"

/* ---- one block for several ports ---- */

/* For one family. */
static bool same_prefixes(const struct wh_prefix *a, size_t n, const struct wh_prefix *b, size_t m, bool v4)
{
	size_t i = 0, j = 0;
	for (;;) {
		while (i < n && wh_prefix_is_v4(&a[i]) != v4)
			i++;
		while (j < m && wh_prefix_is_v4(&b[j]) != v4)
			j++;
		if (i == n || j == m)
			return i == n && j == m;
		if (wh_prefix_cmp(&a[i++], &b[j++]))
			return false;
	}
}

static bool without_ports(uint8_t proto)
{
	return proto != WH_PROTO_TCP && proto != WH_PROTO_UDP && proto != WH_PROTO_ANY;
}

static bool joins(const struct wh_nsg_block *a, const struct wh_nsg_block *b)
{
	const struct wh_recommended_rule *x = a->rule, *y = b->rule;
	return !a->pass.n_split && !b->pass.n_split &&
	       same_prefixes(a->pass.probed, a->pass.n_probed, b->pass.probed, b->pass.n_probed, true) &&
	       a->resource == b->resource && a->v4 == b->v4 && a->before == b->before && a->floor == b->floor &&
	       x->direction == y->direction && x->proto == y->proto && !without_ports(x->proto) &&
	       same_prefixes(x->prefixes, x->n_prefixes, y->prefixes, y->n_prefixes, a->v4) &&
	       same_prefixes(x->except, x->n_except, y->except, y->n_except, a->v4);
}

static int by_port(const void *a, const void *b)
{
	return ((const struct wh_nsg_block *)a)->rule->port - ((const struct wh_nsg_block *)b)->rule->port;
}

static uint64_t most(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

void wh_nsg_join_ports(struct wh_nsg_builder *b)
{
	size_t kept = 0;
	if (b->n)
		qsort(b->blocks, b->n, sizeof *b->blocks, by_port);
	for (size_t i = 0; i < b->n; i++) {
		struct wh_nsg_block *k = &b->blocks[i];
		const struct wh_recommended_rule *r = k->rule;
		size_t at = 0;
		while (at < kept && !joins(&b->blocks[at], k))
			at++;
		if (at == kept) {
			struct wh_nsg_block fresh = *k;
			fresh.n_ports = 0;
			b->blocks[kept++] = fresh;
		}
		struct wh_nsg_block *into = &b->blocks[at];
		uint16_t *ports = wh_arena_array(b->mem, into->n_ports + 1, sizeof *ports);
		if (into->n_ports)
			memcpy(ports, into->ports, into->n_ports * sizeof *ports);
		ports[into->n_ports++] = r->port;
		into->ports = ports;
		into->sources = most(into->sources, r->sources);
		into->days = (unsigned)most(into->days, r->days);
		into->flows += r->flows;
		into->denied_peers = most(into->denied_peers, r->denied_peers);
		into->denied_flows += r->denied_flows;
	}
	b->n = kept;
}

/* "22", "22, 80 and 443", "22, 80 and 7 more" */
static const char *ports_text(const struct wh_nsg_block *k, struct wh_arena *mem)
{
	const uint16_t *p = k->ports;
	switch (k->n_ports) {
	case 1: return wh_arena_printf(mem, "%u", p[0]);
	case 2: return wh_arena_printf(mem, "%u and %u", p[0], p[1]);
	case 3: return wh_arena_printf(mem, "%u, %u and %u", p[0], p[1], p[2]);
	default: return wh_arena_printf(mem, "%u, %u and %zu more", p[0], p[1], k->n_ports - 2);
	}
}

/* ---- the entries of a block ---- */

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

static const char *narrowed_text(const struct wh_nsg_block *k, struct wh_arena *mem)
{
	if (!k->before || !k->before->allow)
		return "";
	/* "a read as b (host bits were set)" without the reason, which is in the notes */
	const char *note = k->before->note ? k->before->note : "", *paren = strstr(note, " (host bits");
	return wh_arena_printf(mem, "; narrows %s%s%s%.*s", k->before->is_default ? "the default " : "", k->before->name,
	                       *note ? ", " : "", (int)(paren ? paren - note : (int)strlen(note)), note);
}

/* The reviewer and the reason; for a rule that a person added there is nothing else. */
static const char *allow_text(const struct wh_nsg_block *k, struct wh_arena *mem)
{
	const char *note = k->rule->review ? k->rule->note ? k->rule->note : k->rule->review : "",
		   *narrowed = narrowed_text(k, mem);
	if (!k->flows && *note)
		return wh_nsg_description(mem, wh_arena_printf(mem, "whittle: %s%s", note, narrowed));
	/* the number of unseen addresses is known only for calculated prefixes */
	const char *rest = *note ? wh_arena_printf(mem, "; %s", note) : wh_arena_printf(mem, ", %.0f unseen", k->rule->unseen);
	return wh_nsg_description(mem, wh_arena_printf(mem, "whittle: %llu peers seen on %u days in %llu flows%s%s",
	                                               (unsigned long long)k->sources, k->days, (unsigned long long)k->flows,
	                                               rest, narrowed));
}

static const char *deny_text(const struct wh_nsg_builder *b, const struct wh_nsg_block *k, struct wh_arena *mem)
{
	const struct wh_recommended_rule *r = k->rule;
	const char *day = b->nsg ? wh_nsg_keep_day(b->nsg, b->opt, k->before, mem) : NULL;
	const char *begins = day ? wh_kept_text(k->before->name, day, mem) : "System Generated by whittle";
	char proto[8];
	if (!r->n_prefixes)
		return wh_nsg_description(mem, wh_arena_printf(mem, "%s: nobody belongs on %s %s%s", begins,
		                                               wh_proto_text(r->proto, proto), ports_text(k, mem),
		                                               narrowed_text(k, mem)));
	const char *ends = k->denied_peers
	                           ? wh_arena_printf(mem, "; %llu peers with %llu flows end here",
	                                             (unsigned long long)k->denied_peers, (unsigned long long)k->denied_flows)
	                           : "";
	return wh_nsg_description(mem, wh_arena_printf(mem, "%s: the rest of %s %s%s%s", begins, wh_proto_text(r->proto, proto),
	                                               ports_text(k, mem), ends, narrowed_text(k, mem)));
}

static bool name_taken(const struct wh_nsg_builder *b, const char *name)
{
	for (size_t i = 0; b->nsg && i < b->nsg->n_rules; i++)
		if (!b->gone[i] && !strcasecmp(b->nsg->rules[i].name, name))
			return true;
	for (size_t i = 0; i < b->n; i++)
		for (size_t j = 0; j < b->blocks[i].n; j++)
			if (!strcasecmp(b->blocks[i].entries[j].name, name))
				return true;
	return false;
}

static const char *free_name(const struct wh_nsg_builder *b, const struct wh_nsg_block *k, const char *suffix)
{
	const char *name = wh_nsg_allow_name(k, suffix, b->mem), *tried = name;
	for (unsigned i = 2; name_taken(b, tried); i++)
		tried = wh_arena_printf(b->mem, "%s-%u", name, i);
	return tried;
}

size_t wh_nsg_most_entries(const struct wh_nsg_block *k)
{
	return 4 + k->pass.n_split;
}

static struct wh_nsg_entry *add_entry(struct wh_nsg_block *k, const struct wh_nsg_entry *like, const char *name,
                                      const char *description)
{
	struct wh_nsg_entry *e = &k->entries[k->n++];
	*e = *like;
	e->name = name;
	e->description = description;
	return e;
}

/* Probes of Azure's load balancer still reach the ports: it takes a host that does not answer them out of service. */
static void fill_probes(const struct wh_nsg_builder *b, struct wh_nsg_block *k, const struct wh_nsg_entry *like)
{
	char proto[8];
	if (!k->pass.n_probed)
		return;
	struct wh_nsg_entry *e = add_entry(k, like, free_name(b, k, "probes"), NULL);
	e->description = wh_nsg_description(
		b->mem, wh_arena_printf(b->mem, "whittle: the load balancer's health probes reach %s %s as before",
	                                wh_proto_text(k->rule->proto, proto), ports_text(k, b->mem)));
	e->allow = true;
	e->tag = WH_PROBES_TAG;
	e->locals = k->pass.probed;
	e->n_locals = k->pass.n_probed;
}

/* If rules distinguish source ports, a proposed peer passes from the ports that it passed from before. */
static void fill_split(const struct wh_nsg_builder *b, struct wh_nsg_block *k, const struct wh_nsg_entry *like)
{
	for (size_t i = 0; i < k->pass.n_split; i++) {
		struct wh_nsg_entry *e = add_entry(k, like, free_name(b, k, "allow"), allow_text(k, b->mem));
		e->allow = true;
		e->peers = k->pass.split[i].peers;
		e->n_peers = k->pass.split[i].n_peers;
		e->src = k->pass.split[i].src;
		e->n_src = k->pass.split[i].n_src;
	}
}

static void fill_allows(const struct wh_nsg_builder *b, struct wh_nsg_block *k, const struct wh_nsg_entry *like)
{
	const struct wh_recommended_rule *r = k->rule;
	const struct wh_prefix *peers, *except;
	size_t n = of_family(r->prefixes, r->n_prefixes, k->v4, b->mem, &peers),
	       n_except = of_family(r->except, r->n_except, k->v4, b->mem, &except);
	if (n && n_except) {
		struct wh_nsg_entry *e = add_entry(k, like, free_name(b, k, "except"), NULL);
		e->description = wh_nsg_description(b->mem,
		                                    wh_arena_printf(b->mem, "whittle: kept out of the ranges that %s allows",
		                                                    wh_nsg_allow_name(k, "allow", b->mem)));
		e->peers = except;
		e->n_peers = n_except;
	}
	if (n) {
		struct wh_nsg_entry *e = add_entry(k, like, free_name(b, k, "allow"), allow_text(k, b->mem));
		e->allow = true;
		e->peers = peers;
		e->n_peers = n;
	}
}

void wh_nsg_fill(struct wh_nsg_builder *b, struct wh_nsg_block *k)
{
	const struct wh_recommended_rule *r = k->rule;
	struct wh_nsg_entry e = {.direction = r->direction,
	                         .proto = r->proto,
	                         .ports = k->ports,
	                         .n_ports = k->n_ports,
	                         .any_port = without_ports(r->proto)};
	e.n_locals = wh_nsg_locals(k->resource->addrs, k->resource->n_addrs, k->v4, b->mem, &e.locals);
	k->entries = wh_arena_array(b->mem, wh_nsg_most_entries(k), sizeof *k->entries);
	if (k->pass.n_split) {
		fill_split(b, k, &e);
	} else {
		fill_probes(b, k, &e);
		fill_allows(b, k, &e);
	}
	e.everyone = e.system_generated = true;
	unsigned nth = 0;
	do
		e.name = wh_nsg_deny_name(k, nth++, b->mem);
	while (name_taken(b, e.name));
	e.description = deny_text(b, k, b->mem);
	k->entries[k->n++] = e;
}
