/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The cluster's rows are read in key order, a page of some megabytes at a time, whatever a table's size: as many neighbouring
 * groups of the plan (plan.c) as make a page's rows. The plan is an estimate: pages follow one another without a gap, so rows
 * that came since are read, too. Addresses that are read one by one in order, as in a recommendation of many resources, come from
 * the same pages: then the plan reaches to the last key.
 *
 * A walk that goes back, or comes seconds later, reads again. While the store is held (store.h) it reads what was read before:
 * all threads have the same pages, each is fetched once, and an earlier page comes from the spool (book.c).
 */
#include <stdlib.h>
#include <string.h>
#include "ledger/clickhouse/fleet.h"

static const int64_t lasts_us = 5000000;

int fleet_bound_cmp(const struct fleet_bound *a, const struct fleet_bound *b)
{
	if (a->end || b->end)
		return a->end - b->end;
	return fleet_key_cmp(a->key, a->len, b->key, b->len);
}

bool fleet_within(const struct fleet_bound *key, const struct fleet_bound *from, const struct fleet_bound *to)
{
	return fleet_bound_cmp(from, key) <= 0 && fleet_bound_cmp(key, to) < 0;
}

/* ---- statements ---- */

static size_t put_bound(char *to, size_t room, const char *word, const char *sign, const struct fleet_bound *b)
{
	size_t n = (size_t)snprintf(to, room, " %s key %s unhex('", word, sign);
	for (size_t i = 0; i < b->len; i++)
		n += (size_t)snprintf(to + n, room - n, "%02x", b->key[i]);
	return n + (size_t)snprintf(to + n, room - n, "')");
}

int fleet_select(struct fleet_store *f, const struct fleet_ask *a, struct fleet_answer *out, struct wh_error *err)
{
	char sql[5 * FLEET_KEY_MAX + 400];
	size_t n = (size_t)snprintf(sql, sizeof sql, "SELECT %s FROM %s.%s%s", a->columns, f->client.url.database,
	                            fleet_tables[a->kind], a->shard < 0 ? "" : "_shard");
	const char *word = "WHERE"; /* a bound that is none would be compared with each row */
	if (a->from->len) {
		n += put_bound(sql + n, sizeof sql - n, word, ">=", a->from);
		word = "AND";
	}
	if (!a->to->end)
		n += put_bound(sql + n, sizeof sql - n, word, "<", a->to);
	snprintf(sql + n, sizeof sql - n, " %s FORMAT %s", a->rest, a->rows ? "Native" : "RowBinary");
	const int at = a->shard < 0 ? -1 : (int)f->client.shard_hosts[a->shard];
	return a->doubtful ? fleet_query_stream(&f->client, at, sql, a->packs, out, a->doubtful, err)
	                   : fleet_query(&f->client, at, sql, NULL, out, err);
}

/* ---- a page ---- */

/* Each shard is asked for its own rows where its server is known: a server that collects them from the others costs three times
 * as much. *doubtful is set where an answer may be a part of one; NULL: none is. */
static int ask_shards(struct fleet_store *f, enum fleet_kind kind, uint64_t rows, struct fleet_page *p, bool *doubtful,
                      struct wh_error *err)
{
	const size_t shards = f->client.shards, n = shards ? shards : 1;
	struct fleet_answer *answers = f->answers;
	int rc = 0;
	for (size_t i = 0; i < n && !rc && !(doubtful && *doubtful); i++) {
		const struct fleet_ask q = {kind,     shards ? (int)i : -1,          &p->from, &p->to,
		                            .columns = "key, sensor, version, value", .rest = "", .rows = true,
		                            .doubtful = doubtful, .packs = rows / n >= FLEET_PACKED_ROWS};
		rc = fleet_select(f, &q, &answers[i], err);
	}
	if (!rc && !(doubtful && *doubtful)) {
		rc = fleet_page_fill(p, kind, answers, n);
		if (rc)
			rc = rc == -EBADMSG ? fleet_damaged(f, kind, err) : wh_fail(err, rc, "out of memory");
	}
	for (size_t i = 0; i < n && !f->keeps; i++)
		fleet_answer_free(&answers[i]);
	return rc;
}

