/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kinds of stores, and the way from ledger.h's functions to the operations of one of them. */
#include <string.h>
#include <sys/random.h>
#include "base/store_url.h"
#include "ledger/store.h"
#include "whittle/ledger_hold.h"

/* The kind of a URL; NULL: none that is known. */
static const struct wh_store_ops *kind_of(const char *url)
{
	return wh_store_is_file(url)    ? &wh_store_sqlite
	       : wh_store_is_fleet(url) ? &wh_store_clickhouse
	       : !strcmp(url, "memory:") ? &wh_store_memory
	                                 : NULL;
}

static int unknown_kind(const char *url, struct wh_error *err)
{
	return wh_fail_input(
		err, -EINVAL,
		"'%s': a ledger is a file (PATH or sqlite:PATH) or a cluster (clickhouse://USER@HOST:8123/DATABASE?cluster=NAME)",
		url);
}

/* ---- opening ---- */

int wh_store_open(const char *url, struct wh_state *state, struct wh_store **out, struct wh_error *err)
{
	const struct wh_store_ops *kind = kind_of(url);
	*out = NULL;
	return kind ? kind->open(url, state, out, err) : unknown_kind(url, err);
}

int wh_store_again(const struct wh_store *s, struct wh_store **out, struct wh_error *err)
{
	*out = NULL;
	return s->ops->again(s, out, err);
}

void wh_store_close(struct wh_store *s)
{
	if (s)
		s->ops->close(s);
}

void wh_store_patience(struct wh_store *s, int milliseconds)
{
	if (s->ops->patience)
		s->ops->patience(s, milliseconds);
}

void wh_store_checkpoint(struct wh_store *s)
{
	if (s->ops->checkpoint)
		s->ops->checkpoint(s);
}

void wh_store_bound(struct wh_store *s, const struct wh_store_bounds *b)
{
	if (s->ops->bound)
		s->ops->bound(s, b);
}

struct wh_store_dropped wh_store_dropped(const struct wh_store *s)
{
	struct wh_store_dropped out = {0};
	if (s->ops->dropped)
		s->ops->dropped(s, &out);
	return out;
}

int wh_store_full(struct wh_store *s, wh_full_cb each, void *arg, struct wh_error *err)
{
	return s->ops->full ? s->ops->full(s, each, arg, err) : 0;
}

void wh_store_hold(struct wh_store *s, bool on)
{
	if (s->ops->hold)
		s->ops->hold(s, on);
}

int wh_store_sensors(struct wh_store *s, wh_fleet_sensor_cb each, void *arg, struct wh_error *err)
{
	return s->ops->sensors ? s->ops->sensors(s, each, arg, err) : 0;
}

int wh_store_waiting(struct wh_store *s, struct wh_error *why)
{
	return s->ops->waiting ? s->ops->waiting(s, why) : 0;
}

int wh_ledger_state(const char *url, int flags, struct wh_state **out, struct wh_error *err)
{
	*out = NULL;
	if (!wh_store_has_file(url))
		return unknown_kind(url, err);
	int rc = wh_state_open(wh_store_path(url), flags, out, err);
	if (wh_store_is_fleet(url) && (rc == -ENOENT || rc == -ENODATA) && flags == WH_STATE_READ) {
		/* a controller only reads the cluster: it has no ledger of its own yet */
		rc = wh_state_open(wh_store_path(url), WH_STATE_CREATE, out, err);
		wh_state_close(*out);
		rc = rc ? rc : wh_state_open(wh_store_path(url), flags, out, err);
	}
	return rc;
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

/* ---- in ---- */

int wh_store_commit(struct wh_store *s, const struct wh_edge_table *t, const struct wh_store_progress *progress,
                    const struct wh_read_stats *delta, struct wh_error *err)
{
	return wh_store_commit_tables(s, &t, 1, progress, delta, err);
}

int wh_store_commit_tables(struct wh_store *s, const struct wh_edge_table *const tables[], size_t n,
                           const struct wh_store_progress *progress, const struct wh_read_stats *delta, struct wh_error *err)
{
	struct wh_store_batch b = {.tables = tables, .n_tables = n, .counts = delta, .progress = progress};
	if (getrandom(b.id, sizeof b.id, 0) != sizeof b.id)
		return wh_fail(err, -EIO, "the system has no random numbers");
	return s->ops->commit(s, &b, err);
}

int wh_store_progress_of(struct wh_store *s, const char *identity, uint64_t *offset, uint64_t *line, struct wh_error *err)
{
	return s->ops->progress(s, identity, offset, line, err);
}

/* ---- out ---- */

/* The address after `a`, in *after; NULL behind the last. */
static const struct wh_addr *next_address(const struct wh_addr *a, struct wh_addr *after)
{
	*after = *a;
	return wh_addr_next(after) ? after : NULL;
}

int wh_store_edges(struct wh_store *s, const struct wh_addr *local, wh_edge_cb each, void *arg, struct wh_error *err)
{
	struct wh_addr after;
	return wh_store_edges_between(s, local, local ? next_address(local, &after) : NULL, each, arg, err);
}

int wh_store_sensor_edges(struct wh_store *s, const struct wh_addr *local, wh_edge_cb each, void *arg, struct wh_error *err)
{
	struct wh_addr after;
	return s->ops->edges(s, WH_EDGES_REPORTED, local, next_address(local, &after), each, arg, err);
}

int wh_store_sketches(struct wh_store *s, wh_sketch_cb each, void *arg, struct wh_error *err)
{
	return s->ops->sketches(s, each, arg, err);
}

int wh_store_locals(struct wh_store *s, wh_local_cb each, void *arg, struct wh_error *err)
{
	return s->ops->locals(s, each, arg, err);
}

int wh_store_facts(struct wh_store *s, enum wh_fact_kind kind, wh_fact_cb each, void *arg, struct wh_error *err)
{
	return s->ops->facts(s, kind, each, arg, err);
}

int wh_store_days(struct wh_store *s, wh_day_cb each, void *arg, struct wh_error *err)
{
	return s->ops->days(s, each, arg, err);
}

int wh_store_totals(struct wh_store *s, struct wh_store_totals *out, struct wh_error *err)
{
	return s->ops->totals(s, out, err);
}
