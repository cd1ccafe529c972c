/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Edges, and their related data, in the ledger's SQLite file (state/sqlite.h).
 *
 * Edges are in blocks, and each commit's edges a run of them (runs.h). Rows are decoded with every check: a damaged or hostile
 * file gives an error, never a crash.
 */
#include "ledger/sqlite/sqlite_store.h"

#define BYTES (UINT64_C(8) << 30)
enum { PORT_EDGES = 1 << 18, EDGE_DAYS = 180, EDGE_DAYS_MIN = 64 };

const char *const wh_sql[ST_N] = {
	[ST_BLOCK_FIRST] = "SELECT id FROM edge_block WHERE id >= ?1 ORDER BY id LIMIT 1",
	[ST_BLOCK_LAST] = "SELECT id FROM edge_block WHERE id < ?1 ORDER BY id DESC LIMIT 1",
	[ST_BLOCK_AT] = "SELECT id, bytes FROM edge_block WHERE id >= ?1 AND id < ?2 ORDER BY id LIMIT 1",
	[ST_BLOCK_WALK] = "SELECT id, bytes FROM edge_block WHERE id >= ?1 AND id < ?2 ORDER BY id",
	[ST_BLOCK_PUT] = "INSERT INTO edge_block VALUES(?1, ?2)",
	[ST_BLOCK_SET] = "UPDATE edge_block SET bytes = ?2 WHERE id = ?1",
	[ST_BLOCK_DROP] = "DELETE FROM edge_block WHERE id = ?1",
	[ST_BLOCKS_DROP] = "DELETE FROM edge_block WHERE id >= ?1 AND id < ?2",
	[ST_ROWS_ANY] = "SELECT count(*) FROM (SELECT 1 FROM edge LIMIT 1)",
	[ST_ROW_WALK] = "SELECT key, value FROM edge WHERE key >= ?1 ORDER BY key",
	[ST_ROWS_DROP] = "DELETE FROM edge WHERE key <= ?1",
	[ST_OLD_DAY] = "SELECT day FROM day ORDER BY day DESC LIMIT 1 OFFSET ?1",
	[ST_COUNTER_OF] = "SELECT value FROM counter WHERE name = ?1",
	[ST_SKETCH] =
		"INSERT INTO sketch VALUES(?1, ?2) ON CONFLICT(key) DO UPDATE SET value = wh_merge_sketch(value, excluded.value)",
	[ST_SKETCH_MORE] = "UPDATE sketch SET value = wh_merge_sketch(value, ?2) WHERE key = ?1",
	[ST_SKETCH_DROP] = "DELETE FROM sketch WHERE key = ?1",
	[ST_SKETCH_SET] = "UPDATE sketch SET value = ?2 WHERE key = ?1",
	[ST_PAGES] = "PRAGMA page_count",
	[ST_FREE_PAGES] = "PRAGMA freelist_count",
	[ST_PAGE_SIZE] = "PRAGMA page_size",
	[ST_FULL_NOTES] = "SELECT count(*) FROM document WHERE collection = 'full'",
	[ST_SOURCE] =
		"INSERT INTO source VALUES(?1, ?2, ?3, ?4, ?5) ON CONFLICT(identity) DO UPDATE SET path = ?2, offset = ?3, line = ?4, time = ?5",
	[ST_SOURCE_BOUND] =
		"DELETE FROM source WHERE identity LIKE 'c:%' AND time < (SELECT time FROM source WHERE identity LIKE 'c:%' ORDER BY time DESC LIMIT 1 OFFSET 4095)",
	[ST_SOURCE_FORGET] = "DELETE FROM source WHERE identity = ?1",
	[ST_DAY] = "INSERT INTO day VALUES(?1, ?2) ON CONFLICT(day) DO UPDATE SET flows = flows + ?2",
	[ST_COUNTER] = "INSERT INTO counter VALUES(?1, ?2) ON CONFLICT(name) DO UPDATE SET value = value + ?2",
	[ST_PROGRESS] = "SELECT offset, line FROM source WHERE identity = ?1",
	[ST_SKETCHES] = "SELECT key, value FROM sketch ORDER BY key",
	[ST_DAYS] = "SELECT day, flows FROM day ORDER BY day",
	[ST_COUNTERS] = "SELECT name, value FROM counter ORDER BY name",
	[ST_CONTENT_KEY] = "SELECT lines, marks FROM content WHERE id = 0",
	[ST_CONTENT_NEW_KEY] = "INSERT OR IGNORE INTO content VALUES(0, 0, 0, NULL, ?1, x'', x'')",
	[ST_CONTENT_GENERATION] = "UPDATE content SET lines = ?1 WHERE id = 0",
	[ST_CONTENTS] = "SELECT id, lines, marks, tail FROM content WHERE id > 0 ORDER BY id",
	[ST_CONTENT] = "SELECT id, lines, marks, tail, checks FROM content WHERE id = ?1 AND id > 0",
	[ST_CONTENT_PUT] = "INSERT OR REPLACE INTO content VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
	[ST_CONTENT_SIZE] = "SELECT count(*), ifnull(sum(lines), 0) FROM content WHERE id > 0",
	[ST_CONVERSATIONS] = "SELECT rows FROM conversation WHERE day = ?1 ORDER BY part",
	[ST_CONVERSATION_PUT] =
		"INSERT INTO conversation VALUES(?1, (SELECT ifnull(max(part), 0) + 1 FROM conversation WHERE day = ?1), ?2)",
	[ST_CONVERSATION_AGE] = "DELETE FROM conversation WHERE day <= (SELECT max(day) FROM conversation) - ?1",
	[ST_CONVERSATION_SIZE] = "SELECT ifnull(sum(length(rows)), 0), count(DISTINCT day) FROM conversation",
	[ST_CONVERSATION_FORGET] = "DELETE FROM conversation WHERE day = (SELECT min(day) FROM conversation)",
	[ST_CONVERSATION_BEFORE] = "DELETE FROM conversation WHERE day < ?1",
	[ST_OPEN] =
		"INSERT INTO open_edge VALUES(?1, ?2, ?3) ON CONFLICT(key) DO UPDATE SET value = wh_merge_open(value, excluded.value), day = ?3",
	[ST_OPEN_MORE] = "UPDATE open_edge SET value = wh_merge_open(value, ?2), day = ?3 WHERE key = ?1",
	[ST_OPEN_DROP] = "DELETE FROM open_edge WHERE key = ?1",
	[ST_OPEN_SCAN] = "SELECT 1 FROM open_edge WHERE key >= ?1 AND wh_scan(key, value) ORDER BY key",
	[ST_OPEN_AGE] = "DELETE FROM open_edge WHERE day < ?1",
	[ST_OPEN_FUTURE] = "DELETE FROM open_edge WHERE day > ?1",
	[ST_OPEN_COUNT] = "SELECT count(*) FROM open_edge WHERE key > x''",
	[ST_OPEN_FORGET] = "DELETE FROM open_edge WHERE key IN (SELECT key FROM open_edge ORDER BY day LIMIT ?1)",
	[ST_OPEN_ANY] = "SELECT 1 FROM open_edge LIMIT 1",
	[ST_OPEN_FLOWS] = "SELECT page, rows FROM open_flow WHERE page >= 0 ORDER BY page",
	[ST_OPEN_FLOW_PUT] = "INSERT OR REPLACE INTO open_flow VALUES(?1, ?2)",
	[ST_OPEN_FLOW_DROP] = "DELETE FROM open_flow WHERE page = ?1",
	[ST_OPEN_FLOWS_DROP] = "DELETE FROM open_flow WHERE page >= 0",
	[ST_OPEN_FLOW_GENERATION] = "SELECT rows FROM open_flow WHERE page = -1",
	[ST_FACT] = "INSERT INTO fact VALUES(?1, ?2)",
	[ST_FACT_MORE] = "UPDATE fact SET value = wh_merge_fact(key, value, ?2) WHERE key = ?1",
	[ST_FACT_SIZE] = "SELECT count(*) FROM fact WHERE key >= ?1 AND key < ?2",
	[ST_FACT_FORGET] = "DELETE FROM fact WHERE key >= ?1 AND key < ?2",
	[ST_FACT_DROP] = "DELETE FROM fact WHERE key = ?1",
	[ST_FACTS] = "SELECT key, value FROM fact WHERE key >= ?1 AND key < ?2 ORDER BY key",
	[ST_TALLY_PUT] = "INSERT INTO image(name, part, bytes) VALUES(?1, 0, ?2)",
	[ST_TALLY_DROP] = "DELETE FROM image WHERE name = ?1",
	[ST_CONTENT_FORGET] = "DELETE FROM content WHERE id IN (SELECT id FROM content WHERE id > 0 ORDER BY time LIMIT ?1)",
};

