/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>
#include "flow/count.h"
#include "flow/lines.h"

enum { MAX_LINE = 16 << 20 };
static const char too_long[] = "line over 16 MiB";

int64_t lines_feed(struct lines *l, lines_cb read, const char *buf, size_t len, bool last, uint64_t line, uint64_t offset, wh_record_cb each,
                   void *arg, struct wh_read_stats *stats)
{
	const char *p = buf, *end = buf + len;
	l->stats = stats;
	l->each = each;
	l->arg = arg;
	l->answer = 0;
	while (p < end) {
		const char *nl = memchr(p, '\n', (size_t)(end - p)), *stop = nl ? nl : end, *why = NULL;
		if (!nl && !last && stop - p <= MAX_LINE && !l->skipping)
			break;
		size_t n = (size_t)(stop - p);
		while (n && (p[n - 1] == '\r' || p[n - 1] == ' '))
			n--;
		if (l->skipping)
			l->skipping = !nl && !last;
		else if (n > MAX_LINE) {
			why = too_long;
			l->skipping = !nl && !last;
		} else if (n)
			why = read(l, p, n);
		if (l->answer)
			return l->answer;
		if (why)
			wh_count_bad(stats, why, line, offset + (uint64_t)(p - buf));
		stats->lines += nl != NULL;
		line += nl != NULL;
		stats->bytes += (uint64_t)(stop + (nl != NULL) - p);
		p = stop + (nl != NULL);
	}
	return p - buf;
}

const char *lines_give(struct lines *l, const struct wh_record *rec)
{
	const char *why = wh_record_bad_time(rec, l->stats->now_us);
	if (why)
		return why;
	int rc = l->each(l->arg, rec);
	if (rc < 0)
		l->answer = rc;
	else
		wh_count_good(l->stats, rec);
	return NULL;
}

static int tell(void *arg, const struct wh_record *rec)
{
	struct lines *l = arg;
	int rc = l->each(l->arg, rec);
	if (rc >= 0)
		l->stats->flows += rec->flow.part <= WH_FLOW_BEGUN;
	return rc < 0 ? rc : 0;
}

const char *lines_part(struct lines *l, const struct wh_part *part, const struct wh_tags *tags)
{
	const struct wh_record dated = {.kind = WH_RECORD_FLOW, .flow.start_us = part->flow.start_us, .flow.end_us = part->flow.end_us};
	const char *why = wh_record_bad_time(&dated, l->stats->now_us);
	if (why || wh_read_leaves_out(l->stats, part->flow.start_us))
		return why;
	int rc = wh_pairing_add(l->pairing, part, tags, tell, l);
	if (rc < 0)
		l->answer = rc;
	else
		l->stats->records++;
	return NULL;
}

void lines_other(struct lines *l)
{
	l->stats->records++;
	l->stats->other++;
}

size_t lines_split(const char *p, size_t len, char by, struct lines_field *out, size_t max)
{
	const char *end = p + len;
	size_t n = 0;
	for (;;) {
		const char *q = p;
		while (q < end && *q != by)
			q++;
		if (n == max)
			return max + 1;
		out[n++] = (struct lines_field){p, (size_t)(q - p)};
		if (q == end)
			return n;
		p = q + 1;
	}
}

bool lines_is(struct lines_field f, const char *text)
{
	return strlen(text) == f.len && !memcmp(f.p, text, f.len);
}

void lines_columns(const struct lines_field *f, size_t n, const char *const *names, int16_t *out)
{
	for (size_t c = 0; names[c]; c++) {
		out[c] = -1;
		for (size_t i = 0; i < n && out[c] < 0; i++)
			if (lines_is(f[i], names[c]))
				out[c] = (int16_t)i;
	}
}
