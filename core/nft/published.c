/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ports that this machine translates, read from the rules of all tables. A chain is followed with the conditions of the rule
 * that leads to it; each reachable translation adds the conditions on ports and addresses up to it. Conditions of other kinds (an
 * interface, a mark, an address that is local) are taken as met: a port that may be open is listed.
 */
#include <fcntl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>
#include <unistd.h>
#include "nft/filter.h"
#include "whittle/nft.h"

enum { DEPTH = 16, MOST_RULES = 100000, MOST_FOUND = 4096 };

struct walk {
	const struct wh_nft_view *v;
	struct wh_arena *mem;
	struct wh_nft_published_list *out;
	struct wh_ranges *sources; size_t room_sources;
	bool all;                   /* also translations that keep the port, or lead to any */
	size_t room, rules;
	unsigned depth;
};

static void unread(struct walk *w, const char *what, const struct wh_nft_view_chain *c, size_t rule)
{
	if (!*w->out->unread)
		snprintf(w->out->unread, sizeof w->out->unread, "rule %zu of %s %s: %s", rule + 1, c->table, c->name, what);
}

/* ---- what both ask ---- */

static void both(bool *has, struct wh_ranges *r, bool also, struct wh_ranges with, struct wh_arena *mem)
{
	if (also)
		*r = *has ? wh_ranges_intersect(*r, with, mem) : with;
	*has |= also;
}

/* Adds a rule's conditions to those of the packets that reach its chain. False: no packet is left. */
static bool narrowed(struct wh_nft_match *m, const struct wh_nft_match *by, struct wh_arena *mem)
{
	m->v4 &= by->v4;
	m->v6 &= by->v6;
	if (m->proto >= 0 && by->proto >= 0 && m->proto != by->proto)
		return false;
	m->proto = m->proto < 0 ? by->proto : m->proto;
	both(&m->has_saddr, &m->saddr, by->has_saddr, by->saddr, mem);
	both(&m->has_daddr, &m->daddr, by->has_daddr, by->daddr, mem);
	both(&m->has_dport, &m->dport, by->has_dport, by->dport, mem);
	return !m->never && (m->v4 || m->v6) && (!m->has_saddr || m->saddr.n) && (!m->has_daddr || m->daddr.n) &&
	       (!m->has_dport || m->dport.n);
}

/* ---- what is found ---- */

static void add(struct walk *w, const struct wh_nft_match *m, uint8_t proto, struct wh_range addrs, struct wh_port_range ports)
{
	struct wh_nft_published_list *l = w->out;
	if (!w->all && ports.from == ports.to && m->to.first == ports.from && m->to.last == ports.to)
		return; /* the port stays the same */
	if (l->n == MOST_FOUND) {
		snprintf(l->unread, sizeof l->unread, "more than %d translations", MOST_FOUND);
		return;
	}
	w->sources = wh_arena_grown(w->mem, w->sources, l->n, &w->room_sources, sizeof *w->sources);
	w->sources[l->n] = m->has_saddr ? m->saddr : wh_ranges_family(wh_addr_is_v4(&addrs.from), w->mem);
	l->p = wh_arena_grown(w->mem, l->p, l->n, &w->room, sizeof *l->p);
	l->p[l->n++] = (struct wh_nft_published){.proto = proto,
	                                         .first = ports.from,
	                                         .last = ports.to,
	                                         .from = addrs.from,
	                                         .until = addrs.to,
	                                         .here = !m->to.has_addr,
	                                         .to = m->to.addr,
	                                         .to_first = m->to.first,
	                                         .to_last = m->to.last};
}

