/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The store in memory: opening, and reading. See memory_store.h. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include "base/array.h"
#include "ledger/memory/memory_store.h"

struct memory_tables {
	pthread_mutex_t lock;    /* of `now`, its readers and `users` */
	pthread_mutex_t writing; /* held for a whole commit */
	struct memory_data *now;
	unsigned users;
};

static struct memory_tables *tables_of(struct wh_store *s)
{
	return ((struct memory_store *)s)->tables;
}

/* ---- holding, copying, publishing ---- */

struct memory_data *wh_memory_hold(struct wh_store *s)
{
	struct memory_tables *m = tables_of(s);
	pthread_mutex_lock(&m->lock);
	struct memory_data *d = m->now;
	d->readers++;
	pthread_mutex_unlock(&m->lock);
	return d;
}

void wh_memory_release(struct wh_store *s, struct memory_data *d)
{
	struct memory_tables *m = tables_of(s);
	pthread_mutex_lock(&m->lock);
	bool last = !--d->readers;
	pthread_mutex_unlock(&m->lock);
	if (last)
		wh_arena_free(d->mem);
}

static void *copy_of(struct wh_arena *mem, const void *array, size_t n, size_t size)
{
	void *to = wh_arena_array(mem, n + 1, size);
	if (n)
		memcpy(to, array, n * size);
	return to;
}

struct memory_data *wh_memory_begin(struct wh_store *s)
{
	pthread_mutex_lock(&tables_of(s)->writing);
	struct memory_data *old = wh_memory_hold(s);
	struct wh_arena *mem = wh_arena_new();
	struct memory_data *d = mem ? wh_arena_alloc(mem, sizeof *d) : NULL;
	if (d) {
		*d = *old;
		d->readers = 1;
		d->mem = mem;
		for (int i = 0; i < 2; i++)
			d->edges[i].at = copy_of(mem, old->edges[i].at, old->edges[i].n, sizeof *d->edges[i].at);
		d->sketches = copy_of(mem, old->sketches, d->sketch_room = old->n_sketches, sizeof *d->sketches);
		d->days = copy_of(mem, old->days, d->day_room = old->n_days, sizeof *d->days);
		d->places = copy_of(mem, old->places, d->place_room = old->n_places, sizeof *d->places);
		d->contents = copy_of(mem, old->contents, d->content_room = old->n_contents, sizeof *d->contents);
		d->conversations = copy_of(mem, old->conversations, d->conversation_room = old->n_conversations,
		                           sizeof *d->conversations);
		d->realms = copy_of(mem, old->realms, d->realm_room = old->n_realms, sizeof *d->realms);
		d->pages = copy_of(mem, old->pages, d->page_room = old->n_pages, sizeof *d->pages);
		d->facts = copy_of(mem, old->facts, d->fact_room = old->n_facts, sizeof *d->facts);
		for (size_t i = 0; i < d->n_pages; i++)
			d->pages[i].bytes = copy_of(mem, d->pages[i].bytes, d->pages[i].len, 1);
		for (size_t i = 0; i < d->n_places; i++)
			d->places[i].identity = wh_arena_strdup(mem, d->places[i].identity);
		for (struct wh_content_row *r = d->contents; r < d->contents + d->n_contents; r++) {
			r->marks = copy_of(mem, r->marks, r->n_marks, sizeof *r->marks);
			r->tail = copy_of(mem, r->tail, r->n_tail, sizeof *r->tail);
			r->checks = copy_of(mem, r->checks, r->lines, sizeof *r->checks);
		}
	}
	wh_memory_release(s, old);
	if (!d)
		pthread_mutex_unlock(&tables_of(s)->writing);
	return d;
}

void wh_memory_end(struct wh_store *s, struct memory_data *d, bool publish)
{
	struct memory_tables *m = tables_of(s);
	struct memory_data *old = d;
	if (publish) {
		pthread_mutex_lock(&m->lock);
		old = m->now;
		m->now = d;
		pthread_mutex_unlock(&m->lock);
	}
	wh_memory_release(s, old);
	pthread_mutex_unlock(&m->writing);
}

/* ---- opening ---- */

static struct wh_store *user_of(struct memory_tables *m)
{
	struct memory_store *s = calloc(1, sizeof *s);
	if (!s)
		return NULL;
	s->base.ops = &wh_store_memory;
	s->tables = m;
	return &s->base;
}

