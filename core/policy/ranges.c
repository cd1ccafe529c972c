/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Exact sets of addresses as sorted, disjoint, non-adjacent inclusive ranges. The IPv4 space is ::ffff:0:0/96 of the 128-bit
 * line; a prefix of IPv6 that contains it (such as ::/0) excludes it, since it never means IPv4.
 */
#include <stdlib.h>
#include <string.h>
#include "base/array.h"
#include "whittle/policy.h"

static const struct wh_addr v4_first = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0}};
static const struct wh_addr v4_last = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};

static int by_start(const void *a, const void *b)
{
	const struct wh_range *x = a, *y = b;
	int c = wh_addr_cmp(&x->from, &y->from);
	return c ? c : wh_addr_cmp(&x->to, &y->to);
}

/* True if y begins at most one after x's end, and both are of one family: they can be joined. */
static bool joins(const struct wh_range *x, const struct wh_range *y)
{
	struct wh_addr after = x->to;
	if (wh_addr_cmp(&y->from, &x->to) <= 0)
		return true;
	return wh_addr_is_v4(&x->to) == wh_addr_is_v4(&y->from) && wh_addr_next(&after) && wh_addr_eq(&after, &y->from);
}

static size_t normalise(struct wh_range *r, size_t n)
{
	size_t top = 0, sorted = 1;
	while (sorted < n && wh_addr_cmp(&r[sorted - 1].from, &r[sorted].from) <= 0)
		sorted++;
	if (sorted < n) /* selected prefixes are already in order: sorting them again is a fifth of a recommendation's time */
		qsort(r, n, sizeof *r, by_start);
	for (size_t i = 0; i < n; i++) {
		if (top && joins(&r[top - 1], &r[i])) {
			if (wh_addr_cmp(&r[i].to, &r[top - 1].to) > 0)
				r[top - 1].to = r[i].to;
		} else {
			r[top++] = r[i];
		}
	}
	return top;
}

struct wh_ranges wh_ranges_from_prefixes(const struct wh_prefix *p, size_t n, struct wh_arena *mem)
{
	struct wh_ranges out = {wh_arena_unset(mem, 2 * n, sizeof *out.r), 0};
	for (size_t i = 0; i < n; i++) {
		struct wh_range r = {p[i].addr, wh_prefix_last(&p[i])};
		if (p[i].len < 96 && wh_addr_cmp(&r.from, &v4_first) < 0 && wh_addr_cmp(&r.to, &v4_last) > 0) {
			struct wh_range low = {r.from, v4_first}, high = {v4_last, r.to};
			wh_addr_previous(&low.to);
			wh_addr_next(&high.from);
			out.r[out.n++] = low;
			out.r[out.n++] = high;
		} else {
			out.r[out.n++] = r;
		}
	}
	if (out.n)
		out.n = normalise(out.r, out.n);
	return out;
}

struct wh_ranges wh_ranges_union(struct wh_ranges a, struct wh_ranges b, struct wh_arena *mem)
{
	struct wh_ranges out = {wh_arena_unset(mem, a.n + b.n, sizeof *out.r), a.n + b.n};
	for (size_t i = 0, j = 0, n = 0; n < out.n; n++) { /* in order, so that nothing is left to sort */
		bool from_a = j == b.n || (i < a.n && wh_addr_cmp(&a.r[i].from, &b.r[j].from) <= 0);
		out.r[n] = from_a ? a.r[i++] : b.r[j++];
	}
	if (out.n)
		out.n = normalise(out.r, out.n);
	return out;
}

struct wh_ranges wh_ranges_intersect(struct wh_ranges a, struct wh_ranges b, struct wh_arena *mem)
{
	struct wh_ranges out = {wh_arena_unset(mem, a.n + b.n, sizeof *out.r), 0};
	for (size_t i = 0, j = 0; i < a.n && j < b.n;) {
		const struct wh_addr *from = wh_addr_cmp(&a.r[i].from, &b.r[j].from) > 0 ? &a.r[i].from : &b.r[j].from;
		bool a_ends = wh_addr_cmp(&a.r[i].to, &b.r[j].to) < 0;
		const struct wh_addr *to = a_ends ? &a.r[i].to : &b.r[j].to;
		if (wh_addr_cmp(from, to) <= 0)
			out.r[out.n++] = (struct wh_range){*from, *to};
		if (a_ends)
			i++;
		else
			j++;
	}
	return out;
}

size_t wh_ranges_ending_at(struct wh_ranges a, size_t lo, const struct wh_addr *x)
{
	return WH_BISECT(i, lo, a.n, wh_addr_cmp(&a.r[i].to, x) < 0);
}