sqlite3_stmt *wh_sql_use(struct sqlite_store *s, enum statement which, const char *doing, struct wh_error *err)
{
	return wh_sql_prepared(s->state, &s->st[which], wh_sql[which], doing, err);
}

int wh_sql_one_number(struct sqlite_store *s, sqlite3_stmt *st, int64_t none, int64_t *out, struct wh_error *err)
{
	int step = sqlite3_step(st), rc = step == SQLITE_ROW || step == SQLITE_DONE ? 0 : wh_sql_fail(s->state, "read", err);
	*out = none;
	if (step == SQLITE_ROW && !wh_sql_number(st, 0, out))
		rc = wh_sql_damaged(s->state, err);
	sqlite3_reset(st);
	return rc;
}

static void bound(struct wh_store *store, const struct wh_store_bounds *b)
{
	struct sqlite_store *s = wh_sqlite_of(store);
	s->bounds.port_edges = b->port_edges ? b->port_edges : PORT_EDGES;
	s->bounds.bytes = b->bytes ? b->bytes : BYTES;
	s->bounds.edge_days = b->edge_days > EDGE_DAYS_MIN ? b->edge_days : b->edge_days ? EDGE_DAYS_MIN : EDGE_DAYS;
	wh_sql_full_limit(s);
}

static int open_store(const char *url, struct wh_state *state, struct wh_store **out, struct wh_error *err)
{
	struct sqlite_store *s = calloc(1, sizeof *s);
	(void)url; /* the state has its file open */
	if (!s)
		return wh_fail(err, -ENOMEM, "out of memory");
	s->base.ops = &wh_store_sqlite;
	s->state = state;
	bound(&s->base, &(struct wh_store_bounds){0});
	wh_sql_define_merge(s);
	wh_sql_define_scan(s);
	wh_sql_define_facts(s);
	s->has_open = wh_sql_has_open(s);
	*out = &s->base;
	return 0;
}

