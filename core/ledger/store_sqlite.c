/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Edges, and what belongs to them, in the ledger's SQLite file (state/sqlite.h).
 *
 * Edges are rows (key, value) of a WITHOUT ROWID table, so that a scan in key order is a walk along the B-tree's leaves, and are
 * added by one prepared upsert whose conflict clause merges in C (function wh_merge). An edge is decoded with every check: a
 * damaged or hostile file gives an error, never a crash.
 */
#include "base/store_url.h"
#include "ledger/store_sqlite.h"

enum { PORT_EDGES = 1 << 18, EDGE_DAYS = 180, EDGE_DAYS_MIN = 64 };

const char *const wh_sql[ST_N] = {
	[ST_EDGE] = "INSERT INTO edge VALUES(?1, ?2) ON CONFLICT(key) DO UPDATE SET value = wh_merge(value, excluded.value)",
	[ST_EDGE_MORE] = "UPDATE edge SET value = wh_merge(value, ?2) WHERE key = ?1",
	[ST_EDGE_DROP] = "DELETE FROM edge WHERE key = ?1",
	[ST_PORT_SIZE] = "SELECT count(*) FROM edge WHERE key >= ?1 AND key < ?2",
	[ST_OLD_DAY] = "SELECT day FROM day ORDER BY day DESC LIMIT 1 OFFSET ?1",
	[ST_COUNTER_OF] = "SELECT value FROM counter WHERE name = ?1",
	[ST_SKETCH] = "INSERT INTO sketch VALUES(?1, ?2) ON CONFLICT(key) DO UPDATE SET value = wh_merge_sketch(value, excluded.value)",
	[ST_SOURCE] = "INSERT INTO source VALUES(?1, ?2, ?3, ?4, ?5) ON CONFLICT(identity) DO UPDATE SET path = ?2, offset = ?3, line = ?4, time = ?5",
	[ST_SOURCE_BOUND] = "DELETE FROM source WHERE identity LIKE 'c:%' AND time < (SELECT time FROM source WHERE identity LIKE 'c:%' ORDER BY time DESC LIMIT 1 OFFSET 4095)",
	[ST_SOURCE_FORGET] = "DELETE FROM source WHERE identity = ?1",
	[ST_DAY] = "INSERT INTO day VALUES(?1, ?2) ON CONFLICT(day) DO UPDATE SET flows = flows + ?2",
	[ST_COUNTER] = "INSERT INTO counter VALUES(?1, ?2) ON CONFLICT(name) DO UPDATE SET value = value + ?2",
	[ST_PROGRESS] = "SELECT offset, line FROM source WHERE identity = ?1",
	[ST_SCAN] = "SELECT 1 FROM edge WHERE key >= ?1 AND wh_scan(key, value) ORDER BY key",
	[ST_SKETCHES] = "SELECT key, value FROM sketch ORDER BY key",
	[ST_NEXT_LOCAL] = "SELECT key FROM edge WHERE key > ?1 ORDER BY key LIMIT 1",
	[ST_DAYS] = "SELECT day, flows FROM day ORDER BY day",
	[ST_COUNTERS] = "SELECT name, value FROM counter ORDER BY name",
	[ST_COUNT_EDGES] = "SELECT count(*) FROM edge WHERE key > x''", /* without a condition SQLite counts pages, and can't be interrupted */
	[ST_CONTENT_KEY] = "SELECT lines, marks FROM content WHERE id = 0",
	[ST_CONTENT_NEW_KEY] = "INSERT OR IGNORE INTO content VALUES(0, 0, 0, NULL, ?1, x'', x'')",
	[ST_CONTENT_GENERATION] = "UPDATE content SET lines = ?1 WHERE id = 0",
	[ST_CONTENTS] = "SELECT id, lines, marks, tail FROM content WHERE id > 0 ORDER BY id",
	[ST_CONTENT] = "SELECT id, lines, marks, tail, checks FROM content WHERE id = ?1 AND id > 0",
	[ST_CONTENT_PUT] = "INSERT OR REPLACE INTO content VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
	[ST_CONTENT_SIZE] = "SELECT count(*), ifnull(sum(lines), 0) FROM content WHERE id > 0",
	[ST_CONVERSATIONS] = "SELECT rows FROM conversation WHERE day = ?1 ORDER BY part",
	[ST_CONVERSATION_PUT] = "INSERT INTO conversation VALUES(?1, (SELECT ifnull(max(part), 0) + 1 FROM conversation WHERE day = ?1), ?2)",
	[ST_CONVERSATION_AGE] = "DELETE FROM conversation WHERE day <= (SELECT max(day) FROM conversation) - ?1",
	[ST_CONVERSATION_SIZE] = "SELECT ifnull(sum(length(rows)), 0), count(DISTINCT day) FROM conversation",
	[ST_CONVERSATION_FORGET] = "DELETE FROM conversation WHERE day = (SELECT min(day) FROM conversation)",
	[ST_OPEN] = "INSERT INTO open_edge VALUES(?1, ?2, ?3) ON CONFLICT(key) DO UPDATE SET value = wh_merge_open(value, excluded.value), day = ?3",
	[ST_OPEN_MORE] = "UPDATE open_edge SET value = wh_merge_open(value, ?2), day = ?3 WHERE key = ?1",
	[ST_OPEN_DROP] = "DELETE FROM open_edge WHERE key = ?1",
	[ST_OPEN_SCAN] = "SELECT 1 FROM open_edge WHERE key >= ?1 AND wh_scan(key, value) ORDER BY key",
	[ST_OPEN_AGE] = "DELETE FROM open_edge WHERE day < ?1",
	[ST_OPEN_FUTURE] = "DELETE FROM open_edge WHERE day > ?1",
	[ST_OPEN_COUNT] = "SELECT count(*) FROM open_edge WHERE key > x''",
	[ST_OPEN_FORGET] = "DELETE FROM open_edge WHERE key IN (SELECT key FROM open_edge ORDER BY day LIMIT ?1)",
	[ST_OPEN_ANY] = "SELECT 1 FROM open_edge LIMIT 1",
	[ST_OPEN_ONLY] = "SELECT count(*) FROM open_edge o WHERE NOT EXISTS (SELECT 1 FROM edge e WHERE e.key = o.key)",
	[ST_CONTENT_FORGET] = "DELETE FROM content WHERE id IN (SELECT id FROM content WHERE id > 0 ORDER BY time LIMIT ?1)",
};

