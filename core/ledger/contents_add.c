/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which lines were counted before: new ones go into the ledger. See contents.h. */
#include <stdlib.h>
#include <string.h>
#include "base/array.h"
#include "ledger/contents_inside.h"
#include "whittle/ingest_turns.h"

/* A content of so many lines is not extended, and none has more than twice as many: its checks, 64 KiB, need no memory of their
 * own from the system while they are written. */
enum { MARK_EVERY = 64 << 10, MOST_LINES = 16 << 10, GUESSED_LINE = 512 };

static int out_of_memory(struct wh_error *err)
{
	return wh_fail(err, -ENOMEM, "out of memory");
}

void wh_contents_free_added(struct added *a)
{
	free(a->row.marks);
	free(a->row.tail);
	free(a->row.checks);
}

/* ---- adding ---- */

static bool add_line(struct added *a, const struct wh_line *line)
{
	struct wh_content_row *r = &a->row;
	if (__builtin_expect(r->lines == a->room, 0) && !wh_array_grow(&r->checks, r->lines, &a->room, sizeof *r->checks))
		return false;
	if (!r->n_marks || a->since >= MARK_EVERY) {
		if (!wh_array_grow(&r->marks, r->n_marks, &a->marks_room, sizeof *r->marks))
			return false;
		r->marks[r->n_marks++] = (struct wh_content_mark){line->hash, r->lines};
		r->n_tail = 0;
		a->since = 0;
	}
	if (__builtin_expect(r->n_tail == a->tail_room, 0) && !wh_array_grow(&r->tail, r->n_tail, &a->tail_room, sizeof *r->tail))
		return false;
	if (r->lines == a->written)
		a->first = line->hash;
	r->tail[r->n_tail++] = line->hash;
	r->checks[r->lines++] = wh_line_check(line->hash);
	a->since += line->end - line->begin;
	return true;
}

/* Extends the content at whose end the known lines ended, unless it is long already. */
static int prolong(struct wh_contents *c, struct added *a, struct wh_error *err)
{
	const struct content *k = &c->all[c->ended];
	struct wh_content_row row;
	if (k->lines >= MOST_LINES || k->seen != k->lines)
		return 0;
	int rc = c->store->ops->content(c->store, k->id, &row, err);
	if (rc == -ENOENT)
		return 0;
	if (rc)
		return rc;
	if (row.lines != k->lines) { /* another process was faster */
		struct added none = {.row = row};
		wh_contents_free_added(&none);
		return 0;
	}
	*a = (struct added){.row = row,
	                    .room = row.lines,
	                    .marks_room = row.n_marks,
	                    .tail_room = row.n_tail,
	                    .written = row.lines,
	                    .marks_written = (uint32_t)row.n_marks,
	                    .since = row.n_tail * GUESSED_LINE};
	return 0;
}

/* Then it is likely to become as long as that one. */
static bool follows_a_full_one(const struct wh_contents *c)
{
	return c->n_added && c->added[c->n_added - 1].row.lines >= 2 * MOST_LINES;
}

static int begin_one(struct wh_contents *c, struct wh_error *err)
{
	if (!wh_array_grow(&c->added, c->n_added, &c->added_room, sizeof *c->added))
		return out_of_memory(err);
	struct added *a = &c->added[c->n_added];
	memset(a, 0, sizeof *a);
	int rc = c->ended != NOWHERE ? prolong(c, a, err) : 0;
	if (rc)
		return rc;
	if (c->ended != NOWHERE && !a->written) {
		a->behind = c->all[c->ended].id;
		a->end = c->all[c->ended].lines;
	}
	if (!a->row.checks && follows_a_full_one(c) && !(a->row.checks = malloc(2 * MOST_LINES * sizeof *a->row.checks)))
		return out_of_memory(err);
	if (!a->room && a->row.checks)
		a->room = 2 * MOST_LINES;
	c->ended = NOWHERE;
	c->n_added++;
	c->open = true;
	return 0;
}

static bool keep_ahead(struct wh_contents *c, const struct wh_line *lines, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!lines[i].hash)
			continue;
		if (!wh_array_grow(&c->ahead, c->n_ahead, &c->ahead_room, sizeof *c->ahead))
			return false;
		c->ahead[c->n_ahead++] = lines[i].hash;
	}
	return true;
}

int wh_contents_add(struct wh_contents *c, const struct wh_line *lines, size_t n, struct wh_error *err)
{
	if (wh_store_reads_ahead(c->store) && !keep_ahead(c, lines, n))
		return out_of_memory(err);
	for (size_t i = 0; i < n; i++) {
		/* a line that was left out: the lines after it are found again by themselves */
		if (!lines[i].hash && lines[i].end - lines[i].begin > 2) {
			c->open = false;
			c->ended = NOWHERE;
		}
		if (!lines[i].hash)
			continue;
		if (c->open && c->added[c->n_added - 1].row.lines >= 2 * MOST_LINES)
			c->open = false;
		int rc = c->open ? 0 : begin_one(c, err);
		if (rc)
			return rc;
		if (!add_line(&c->added[c->n_added - 1], &lines[i]))
			return out_of_memory(err);
	}
	return 0;
}

/* ---- writing ---- */

static int by_number(const void *x, const void *y)
{
	uint64_t a = *(const uint64_t *)x, b = *(const uint64_t *)y;
	return (a > b) - (a < b);
}

/* Hashes of lines that the ledger has not got from us: the marks, and the first line of each content, with which another reading
 * begins that met the content's end as it was. */
struct pending {
	struct wh_contents *c;
	uint64_t *hashes;
	size_t n, at; /* hashes; where in `all` the next row should be */
	bool met;
};

