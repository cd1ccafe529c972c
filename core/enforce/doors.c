/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A packet is judged by the port that the peer addressed. A port that is translated to a judged one is therefore a way around its
 * rule, unless it has a rule itself. */
#include <stdlib.h>
#include <string.h>
#include "whittle/enforce.h"

static bool judges(const struct wh_nft_port *p, uint8_t proto, const struct wh_addr *a)
{
	if (p->direction != WH_INBOUND || p->proto != proto)
		return false;
	bool is = !p->n_locals || !a;
	for (size_t i = 0; i < p->n_locals && !is; i++)
		is = wh_addr_eq(&p->locals[i], a);
	return is;
}

static bool judged(const struct wh_nft_ruleset *rs, uint8_t proto, unsigned port, const struct wh_addr *a)
{
	for (size_t i = 0; i < rs->n_ports; i++)
		if (rs->ports[i].port == port && judges(&rs->ports[i], proto, a))
			return true;
	return false;
}

/* The first port of the range that no rule judges at the address; 0: none. */
static uint16_t first_open(const struct wh_nft_ruleset *rs, const struct wh_nft_published *p, const struct wh_addr *a)
{
	for (unsigned port = p->first ? p->first : 1; port <= p->last; port++)
		if (!judged(rs, p->proto, port, a))
			return (uint16_t)port;
	return 0;
}

/* The rule of a port that it leads to; `a` may be NULL: for any address. */
static const struct wh_nft_port *rule_at(const struct wh_nft_ruleset *rs, const struct wh_nft_published *p,
                                         const struct wh_addr *a)
{
	for (size_t i = 0; i < rs->n_ports; i++)
		if (rs->ports[i].port >= p->to_first && rs->ports[i].port <= p->to_last && judges(&rs->ports[i], p->proto, a))
			return &rs->ports[i];
	return NULL;
}

/* For the address that it leads to if that is judged, else (on another machine, or in a container) for any. */
static const struct wh_nft_port *behind(const struct wh_nft_ruleset *rs, const struct wh_nft_published *p,
                                        const struct wh_addr *a)
{
	const struct wh_nft_port *to = rule_at(rs, p, p->here ? a : &p->to);
	return to || p->here ? to : rule_at(rs, p, NULL);
}

static bool within(const struct wh_nft_published *p, const struct wh_addr *a)
{
	return wh_addr_cmp(&p->from, a) <= 0 && wh_addr_cmp(a, &p->until) <= 0;
}

/* The addresses that some rule judges, sorted, each once. */
static struct wh_addr *all_locals(const struct wh_nft_ruleset *rs, struct wh_arena *mem, size_t *n)
{
	struct wh_addr *all;
	size_t room = 0, kept = 0;
	for (size_t i = 0; i < rs->n_ports; i++)
		room += rs->ports[i].n_locals;
	all = wh_arena_array(mem, room + 1, sizeof *all);
	*n = 0;
	for (size_t i = 0; i < rs->n_ports; i++)
		for (size_t k = 0; k < rs->ports[i].n_locals; k++)
			all[(*n)++] = rs->ports[i].locals[k];
	if (*n)
		qsort(all, *n, sizeof *all, wh_addr_order);
	for (size_t i = 0; i < *n; i++)
		if (!i || !wh_addr_eq(&all[i], &all[i - 1]))
			all[kept++] = all[i];
	*n = kept;
	return all;
}

size_t wh_nft_doors(const struct wh_nft_ruleset *rs, const struct wh_nft_published_list *l, struct wh_arena *mem,
                    struct wh_door **out)
{
	size_t n = 0, room = 0, n_locals;
	struct wh_addr *locals = all_locals(rs, mem, &n_locals);
	*out = NULL;
	for (size_t i = 0; i < l->n; i++) {
		const struct wh_nft_published *p = &l->p[i];
		for (size_t k = 0; k < n_locals + !n_locals; k++) { /* if rules judge any address, there is none to look for */
			const struct wh_addr *a = n_locals ? &locals[k] : &p->from;
			const struct wh_nft_port *to = within(p, a) ? behind(rs, p, a) : NULL;
			uint16_t port = to ? first_open(rs, p, a) : 0;
			if (!port)
				continue;
			*out = wh_arena_grown(mem, *out, n, &room, sizeof **out);
			(*out)[n++] = (struct wh_door){.by = p, .at = *a, .port = port, .last = p->last, .to = to};
		}
	}
	return n;
}
