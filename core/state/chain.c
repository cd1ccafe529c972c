/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The journal as a chain: table `chain` has a hash for each entry, SHA-256 of the hash before it and of the whole entry. The hash
 * before the first one covers all entries that are older than the chain. So nobody can change, remove, insert or move an entry
 * without breaking the later hashes; an attacker who can write the file can recompute all of them, which a mark (whittle/state.h)
 * that is kept elsewhere detects.
 *
 * The hash covers: the previous hash 32, number 8, time 8 (least significant byte first), then who, what, JSON, each with its
 * length in 8 bytes before it.
 */
#include "base/bytes.h"
#include "base/sha256.h"
#include "state/sqlite.h"

static const char begins[] = "whittle's journal, before the chain";

static void put_text(struct wh_bytes *b, const char *text)
{
	size_t n = strlen(text);
	wh_put_number(b, n, 8);
	wh_put(b, text, n);
}

static int hash_entry(const struct wh_journal_entry *e, const uint8_t before[static WH_SHA256_BYTES],
                      uint8_t out[static WH_SHA256_BYTES], struct wh_error *err)
{
	struct wh_bytes b = {0};
	wh_put(&b, before, WH_SHA256_BYTES);
	wh_put_number(&b, (uint64_t)e->seq, 8);
	wh_put_number(&b, (uint64_t)e->time_us, 8);
	put_text(&b, e->who);
	put_text(&b, e->what);
	put_text(&b, e->json);
	int rc = b.failed ? wh_fail(err, -ENOMEM, "out of memory") : 0;
	if (!rc)
		wh_sha256(b.p, b.n, out);
	free(b.p);
	return rc;
}

/* ---- reading ---- */

/* Reads a row of the chain: 1; 0: there is none. */
static int take_mark(struct wh_state *s, sqlite3_stmt *st, struct wh_journal_mark *out, struct wh_error *err)
{
	const uint8_t *hash;
	size_t len;
	int step = sqlite3_step(st);
	if (step == SQLITE_DONE)
		return 0;
	if (step != SQLITE_ROW)
		return wh_sql_fail(s, "read", err);
	if (!wh_sql_number(st, 0, &out->seq) || out->seq < 1 || !wh_sql_blob(st, 1, &hash, &len) || len != WH_SHA256_BYTES)
		return wh_sql_damaged(s, err);
	memcpy(out->hash, hash, len);
	return 1;
}

/* Older ledgers have no such table, and may be opened read-only. */
static bool has_chain(struct wh_state *s)
{
	sqlite3_stmt *st = NULL;
	bool there = sqlite3_prepare_v2(s->db, "SELECT seq FROM chain LIMIT 0", -1, &st, NULL) == SQLITE_OK;
	sqlite3_finalize(st);
	return there;
}

static int mark(struct wh_state *s, const char *which, int64_t seq, struct wh_journal_mark *out, struct wh_error *err)
{
	sqlite3_stmt *st;
	*out = (struct wh_journal_mark){.seq = 0};
	if (!has_chain(s))
		return 0;
	if (sqlite3_prepare_v2(s->db, which, -1, &st, NULL) != SQLITE_OK)
		return wh_sql_fail(s, "read", err);
	wh_sql_patience(s);
	if (seq)
		sqlite3_bind_int64(st, 1, seq);
	int rc = take_mark(s, st, out, err);
	sqlite3_finalize(st);
	return rc < 0 ? rc : 0;
}

int wh_state_journal_tip(struct wh_state *s, struct wh_journal_mark *out, struct wh_error *err)
{
	return mark(s, "SELECT seq, hash FROM chain ORDER BY seq DESC LIMIT 1", 0, out, err);
}

int wh_state_journal_mark(struct wh_state *s, int64_t seq, struct wh_journal_mark *out, struct wh_error *err)
{
	return mark(s, "SELECT seq, hash FROM chain WHERE seq = ?1", seq, out, err);
}

/* ---- writing ---- */

struct hashing { uint8_t hash[WH_SHA256_BYTES]; int64_t until; struct wh_error *err; };

static int hash_one(void *arg, int64_t seq, int64_t time_us, const char *who, const char *what, const char *json)
{
	struct hashing *h = arg;
	const struct wh_journal_entry e = {seq, time_us, who, what, json};
	return seq < h->until ? hash_entry(&e, h->hash, h->hash, h->err) : 1;
}

/* The previous hash for entry `first`, with which the chain begins. */
static int hash_of_earlier(struct wh_state *s, int64_t first, uint8_t out[static WH_SHA256_BYTES], struct wh_error *err)
{
	struct hashing h = {.until = first, .err = err};
	wh_sha256(begins, sizeof begins - 1, h.hash);
	int rc = wh_state_log_each(s, NULL, hash_one, &h, err);
	memcpy(out, h.hash, WH_SHA256_BYTES);
	return rc < 0 ? rc : 0;
}

