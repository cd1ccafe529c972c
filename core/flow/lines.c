/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>
#include "flow/count.h"
#include "flow/lines.h"

enum { MAX_LINE = 16 << 20 };
static const char too_long[] = "line over 16 MiB";

void *lines_open(size_t size, lines_cb read, const struct wh_reader_options *o)
{
	struct lines *l = calloc(1, size);
	if (l) {
		l->read = read;
		l->emit.pairing = o->pairing;
	}
	return l;
}

size_t lines_length(const char *p, size_t len)
{
	while (len && (p[len - 1] == '\n' || p[len - 1] == '\r' || p[len - 1] == ' '))
		len--;
	return len;
}

/* Passes on the lines that are held; *line and *offset are those of the first one. The counts are, meanwhile, those before
 * each. */
static void pass_on(struct lines *l, uint64_t *line, uint64_t *offset)
{
	struct emit *e = &l->emit;
	struct wh_read_stats *stats = e->stats;
	for (unsigned i = 0; i < l->n_held && !e->answer; i++) {
		const struct lines_held *h = &l->held[i];
		if (h->what == HELD_PART)
			emit_part_ahead(e, &h->part, h->hash, h->tags);
		else if (h->what == HELD_DENIED)
			emit_denied(e, &h->part.flow, h->tags);
		else if (h->what == HELD_OTHER)
			emit_other(e);
		if (e->answer)
			break;
		if (h->why)
			wh_count_bad(stats, h->why, *line, *offset);
		stats->lines += h->newline;
		stats->bytes += h->bytes;
		*line += h->newline;
		*offset += h->bytes;
	}
	l->n_held = 0;
}

int64_t lines_feed(void *state, const struct wh_stretch *in, wh_record_cb each, void *arg, struct wh_read_stats *stats)
{
	struct lines *l = state;
	const char *p = in->buf, *end = in->buf + in->len;
	uint64_t line = in->line, offset = in->offset;
	emit_begin(&l->emit, each, arg, stats);
	while (p < end && !l->emit.answer) {
		struct lines_held *h = &l->held[l->n_held];
		const char *nl = memchr(p, '\n', (size_t)(end - p)), *stop = nl ? nl : end;
		if (!nl && !in->last && stop - p <= MAX_LINE && !l->skipping)
			break;
		size_t n = lines_length(p, (size_t)(stop - p));
		h->what = HELD_NOTHING;
		h->why = NULL;
		if (l->skipping)
			l->skipping = !nl && !in->last;
		else if (n > MAX_LINE) {
			h->why = too_long;
			l->skipping = !nl && !in->last;
		} else if (n)
			h->why = l->read(l, p, n);
		h->newline = nl;
		h->bytes = (size_t)(stop + h->newline - p);
		p += h->bytes;
		if (++l->n_held == LINES_HELD || !l->holds)
			pass_on(l, &line, &offset);
	}
	pass_on(l, &line, &offset);
	return l->emit.answer ? l->emit.answer : p - in->buf;
}

const char *lines_give(struct lines *l, const struct wh_record *rec)
{
	const char *why = emit_bad_time(&l->emit, &rec->flow);
	if (!why)
		emit_record(&l->emit, rec);
	return why;
}

static const char *hold(struct lines *l, int what, const struct wh_flow *flow, const struct wh_tags *tags)
{
	struct lines_held *h = &l->held[l->n_held];
	const char *why = emit_bad_time(&l->emit, flow);
	l->holds = true;
	if (why || wh_read_leaves_out(l->emit.stats, flow->start_us))
		return why;
	h->what = what;
	h->tags = tags;
	return NULL;
}

const char *lines_part(struct lines *l, const struct wh_part *part, const struct wh_tags *tags)
{
	struct lines_held *h = &l->held[l->n_held];
	const char *why = hold(l, HELD_PART, &part->flow, tags);
	if (h->what == HELD_PART) {
		h->part = *part;
		h->hash = wh_pairing_ahead(l->emit.pairing, part);
	}
	return why;
}

const char *lines_denied(struct lines *l, const struct wh_flow *flow, const struct wh_tags *tags)
{
	const char *why = hold(l, HELD_DENIED, flow, tags);
	l->held[l->n_held].part.flow = *flow;
	return why;
}

const char *lines_other(struct lines *l)
{
	l->held[l->n_held].what = HELD_OTHER;
	return NULL;
}
