/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts, in the order of their encoded keys. */
#include <string.h>
#include "base/array.h"
#include "ledger/memory/memory_store.h"

static int order(const struct wh_fact_key *k, const uint8_t *p, size_t len)
{
	uint8_t key[WH_FACT_KEY_MAX];
	size_t n = wh_fact_key_encode(k, key);
	int c = memcmp(key, p, n < len ? n : len);
	return c ? c : (n > len) - (n < len);
}

/* The first row whose key is not below these bytes. */
static size_t place_of(const struct memory_data *d, const uint8_t *p, size_t len)
{
	return WH_BISECT(i, 0, d->n_facts, order(&d->facts[i].key, p, len) < 0);
}

static int merge(void *arg, const struct wh_fact_entry *e, bool *there, struct wh_error *err)
{
	struct memory_data *d = arg;
	uint8_t key[WH_FACT_KEY_MAX];
	size_t len = wh_fact_key_encode(&e->key, key), at = place_of(d, key, len);
	(void)err;
	*there = at < d->n_facts && !order(&d->facts[at].key, key, len);
	if (*there)
		wh_fact_row_merge((enum wh_fact_kind)e->key.kind, &d->facts[at].row, &e->row);
	return 0;
}

static int insert(void *arg, const struct wh_fact_entry *e, struct wh_error *err)
{
	struct memory_data *d = arg;
	uint8_t key[WH_FACT_KEY_MAX];
	size_t len = wh_fact_key_encode(&e->key, key), at = place_of(d, key, len);
	(void)err;
	d->facts = wh_arena_grown(d->mem, d->facts, d->n_facts, &d->fact_room, sizeof *d->facts);
	memmove(d->facts + at + 1, d->facts + at, (d->n_facts++ - at) * sizeof *d->facts);
	d->facts[at] = *e;
	return 0;
}

static int size(void *arg, const uint8_t *prefix, size_t len, size_t *n, struct wh_error *err)
{
	struct memory_data *d = arg;
	uint8_t key[WH_FACT_KEY_MAX];
	(void)err;
	*n = 0;
	for (size_t i = place_of(d, prefix, len); i < d->n_facts; i++, ++*n) {
		wh_fact_key_encode(&d->facts[i].key, key);
		if (memcmp(key, prefix, len))
			break;
	}
	return 0;
}

static int forget(void *arg, enum wh_fact_kind kind, int32_t before_day, struct wh_error *err)
{
	struct memory_data *d = arg;
	size_t kept = 0;
	(void)err;
	for (size_t i = 0; i < d->n_facts; i++)
		if (d->facts[i].key.kind != kind || d->facts[i].key.day >= before_day)
			d->facts[kept++] = d->facts[i];
	d->n_facts = kept;
	return 0;
}

int wh_memory_put_facts(struct memory_data *d, const struct wh_store_seen *seen, struct wh_error *err)
{
	return wh_facts_put(&(struct wh_facts_store){d, merge, insert, size, forget}, seen->facts, seen->n_facts, err);
}

int wh_memory_facts(struct wh_store *s, enum wh_fact_kind kind, wh_fact_cb each, void *arg, struct wh_error *err)
{
	struct memory_data *d = wh_memory_hold(s);
	int rc = 0;
	(void)err;
	for (size_t i = 0; i < d->n_facts && !rc; i++)
		rc = kind == WH_FACT_KINDS || d->facts[i].key.kind == kind ? each(arg, &d->facts[i].key, &d->facts[i].row) : 0;
	wh_memory_release(s, d);
	return rc;
}
