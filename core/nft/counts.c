/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads the kernel's counters of each narrowed port. */
#include <stdio.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>
#include <string.h>
#include "nft/table.h"

struct counted { uint64_t packets; bool counter, log, accepts, rejects, ends; };

static int see(struct nftnl_expr *e, void *arg)
{
	struct counted *c = arg;
	const char *kind = nftnl_expr_get_str(e, NFTNL_EXPR_NAME);
	if (kind && !strcmp(kind, "counter")) {
		c->counter = true;
		c->packets = nftnl_expr_get_u64(e, NFTNL_EXPR_CTR_PACKETS);
	} else if (kind && !strcmp(kind, "log")) {
		c->log = true;
	} else if (kind && !strcmp(kind, "reject")) {
		c->rejects = c->ends = true;
	} else if (kind && !strcmp(kind, "immediate") && nftnl_expr_get_u32(e, NFTNL_EXPR_IMM_DREG) == NFT_REG_VERDICT) {
		c->accepts = nftnl_expr_get_u32(e, NFTNL_EXPR_IMM_VERDICT) == NF_ACCEPT;
		c->ends = true;
	}
	return 0;
}

void wh_nft_count_rule(struct nftnl_rule *r, struct wh_nft_chain *chain)
{
	struct counted c = {0};
	nftnl_expr_foreach(r, see, &c);
	if (!c.counter || !c.ends)
		return;
	if (c.log) { /* packets that are not allowed: dropped or, in an audit, let through */
		chain->dropped += c.packets;
		chain->audit |= c.accepts;
		chain->rejects |= c.rejects;
	} else if (c.accepts) {
		chain->passed += c.packets;
		chain->counts_passed = true;
	}
}

/* The chains of one port differ only in their letter. */
static void add_chains(const struct wh_nft_live *l, const char *name, struct wh_nft_port_count *p)
{
	for (size_t i = 0; i < l->n_chains; i++) {
		const struct wh_nft_chain *c = &l->chains[i];
		if (!wh_nft_name_is_port(c->name) || strcmp(c->name + 1, name + 1) != 0)
			continue;
		p->passed += c->passed;
		p->dropped += c->dropped;
		p->counts_passed |= c->counts_passed;
		if (!strcmp(c->name, name)) {
			p->audit = c->audit;
			p->rejects = c->rejects;
		}
	}
}

static int by_port(const void *a, const void *b)
{
	const struct wh_nft_port_count *x = a, *y = b;
	if (x->direction != y->direction)
		return (int)x->direction - (int)y->direction;
	if (x->port != y->port)
		return x->port < y->port ? -1 : 1;
	if (x->proto != y->proto)
		return (int)x->proto - (int)y->proto;
	return wh_addr_cmp(&x->local, &y->local);
}

static bool same_port(const struct wh_nft_port_count *p, const struct wh_nft_key *k)
{
	return p->direction == k->direction && p->proto == k->proto && p->port == k->port;
}

void wh_nft_count_ports(const struct wh_nft_live *l, struct wh_arena *mem, struct wh_nft_counts *out)
{
	const char **chains = wh_arena_array(mem, l->n_dispatch + 1, sizeof *chains);
	out->present = l->present;
	out->ports = wh_arena_array(mem, l->n_dispatch + 1, sizeof *out->ports);
	out->n = 0;
	for (size_t i = 0; i < l->n_dispatch; i++) {
		const struct wh_nft_dispatch *d = &l->dispatch[i];
		struct wh_nft_port_count *p = NULL;
		if (wh_nft_decides(l, &d->key) != d)
			continue;
		for (size_t k = 0; k < out->n && !p; k++)
			if (d->chain[0] ? !strcmp(chains[k], d->chain) : !chains[k][0] && same_port(&out->ports[k], &d->key))
				p = &out->ports[k];
		if (p) {
			p->n_locals += !d->key.any;
			if (wh_addr_cmp(&d->key.local, &p->local) < 0)
				p->local = d->key.local;
			continue;
		}
		chains[out->n] = d->chain;
		p = &out->ports[out->n++];
		*p = (struct wh_nft_port_count){.direction = d->key.direction,
		                                .proto = d->key.proto,
		                                .port = d->key.port,
		                                .local = d->key.local,
		                                .n_locals = !d->key.any,
		                                .pending = d->pending,
		                                .expires_in_ms = d->pending ? d->expires_ms : 0,
		                                .reopened = !d->chain[0]};
		if (d->chain[0])
			add_chains(l, d->chain, p);
	}
	qsort(out->ports, out->n, sizeof *out->ports, by_port);
}

int wh_nft_counts(struct wh_arena *mem, struct wh_nft_counts *out, struct wh_error *err)
{
	struct wh_nft_live live = {0};
	struct wh_nl *nl;
	memset(out, 0, sizeof *out);
	int rc = wh_nl_open(&nl, err);
	if (rc)
		return rc;
	rc = wh_nft_live(nl, mem, &live, err);
	wh_nl_close(nl);
	if (!rc)
		wh_nft_count_ports(&live, mem, out);
	return rc;
}
