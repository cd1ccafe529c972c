/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See conversations.h. Each day has an array, in the order in which flows came, and an index of it by open addressing. */
#include <stdlib.h>
#include <string.h>
#include "base/array.h"
#include "base/pages.h"
#include "base/siphash.h"
#include "ledger/store.h"

enum { SOURCE_BITS = 20, SAME = 8, DAYS = 256, CLEAN_DAYS = 4, DUE_DAYS = 128, DUE = 1 << 19, MOST = 1 << 22 };

struct day {
	int32_t day;
	struct wh_conversation *all; size_t n, room, saved, written; /* in the ledger; in the transaction under way, too */
	uint64_t *index; size_t mask;                                /* see slot_of() */
	uint64_t asked;
};

struct wh_conversations {
	struct wh_store *store;
	struct wh_hash_key key;
	int64_t slack_ms;
	struct day days[DAYS]; size_t n_days;
	struct wh_conversations_of_day fresh_of[DAYS]; /* for a commit under way */
	size_t held; /* flows, of all days */
	size_t fresh; /* of these, not in the ledger */
	uint64_t clock;
};

static int out_of_memory(struct wh_error *err)
{
	return wh_fail(err, -ENOMEM, "out of memory");
}

int wh_conversations_new(struct wh_store *s, int64_t slack_us, struct wh_conversations **out, struct wh_error *err)
{
	uint8_t secret[WH_LINE_KEY_BYTES];
	int64_t ignored;
	struct wh_conversations *c = calloc(1, sizeof *c);
	*out = c;
	if (!c)
		return out_of_memory(err);
	c->store = s;
	c->slack_ms = slack_us >= 1000 ? slack_us / 1000 : 1;
	int rc = s->ops->content_key(s, secret, &ignored, err);
	memcpy(&c->key, secret, sizeof c->key);
	return rc;
}

static void free_day(struct day *d)
{
	free(d->all);
	wh_pages_free(d->index, (d->mask + 1) * sizeof *d->index);
}

void wh_conversations_free(struct wh_conversations *c)
{
	for (size_t i = 0; c && i < c->n_days; i++)
		free_day(&c->days[i]);
	free(c);
}

uint64_t wh_conversation_source(struct wh_hash_key key, const char *sensor, size_t len, const struct wh_realm *realm)
{
	uint64_t words[34] = {0};
	size_t n = len < 256 ? len : 256;
	memcpy(words, sensor, n);
	words[32] = realm->tenant;
	words[33] = (uint64_t)realm->vlan[0] << 32 | (uint64_t)realm->vlan[1] << 16 | realm->vlan[2];
	return wh_siphash(key, words, 34, len) & ((1 << SOURCE_BITS) - 1);
}

uint64_t wh_conversations_source(const struct wh_conversations *c, const char *sensor, size_t len, const struct wh_realm *realm)
{
	return wh_conversation_source(c->key, sensor, len, realm);
}

/* ---- a day ---- */

static int64_t bucket_of(const struct wh_conversations *c, uint64_t when)
{
	return (int64_t)(when >> SOURCE_BITS) / c->slack_ms;
}

static int32_t day_of(const struct wh_conversations *c, int64_t bucket)
{
	return wh_day(bucket * c->slack_ms * 1000);
}

/*
 * The buckets of two ends are adjacent, eight to a cache line: the three that are searched are mostly all in one. A slot has the
 * upper half of the ends' hash and, in the lower, the place in `all` + 1; 0 where it is free.
 */
enum { NEIGHBOURS = 8 };
static size_t slot_of(const struct wh_conversations *c, const struct day *d, uint64_t ends, int64_t bucket)
{
	size_t line = wh_siphash(c->key, &ends, 1, (uint64_t)bucket / NEIGHBOURS) * NEIGHBOURS;
	return (line + (uint64_t)bucket % NEIGHBOURS) & d->mask;
}

static void put(struct day *d, size_t at, size_t place)
{
	while (d->index[at])
		at = (at + 1) & d->mask;
	d->index[at] = d->all[place].ends >> 32 << 32 | (uint32_t)(place + 1);
}

static bool index_again(const struct wh_conversations *c, struct day *d, size_t slots)
{
	uint64_t *index = wh_pages_new(slots * sizeof *index);
	if (!index)
		return false;
	wh_pages_free(d->index, (d->mask + 1) * sizeof *index);
	d->index = index;
	d->mask = slots - 1;
	for (size_t i = 0; i < d->n; i++)
		put(d, slot_of(c, d, d->all[i].ends, bucket_of(c, d->all[i].when)), i);
	return true;
}

static bool append(struct wh_conversations *c, struct day *d, const struct wh_conversation *x)
{
	if (!wh_array_grow(&d->all, d->n, &d->room, sizeof *d->all))
		return false;
	d->all[d->n++] = *x;
	c->held++;
	return true;
}

static int load_one(void *arg, const struct wh_conversation *x)
{
	struct wh_conversations *c = arg;
	return append(c, &c->days[c->n_days], x) ? 0 : -ENOMEM;
}

static void drop_day(struct wh_conversations *c, struct day *d)
{
	c->held -= d->n;
	free_day(d);
	*d = c->days[--c->n_days];
}