bool wh_ranges_meet(struct wh_ranges a, struct wh_ranges b, size_t *looked)
{
	struct wh_ranges few = a.n < b.n ? a : b, many = a.n < b.n ? b : a;
	bool search = few.n * 16 < many.n, meet = false; /* for each of a few ranges; else a walk through both sets */
	size_t i = 0, k = 0;
	for (; i < few.n && !meet; i++) {
		if (search)
			k = wh_ranges_ending_at(many, k, &few.r[i].from);
		while (k < many.n && wh_addr_cmp(&many.r[k].to, &few.r[i].from) < 0)
			k++;
		if (k == many.n)
			break;
		meet = wh_addr_cmp(&many.r[k].from, &few.r[i].to) <= 0;
	}
	if (looked)
		*looked = search ? 16 * i + 1 : i + k + 1;
	return meet;
}

struct wh_ranges wh_ranges_minus(struct wh_ranges a, struct wh_ranges b, struct wh_arena *mem)
{
	struct wh_ranges out = {wh_arena_unset(mem, a.n + b.n + 1, sizeof *out.r), 0};
	size_t j = 0;
	for (size_t i = 0; i < a.n; i++) {
		struct wh_addr from = a.r[i].from;
		bool left = true;
		while (j < b.n && wh_addr_cmp(&b.r[j].to, &from) < 0)
			j++;
		for (size_t k = j; left && k < b.n && wh_addr_cmp(&b.r[k].from, &a.r[i].to) <= 0; k++) {
			if (wh_addr_cmp(&b.r[k].from, &from) > 0) {
				struct wh_range piece = {from, b.r[k].from};
				wh_addr_previous(&piece.to);
				out.r[out.n++] = piece;
			}
			from = b.r[k].to;
			left = wh_addr_next(&from) && wh_addr_cmp(&from, &a.r[i].to) <= 0;
		}
		if (left)
			out.r[out.n++] = (struct wh_range){from, a.r[i].to};
	}
	return out;
}

struct wh_ranges wh_ranges_family(bool v4, struct wh_arena *mem)
{
	return wh_ranges_from_prefixes(v4 ? &wh_prefix_all_v4 : &wh_prefix_all_v6, 1, mem);
}

bool wh_ranges_eq(struct wh_ranges a, struct wh_ranges b)
{
	return a.n == b.n && (!a.n || !memcmp(a.r, b.r, a.n * sizeof *a.r));
}

bool wh_ranges_has(struct wh_ranges a, const struct wh_addr *x)
{
	size_t lo = wh_ranges_ending_at(a, 0, x);
	return lo < a.n && wh_addr_cmp(&a.r[lo].from, x) <= 0;
}

static unsigned __int128 number(const struct wh_addr *a)
{
	return (unsigned __int128)wh_addr_high(a) << 64 | wh_addr_low(a);
}

double wh_ranges_size(struct wh_ranges a)
{
	double all = 0;
	for (size_t i = 0; i < a.n; i++)
		all += (double)(number(&a.r[i].to) - number(&a.r[i].from)) + 1;
	return all;
}

/* The length, in free bits, of the longest prefix that begins at `at` and does not pass `to`: as many low zero bits as the
 * address has, and not past the end; IPv4 stays within its 32. */
static unsigned step_bits(const struct wh_addr *at, const struct wh_addr *to)
{
	uint64_t low = wh_addr_low(at), high = wh_addr_high(at);
	unsigned zeros = low ? (unsigned)__builtin_ctzll(low) : high ? 64 + (unsigned)__builtin_ctzll(high) : 128;
	unsigned most = wh_addr_is_v4(at) ? 32 : 128, fits = 128;
	unsigned __int128 room = number(to) - number(at) + 1; /* 0: the whole space */

	if (room)
		fits = room >> 64 ? 127 - (unsigned)__builtin_clzll((uint64_t)(room >> 64))
		                  : 63 - (unsigned)__builtin_clzll((uint64_t)room);
	zeros = zeros < most ? zeros : most;
	return zeros < fits ? zeros : fits;
}

void wh_ranges_to_prefixes(struct wh_ranges a, struct wh_arena *mem, struct wh_prefix **out, size_t *n)
{
	size_t room = a.n * 2 + 8;
	struct wh_prefix *p = wh_arena_unset(mem, room, sizeof *p);
	*n = 0;
	for (size_t i = 0; i < a.n; i++) {
		struct wh_addr at = a.r[i].from;
		for (;;) {
			unsigned len = 128 - step_bits(&at, &a.r[i].to);
			if (*n == room) {
				struct wh_prefix *more = wh_arena_unset(mem, room * 2, sizeof *more);
				memcpy(more, p, room * sizeof *p);
				p = more;
				room *= 2;
			}
			p[*n] = wh_prefix_of(&at, len);
			at = wh_prefix_last(&p[(*n)++]);
			if (wh_addr_eq(&at, &a.r[i].to) || !wh_addr_next(&at))
				break;
		}
	}
	*out = p;
}