static void dropped(const struct wh_store *store, struct wh_store_dropped *out)
{
	const struct sqlite_store *s = (const struct sqlite_store *)store;
	*out = (struct wh_store_dropped){s->crowded, s->aged, s->full.edges, s->full.sketches};
}

static int again(const struct wh_store *s, struct wh_store **out, struct wh_error *err)
{
	struct wh_state *state;
	int rc = wh_state_again(((const struct sqlite_store *)s)->state, &state, err);
	if (rc)
		return rc;
	if ((rc = open_store(NULL, state, out, err)))
		wh_state_close(state);
	else
		wh_sqlite_of(*out)->own_state = true;
	return rc;
}

static void close_store(struct wh_store *store)
{
	struct sqlite_store *s = wh_sqlite_of(store);
	for (int i = 0; i < ST_N; i++)
		sqlite3_finalize(s->st[i]);
	for (size_t i = 0; i < s->walks.n_blocks; i++)
		sqlite3_finalize(s->walks.blocks[i]);
	for (size_t i = 0; i < s->walks.n_rows; i++)
		sqlite3_finalize(s->walks.rows[i]);
	if (s->own_state)
		wh_state_close(s->state);
	free(s);
}

static void patience(struct wh_store *s, int milliseconds)
{
	wh_state_patience(wh_sqlite_of(s)->state, milliseconds);
}

static void checkpoint(struct wh_store *s)
{
	wh_state_checkpoint(wh_sqlite_of(s)->state);
}

const struct wh_store_ops wh_store_sqlite = {
	.open = open_store,
	.again = again,
	.close = close_store,
	.commit = wh_sqlite_commit,
	.put_open = wh_sqlite_put_open,
	.progress = wh_sqlite_progress,
	.edges = wh_sqlite_edges,
	.sketches = wh_sqlite_sketches,
	.locals = wh_sqlite_locals,
	.days = wh_sqlite_days,
	.totals = wh_sqlite_totals,
	.content_key = wh_sqlite_content_key,
	.contents = wh_sqlite_contents,
	.content = wh_sqlite_content,
	.conversations = wh_sqlite_conversations,
	.realms = wh_sqlite_realms,
	.facts = wh_sqlite_facts,
	.open_flows = wh_sqlite_open_flows,
	.patience = patience,
	.checkpoint = checkpoint,
	.bound = bound,
	.dropped = dropped,
	.full = wh_sqlite_full,
	.forget = wh_sqlite_forget,
};