/* Drops the least recently used day of those that the ledger has completely. */
static void make_room(struct wh_conversations *c)
{
	struct day *oldest = NULL;
	size_t clean = 0;
	for (struct day *d = c->days; d < c->days + c->n_days; d++)
		if (d->saved == d->n) {
			clean++;
			oldest = !oldest || d->asked < oldest->asked ? d : oldest;
		}
	if (oldest && (clean >= CLEAN_DAYS || c->n_days == DAYS))
		drop_day(c, oldest);
}

/* The ledger's version of the day, with later additions; *out NULL if there is no room for another day. */
static int find_day(struct wh_conversations *c, int32_t day, struct day **out, struct wh_error *err)
{
	*out = NULL;
	for (size_t i = c->n_days; i-- > 0 && !*out;)
		if (c->days[i].day == day)
			*out = &c->days[i];
	if (!*out) {
		make_room(c);
		if (c->n_days == DAYS)
			return 0;
		struct day *d = &c->days[c->n_days];
		*d = (struct day){.day = day};
		int rc = c->store->ops->conversations(c->store, day, load_one, c, err);
		size_t slots = 64;
		while (slots < 3 * d->n)
			slots *= 2;
		d->saved = d->written = d->n;
		if (rc == -ENOMEM || (!rc && !index_again(c, d, slots)))
			rc = out_of_memory(err);
		c->n_days++;
		if (rc) {
			drop_day(c, d);
			return rc;
		}
		*out = d;
	}
	(*out)->asked = ++c->clock;
	return 0;
}

/* ---- flows ---- */

uint64_t wh_conversation_ends(struct wh_hash_key key, const struct wh_flow *f)
{
	uint8_t ends[32];
	int order = wh_addr_cmp(&f->src, &f->dst);
	bool turned = order > 0 || (!order && f->src_port > f->dst_port); /* sensors may take either end for the one that began */
	memcpy(ends, (turned ? &f->dst : &f->src)->b, 16);
	memcpy(ends + 16, (turned ? &f->src : &f->dst)->b, 16);
	uint64_t a = turned ? f->dst_port : f->src_port, b = turned ? f->src_port : f->dst_port;
	return wh_siphash(key, ends, 4, a << 32 | b << 16 | f->proto);
}

/* In the bucket: whether another source's flow is the same (*same); whether this very flow is there, or the bucket is
 * full. */
static bool look(const struct wh_conversations *c, const struct day *d, const struct wh_conversation *x, int64_t bucket,
                 bool *same)
{
	unsigned met = 0;
	bool full = false;
	for (size_t at = slot_of(c, d, x->ends, bucket); d->index[at] && !*same; at = (at + 1) & d->mask) {
		if ((d->index[at] ^ x->ends) >> 32)
			continue;
		const struct wh_conversation *y = &d->all[(uint32_t)d->index[at] - 1];
		if (y->ends != x->ends || bucket_of(c, y->when) != bucket)
			continue;
		int64_t apart = (int64_t)(y->when >> SOURCE_BITS) - (int64_t)(x->when >> SOURCE_BITS);
		bool own = !((x->when ^ y->when) & ((1 << SOURCE_BITS) - 1));
		*same = !own && apart <= c->slack_ms && -apart <= c->slack_ms;
		full |= ++met == SAME || x->when == y->when;
	}
	return full;
}

int wh_conversations_meet(struct wh_conversations *c, const struct wh_flow *f, uint64_t source, bool answered,
                          struct wh_error *err)
{
	struct wh_conversation x = {wh_conversation_ends(c->key, f), (uint64_t)(f->start_us / 1000) << SOURCE_BITS | source};
	int64_t bucket = bucket_of(c, x.when);
	struct day *d;
	bool same = false, full = false;
	for (int64_t b = bucket - 1; b <= bucket + 1; b++) {
		int rc = find_day(c, day_of(c, b), &d, err);
		if (rc)
			return rc;
		bool filled = d && look(c, d, &x, b, &same);
		if (same)
			return 1;
		full |= b == bucket && filled;
	}
	if (!answered || full || c->held >= MOST)
		return 0;
	int rc = find_day(c, day_of(c, bucket), &d, err);
	if (rc || !d)
		return rc;
	if ((3 * (d->n + 1) > 2 * (d->mask + 1) && !index_again(c, d, 4 * (d->mask + 1))) || !append(c, d, &x))
		return out_of_memory(err);
	put(d, slot_of(c, d, x.ends, bucket), d->n - 1);
	c->fresh++;
	return 0;
}

/* ---- the ledger ---- */

bool wh_conversations_due(const struct wh_conversations *c)
{
	return c->fresh >= DUE || (c->fresh && c->n_days >= DUE_DAYS);
}

void wh_conversations_seen(struct wh_conversations *c, struct wh_store_seen *seen)
{
	size_t n = 0;
	for (struct day *d = c->days; d < c->days + c->n_days; d++) {
		if (d->n > d->saved)
			c->fresh_of[n++] = (struct wh_conversations_of_day){d->day, d->all + d->saved, d->n - d->saved};
		d->written = d->n;
	}
	seen->conversations = c->fresh_of;
	seen->n_conversations = n;
}

/* Other processes may have written the same days: they are read again when needed. */
void wh_conversations_written(struct wh_conversations *c)
{
	for (size_t i = 0; i < c->n_days; i++)
		c->days[i].saved = c->days[i].written;
	while (c->n_days && c->fresh)
		drop_day(c, &c->days[c->n_days - 1]);
	c->fresh = 0;
}