static int unknown_kind(const char *url, struct wh_error *err)
{
	return wh_fail_input(err, -EINVAL, "'%s': this build knows only ledgers in a file (PATH or sqlite:PATH)", url);
}

sqlite3_stmt *wh_sql_use(struct wh_store *s, enum statement which, const char *doing, struct wh_error *err)
{
	return wh_sql_prepared(s->state, &s->st[which], wh_sql[which], doing, err);
}

/* ---- opening ---- */

int wh_store_open(const char *url, struct wh_state *state, struct wh_store **out, struct wh_error *err)
{
	struct wh_store *s = calloc(1, sizeof *s);
	*out = NULL;
	if (!s)
		return wh_fail(err, -ENOMEM, "out of memory");
	if (!wh_store_is_file(url)) {
		free(s);
		return unknown_kind(url, err);
	}
	s->state = state;
	wh_store_bound(s, &(struct wh_store_bounds){0});
	wh_sql_define_merge(s);
	wh_sql_define_scan(s);
	s->has_open = wh_sql_has_open(s);
	*out = s;
	return 0;
}

void wh_store_bound(struct wh_store *s, const struct wh_store_bounds *b)
{
	s->bounds.port_edges = b->port_edges ? b->port_edges : PORT_EDGES;
	s->bounds.edge_days = b->edge_days > EDGE_DAYS_MIN ? b->edge_days : b->edge_days ? EDGE_DAYS_MIN : EDGE_DAYS;
}

void wh_store_dropped(const struct wh_store *s, uint64_t *crowded, uint64_t *aged)
{
	*crowded = s->crowded;
	*aged = s->aged;
}

int wh_store_again(const struct wh_store *s, struct wh_store **out, struct wh_error *err)
{
	struct wh_state *state;
	*out = NULL;
	int rc = wh_state_again(s->state, &state, err);
	if (rc)
		return rc;
	if ((rc = wh_store_open(state->path, state, out, err)))
		wh_state_close(state);
	else
		(*out)->own_state = true;
	return rc;
}

void wh_store_close(struct wh_store *s)
{
	if (!s)
		return;
	for (int i = 0; i < ST_N; i++)
		sqlite3_finalize(s->st[i]);
	if (s->own_state)
		wh_state_close(s->state);
	free(s);
}

void wh_store_patience(struct wh_store *s, int milliseconds)
{
	wh_state_patience(s->state, milliseconds);
}

void wh_store_settle(struct wh_store *s)
{
	wh_state_settle(s->state);
}

/* ---- both ---- */

int wh_ledger_state(const char *url, int flags, struct wh_state **out, struct wh_error *err)
{
	*out = NULL;
	return wh_store_is_file(url) ? wh_state_open(wh_store_path(url), flags, out, err) : unknown_kind(url, err);
}

int wh_ledger_open(const char *url, int flags, struct wh_ledger *out, struct wh_error *err)
{
	*out = (struct wh_ledger){NULL, NULL};
	int rc = wh_ledger_state(url, flags, &out->state, err);
	rc = rc ? rc : wh_store_open(url, out->state, &out->store, err);
	if (rc)
		wh_ledger_close(out);
	return rc;
}

void wh_ledger_close(struct wh_ledger *l)
{
	wh_store_close(l->store);
	wh_state_close(l->state);
	*l = (struct wh_ledger){NULL, NULL};
}
