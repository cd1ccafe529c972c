/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The EVE reader: lines to records, and the choice of the walker. eve.h tells how a record is read. */
#include <stdlib.h>
#include "flow/count.h"
#include "flow/eve.h"

const char wh_eve_too_long[] = "record over 16 MiB";

/* ---- the walker ---- */

static const struct eve_impl *const *usable(void)
{
#if defined(__x86_64__)
	static const struct eve_impl *const with_avx2[] = {&wh_eve_avx2, &wh_eve_sse2, &wh_eve_portable, NULL};
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2"))
		return with_avx2;
	return with_avx2 + 1;
#elif defined(__aarch64__)
	static const struct eve_impl *const with_neon[] = {&wh_eve_neon, &wh_eve_portable, NULL};
	return with_neon;
#else
	static const struct eve_impl *const any[] = {&wh_eve_portable, NULL};
	return any;
#endif
}

static const struct eve_impl *chosen; /* any thread may find it out; all find the same */

const struct eve_impl *const *wh_eve_impls(void)
{
	return usable();
}

void wh_eve_use(const struct eve_impl *impl)
{
	__atomic_store_n(&chosen, impl, __ATOMIC_RELAXED);
}

static const struct eve_impl *best(void)
{
	const struct eve_impl *impl = __atomic_load_n(&chosen, __ATOMIC_RELAXED);
	if (!impl) {
		impl = usable()[0];
		wh_eve_use(impl);
	}
	return impl;
}

/* ---- one record ---- */

#define LEARN_FIRST 65536
#define LEARN_EVERY 16
#define FORGET_AFTER 1024 /* joints without room after which the records count as changed, and are learned again */

static void prepare(struct eve_walker *w, struct eve_cache *cache)
{
	memset(&w->v, 0, sizeof w->v);
	w->seen = w->wrong = w->bad = 0;
	w->redone = w->ours = w->faulty = false;
	w->brought = w->word_mask = w->word_data = 0;
	memset(w->flow_mask, 0, sizeof w->flow_mask);
	memset(w->flow_data, 0, sizeof w->flow_data);
	w->reason = NULL;
	if (!cache->used || cache->lost >= FORGET_AFTER)
		wh_eve_cache_init(cache);
	w->learning = cache->records < LEARN_FIRST || !(cache->records % LEARN_EVERY);
	cache->records++;
	w->cache = cache;
}

/* Suricata calls from many threads; each has its own memory of joints. */
static _Thread_local struct eve_cache record_cache;

#define COPY_UP_TO 4096

int wh_eve_record(const char *buf, size_t len, struct wh_record *out, const char **reason)
{
	struct eve_walker w;
	char padded[COPY_UP_TO + EVE_MARGIN];
	const char *stop, *end = buf + len;
	int rc = -EBADMSG;
	w.lines = false;
	w.reason = wh_eve_too_long;
	w.safe = end;
	if (len <= COPY_UP_TO) { /* a short record's end must not be walked the slow way: make room to read beyond it */
		memcpy(padded, buf, len);
		memset(padded + len, 0, EVE_MARGIN);
		buf = padded;
		end = padded + len;
		w.safe = end + EVE_MARGIN;
	}
	if (len <= EVE_MAX_RECORD) {
		prepare(&w, &record_cache);
		rc = best()->walk(&w, buf, end, &stop);
		if (!rc)
			rc = wh_eve_finish(&w);
	}
	if (!rc)
		*out = w.v.rec;
	else if (reason)
		*reason = w.reason;
	return rc;
}

/* ---- many lines ---- */

#define TAIL 2048

struct eve_state {
	struct eve_cache cache;
	bool skipping; /* within a line that is too long: its rest is to be passed over */
	char tail[TAIL + EVE_MARGIN]; /* the last lines of a buffer, with room to read beyond their end */
};

static void *open_state(const struct wh_reader_options *o)
{
	(void)o;
	return calloc(1, sizeof(struct eve_state));
}

/* The end of the line that begins at p: its newline; `end` if the input ends there; NULL if more must come. */
static const char *line_end(const char *p, const char *end, bool last)
{
	const char *newline = memchr(p, '\n', (size_t)(end - p));
	return newline ? newline : last ? end : NULL;
}