/* About so many rows. */
static int fetch(struct fleet_store *f, enum fleet_kind kind, uint64_t rows, struct fleet_page *p, struct wh_error *err)
{
	bool doubtful = false;
	if (fleet_packs(kind))
		fleet_page_reuse(f->book, p);
	int rc = ask_shards(f, kind, rows, p, fleet_packs(kind) ? &doubtful : NULL, err);
	if (!fleet_packs(kind) || (!doubtful && rc != -EBADMSG))
		return rc;
	fleet_page_empty(p);
	return ask_shards(f, kind, rows, p, NULL, err);
}

/* A page that is there, or is being fetched by another thread. */
static struct fleet_page *look(const struct fleet_reading *r, const struct fleet_bound *at, int64_t since)
{
	for (struct fleet_page *p = r->pages; p; p = p->next)
		if (p->us >= since && fleet_within(at, &p->from, &p->to))
			return p;
	return NULL;
}

/* The page's range, from the plan; with the book's lock. */
static int range_of(struct fleet_store *f, enum fleet_kind kind, const struct fleet_wish *w, struct fleet_page *p, uint64_t *rows,
                    struct wh_error *err)
{
	static const struct fleet_bound first = {.len = 0}, end = {.end = true};
	struct fleet_reading *r = &f->book->of[kind];
	int rc = 0;
	/* an estimate may be a little older than the rows, unless it says that there are none */
	const bool old = !r->plan.made || r->plan.us < w->since - (r->plan.n ? lasts_us : 0);
	if (old || !fleet_within(&w->at, &r->plan.from, &r->plan.to))
		rc = fleet_plan_make(f, kind, w->held && old ? &first : &w->at, w->far ? &end : &w->to, &r->plan, err);
	rc = rc ? rc : fleet_plan_page(f, kind, &r->plan, &w->at, &p->from, &p->to, rows, err);
	if (!rc && !w->held)
		p->from = w->at; /* what comes before is not read */
	for (const struct fleet_page *other = r->pages; other && !rc; other = other->next)
		if (fleet_within(&other->from, &p->from, &p->to) && fleet_bound_cmp(&w->at, &other->from) < 0)
			p->to = other->from;
	return rc;
}

/* A page from the spool, else from the servers; without the lock. */
static int fill(struct fleet_store *f, enum fleet_kind kind, bool held, uint64_t rows, struct fleet_page *p, struct wh_error *err)
{
	if (held && !fleet_spool_get(f->book, kind, p))
		return 0;
	return rows ? fetch(f, kind, rows, p, err) : 0;
}

static void unlink_page(struct fleet_reading *r, const struct fleet_page *p)
{
	struct fleet_page **at = &r->pages;
	while (*at && *at != p)
		at = &(*at)->next;
	if (*at)
		*at = p->next;
}

static int fetch_new(struct fleet_store *f, enum fleet_kind kind, const struct fleet_wish *w, struct fleet_page **out,
                     struct wh_error *err)
{
	struct fleet_reading *r = &f->book->of[kind];
	struct fleet_page *p = calloc(1, sizeof *p);
	uint64_t rows = 0;
	if (!p)
		return wh_fail(err, -ENOMEM, "out of memory");
	int rc = w->held && fleet_spool_range(f->book, kind, &w->at, &p->from, &p->to) ? 0 : range_of(f, kind, w, p, &rows, err);
	if (rc) {
		free(p);
		return rc;
	}
	p->us = wh_monotonic_us();
	p->overlap = f->client.url.overlap;
	p->readers = 1;
	p->next = r->pages;
	r->pages = p;
	pthread_mutex_unlock(&f->book->lock);
	rc = fill(f, kind, w->held, rows, p, err);
	pthread_mutex_lock(&f->book->lock);
	p->ready = !rc;
	if (rc) {
		unlink_page(r, p);
		fleet_page_free(p);
	} else {
		*out = p;
	}
	pthread_cond_broadcast(&f->book->filled);
	return rc;
}

/* The page with the key, for one reader: see give_back(). */
static int take_page(struct fleet_store *f, enum fleet_kind kind, const struct fleet_wish *w, struct fleet_page **out,
                     struct wh_error *err)
{
	struct fleet_page *p;
	int rc = 0;
	pthread_mutex_lock(&f->book->lock);
	while ((p = look(&f->book->of[kind], &w->at, w->since)) && !p->ready)
		pthread_cond_wait(&f->book->filled, &f->book->lock);
	if (p) {
		p->readers++;
		*out = p;
	} else {
		rc = fetch_new(f, kind, w, out, err);
	}
	pthread_mutex_unlock(&f->book->lock);
	return rc;
}