int wh_sql_chain(struct wh_state *s, const struct wh_journal_entry *e, struct wh_error *err)
{
	struct wh_journal_mark tip;
	uint8_t hash[WH_SHA256_BYTES];
	if (!has_chain(s)) /* the ledger has an older version, and a command that must not wait does not migrate it */
		return 0;
	int rc = wh_state_journal_tip(s, &tip, err);
	if (!rc && !tip.seq)
		rc = hash_of_earlier(s, e->seq, tip.hash, err);
	rc = rc ? rc : hash_entry(e, tip.hash, hash, err);
	sqlite3_stmt *st = rc ? NULL : wh_sql_prepared(s, &s->st[ST_CHAIN], wh_state_sql[ST_CHAIN], "written", err);
	if (!st)
		return rc ? rc : -EIO;
	sqlite3_bind_int64(st, 1, e->seq);
	sqlite3_bind_blob(st, 2, hash, sizeof hash, SQLITE_STATIC);
	return wh_sql_run(s, st, "written", err);
}

/* ---- proving ---- */

struct proving {
	struct wh_state *s;
	sqlite3_stmt *marks;
	struct wh_journal_mark next; /* the next row of the chain; seq 0: there is none */
	const struct wh_journal_mark *head;
	uint8_t hash[WH_SHA256_BYTES];
	struct wh_journal_proof *out;
	struct wh_error *err;
};

static int next_mark(struct proving *p)
{
	p->next.seq = 0;
	p->s->rows++;
	int rc = take_mark(p->s, p->marks, &p->next, p->err);
	return rc < 0 ? rc : 0;
}

static int wrong(struct proving *p, enum wh_journal_fault fault, int64_t seq)
{
	p->out->fault = fault;
	p->out->seq = seq;
	return 1;
}

static int prove_one(void *arg, int64_t seq, int64_t time_us, const char *who, const char *what, const char *json)
{
	struct proving *p = arg;
	const struct wh_journal_entry e = {seq, time_us, who, what, json};
	const bool chained = p->out->first && seq >= p->out->first;
	p->out->entries++;
	if (chained && p->next.seq && p->next.seq < seq)
		return wrong(p, WH_JOURNAL_MISSING, p->next.seq);
	if (chained && p->next.seq != seq)
		return wrong(p, WH_JOURNAL_UNCHAINED, seq);
	int rc = hash_entry(&e, p->hash, p->hash, p->err);
	if (rc)
		return rc;
	if (!chained) {
		p->out->before++;
		return 0;
	}
	if (memcmp(p->hash, p->next.hash, sizeof p->hash) != 0)
		return wrong(p, seq == p->out->first && p->out->before ? WH_JOURNAL_EARLIER : WH_JOURNAL_CHANGED, seq);
	if (p->head && p->head->seq == seq) {
		if (memcmp(p->hash, p->head->hash, sizeof p->hash) != 0)
			return wrong(p, WH_JOURNAL_HEAD, seq);
		p->out->held = seq;
	}
	p->out->last = seq;
	return next_mark(p);
}

int wh_state_journal_prove(struct wh_state *s, const struct wh_journal_mark *head, struct wh_journal_proof *out,
                           struct wh_error *err)
{
	struct proving p = {.s = s, .head = head && head->seq ? head : NULL, .out = out, .err = err};
	*out = (struct wh_journal_proof){.fault = WH_JOURNAL_FITS};
	wh_sha256(begins, sizeof begins - 1, p.hash);
	wh_sql_patience(s);
	if (has_chain(s) &&
	    sqlite3_prepare_v2(s->db, "SELECT seq, hash FROM chain ORDER BY seq", -1, &p.marks, NULL) != SQLITE_OK)
		return wh_sql_fail(s, "read", err);
	int rc = p.marks ? next_mark(&p) : 0;
	out->first = p.next.seq;
	rc = rc ? rc : wh_state_log_each(s, NULL, prove_one, &p, err);
	if (!rc && p.next.seq)
		rc = wrong(&p, WH_JOURNAL_MISSING, p.next.seq);
	else if (!rc && p.head && p.head->seq > out->last)
		rc = wrong(&p, WH_JOURNAL_CUT, p.head->seq);
	else if (!rc && p.head && !out->held)
		rc = wrong(&p, WH_JOURNAL_HEAD, p.head->seq);
	sqlite3_finalize(p.marks);
	return rc < 0 ? rc : 0;
}
