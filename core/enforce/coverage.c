/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The machine's addresses that the rules judge. The others stay as open as they were, so they are listed. */
#include <ifaddrs.h>
#include <string.h>
#include "base/socket_addr.h"
#include "whittle/enforce.h"

enum { NAMED = 12 };

static bool link_local(const struct wh_addr *a)
{
	return wh_addr_is_v4(a) ? a->b[12] == 169 && a->b[13] == 254 : a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80;
}

/* The number of ports that are judged for an address. */
static size_t ports_of(const struct wh_nft_ruleset *rs, const struct wh_addr *a)
{
	size_t n = 0;
	for (size_t i = 0; i < rs->n_ports; i++) {
		bool is = !rs->ports[i].n_locals;
		for (size_t k = 0; k < rs->ports[i].n_locals && !is; k++)
			is = wh_addr_eq(&rs->ports[i].locals[k], a);
		n += is;
	}
	return n;
}

static enum wh_coverage_kind why_not(const struct wh_nft_ruleset *rs, const struct wh_resource *r, const struct wh_covered *c,
                                     const struct wh_covered *all, size_t n)
{
	for (size_t i = 0; r && i < r->n_addrs; i++)
		if (ports_of(rs, &r->addrs[i]))
			return WH_NOTHING_LEARNED;
	if (r)
		return WH_NO_RULE;
	if (link_local(&c->addr))
		return WH_LINK_LOCAL;
	for (size_t i = 0; i < n; i++) /* another address, or the other family, of an interface that is judged */
		if (all[i].ports && !strcmp(all[i].interface, c->interface))
			return WH_NOTHING_LEARNED;
	return WH_UNCLAIMED;
}

int wh_nft_coverage(const struct wh_nft_ruleset *rs, const struct wh_estate *e, struct wh_arena *mem, struct wh_covered **out,
                    size_t *n, struct wh_error *err)
{
	struct ifaddrs *list;
	struct wh_addr a;
	size_t room = 0;
	*n = 0;
	if (getifaddrs(&list))
		return wh_fail(err, -errno, "the addresses of this machine can't be read: %s", strerror(errno));
	for (const struct ifaddrs *i = list; i; i = i->ifa_next)
		room++;
	*out = wh_arena_array(mem, room + 1, sizeof **out);
	for (const struct ifaddrs *i = list; i; i = i->ifa_next) {
		bool had = false;
		if (!wh_addr_of_socket(i->ifa_addr, &a) || wh_nft_loopback(&a))
			continue;
		for (size_t k = 0; k < *n; k++)
			had |= wh_addr_eq(&(*out)[k].addr, &a) && !strcmp((*out)[k].interface, i->ifa_name);
		if (had)
			continue;
		struct wh_covered *c = &(*out)[(*n)++];
		*c = (struct wh_covered){.addr = a, .ports = ports_of(rs, &a)};
		snprintf(c->interface, sizeof c->interface, "%s", i->ifa_name);
	}
	freeifaddrs(list);
	for (size_t i = 0; i < *n; i++) {
		struct wh_covered *c = &(*out)[i];
		const struct wh_resource *r = e ? wh_estate_by_addr(e, &c->addr) : NULL;
		c->resource = r ? wh_arena_strdup(mem, r->name) : NULL;
		c->kind = c->ports ? WH_COVERED : why_not(rs, r, c, *out, *n);
	}
	return 0;
}

char *wh_nft_not_covered(const struct wh_covered *c, size_t n, struct wh_arena *mem)
{
	char *text = NULL, addr[WH_ADDR_STRLEN];
	size_t named = 0, more = 0;
	bool local = false;
	for (size_t i = 0; i < n; i++) {
		local |= c[i].kind == WH_LINK_LOCAL;
		if (c[i].kind == WH_COVERED || c[i].kind == WH_LINK_LOCAL || named++ >= NAMED) {
			more += c[i].kind != WH_COVERED && c[i].kind != WH_LINK_LOCAL;
			continue;
		}
		wh_addr_text(&c[i].addr, addr);
		text = wh_arena_printf(mem, "%s%s%s (%s%s)", text ? text : "", text ? ", " : "", addr,
		                       c[i].kind == WH_UNCLAIMED ? c[i].interface : c[i].kind == WH_NO_RULE ? "no rule for " : "nothing learned",
		                       c[i].kind == WH_NO_RULE ? c[i].resource : "");
	}
	if (more)
		text = wh_arena_printf(mem, "%s and %zu more", text, more);
	if (local)
		text = wh_arena_printf(mem, "%s%slink-local addresses", text ? text : "", text ? ", " : "");
	return text;
}
