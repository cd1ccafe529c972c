/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The set of our addresses: searched twice a record, so prefixes are held as two words and their masks. */
#include <endian.h>
#include <stdlib.h>
#include <string.h>
#include "base/array.h"
#include "whittle/ledger.h"

struct words { uint64_t hi, lo; }; /* of an address, host order */
struct range { struct words net, mask; };

struct wh_locals {
	struct wh_addr *addrs; /* sorted */
	size_t n_addrs;
	struct wh_prefix *prefixes; /* sorted, merged */
	struct range *ranges;       /* the same */
	size_t n_prefixes;
	uint64_t first_octets[4];   /* of IPv4: a bit for each in which something is ours, as most of the Internet is not */
};

static struct words words_of(const struct wh_addr *a)
{
	struct words w;
	memcpy(&w, a->b, sizeof w);
	w.hi = be64toh(w.hi);
	w.lo = be64toh(w.lo);
	return w;
}

static bool v4(struct words w)
{
	return !w.hi && w.lo >> 32 == 0xffff;
}

struct wh_locals *wh_locals_new(void)
{
	return calloc(1, sizeof(struct wh_locals));
}

int wh_locals_add_addr(struct wh_locals *l, const struct wh_addr *a)
{
	struct wh_addr *more = reallocarray(l->addrs, l->n_addrs + 1, sizeof *more);
	if (!more)
		return -ENOMEM;
	l->addrs = more;
	size_t at = l->n_addrs;
	while (at && wh_addr_cmp(&more[at - 1], a) > 0)
		at--;
	memmove(more + at + 1, more + at, (l->n_addrs - at) * sizeof *more);
	more[at] = *a;
	l->n_addrs++;
	if (v4(words_of(a)))
		l->first_octets[a->b[12] / 64] |= UINT64_C(1) << a->b[12] % 64;
	return 0;
}

int wh_locals_add_prefix(struct wh_locals *l, const struct wh_prefix *p)
{
	struct wh_prefix *more = reallocarray(l->prefixes, l->n_prefixes + 1, sizeof *more);
	if (more)
		l->prefixes = more;
	struct range *ranges = reallocarray(l->ranges, l->n_prefixes + 1, sizeof *ranges);
	if (ranges)
		l->ranges = ranges;
	if (!more || !ranges)
		return -ENOMEM;
	more[l->n_prefixes++] = *p;
	l->n_prefixes = wh_prefix_merge(more, l->n_prefixes);
	for (size_t i = 0; i < l->n_prefixes; i++) {
		unsigned len = more[i].len;
		struct wh_addr last = wh_prefix_last(&more[i]);
		for (unsigned o = more[i].addr.b[12]; wh_prefix_is_v4(&more[i]) && o <= last.b[12]; o++)
			l->first_octets[o / 64] |= UINT64_C(1) << o % 64;
		ranges[i].net = words_of(&more[i].addr);
		ranges[i].mask.hi = len == 0 ? 0 : len >= 64 ? UINT64_MAX : ~(UINT64_MAX >> len);
		ranges[i].mask.lo = len <= 64 ? 0 : len >= 128 ? UINT64_MAX : ~(UINT64_MAX >> (len - 64));
	}
	return 0;
}

static bool multicast(struct words w)
{
	uint32_t a = (uint32_t)w.lo;
	return v4(w) ? a >> 28 >= 14 || !a : w.hi >> 56 == 0xff;
}

static bool has_addr(const struct wh_locals *l, const struct wh_addr *a)
{
	size_t at = WH_BISECT(i, 0, l->n_addrs, wh_addr_cmp(&l->addrs[i], a) < 0);
	return at < l->n_addrs && wh_addr_eq(&l->addrs[at], a);
}

bool wh_locals_has(const struct wh_locals *l, const struct wh_addr *a)
{
	struct words w = words_of(a);
	bool four = v4(w);
	unsigned octet = a->b[12];
	if (four && !(l->first_octets[octet / 64] >> octet % 64 & 1))
		return false;
	if (l->n_addrs && has_addr(l, a))
		return true;
	for (size_t i = 0; i < l->n_prefixes; i++) {
		const struct range *r = &l->ranges[i];
		/* an IPv6 prefix holds no IPv4 address, though its span may surround them */
		if (!(((w.hi ^ r->net.hi) & r->mask.hi) | ((w.lo ^ r->net.lo) & r->mask.lo)) &&
		    (!four || r->mask.lo >> 32 == UINT32_MAX))
			return !multicast(w);
	}
	return false;
}

void wh_locals_free(struct wh_locals *l)
{
	if (!l)
		return;
	free(l->addrs);
	free(l->prefixes);
	free(l->ranges);
	free(l);
}