/* One line, at p. Returns its end (as line_end does) or NULL when it is incomplete. *rc: 0 good, else why not. */
static const char *read_line(struct eve_walker *w, const struct eve_impl *impl, const char *p, const char *end, bool last,
                             int64_t now_us, int *rc)
{
	const char *stop;
	*rc = impl->walk(w, p, end, &stop);
	if (*rc || (stop == end && !last)) {
		stop = line_end(*rc ? p : end, end, last);
		if (!stop && end - p > (ptrdiff_t)EVE_MAX_RECORD)
			stop = end; /* too long already, wherever it ends */
		if (!stop)
			return NULL;
	}
	if (stop - p > (ptrdiff_t)EVE_MAX_RECORD) {
		w->reason = wh_eve_too_long;
		*rc = -EBADMSG;
	} else if (!*rc) {
		*rc = wh_eve_finish(w);
		if (!*rc && (w->reason = wh_record_bad_time(&w->v.rec, now_us)))
			*rc = -EBADMSG;
	}
	return stop;
}

/* Lines, how far may be read beyond their end, and the callback. */
struct lines {
	struct wh_stretch in;
	const char *safe;
	wh_record_cb each;
	void *arg;
};

/* Reads lines while more than `keep` bytes are left of them. Returns the bytes consumed, or the callback's result. */
static int64_t read_lines(struct eve_state *st, const struct lines *t, size_t keep, struct wh_read_stats *stats)
{
	const struct eve_impl *impl = best();
	const char *p = t->in.buf, *end = p + t->in.len, *stop;
	bool last = t->in.last;
	struct eve_walker w;
	int rc, answer = 0;
	uint64_t line = t->in.line, first_line = line - stats->lines, before = stats->bytes;
	w.lines = true;
	w.safe = t->safe;
	while (end - p > (ptrdiff_t)keep) {
		if (st->skipping) {
			stop = line_end(p, end, true);
			st->skipping = stop == end && !last;
		} else {
			prepare(&w, &st->cache);
			stop = read_line(&w, impl, p, end, last, stats->now_us, &rc);
			if (!stop)
				break;
			if (!rc) {
				answer = t->each(t->arg, &w.v.rec);
				if (answer < 0)
					break;
				wh_count_good(stats, &w.v.rec);
			} else if (w.reason != wh_eve_empty) {
				wh_count_bad(stats, w.reason, line, t->in.offset + (uint64_t)(p - t->in.buf));
				st->skipping = w.reason == wh_eve_too_long && stop == end && !last;
			}
		}
		line += stop < end;
		p = stop + (stop < end);
		stats->lines = line - first_line;
		stats->bytes = before + (uint64_t)(p - t->in.buf);
	}
	return answer < 0 ? answer : p - t->in.buf;
}

/* A record that ends where nothing may be read beyond it is walked the slow way, ten times as long: the last ones are read in a
 * copy. */
static int64_t feed(void *state, const struct wh_stretch *in, wh_record_cb each, void *arg, struct wh_read_stats *stats)
{
	struct eve_state *st = state;
	uint64_t lines = stats->lines;
	struct lines t = {*in, in->buf + in->len, each, arg};
	int64_t n = read_lines(st, &t, TAIL, stats);
	if (n < 0 || in->len - (size_t)n > TAIL)
		return n;
	size_t rest = in->len - (size_t)n;
	memcpy(st->tail, in->buf + n, rest);
	memset(st->tail + rest, 0, EVE_MARGIN);
	t.in = (struct wh_stretch){st->tail, rest, in->last, in->line + (stats->lines - lines), in->offset + (uint64_t)n};
	t.safe = st->tail + rest + EVE_MARGIN;
	int64_t more = read_lines(st, &t, 0, stats);
	return more < 0 ? more : n + more;
}

/* A line of JSON whose first 4 KiB name an event_type; other JSON is less certain. */
static int probe(const void *head, size_t len)
{
	const char *p = head, *end = p + len;
	while (p < end && (*p == ' ' || *p == '\t' || *p == '\r' || *p == '\n'))
		p++;
	if (p == end || *p != '{')
		return 0;
	const char *line = memchr(p, '\n', (size_t)(end - p));
	size_t n = (size_t)((line ? line : end) - p);
	return memmem(p, n, "\"event_type\"", 12) ? 90 : memmem(p, n, "\"timestamp\"", 11) ? 30 : 5;
}

const struct wh_reader wh_reader_eve = {
	.name = "eve",
	.help = "Suricata's EVE JSON, one record a line",
	.probe = probe,
	.open = open_state,
	.close = free,
	.feed = feed,
};
