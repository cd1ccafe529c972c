/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which lines were counted before: the search for them. contents_add.c keeps new ones. See contents.h. */
#include <stdlib.h>
#include <string.h>
#include "base/array.h"
#include "ledger/contents_inside.h"

enum {
	CANDIDATES = 16 /* marks of one hash that are tried */,
	MOST_MARKS = 16 << 20 /* of all logs: 256 MiB of memory for 1 TiB of them */
};

static int out_of_memory(struct wh_error *err)
{
	return wh_fail(err, -ENOMEM, "out of memory");
}

/* ---- the index of marks ---- */

static bool index_size(struct mark_index *x, size_t slots)
{
	struct mark_index fresh = {calloc(slots, sizeof *fresh.slot), slots - 1, 0};
	if (!fresh.slot)
		return false;
	for (size_t i = 0; x->slot && i <= x->mask; i++) {
		size_t at = x->slot[i].hash & fresh.mask;
		while (x->slot[i].hash && fresh.slot[at].hash)
			at = (at + 1) & fresh.mask;
		if (x->slot[i].hash)
			fresh.slot[at] = x->slot[i];
	}
	fresh.used = x->used;
	free(x->slot);
	*x = fresh;
	return true;
}

static int add_mark(struct wh_contents *c, uint64_t hash, uint32_t content, uint32_t line)
{
	struct mark_index *x = &c->index;
	unsigned same = 0;
	if (!hash) /* means a free slot; one line in 2^64 is not a mark for it */
		return 0;
	if (x->used >= MOST_MARKS) /* those beyond are not found again */
		return 0;
	if (2 * (x->used + 1) > x->mask + 1 && !index_size(x, 2 * (x->mask + 1)))
		return -ENOMEM;
	size_t at = hash & x->mask;
	for (; x->slot[at].hash; at = (at + 1) & x->mask)
		if (x->slot[at].hash == hash &&
		    (++same == CANDIDATES || (x->slot[at].content == content && x->slot[at].line == line)))
			return 0;
	x->slot[at] = (struct mark_slot){hash, content, line};
	x->used++;
	return 0;
}

/* ---- loading ---- */

static struct content *new_content(struct wh_contents *c, int64_t id)
{
	if (!wh_array_grow(&c->all, c->n, &c->room, sizeof *c->all))
		return NULL;
	c->all[c->n] = (struct content){.id = id};
	return &c->all[c->n++];
}

bool wh_contents_known_ahead(const struct wh_contents *c)
{
	for (size_t i = 0; i < c->n_ahead; i++) {
		size_t at = c->ahead[i] & c->index.mask;
		for (; c->index.slot[at].hash; at = (at + 1) & c->index.mask)
			if (c->index.slot[at].hash == c->ahead[i])
				return true;
	}
	return false;
}

struct content *wh_contents_of(struct wh_contents *c, int64_t id)
{
	for (size_t i = c->n; i-- > 0;)
		if (c->all[i].id == id)
			return &c->all[i];
	return NULL;
}

int wh_contents_note(struct wh_contents *c, int64_t id, uint32_t lines)
{
	struct content *k = wh_contents_of(c, id);
	if (!k)
		k = new_content(c, id);
	if (k)
		k->seen = lines;
	return k ? 0 : -ENOMEM;
}

int wh_contents_learn(struct wh_contents *c, struct content *k, const struct wh_content_row *row)
{
	if (!k && !(k = new_content(c, row->id)))
		return -ENOMEM;
	uint32_t me = (uint32_t)(k - c->all);
	free(k->checks);
	k->checks = NULL;
	k->lines = k->seen = row->lines;
	int rc = 0;
	for (size_t i = 0; i < row->n_marks && !rc; i++)
		rc = add_mark(c, row->marks[i].hash, me, row->marks[i].line);
	for (size_t i = 0; i < row->n_tail && !rc; i++)
		rc = add_mark(c, row->tail[i], me, row->lines - (uint32_t)row->n_tail + (uint32_t)i);
	return rc;
}

static int load_row(void *arg, const struct wh_content_row *row)
{
	return wh_contents_learn(arg, NULL, row);
}

int wh_contents_load(struct wh_store *s, struct wh_contents **out, struct wh_error *err)
{
	uint8_t secret[WH_LINE_KEY_BYTES];
	struct wh_contents *c = aligned_alloc(64, (sizeof *c + 63) / 64 * 64);
	*out = NULL;
	if (!c)
		return out_of_memory(err);
	memset(c, 0, sizeof *c);
	c->store = s;
	int rc = index_size(&c->index, 1024) ? s->ops->content_key(s, secret, &c->generation, err) : out_of_memory(err);
	if (!rc) {
		wh_line_key_init(&c->key, secret);
		rc = s->ops->contents(s, load_row, c, err);
		if (rc == -ENOMEM)
			out_of_memory(err);
	}
	if (rc) {
		wh_contents_free(c);
		return rc;
	}
	wh_contents_begin(c);
	*out = c;
	return 0;
}

int wh_contents_load_kept(struct wh_store *s, struct wh_contents *kept, struct wh_contents **out, struct wh_error *err)
{
	uint8_t secret[WH_LINE_KEY_BYTES];
	int64_t generation = -1;
	if (kept && s->ops->content_key(s, secret, &generation, err))
		generation = -1; /* loading meets the same trouble, and tells */
	if (!kept || generation != kept->generation) {
		wh_contents_free(kept);
		return wh_contents_load(s, out, err);
	}
	kept->store = s;
	wh_contents_begin(kept);
	*out = kept;
	return 0;
}

