/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>
#include "ledger/collector.h"

/* Records that wait to be folded need at most so many bytes of a log, in the terms of wh_edge_table_nearly_full(). */
enum { MARGIN = 4096 };

static int out_of_memory(struct wh_error *err)
{
	return wh_fail(err, -ENOMEM, "out of memory");
}

int wh_collector_init(struct wh_collector *c, const struct wh_locals *locals, size_t byte_limit, struct wh_error *err)
{
	*c = (struct wh_collector){.locals = locals, .byte_limit = byte_limit ? byte_limit : 48 << 20};
	c->table = wh_edge_table_new(locals, c->byte_limit);
	return c->table ? 0 : out_of_memory(err);
}

void wh_collector_free(struct wh_collector *c)
{
	wh_edge_table_free(c->table);
	for (size_t i = 0; i < c->n_full; i++)
		wh_edge_table_free(c->full[i]);
	free(c->full);
	memset(c, 0, sizeof *c);
}

static int set_aside(struct wh_collector *c)
{
	int rc = wh_edge_table_carry_out(c->table);
	if (rc)
		return rc;
	if (c->n_full + 1 >= c->room) { /* room for the one being filled, too: see wh_collector_commit() */
		struct wh_edge_table **more = reallocarray(c->full, c->room + 16, sizeof *more);
		if (!more)
			return -ENOMEM;
		c->full = more;
		c->room += 16;
	}
	struct wh_edge_table *fresh = wh_edge_table_new(c->locals, c->byte_limit);
	if (!fresh)
		return -ENOMEM;
	c->full[c->n_full++] = c->table;
	c->table = fresh;
	return 0;
}

int wh_collector_fold(struct wh_collector *c, const struct wh_record *rec)
{
	int rc = wh_edge_table_nearly_full(c->table, MARGIN) ? set_aside(c) : 0;
	return rc ? rc : wh_edge_table_fold_later(c->table, rec);
}

bool wh_collector_due(const struct wh_collector *c, size_t input_bytes)
{
	return c->n_full || wh_edge_table_nearly_full(c->table, input_bytes);
}

int wh_collector_commit(struct wh_collector *c, struct wh_store *s, const struct wh_read_stats *stats,
                        const struct wh_store_progress *p, struct wh_error *err)
{
	const struct wh_read_stats *was = &c->committed;
	const struct wh_edge_table *only = c->table, *const *tables = &only;
	struct wh_read_stats d = {.records = stats->records - was->records,
	                          .flows = stats->flows - was->flows,
	                          .alerts = stats->alerts - was->alerts,
	                          .other = stats->other - was->other,
	                          .malformed = stats->malformed - was->malformed};
	if (c->n_full) {
		c->full[c->n_full] = c->table;
		tables = (const struct wh_edge_table *const *)c->full;
	}
	/* records wait over the pieces of a log: as many in a run that was resumed as in one that was not */
	int rc = wh_edge_table_carry_out(c->table);
	if (rc)
		return wh_fail(err, rc, "the table in memory: %s", strerror(-rc));
	rc = wh_store_commit_tables(s, tables, c->n_full + 1, p, &d, err);
	if (rc)
		return rc;
	c->edges += wh_edge_table_count(c->table);
	for (size_t i = 0; i < c->n_full; i++) {
		c->edges += wh_edge_table_count(c->full[i]);
		wh_edge_table_free(c->full[i]);
	}
	c->n_full = 0;
	c->committed = *stats;
	wh_edge_table_clear(c->table);
	return 0;
}