static void found(struct walk *w, const struct wh_nft_match *m, const struct wh_nft_view_chain *c, size_t rule)
{
	static const struct wh_port_range all = {0, 65535};
	struct wh_ranges addrs = m->daddr, ports = m->has_dport ? m->dport : wh_ports(&all, 1, w->mem);
	struct wh_port_range *list;
	size_t n = wh_ports_list(ports, w->mem, &list);
	if (m->to.unknown)
		unread(w, "to which port it leads is not known", c, rule);
	if (!w->all && (m->to.unknown || !m->to.has_port))
		return;
	if (!m->has_daddr) {
		struct wh_prefix families[2] = {wh_prefix_all_v4, wh_prefix_all_v6};
		addrs = wh_ranges_from_prefixes(m->v4 ? families : families + 1, (size_t)m->v4 + m->v6, w->mem);
	}
	for (int udp = 0; udp < 2; udp++)
		for (size_t i = 0; i < addrs.n && (m->proto < 0 || m->proto == (udp ? WH_PROTO_UDP : WH_PROTO_TCP)); i++)
			for (size_t k = 0; k < n; k++)
				add(w, m, udp ? WH_PROTO_UDP : WH_PROTO_TCP, addrs.r[i], list[k]);
}

static void follow(struct walk *w, const struct wh_nft_view_chain *c, const struct wh_nft_match *by)
{
	struct wh_nft_matches asked = {.n = 0};
	for (size_t i = 0; i < c->n; i++) {
		if (w->depth == DEPTH || w->rules++ > MOST_RULES) {
			unread(w, "the rules are too many from there on", c, i);
			return;
		}
		asked = (struct wh_nft_matches){.n = 0};
		wh_nft_match_rule(w->v, c, i, WH_INBOUND, w->mem, &asked);
		for (size_t k = 0; k < asked.n; k++) {
			struct wh_nft_match *m = &asked.m[k];
			bool jumps = m->decided && (m->code == (uint32_t)NFT_JUMP || m->code == (uint32_t)NFT_GOTO);
			if (!narrowed(m, by, w->mem))
				continue;
			const struct wh_nft_view_chain *to = jumps && m->chain
			                                             ? wh_nft_view_chain_of(w->v, c->family, c->table, m->chain)
			                                             : NULL;
			if (m->to.is)
				found(w, m, c, i);
			w->depth++;
			if (to)
				follow(w, to, m);
			w->depth--;
		}
	}
}

/* iptables' own tables, older than nf_tables, appear in no dump of it. Names one if nothing else is named. */
void wh_nft_unread_legacy(const char *table, char *unread, size_t size)
{
	static const char *const files[] = {"/proc/net/ip_tables_names", "/proc/net/ip6_tables_names"};
	for (size_t i = 0; i < 2; i++) {
		char names[256] = "\n", wanted[32];
		int fd = open(files[i], O_RDONLY | O_CLOEXEC);
		ssize_t n = fd < 0 ? 0 : read(fd, names + 1, sizeof names - 2);
		if (fd >= 0)
			close(fd);
		snprintf(wanted, sizeof wanted, "\n%s\n", table);
		if (n > 0 && strstr(names, wanted) && !*unread)
			snprintf(unread, size, "the table %s of iptables-legacy is not read (`%s -t %s -S` shows it)", table,
			         i ? "ip6tables-legacy" : "iptables-legacy", table);
	}
}

int wh_nft_published(bool all, struct wh_arena *mem, struct wh_nft_published_list *out, struct wh_error *err)
{
	struct wh_nft_view v;
	*out = (struct wh_nft_published_list){.n = 0};
	int rc = wh_nft_view_before_routing(mem, &v, err);
	if (rc)
		return rc;
	wh_nft_view_published(&v, all, mem, out, NULL);
	wh_nft_unread_legacy("nat", out->unread, sizeof out->unread);
	wh_nft_view_free(&v);
	return 0;
}

void wh_nft_view_published(const struct wh_nft_view *v, bool all, struct wh_arena *mem, struct wh_nft_published_list *out,
                           struct wh_ranges **sources)
{
	struct walk w = {.v = v, .all = all, .mem = mem, .out = out};
	for (size_t i = 0; i < v->n_chains; i++) {
		const struct wh_nft_view_chain *c = &v->chains[i];
		const struct wh_nft_match any = {.v4 = c->family != NFPROTO_IPV6, .v6 = c->family != NFPROTO_IPV4, .proto = -1};
		if (c->hook == NF_INET_PRE_ROUTING)
			follow(&w, c, &any);
	}
	if (sources)
		*sources = w.sources;
}
