/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Would the sensor have seen it? A port without flows is known to be unused only where it would.
 *
 *   both directions   An answer that was seen proves that packets both to and from an address reach the sensor: answered flows
 *                     do, in either direction, and refusals, and the platform's own probes. A mirror port that hands over what
 *                     comes in, or the VLAN of one of two addresses, brings no answer. A host's two families share a wire: where
 *                     one of them is heard, an address of the other that nobody uses is no gap.
 *   in each week      of the window, from the first day on which the resource was seen: an outage of seven days, whichever the
 *                     first, or a mirror that lost one direction for so long, is a gap in which anybody could have come.
 *   on this port      A client that goes on after its SYN was answered. Where the sensor saw such flows from one side, and not a
 *                     few, it misses answers on the port, by another path, though it hears others.
 *
 *   in full           A ledger that had reached its quota took no new peers. A window with such a day proves nothing.
 *
 *   window   ..x......x.......x..|     heard 2 and 10 days before its end, and 17: between the first two are seven deaf days
 *
 * An attacker who forges sources can make one-sided flows, and so keep a port from being closed. Such flows open nothing.
 */
#include <stdlib.h>
#include "harden/advice.h"

enum {
	WEEK = 7,
	/* one-sided flows that keep a port from being closed: at least a tenth of all */
	CLOSING_FLOWS = 3, CLOSING_DAYS = 2, CLOSING_SHARE = 10,
	/* and from being narrowed: at least as many as half of those that were answered */
	NARROWING_DAYS = 3, NARROWING_SHARE = 2,
};

/* On how many of the window's latest days the resource could have been seen. */
static unsigned days_of(const struct wh_analysis *a, const struct wh_resource_traffic *t)
{
	int64_t n = t->first_day <= t->last_day ? (int64_t)a->window.last - t->first_day + 1 : 0;
	return n < 1 ? 1 : n > a->window.days ? a->window.days : (unsigned)n;
}

static uint64_t heard_of(const struct wh_analysis *a, const struct wh_addr *addr)
{
	uint64_t heard = 0;
	for (size_t i = wh_refused_of(a, addr); i < a->n_refused && wh_addr_eq(&a->refused[i].local, addr); i++)
		heard |= a->refused[i].heard;
	return heard;
}

/* Days on which an address of the other family was seen. */
static uint64_t other_family(const struct wh_resource *r, const uint64_t *heard, size_t of)
{
	uint64_t days = 0;
	for (size_t i = 0; i < r->n_addrs; i++)
		if (wh_addr_is_v4(&r->addrs[i]) != wh_addr_is_v4(&r->addrs[of]))
			days |= heard[i];
	return days;
}

/* The latest days without a gap on which nothing was heard, from `*from` days before the window's end on: how many, or 0 if they
 * are fewer than a week and than all. */
static unsigned deaf_days(uint64_t heard, unsigned days, unsigned *from)
{
	unsigned least = days < WEEK ? days : WEEK, n = 0;
	for (unsigned d = 0; d <= days; d++) {
		if (d < days && d < 64 && !(heard >> d & 1)) {
			n++;
		} else if (n >= least) {
			*from = d - n;
			return n;
		} else {
			n = 0;
		}
	}
	return 0;
}

void wh_mark_deaf(const struct wh_analysis *a, const struct wh_resource *r, uint64_t *heard, struct wh_resource_traffic *t)
{
	unsigned days = days_of(a, t), from;
	for (size_t i = 0; i < r->n_addrs; i++)
		heard[i] |= heard_of(a, &r->addrs[i]);
	for (size_t i = 0; i < r->n_addrs && !t->deaf; i++) {
		uint64_t all = heard[i] | other_family(r, heard, i);
		unsigned n = deaf_days(all, days, &from);
		if (!n)
			continue;
		t->deaf = &r->addrs[i];
		t->deaf_last = a->window.last - (int32_t)from;
		t->deaf_first = t->deaf_last - (int32_t)n + 1;
		t->never_heard = !all;
	}
}

void wh_mark_full(const struct wh_analysis *a, const struct wh_resource *r, struct wh_resource_traffic *t)
{
	const int32_t first = a->window.last - (int32_t)a->window.days + 1;
	for (size_t i = 0; i < r->n_addrs && !t->full; i++) {
		const struct wh_full *f = a->n_full ? bsearch(&r->addrs[i], a->full, a->n_full, sizeof *a->full, wh_addr_order)
		                                    : NULL;
		int32_t day = f && (!a->all_full || f->day > a->all_full_day) ? f->day : a->all_full_day;
		if ((f || a->all_full) && day >= first) {
			t->full = &r->addrs[i];
			t->full_day = day;
		}
	}
}

bool wh_why_unheard(const struct wh_resource_traffic *all, const struct wh_port_traffic *t, bool closing, struct wh_reason *out)
{
	unsigned days = wh_bits(t->one_sided_days);
	uint64_t flows = 0;

	if (all->full) {
		*out = (struct wh_reason){.code = WH_REASON_LEDGER_FULL,
		                          .closing = closing,
		                          .peer = *all->full,
		                          .day = {all->full_day, all->full_day}};
		return true;
	}
	if (closing && all->deaf) {
		*out = (struct wh_reason){.code = all->never_heard ? WH_REASON_NEVER_HEARD : WH_REASON_NOT_HEARD,
		                          .closing = true,
		                          .peer = *all->deaf,
		                          .day = {all->deaf_first, all->deaf_last}};
		return true;
	}
	for (size_t i = 0; i < t->n; i++)
		flows += t->peers[i].edge->flows;
	if (closing ? t->one_sided < CLOSING_FLOWS || days < CLOSING_DAYS || t->one_sided * CLOSING_SHARE < flows
	            : days < NARROWING_DAYS || t->one_sided * NARROWING_SHARE < flows)
		return false;
	*out = (struct wh_reason){.code = WH_REASON_ONE_SIDED, .closing = closing, .count = {t->one_sided, days}};
	return true;
}