/* Some pages stay for the next readers: the newest ones. */
static void give_back(struct fleet_store *f, enum fleet_kind kind, const struct fleet_wish *w, struct fleet_page *page)
{
	enum { STAY = 3, STAY_BYTES = 64 << 20 };
	struct fleet_page **at = &f->book->of[kind].pages, *p, *leave = NULL;
	unsigned idle = 0;
	size_t bytes = 0;
	pthread_mutex_lock(&f->book->lock);
	page->readers--;
	while ((p = *at)) {
		bytes += p->ready ? p->n : 0; /* else another thread is filling it */
		if (p->readers || ++idle <= STAY || (w->held && bytes <= STAY_BYTES)) {
			at = &p->next;
		} else {
			*at = p->next;
			p->next = leave;
			leave = p;
		}
	}
	pthread_mutex_unlock(&f->book->lock);
	while ((p = leave)) {
		leave = p->next;
		if (w->held && !p->map)
			fleet_spool_put(f->book, kind, p);
		fleet_page_leave(f->book, p);
	}
}

bool fleet_fetch_next(struct fleet_store *f)
{
	struct fleet_ahead *a = &f->book->ahead;
	const enum fleet_kind kind = FLEET_EDGE;
	struct fleet_wish w = a->wish;
	struct fleet_bound from;
	struct fleet_page *p;
	struct wh_error ignored; /* who needs the page gets it */
	for (int i = 0; i <= FLEET_AHEAD && !w.at.end; i++) {
		if ((p = look(&f->book->of[kind], &w.at, w.since)))
			w.at = p->to;
		else if (!fleet_spool_range(f->book, kind, &w.at, &from, &w.at)) {
			if (fetch_new(f, kind, &w, &p, &ignored))
				a->on = false;
			else
				p->readers--;
			return true;
		}
	}
	return false;
}

/* ---- a walk ---- */

/* How fresh pages must be, and how far the plan is to reach. */
static struct fleet_wish wish_of(struct fleet_store *f, enum fleet_kind kind, const struct fleet_bound *from,
                                 const struct fleet_bound *to)
{
	const int64_t now = wh_monotonic_us();
	struct fleet_walked *w = &f->walked[kind];
	struct fleet_wish wish = {.at = *from, .to = *to};
	pthread_mutex_lock(&f->book->lock);
	wish.held = f->book->holds;
	wish.since = f->book->held_us;
	pthread_mutex_unlock(&f->book->lock);
	bool goes_on = w->any && fleet_bound_cmp(&w->last, from) <= 0 && now - w->since < lasts_us;
	if (!goes_on)
		w->since = now;
	if (!wish.held)
		wish.since = w->since;
	wish.far = wish.held || goes_on;
	return wish;
}

int fleet_pages(struct fleet_store *f, enum fleet_kind kind, const struct fleet_bound *from, const struct fleet_bound *to,
                fleet_page_cb each, void *arg, struct wh_error *err)
{
	struct fleet_wish wish = wish_of(f, kind, from, to);
	int rc = 0;
	while (!rc && fleet_bound_cmp(&wish.at, to) < 0) {
		struct fleet_page *p = NULL;
		if (wish.held && kind == FLEET_EDGE) {
			f->keeps = true;
			fleet_ahead(f, &wish);
		}
		rc = take_page(f, kind, &wish, &p, err);
		if (rc)
			break;
		rc = each(arg, p, &wish.at);
		wish.at = p->to;
		give_back(f, kind, &wish, p);
	}
	f->walked[kind].last = *to;
	f->walked[kind].any = !rc;
	return rc;
}

struct rows_walk { const struct fleet_bound *to; fleet_row_cb each; void *arg; };

static int walk_page(void *arg, const struct fleet_page *p, const struct fleet_bound *at)
{
	const struct rows_walk *w = arg;
	int rc = 0;
	for (size_t i = fleet_page_find(p, at); i < p->n_rows && !rc; i++) {
		const struct fleet_row row = fleet_page_row(p, i);
		if (!w->to->end && fleet_key_cmp(row.key, row.key_len, w->to->key, w->to->len) >= 0)
			break;
		rc = w->each(w->arg, &row);
	}
	return rc;
}

int fleet_rows(struct fleet_store *f, enum fleet_kind kind, const struct fleet_bound *from, const struct fleet_bound *to,
               fleet_row_cb each, void *arg, struct wh_error *err)
{
	struct rows_walk w = {.to = to, .each = each, .arg = arg};
	return fleet_pages(f, kind, from, to, walk_page, &w, err);
}