static int open_store(const char *url, struct wh_state *state, struct wh_store **out, struct wh_error *err)
{
	struct memory_tables *m = calloc(1, sizeof *m);
	struct wh_arena *mem = wh_arena_new();
	(void)url, (void)state;
	if (m && mem && (*out = user_of(m))) {
		pthread_mutex_init(&m->lock, NULL);
		pthread_mutex_init(&m->writing, NULL);
		m->now = wh_arena_alloc(mem, sizeof *m->now);
		m->now->mem = mem;
		m->now->readers = m->users = 1;
		if (getrandom(m->now->key, sizeof m->now->key, 0) == sizeof m->now->key)
			return 0;
		wh_store_close(*out);
		*out = NULL;
		return wh_fail(err, -EIO, "the system has no random numbers");
	}
	wh_arena_free(mem);
	free(m);
	return wh_fail(err, -ENOMEM, "out of memory");
}

static int again(const struct wh_store *s, struct wh_store **out, struct wh_error *err)
{
	struct memory_tables *m = ((const struct memory_store *)s)->tables;
	if (!(*out = user_of(m)))
		return wh_fail(err, -ENOMEM, "out of memory");
	pthread_mutex_lock(&m->lock);
	m->users++;
	pthread_mutex_unlock(&m->lock);
	return 0;
}

static void close_store(struct wh_store *s)
{
	struct memory_tables *m = tables_of(s);
	pthread_mutex_lock(&m->lock);
	bool last = !--m->users;
	pthread_mutex_unlock(&m->lock);
	if (last) {
		wh_memory_release(s, m->now);
		pthread_mutex_destroy(&m->lock);
		pthread_mutex_destroy(&m->writing);
		free(m);
	}
	free(s);
}

/* ---- reading ---- */

size_t wh_memory_edge_from(const struct memory_edges *e, const struct wh_addr *a)
{
	return WH_BISECT(i, 0, e->n, wh_addr_cmp(&e->at[i].key.local, a) < 0);
}

static int edges(struct wh_store *s, enum wh_edges_seen by, const struct wh_addr *from, const struct wh_addr *to, wh_edge_cb each,
                 void *arg, struct wh_error *err)
{
	struct memory_data *d = wh_memory_hold(s);
	const struct memory_edges *e = &d->edges[by];
	int rc = 0;
	(void)err;
	for (size_t i = from ? wh_memory_edge_from(e, from) : 0;
	     i < e->n && !rc && (!to || wh_addr_cmp(&e->at[i].key.local, to) < 0); i++)
		rc = each(arg, &e->at[i].key, &e->at[i].edge);
	wh_memory_release(s, d);
	return rc;
}

static int sketches(struct wh_store *s, wh_sketch_cb each, void *arg, struct wh_error *err)
{
	struct memory_data *d = wh_memory_hold(s);
	int rc = 0;
	(void)err;
	for (size_t i = 0; i < d->n_sketches && !rc; i++)
		rc = each(arg, &d->sketches[i].key.local, d->sketches[i].key.proto, d->sketches[i].key.port,
		          &d->sketches[i].sketch);
	wh_memory_release(s, d);
	return rc;
}

static int locals(struct wh_store *s, wh_local_cb each, void *arg, struct wh_error *err)
{
	struct memory_data *d = wh_memory_hold(s);
	const struct wh_addr *before = NULL;
	int rc = 0;
	(void)err;
	for (size_t i = 0; i < d->edges[WH_EDGES_REPORTED].n && !rc; i++) {
		const struct wh_edge_key *k = &d->edges[WH_EDGES_REPORTED].at[i].key;
		if (k->direction == WH_INBOUND && (!before || !wh_addr_eq(before, &k->local)))
			rc = each(arg, before = &k->local);
	}
	wh_memory_release(s, d);
	return rc;
}

static int days(struct wh_store *s, wh_day_cb each, void *arg, struct wh_error *err)
{
	struct memory_data *d = wh_memory_hold(s);
	int rc = 0;
	(void)err;
	for (size_t i = 0; i < d->n_days && !rc; i++)
		rc = each(arg, d->days[i].day, d->days[i].flows);
	wh_memory_release(s, d);
	return rc;
}

static int totals(struct wh_store *s, struct wh_store_totals *out, struct wh_error *err)
{
	struct memory_data *d = wh_memory_hold(s);
	const struct memory_edges *e = &d->edges[WH_EDGES_REPORTED], *open = &d->edges[WH_EDGES_OPEN];
	(void)err;
	*out = (struct wh_store_totals){.edges = e->n,
	                                .records = d->counters[0],
	                                .flows = d->counters[1],
	                                .alerts = d->counters[2],
	                                .other = d->counters[3],
	                                .malformed = d->counters[4],
	                                .writes = d->writes};
	for (size_t i = 0; i < open->n; i++)
		out->edges += !e->n || !bsearch(&open->at[i], e->at, e->n, sizeof *e->at, wh_memory_by_key);
	if (d->n_days) {
		out->first_us = d->days[0].day * WH_US_PER_DAY;
		out->last_us = (d->days[d->n_days - 1].day + 1) * WH_US_PER_DAY;
	}
	wh_memory_release(s, d);
	return 0;
}