void wh_contents_free(struct wh_contents *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->n; i++)
		free(c->all[i].checks);
	for (size_t i = 0; i < c->n_added; i++)
		wh_contents_free_added(&c->added[i]);
	free(c->all);
	free(c->added);
	free(c->pending);
	free(c->wrote);
	free(c->ahead);
	free(c->index.slot);
	free(c);
}

const struct wh_line_key *wh_contents_key(const struct wh_contents *c)
{
	return &c->key;
}

void wh_contents_begin(struct wh_contents *c)
{
	c->follows = c->ended = NOWHERE;
	c->open = false;
}

/* ---- following ---- */

/* Its checks, read at first use. A content that another process has removed since has no lines. */
static int have_checks(struct wh_contents *c, struct content *k, struct wh_error *err)
{
	struct wh_content_row row = {0};
	if (k->checks || !k->lines)
		return 0;
	int rc = c->store->ops->content(c->store, k->id, &row, err);
	if (rc == -ENOENT) {
		k->lines = 0;
		return 0;
	}
	if (rc)
		return rc;
	free(row.marks);
	free(row.tail);
	k->checks = row.checks;
	if (row.lines < k->lines)
		k->lines = row.lines;
	return 0;
}

/* The number of lines that match the content from `line` on. */
static size_t forward(const struct content *k, uint32_t line, const struct wh_line *lines, size_t n)
{
	size_t i = 0;
	for (; i < n; i++) {
		if (!lines[i].hash)
			continue;
		if (line >= k->lines || k->checks[line] != wh_line_check(lines[i].hash))
			break;
		line++;
	}
	return i;
}

/* The number of lines before lines[n] that match those before the content's `line`, which is moved there. */
static size_t backward(const struct content *k, uint32_t *line, const struct wh_line *lines, size_t n)
{
	size_t i = n;
	for (; i > 0; i--) {
		if (!lines[i - 1].hash)
			continue;
		if (!*line || k->checks[*line - 1] != wh_line_check(lines[i - 1].hash))
			break;
		--*line;
	}
	return n - i;
}

static uint32_t lines_in(const struct wh_line *lines, size_t n)
{
	uint32_t count = 0;
	for (size_t i = 0; i < n; i++)
		count += lines[i].hash != 0;
	return count;
}

/* The content that matches these lines longest; the first of them is one of its marks. */
static int best_mark(struct wh_contents *c, const struct wh_line *lines, size_t n, struct wh_error *err)
{
	size_t longest = 0;
	c->follows = NOWHERE;
	for (size_t at = lines->hash & c->index.mask; c->index.slot[at].hash; at = (at + 1) & c->index.mask) {
		const struct mark_slot *m = &c->index.slot[at];
		if (m->hash != lines->hash)
			continue;
		int rc = have_checks(c, &c->all[m->content], err);
		if (rc)
			return rc;
		size_t goes = forward(&c->all[m->content], m->line, lines, n);
		if (goes > longest) {
			longest = goes;
			c->follows = m->content;
			c->line = m->line;
		}
	}
	return 0;
}

static bool is_mark(const struct wh_contents *c, uint64_t hash)
{
	size_t at = hash & c->index.mask;
	while (c->index.slot[at].hash && c->index.slot[at].hash != hash)
		at = (at + 1) & c->index.mask;
	return hash && c->index.slot[at].hash;
}

int wh_contents_run(struct wh_contents *c, const struct wh_line *lines, size_t n, size_t *run, bool *known, struct wh_error *err)
{
	size_t i = 0;
	for (int again = 0; again < 2; again++) {
		if (c->follows != NOWHERE) {
			const struct content *k = &c->all[c->follows];
			size_t goes = forward(k, c->line, lines, n);
			if (goes) {
				c->line += lines_in(lines, goes);
				c->open = false;
				c->ended = NOWHERE;
				*run = goes;
				*known = true;
				return 0;
			}
			c->ended = c->line == k->lines ? c->follows : NOWHERE;
			c->follows = NOWHERE;
		}
		for (i = c->index.used ? 0 : n; i < n; i++) {
			if (!is_mark(c, lines[i].hash))
				continue;
			int rc = best_mark(c, lines + i, n - i, err);
			if (rc)
				return rc;
			if (c->follows != NOWHERE)
				break;
		}
		if (i < n)
			i -= backward(&c->all[c->follows], &c->line, lines, i);
		if (i)
			break;
	}
	*run = i;
	*known = false;
	return 0;
}

int wh_contents_resume(struct wh_contents *c, const struct wh_line *lines, size_t n, bool *found, struct wh_error *err)
{
	*found = false;
	wh_contents_begin(c);
	for (size_t i = 0; i < n; i++) {
		if (!is_mark(c, lines[i].hash))
			continue;
		int rc = best_mark(c, lines + i, n - i, err);
		if (rc)
			return rc;
		if (c->follows == NOWHERE)
			continue;
		const struct content *k = &c->all[c->follows];
		uint32_t line = c->line;
		/* all of these lines, those before the mark too, as far as the content goes back */
		size_t before = backward(k, &line, lines, i);
		if ((before == i || !line) && forward(k, c->line, lines + i, n - i) == n - i &&
		    c->line + lines_in(lines + i, n - i) == k->lines) {
			c->line = k->lines;
			*found = true;
			return 0;
		}
	}
	wh_contents_begin(c);
	return 0;
}
