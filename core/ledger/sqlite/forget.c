/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Forgetting: in one transaction every table is walked through, and what is wanted gone is collected, up to so many keys at once,
 * and removed; until nothing more is found. Sums that hold no address (days, counters, a sketch's registers) stay.
 */
#include <stdlib.h>
#include "flow/pairing.h"
#include "ledger/forget.h"
#include "ledger/sqlite/runs.h"

enum { AT_ONCE = 65536, SKETCHES_AT_ONCE = 4096 };

struct forgetting {
	struct sqlite_store *s;
	const struct wh_forget *what;
	struct wh_forgotten *out;
	uint8_t (*keys)[WH_EDGE_KEY_BYTES];
	size_t n;
	bool first; /* the first walk counts what stays */
	struct { struct wh_sketch_key key; struct wh_sketch is; } *sketches;
	uint8_t fact[AT_ONCE / 64][WH_FACT_KEY_MAX];
	uint8_t fact_len[AT_ONCE / 64];
	uint8_t fact_less[AT_ONCE / 64][WH_FACT_ROW_BYTES]; /* what stays of each, */
	bool fact_stays[AT_ONCE / 64];                      /* if anything does */
	bool named; /* a page of open flows names one */
	struct wh_error *err;
};

static bool too_old(const struct wh_forget *f, const struct wh_edge *e)
{
	const int32_t last = e->days && (!e->alert_last || e->day0 > e->alert_last) ? e->day0 : e->alert_last;
	return (e->days || e->alert_last) && last < f->before;
}

static int collect_edge(void *arg, const struct wh_edge_key *k, const struct wh_edge *e)
{
	struct forgetting *f = arg;
	bool gone = f->what->by_peer ? wh_forget_peer(f->what, &k->peer) : too_old(f->what, e);
	if (gone)
		wh_edge_key_encode(k, f->keys[f->n++]);
	else if (f->first && !f->what->by_peer && e->first_us && wh_day(e->first_us) < f->what->before)
		f->out->kept++;
	return f->n == AT_ONCE;
}

static int drop_edges(struct forgetting *f)
{
	int rc;
	f->first = true;
	do {
		f->n = 0;
		rc = wh_runs_scan(f->s, (struct wh_sql_keys){0}, collect_edge, f, f->err);
		rc = rc < 0 ? rc : wh_runs_drop(f->s, f->keys, f->n, f->err);
		f->out->edges += rc ? 0 : f->n;
		f->first = false;
	} while (!rc && f->n == AT_ONCE);
	return rc;
}

/* One statement that is given one blob. */
static int run_with(struct forgetting *f, enum statement which, const void *key, size_t len)
{
	sqlite3_stmt *st = wh_sql_use(f->s, which, "written", f->err);
	if (!st)
		return -EIO;
	sqlite3_bind_blob(st, 1, key, (int)len, SQLITE_STATIC);
	return wh_sql_run(f->s->state, st, "written", f->err);
}

static int drop_open(struct forgetting *f)
{
	int rc;
	do {
		f->n = 0;
		f->first = false;
		rc = wh_sql_scan_open(f->s, (struct wh_sql_keys){0}, collect_edge, f, f->err);
		rc = rc < 0 ? rc : 0;
		for (size_t i = 0; i < f->n && !rc; i++)
			rc = run_with(f, ST_OPEN_DROP, f->keys[i], WH_EDGE_KEY_BYTES);
		f->out->open += rc ? 0 : f->n;
	} while (!rc && f->n == AT_ONCE);
	return rc;
}

/* Takes the peers out of a sketch's heaviest sources; whether there was one. */
static bool take_sources_out(const struct wh_forget *what, struct wh_sketch *sk)
{
	size_t kept = 0;
	for (size_t i = 0; i < WH_SKETCH_TOP; i++)
		if (sk->top[i].count && !wh_forget_peer(what, &sk->top[i].addr))
			sk->top[kept++] = sk->top[i];
	bool any = kept < WH_SKETCH_TOP && sk->top[kept].count;
	memset(&sk->top[kept], 0, (WH_SKETCH_TOP - kept) * sizeof *sk->top);
	return any;
}

static int collect_sketch(void *arg, const struct wh_addr *local, uint8_t proto, uint16_t port, const struct wh_sketch *sk)
{
	struct forgetting *f = arg;
	struct wh_sketch less = *sk;
	if (f->what->by_peer ? take_sources_out(f->what, &less) : sk->days && sk->day0 < f->what->before) {
		f->sketches[f->n].key = (struct wh_sketch_key){*local, port, proto};
		f->sketches[f->n++].is = less;
	}
	return f->n == SKETCHES_AT_ONCE;
}

static int put_sketch(struct forgetting *f, size_t i)
{
	uint8_t key[WH_SKETCH_KEY_BYTES], value[WH_SKETCH_BYTES];
	wh_sketch_key_encode(&f->sketches[i].key, key);
	if (!f->what->by_peer)
		return run_with(f, ST_SKETCH_DROP, key, sizeof key);
	sqlite3_stmt *st = wh_sql_use(f->s, ST_SKETCH_SET, "written", f->err);
	if (!st)
		return -EIO;
	wh_sketch_encode(&f->sketches[i].is, value);
	sqlite3_bind_blob(st, 1, key, sizeof key, SQLITE_STATIC);
	sqlite3_bind_blob(st, 2, value, sizeof value, SQLITE_STATIC);
	return wh_sql_run(f->s->state, st, "written", f->err);
}

static int drop_sketches(struct forgetting *f)
{
	int rc;
	do {
		f->n = 0;
		rc = wh_sqlite_sketches(&f->s->base, collect_sketch, f, f->err);
		rc = rc < 0 ? rc : 0;
		for (size_t i = 0; i < f->n && !rc; i++)
			rc = put_sketch(f, i);
		f->out->sketches += rc ? 0 : f->n;
	} while (!rc && f->n == SKETCHES_AT_ONCE);
	return rc;
}

static int collect_fact(void *arg, const struct wh_fact_key *k, const struct wh_fact_row *r)
{
	struct forgetting *f = arg;
	struct wh_addr target;
	struct wh_fact_row less = *r;
	bool tried = f->what->by_peer && k->kind == WH_FACT_ATTEMPTS && wh_fact_target(r, &target) &&
	             wh_forget_peer(f->what, &target);
	if (tried || (f->what->by_peer ? wh_forget_peer(f->what, &k->peer) : wh_day(r->last_us) < f->what->before)) {
		f->fact_len[f->n] = (uint8_t)wh_fact_key_encode(k, f->fact[f->n]);
		wh_fact_set_target(&less, NULL);
		wh_fact_row_encode(&less, f->fact_less[f->n]);
		f->fact_stays[f->n++] = tried;
	}
	return f->n == sizeof f->fact_len;
}

static int drop_fact(struct forgetting *f, size_t i)
{
	int rc = run_with(f, ST_FACT_DROP, f->fact[i], f->fact_len[i]);
	if (rc || !f->fact_stays[i])
		return rc;
	sqlite3_stmt *st = wh_sql_use(f->s, ST_FACT, "written", f->err);
	if (!st)
		return -EIO;
	sqlite3_bind_blob(st, 1, f->fact[i], f->fact_len[i], SQLITE_STATIC);
	sqlite3_bind_blob(st, 2, f->fact_less[i], WH_FACT_ROW_BYTES, SQLITE_STATIC);
	return wh_sql_run(f->s->state, st, "written", f->err);
}

static int drop_facts(struct forgetting *f)
{
	int rc;
	do {
		f->n = 0;
		rc = wh_sqlite_facts(&f->s->base, WH_FACT_KINDS, collect_fact, f, f->err);
		rc = rc < 0 ? rc : 0;
		for (size_t i = 0; i < f->n && !rc; i++)
			rc = drop_fact(f, i);
		f->out->facts += rc ? 0 : f->n;
	} while (!rc && f->n == sizeof f->fact_len);
	return rc;
}

static int look_at_page(void *arg, uint32_t page, const void *bytes, size_t len)
{
	struct forgetting *f = arg;
	f->named |= page && wh_pairing_page_names(bytes, len, &f->what->peers);
	f->n++;
	return 0;
}

/* The flows of a page stand where their hash says, so that none can be taken out alone. */
static int drop_pages(struct forgetting *f)
{
	struct wh_store_seen none = {.n_pages = 0};
	f->n = 0;
	if (!f->what->by_peer)
		return 0;
	int rc = wh_sqlite_open_flows(&f->s->base, look_at_page, f, &none.pages_generation, f->err);
	if (rc || !f->named)
		return rc;
	f->out->pages = f->n;
	sqlite3_stmt *st = wh_sql_use(f->s, ST_OPEN_FLOWS_DROP, "written", f->err);
	rc = st ? wh_sql_run(f->s->state, st, "written", f->err) : -EIO;
	return rc ? rc : wh_sql_open_flows_put(f->s, &none, f->err); /* whoever has read them must read them anew */
}

static int drop_conversations(struct forgetting *f)
{
	if (f->what->by_peer) /* keyed hashes, of which none says whose it is */
		return 0;
	sqlite3_stmt *st = wh_sql_use(f->s, ST_CONVERSATION_BEFORE, "written", f->err);
	if (!st)
		return -EIO;
	sqlite3_bind_int(st, 1, f->what->before);
	int rc = wh_sql_run(f->s->state, st, "written", f->err);
	f->out->conversations = rc ? 0 : (uint64_t)sqlite3_changes(f->s->state->db);
	return rc;
}

static int forget_all(struct forgetting *f)
{
	int rc = wh_runs_take_rows(f->s, f->err);
	rc = rc ? rc : drop_edges(f);
	rc = rc ? rc : drop_open(f);
	rc = rc ? rc : drop_sketches(f);
	rc = rc ? rc : drop_facts(f);
	rc = rc ? rc : drop_pages(f);
	return rc ? rc : drop_conversations(f);
}

int wh_sqlite_forget(struct wh_store *store, const struct wh_forget *what, bool dry_run, struct wh_forgotten *out,
                     struct wh_error *err)
{
	struct sqlite_store *s = wh_sqlite_of(store);
	struct forgetting *f = calloc(1, sizeof *f);
	struct wh_error ignored;
	int rc = -ENOMEM;
	*out = (struct wh_forgotten){.edges = 0};
	if (f) {
		*f = (struct forgetting){.s = s, .what = what, .out = out, .err = err};
		f->keys = reallocarray(NULL, AT_ONCE, sizeof *f->keys);
		f->sketches = reallocarray(NULL, SKETCHES_AT_ONCE, sizeof *f->sketches);
	}
	if (!f || !f->keys || !f->sketches)
		wh_fail(err, rc, "out of memory");
	else if (!(rc = wh_state_begin(s->state, err))) {
		rc = wh_tally_begin(s, err);
		rc = rc ? rc : forget_all(f);
		rc = rc ? rc : wh_sql_count(s, "writes", 1, err);
		int counted = wh_tally_end(s, !rc && !dry_run, rc ? &ignored : err);
		rc = rc ? rc : counted;
		int end = wh_state_end(s->state, !rc && !dry_run, rc ? &ignored : err);
		rc = rc ? rc : end;
	}
	if (f) {
		free(f->keys);
		free(f->sketches);
	}
	free(f);
	return rc;
}
