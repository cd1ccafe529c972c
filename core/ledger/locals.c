/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>
#include "whittle/ledger.h"

struct wh_locals {
	struct wh_addr *addrs; /* sorted */
	size_t n_addrs;
	struct wh_prefix *prefixes; /* sorted, merged */
	size_t n_prefixes;
};

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
	return 0;
}

int wh_locals_add_prefix(struct wh_locals *l, const struct wh_prefix *p)
{
	struct wh_prefix *more = reallocarray(l->prefixes, l->n_prefixes + 1, sizeof *more);
	if (!more)
		return -ENOMEM;
	l->prefixes = more;
	more[l->n_prefixes++] = *p;
	l->n_prefixes = wh_prefix_merge(more, l->n_prefixes);
	return 0;
}

static bool multicast(const struct wh_addr *a)
{
	return wh_addr_is_v4(a) ? a->b[12] >= 224 || (a->b[12] | a->b[13] | a->b[14] | a->b[15]) == 0 : a->b[0] == 0xff;
}

bool wh_locals_has(const struct wh_locals *l, const struct wh_addr *a)
{
	size_t lo = 0, hi = l->n_addrs;
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		int c = wh_addr_cmp(&l->addrs[mid], a);
		if (!c)
			return true;
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (multicast(a))
		return false;
	for (size_t i = 0; i < l->n_prefixes; i++)
		if (wh_prefix_has(&l->prefixes[i], a))
			return true;
	return false;
}

void wh_locals_free(struct wh_locals *l)
{
	if (!l)
		return;
	free(l->addrs);
	free(l->prefixes);
	free(l);
}
