/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The operations: writes are committed to the sensor's own ledger, and sent; reads return the fleet's data. See fleet.h. */
#include <stdlib.h>
#include <time.h>
#include "ledger/clickhouse/fleet.h"
#include "ledger/fleet_start.h"
#include "state/sqlite.h"

/* Slow deliveries may take a tenth of the time; the next one sends what they leave out. */
enum { SHARE = 9, LOCK_S = 10 };
static const int64_t short_us = 2000000;

static bool apart; /* an agent sends what this process commits */

void wh_fleet_apart(void)
{
	apart = true;
}

/* ---- opening ---- */

static void keep_none(struct fleet_store *f)
{
	f->keeps = false;
	for (size_t i = 0; i < FLEET_HOSTS; i++)
		fleet_answer_free(&f->answers[i]);
}

static void close_store(struct wh_store *s)
{
	struct fleet_store *f = fleet_of(s);
	struct wh_error ignored;
	keep_none(f);
	if (f->marks && f->has_waiting && !apart)
		fleet_deliver(f, &ignored);
	fleet_book_close(f->book);
	wh_sent_close(f->marks);
	wh_store_close(f->own);
	free(f);
}

static int some_wait(void *arg, unsigned kind, const uint8_t *part, size_t len, int64_t stamp)
{
	(void)kind, (void)part, (void)len, (void)stamp;
	*(bool *)arg = true;
	return 1;
}

static int some_day(void *arg, int32_t day, uint64_t flows)
{
	(void)day, (void)flows;
	*(bool *)arg = true;
	return 1;
}

/* Whether something may have to be sent: marked, or all of a ledger that has not joined a fleet yet. A controller's has nothing,
 * and never does. */
static int look_what_waits(struct fleet_store *f, struct wh_error *err)
{
	char *self = NULL;
	int rc = wh_sent_marks(f->marks, some_wait, &f->has_waiting, err);
	rc = rc < 0 ? rc : wh_state_get(f->state, "fleet", "self", &self, err);
	if (!rc && !self)
		rc = wh_store_days(f->own, some_day, &f->has_waiting, err);
	free(self);
	return rc < 0 ? rc : 0;
}

static int open_store(const char *url, struct wh_state *state, struct wh_store **out, struct wh_error *err)
{
	struct fleet_store *f = calloc(1, sizeof *f);
	if (!f)
		return wh_fail(err, -ENOMEM, "out of memory");
	f->base.ops = &wh_store_clickhouse;
	f->state = state;
	f->book = fleet_book_new(state->file);
	int rc = f->book ? fleet_url_parse(url, &f->client.url, err) : wh_fail(err, -ENOMEM, "out of memory");
	rc = rc ? rc : wh_store_sqlite.open(url, state, &f->own, err);
	if (!rc && state->write && !state->hasty) {
		rc = wh_sent_open(state, &f->marks, err);
		rc = rc ? rc : look_what_waits(f, err);
	}
	if (rc) {
		f->has_waiting = false;
		close_store(&f->base);
		return rc;
	}
	*out = &f->base;
	return 0;
}

static int again(const struct wh_store *store, struct wh_store **out, struct wh_error *err)
{
	const struct fleet_store *of = (const struct fleet_store *)store;
	struct fleet_store *f = calloc(1, sizeof *f);
	if (!f)
		return wh_fail(err, -ENOMEM, "out of memory");
	f->base.ops = &wh_store_clickhouse;
	fleet_client_again(&of->client, &f->client);
	int rc = wh_store_again(of->own, &f->own, err);
	if (rc) {
		free(f);
		return rc;
	}
	f->book = fleet_book_again(of->book);
	*out = &f->base;
	return 0;
}

/* ---- in ---- */

/* Failed rows keep waiting. */
static void deliver(struct fleet_store *f)
{
	int64_t rest = f->took_us > short_us ? SHARE * f->took_us : 0;
	if (apart || (f->sent_us && wh_monotonic_us() - f->sent_us < rest))
		return;
	struct wh_error ignored; /* wh_store_waiting() tries again */
	fleet_deliver(f, &ignored);
}

static int end_commit(struct fleet_store *f, int rc, struct wh_error *err)
{
	int end = wh_state_end(f->state, !rc, rc ? NULL : err);
	if (rc || end)
		return rc ? rc : end;
	for (int kind = 0; kind < FLEET_KINDS; kind++)
		f->walked[kind].any = false;
	deliver(f);
	return 0;
}