static int progress(struct wh_store *s, const char *identity, uint64_t *offset, uint64_t *line, struct wh_error *err)
{
	struct memory_data *d = wh_memory_hold(s);
	(void)err;
	*offset = *line = 0;
	for (size_t i = 0; i < d->n_places; i++)
		if (!strcmp(d->places[i].identity, identity)) {
			*offset = d->places[i].offset;
			*line = d->places[i].line;
		}
	wh_memory_release(s, d);
	return 0;
}

static int content_key(struct wh_store *s, uint8_t key[WH_LINE_KEY_BYTES], int64_t *generation, struct wh_error *err)
{
	struct memory_data *d = wh_memory_hold(s);
	(void)err;
	memcpy(key, d->key, WH_LINE_KEY_BYTES);
	*generation = d->generation;
	wh_memory_release(s, d);
	return 0;
}

static int contents(struct wh_store *s, wh_content_cb each, void *arg, struct wh_error *err)
{
	struct memory_data *d = wh_memory_hold(s);
	int rc = 0;
	(void)err;
	for (size_t i = 0; i < d->n_contents && !rc; i++) {
		struct wh_content_row row = d->contents[i];
		row.checks = NULL;
		rc = each(arg, &row);
	}
	wh_memory_release(s, d);
	return rc;
}

static void *own(const void *array, size_t n, size_t size)
{
	void *p = calloc(n + 1, size);
	return p && n ? memcpy(p, array, n * size) : p;
}

static int content(struct wh_store *s, int64_t id, struct wh_content_row *row, struct wh_error *err)
{
	struct memory_data *d = wh_memory_hold(s);
	int rc = -ENOENT;
	for (size_t i = 0; i < d->n_contents && rc == -ENOENT; i++) {
		if (d->contents[i].id != id)
			continue;
		*row = d->contents[i];
		row->marks = own(row->marks, row->n_marks, sizeof *row->marks);
		row->tail = own(row->tail, row->n_tail, sizeof *row->tail);
		row->checks = own(row->checks, row->lines, sizeof *row->checks);
		rc = 0;
	}
	wh_memory_release(s, d);
	if (rc || (row->marks && row->tail && row->checks))
		return rc;
	free(row->marks);
	free(row->tail);
	free(row->checks);
	return wh_fail(err, -ENOMEM, "out of memory");
}

static int conversations(struct wh_store *s, int32_t day, wh_conversation_cb each, void *arg, struct wh_error *err)
{
	struct memory_data *d = wh_memory_hold(s);
	int rc = 0;
	(void)err;
	for (size_t i = 0; i < d->n_conversations && !rc; i++)
		if (d->conversations[i].day == day)
			rc = each(arg, &d->conversations[i].c);
	wh_memory_release(s, d);
	return rc;
}

static int realms(struct wh_store *s, wh_realm_cb each, void *arg, struct wh_error *err)
{
	struct memory_data *d = wh_memory_hold(s);
	int rc = 0;
	(void)err;
	for (size_t i = 0; i < d->n_realms && !rc; i++)
		rc = each(arg, &d->realms[i].addr, &d->realms[i].realm);
	wh_memory_release(s, d);
	return rc;
}

static int open_flows(struct wh_store *s, wh_page_cb each, void *arg, int64_t *generation, struct wh_error *err)
{
	struct memory_data *d = wh_memory_hold(s);
	int rc = 0;
	(void)err;
	*generation = d->pages_generation;
	for (size_t i = 0; i < d->n_pages && !rc; i++)
		rc = d->pages[i].len ? each(arg, d->pages[i].page, d->pages[i].bytes, d->pages[i].len) : 0;
	wh_memory_release(s, d);
	return rc;
}

const struct wh_store_ops wh_store_memory = {
	.open = open_store, .again = again, .close = close_store,
	.commit = wh_memory_commit, .put_open = wh_memory_put_open, .progress = progress,
	.edges = edges, .sketches = sketches, .locals = locals, .days = days, .totals = totals,
	.content_key = content_key, .contents = contents, .content = content,
	.conversations = conversations, .realms = realms, .facts = wh_memory_facts, .open_flows = open_flows,
};
