/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether the table in the kernel, whatever version of whittle laid it out, decides as a ruleset asks: both become filters, and
 * each has to lie within the other. */
#include <linux/netfilter.h>
#include "nft/filter.h"
#include "whittle/nft.h"

enum { MOST_COMBINATIONS = 1 << 18 };

static const struct wh_ranges *ranges(const struct wh_prefix *a, size_t n_a, const struct wh_prefix *b, size_t n_b,
                                      struct wh_arena *mem)
{
	struct wh_ranges *r = wh_arena_alloc(mem, sizeof *r);
	*r = wh_ranges_union(wh_ranges_from_prefixes(a, n_a, mem), wh_ranges_from_prefixes(b, n_b, mem), mem);
	return r;
}

static const struct wh_ranges *locals_of(const struct wh_nft_port *p, struct wh_arena *mem)
{
	struct wh_prefix *list = wh_arena_array(mem, p->n_locals + 1, sizeof *list);
	for (size_t i = 0; i < p->n_locals; i++)
		list[i] = wh_prefix_of(&p->locals[i], 128);
	return p->n_locals ? ranges(list, p->n_locals, NULL, 0, mem) : NULL;
}

/* What the ruleset does with first packets of connections in one direction. */
static struct wh_filter wanted(const struct wh_nft_ruleset *rs, enum wh_direction d, struct wh_arena *mem)
{
	struct wh_filter_rule *r = wh_arena_array(mem, 2 * rs->n_ports + 1, sizeof *r);
	size_t n = 0;
	for (size_t i = 0; i < rs->n_ports; i++) {
		const struct wh_nft_port *p = &rs->ports[i];
		if (p->direction != d)
			continue;
		r[n] = (struct wh_filter_rule){.action = WH_FILTER_ALLOW, .direction = d, .proto = p->proto};
		r[n].local = locals_of(p, mem);
		struct wh_ranges *port = wh_arena_alloc(mem, sizeof *port);
		*port = wh_ports(&(struct wh_port_range){p->port, p->port}, 1, mem);
		r[n].dport = port;
		r[n + 1] = r[n];
		r[n + 1].action = WH_FILTER_DENY;
		r[n].peer = ranges(p->v4, p->n_v4, p->v6, p->n_v6, mem);
		n += 2;
	}
	return (struct wh_filter){.name = "the rules", .rules = r, .n = n, .otherwise = WH_ALLOWED};
}

/* No chain but one at each of the two hooks, which the filters describe whole. */
static bool plain(const struct wh_nft_view *v)
{
	unsigned in = 0, out = 0;
	for (size_t i = 0; i < v->n_chains; i++) {
		const struct wh_nft_view_chain *c = &v->chains[i];
		in += c->hook == NF_INET_LOCAL_IN && c->filters;
		out += c->hook == NF_INET_LOCAL_OUT && c->filters;
		if (c->hook >= 0 && c->hook != NF_INET_LOCAL_IN && c->hook != NF_INET_LOCAL_OUT)
			return false;
	}
	return in == 1 && out == 1 && !v->n_dormant;
}

static int same(const struct wh_nft_view *v, const struct wh_nft_ruleset *rs, struct wh_arena *mem)
{
	struct wh_filter_packet ignored;
	struct wh_error why;
	int rc = rs->audit || !plain(v);
	for (int d = WH_INBOUND; d <= WH_OUTBOUND && !rc; d++) {
		const struct wh_filter *const *have;
		struct wh_filter want = wanted(rs, (enum wh_direction)d, mem);
		wh_nft_filters(v, (enum wh_direction)d, mem, &have);
		rc = wh_filter_contained(have[0], &want, MOST_COMBINATIONS, mem, &ignored, &why);
		rc = rc ? rc : wh_filter_contained(&want, have[0], MOST_COMBINATIONS, mem, &ignored, &why);
	}
	return rc != 0;
}

int wh_nft_equivalent(const struct wh_nft_ruleset *rs, struct wh_error *err)
{
	struct wh_arena *mem = wh_arena_new();
	struct wh_nft_view v;
	int rc = wh_nft_view_ours(mem, &v, err);
	if (!rc) {
		rc = same(&v, rs, mem);
		wh_nft_view_free(&v);
	}
	wh_arena_free(mem);
	return rc;
}