static int commit(struct wh_store *s, const struct wh_store_batch *b, struct wh_error *err)
{
	struct fleet_store *f = fleet_of(s);
	struct wh_store_dropped dropped;
	int rc = wh_state_begin(f->state, err);
	if (rc)
		return rc;
	rc = f->own->ops->commit(f->own, b, err);
	dropped = wh_store_dropped(f->own);
	if (!rc && dropped.aged != f->aged) /* of any address */
		rc = fleet_mark_all(f, FLEET_EDGE, err);
	f->aged = dropped.aged;
	return end_commit(f, rc ? rc : fleet_mark_tables(f, b, err), err);
}

static int put_open(struct wh_store *s, const struct wh_edge_table *t, int32_t today, struct wh_error *err)
{
	struct fleet_store *f = fleet_of(s);
	int rc = wh_state_begin(f->state, err);
	if (rc)
		return rc;
	rc = f->own->ops->put_open(f->own, t, today, err);
	return end_commit(f, rc ? rc : fleet_mark_all(f, FLEET_OPEN, err), err);
}

/* ---- data of this sensor only ---- */

static int progress(struct wh_store *s, const char *identity, uint64_t *offset, uint64_t *line, struct wh_error *err)
{
	return wh_store_progress_of(fleet_of(s)->own, identity, offset, line, err);
}

static int content_key(struct wh_store *s, uint8_t key[WH_LINE_KEY_BYTES], int64_t *generation, struct wh_error *err)
{
	struct wh_store *own = fleet_of(s)->own;
	return own->ops->content_key(own, key, generation, err);
}

static int contents(struct wh_store *s, wh_content_cb each, void *arg, struct wh_error *err)
{
	struct wh_store *own = fleet_of(s)->own;
	return own->ops->contents(own, each, arg, err);
}

static int content(struct wh_store *s, int64_t id, struct wh_content_row *row, struct wh_error *err)
{
	struct wh_store *own = fleet_of(s)->own;
	return own->ops->content(own, id, row, err);
}

static int conversations(struct wh_store *s, int32_t day, wh_conversation_cb each, void *arg, struct wh_error *err)
{
	struct wh_store *own = fleet_of(s)->own;
	return own->ops->conversations(own, day, each, arg, err);
}

static int realms(struct wh_store *s, wh_realm_cb each, void *arg, struct wh_error *err)
{
	struct wh_store *own = fleet_of(s)->own;
	return own->ops->realms(own, each, arg, err);
}

static int open_flows(struct wh_store *s, wh_page_cb each, void *arg, int64_t *generation, struct wh_error *err)
{
	struct wh_store *own = fleet_of(s)->own;
	return own->ops->open_flows(own, each, arg, generation, err);
}

static void patience(struct wh_store *s, int milliseconds)
{
	wh_store_patience(fleet_of(s)->own, milliseconds);
}

static void hold(struct wh_store *s, bool on)
{
	fleet_book_hold(fleet_of(s)->book, on);
	if (!on)
		keep_none(fleet_of(s));
}

static void checkpoint(struct wh_store *s)
{
	wh_store_checkpoint(fleet_of(s)->own);
}

static void bound(struct wh_store *s, const struct wh_store_bounds *b)
{
	wh_store_bound(fleet_of(s)->own, b);
}

static void dropped_of(const struct wh_store *s, struct wh_store_dropped *out)
{
	*out = wh_store_dropped(((const struct fleet_store *)s)->own);
}

/* The rows that could not be sent, and why. Another process that is sending is waited for: it does not know of all. */
static int waiting(struct wh_store *s, struct wh_error *why)
{
	struct fleet_store *f = fleet_of(s);
	const int64_t until = wh_monotonic_us() + LOCK_S * INT64_C(1000000);
	const struct timespec pause = {.tv_nsec = 50000000};
	int rc = 0;
	while (f->marks && f->has_waiting && (rc = fleet_deliver(f, why)) == -EBUSY && wh_monotonic_us() < until)
		nanosleep(&pause, NULL);
	return rc;
}

const struct wh_store_ops wh_store_clickhouse = {
	.open = open_store,
	.again = again,
	.close = close_store,
	.commit = commit,
	.put_open = put_open,
	.progress = progress,
	.edges = fleet_edges,
	.sketches = fleet_sketches,
	.locals = fleet_locals,
	.days = fleet_days,
	.totals = fleet_totals,
	.content_key = content_key,
	.contents = contents,
	.content = content,
	.conversations = conversations,
	.realms = realms,
	.facts = fleet_facts,
	.open_flows = open_flows,
	.patience = patience,
	.hold = hold,
	.checkpoint = checkpoint,
	.bound = bound,
	.dropped = dropped_of,
	.full = fleet_full,
	.sensors = fleet_sensors,
	.waiting = waiting,
};