static int gather(struct pending *p)
{
	size_t room = 1;
	for (size_t i = 0; i < p->c->n_added; i++)
		room += 1 + p->c->added[i].row.n_marks + p->c->added[i].row.n_tail;
	if (!(p->hashes = malloc(room * sizeof *p->hashes)))
		return -ENOMEM;
	for (size_t i = 0; i < p->c->n_added; i++) {
		const struct added *a = &p->c->added[i];
		if (a->row.lines > a->written)
			p->hashes[p->n++] = a->first;
		for (size_t m = a->marks_written; m < a->row.n_marks; m++)
			p->hashes[p->n++] = a->row.marks[m].hash;
		for (size_t t = 0; t < a->row.n_tail; t++)
			if (a->row.lines - a->row.n_tail + t >= a->written)
				p->hashes[p->n++] = a->row.tail[t];
	}
	qsort(p->hashes, p->n, sizeof *p->hashes, by_number);
	return 0;
}

static bool has(const struct pending *p, uint64_t hash)
{
	return p->n && bsearch(&hash, p->hashes, p->n, sizeof hash, by_number);
}

static int compare(void *arg, const struct wh_content_row *row)
{
	struct pending *p = arg;
	struct wh_contents *c = p->c;
	size_t i = p->at < c->n && c->all[p->at].id == row->id ? p->at : 0; /* both are in order, except for later additions */
	while (i < c->n && c->all[i].id != row->id)
		i++;
	p->at = i + 1;
	size_t known = i;
	if (i < c->n && c->all[i].seen == row->lines)
		return 0;
	for (i = 0; i < row->n_marks && !p->met; i++)
		p->met = has(p, row->marks[i].hash);
	for (i = 0; i < row->n_tail && !p->met; i++)
		p->met = has(p, row->tail[i]);
	for (i = 0; i < c->n_added && !p->met; i++) /* a content that others continued, where we did, too */
		p->met = c->added[i].row.id == row->id || (c->added[i].behind == row->id && row->lines > c->added[i].end);
	return p->met ? 0 : wh_contents_learn(c, known < c->n ? &c->all[known] : NULL, row);
}

/* Checks whether other processes have counted the same lines since ours was loaded. The generation is read first: a change
 * between it and the contents makes the next commit fail as well. */
int wh_contents_look_again(struct wh_contents *c, struct wh_store_seen *seen, const char *path, struct wh_error *err)
{
	uint8_t key[WH_LINE_KEY_BYTES];
	struct pending p = {.c = c};
	int rc = gather(&p);
	if (!rc)
		rc = c->store->ops->content_key(c->store, key, &seen->generation, err);
	if (!rc)
		rc = c->store->ops->contents(c->store, compare, &p, err);
	if (rc == -ENOMEM)
		out_of_memory(err);
	free(p.hashes);
	if (!rc && (p.met || wh_contents_known_ahead(c)))
		rc = wh_fail(err, -ESTALE,
		             "%s: another run has read more of it meanwhile; what this run read since is not stored", path);
	c->generation = seen->generation;
	return rc;
}

int wh_contents_seen(struct wh_contents *c, struct wh_store_seen *seen, struct wh_error *err)
{
	c->n_pending = 0;
	for (size_t i = 0; i < c->n_added; i++) {
		if (c->added[i].row.lines <= c->added[i].written)
			continue;
		if (!wh_array_grow(&c->pending, c->n_pending, &c->pending_room, sizeof(struct wh_content_row *)))
			return out_of_memory(err);
		c->pending[c->n_pending++] = &c->added[i].row;
	}
	seen->contents = c->pending;
	seen->n_contents = c->n_pending;
	seen->generation = c->generation;
	return 0;
}

static void wrote(struct wh_contents *c, int64_t id)
{
	if (c->n_wrote && c->wrote[c->n_wrote - 1] == id)
		return;
	if (wh_array_grow(&c->wrote, c->n_wrote, &c->wrote_room, sizeof *c->wrote))
		c->wrote[c->n_wrote++] = id;
	else
		c->generation = -1; /* it is not kept */
}

int wh_contents_keep(struct wh_contents *c, struct wh_error *err)
{
	int rc = 0;
	for (size_t i = 0; i < c->n_wrote && !rc; i++) {
		struct wh_content_row row = {0};
		rc = c->store->ops->content(c->store, c->wrote[i], &row, err);
		if (!rc)
			rc = wh_contents_learn(c, wh_contents_of(c, row.id), &row);
		if (rc == -ENOENT) /* it was the oldest, and is gone by now */
			rc = 0;
		free(row.marks);
		free(row.tail);
		free(row.checks);
	}
	for (size_t i = 0; i < c->n_added; i++)
		wh_contents_free_added(&c->added[i]);
	c->n_added = c->n_wrote = 0;
	wh_contents_begin(c);
	return rc == -ENOMEM ? out_of_memory(err) : rc;
}

void wh_contents_written(struct wh_contents *c)
{
	size_t kept = 0;
	free(c->ahead);
	c->ahead = NULL;
	c->n_ahead = c->ahead_room = 0;
	c->generation += c->n_pending > 0;
	for (size_t i = 0; i < c->n_added; i++) {
		struct added *a = &c->added[i];
		/* where memory is out, the next writing finds that it must look again */
		wh_contents_note(c, a->row.id, a->row.lines);
		wrote(c, a->row.id);
		if (c->open && i == c->n_added - 1) {
			a->written = a->row.lines;
			a->marks_written = (uint32_t)a->row.n_marks;
			a->behind = 0;
			c->added[kept++] = *a;
		} else {
			wh_contents_free_added(a);
		}
	}
	c->n_added = kept;
}
