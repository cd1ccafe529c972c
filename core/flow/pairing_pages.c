/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The state of a pairing in pages. Page 0: the number of slots and the hand, 8 bytes each. Page n: of slots 64 (n - 1) … 64 n -
 * 1, those that are used: a byte, which of them it is, and the 112 bytes of struct pair. All numbers are little endian.
 */
#include <endian.h>
#include <string.h>
#include "flow/pairing_table.h"

enum { ROW = 1 + sizeof(struct pair) };
_Static_assert(PAIRS_A_PAGE * ROW <= WH_PAIRING_PAGE_MAX, "a page has room");

/* To little endian, and back. */
static void turn_bytes(struct pair *x)
{
	uint64_t *const numbers[] = {&x->source,
	                             (uint64_t *)&x->start_us,
	                             (uint64_t *)&x->end_us,
	                             (uint64_t *)&x->start_of[0],
	                             (uint64_t *)&x->start_of[1],
	                             &x->pkts[0],
	                             &x->pkts[1],
	                             &x->bytes[0],
	                             &x->bytes[1]};
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		*numbers[i] = htole64(*numbers[i]);
	x->port[0] = htole16(x->port[0]);
	x->port[1] = htole16(x->port[1]);
}

static size_t page_of(const struct wh_pairing *p, size_t page, uint8_t out[static WH_PAIRING_PAGE_MAX])
{
	size_t n = 0;
	for (size_t i = 0; i < PAIRS_A_PAGE; i++) {
		struct pair x = p->slots[page * PAIRS_A_PAGE + i];
		if (!x.marks)
			continue;
		turn_bytes(&x);
		out[n] = (uint8_t)i;
		memcpy(out + n + 1, &x, sizeof x);
		n += ROW;
	}
	return n;
}

int wh_pairing_changes(const struct wh_pairing *p, wh_page_cb each, void *arg)
{
	uint8_t page[WH_PAIRING_PAGE_MAX];
	size_t pages = p->n_slots / PAIRS_A_PAGE;
	const uint64_t first[] = {htole64(p->n_slots), htole64(p->hand)};
	bool any = false;
	int rc = 0;
	for (size_t i = 0; i < pages && !any; i++)
		any = p->dirty[i];
	if (any)
		rc = each(arg, 0, first, sizeof first);
	for (size_t i = 0; i < pages && any && !rc; i++)
		if (p->dirty[i] || p->resized)
			rc = each(arg, (uint32_t)i + 1, page, page_of(p, i, page));
	return rc;
}

void wh_pairing_saved(struct wh_pairing *p)
{
	memset(p->dirty, 0, p->n_slots / PAIRS_A_PAGE);
	p->resized = false;
}

static bool time_ok(int64_t us)
{
	return us >= 0 && us < INT64_C(1) << 60;
}

static bool pair_ok(const struct pair *x)
{
	bool sides = true;
	for (int i = 0; i < 2; i++)
		sides &= x->start_of[i] == INT64_MAX || time_ok(x->start_of[i]);
	return (x->marks & PAIR_USED) && x->marks < 2 * PAIR_ONE_WAY && time_ok(x->start_us) && time_ok(x->end_us) &&
	       x->start_us <= x->end_us && sides;
}

int wh_pairing_load(struct wh_pairing *p, uint32_t page, const void *bytes, size_t len)
{
	const uint8_t *at = bytes;
	if (!page) {
		uint64_t first[2];
		if (len != sizeof first || p->used)
			return -EBADMSG;
		memcpy(first, bytes, sizeof first);
		uint64_t n = le64toh(first[0]), hand = le64toh(first[1]);
		if (n < PAIRS_LEAST || n > PAIRS_MOST || (n & (n - 1)) || hand >= n)
			return -EBADMSG;
		if (!wh_pairs_resize(p, n))
			return -ENOMEM;
		p->hand = hand;
		return 0;
	}
	if (page > p->n_slots / PAIRS_A_PAGE || len % ROW || len > PAIRS_A_PAGE * ROW)
		return -EBADMSG;
	for (size_t i = 0; i < len; i += ROW) {
		struct pair x, *slot = &p->slots[(page - 1) * PAIRS_A_PAGE + at[i] % PAIRS_A_PAGE];
		memcpy(&x, at + i + 1, sizeof x);
		turn_bytes(&x);
		if (at[i] >= PAIRS_A_PAGE || slot->marks || !pair_ok(&x))
			return -EBADMSG;
		*slot = x;
		p->hashes[slot - p->slots] = wh_pair_short_hash(wh_pair_hash(p, slot));
		p->used++;
	}
	return 0;
}

bool wh_pairing_page_names(const void *bytes, size_t len, const struct wh_prefix *peers)
{
	bool any = false;
	for (size_t i = 0; i + ROW <= len; i += ROW) {
		struct pair x;
		memcpy(&x, (const uint8_t *)bytes + i + 1, sizeof x);
		any |= wh_prefix_has(peers, &x.a) || wh_prefix_has(peers, &x.b);
	}
	return any;
}

/* Each flow must be where a search finds it: no free slot before it. */
int wh_pairing_loaded(struct wh_pairing *p)
{
	size_t mask = p->n_slots - 1;
	if (4 * p->used > 3 * p->n_slots)
		return -EBADMSG;
	for (size_t i = 0; i <= mask; i++)
		for (size_t at = p->hashes[i] ? p->hashes[i] & mask : i; at != i; at = (at + 1) & mask)
			if (!p->hashes[at])
				return -EBADMSG;
	wh_pairing_saved(p);
	return 0;
}
