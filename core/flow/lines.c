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

int64_t lines_feed(void *state, const struct wh_stretch *in, wh_record_cb each, void *arg, struct wh_read_stats *stats)
{
	struct lines *l = state;
	const char *p = in->buf, *end = in->buf + in->len;
	uint64_t line = in->line;
	emit_begin(&l->emit, each, arg, stats);
	while (p < end) {
		const char *nl = memchr(p, '\n', (size_t)(end - p)), *stop = nl ? nl : end, *why = NULL;
		if (!nl && !in->last && stop - p <= MAX_LINE && !l->skipping)
			break;
		size_t n = lines_length(p, (size_t)(stop - p));
		if (l->skipping)
			l->skipping = !nl && !in->last;
		else if (n > MAX_LINE) {
			why = too_long;
			l->skipping = !nl && !in->last;
		} else if (n)
			why = l->read(l, p, n);
		if (l->emit.answer)
			return l->emit.answer;
		if (why)
			wh_count_bad(stats, why, line, in->offset + (uint64_t)(p - in->buf));
		stats->lines += nl != NULL;
		line += nl != NULL;
		stats->bytes += (uint64_t)(stop + (nl != NULL) - p);
		p = stop + (nl != NULL);
	}
	return p - in->buf;
}

const char *lines_give(struct lines *l, const struct wh_record *rec)
{
	const char *why = emit_bad_time(&l->emit, &rec->flow);
	if (!why)
		emit_record(&l->emit, rec);
	return why;
}

const char *lines_part(struct lines *l, const struct wh_part *part, const struct wh_tags *tags)
{
	const char *why = emit_bad_time(&l->emit, &part->flow);
	if (!why && !wh_read_leaves_out(l->emit.stats, part->flow.start_us))
		emit_part(&l->emit, part, tags);
	return why;
}

const char *lines_denied(struct lines *l, const struct wh_flow *flow, const struct wh_tags *tags)
{
	const char *why = emit_bad_time(&l->emit, flow);
	if (!why && !wh_read_leaves_out(l->emit.stats, flow->start_us))
		emit_denied(&l->emit, flow, tags);
	return why;
}
