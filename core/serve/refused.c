/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include "serve/refused.h"

#define MINUTE_US (60 * INT64_C(1000000))
#define HOUR_US (60 * MINUTE_US)

struct wh_refused {
	atomic_flag busy;   /* over the sources; a worker that ended while it had it leaves only the count of others */
	atomic_uint others; /* attempts without a place */
	struct wh_refused_line source[WH_REFUSED_SOURCES];
	/* of the process that takes them */
	int64_t minute_us, hour_us; /* when they began; 0: no attempt since */
	unsigned lines;
};

struct wh_refused *wh_refused_new(void)
{
	struct wh_refused *r = mmap(NULL, sizeof *r, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (r == MAP_FAILED)
		return NULL;
	atomic_flag_clear(&r->busy);
	return r;
}

/* Another process has it for as long as a dozen comparisons take. */
static bool got(struct wh_refused *r)
{
	for (unsigned i = 0; i < 10000; i++)
		if (!atomic_flag_test_and_set(&r->busy))
			return true;
	return false;
}

static void name(const char *client, char out[static WH_REFUSED_NAME])
{
	struct wh_addr a;
	char text[WH_ADDR_STRLEN];
	if (wh_addr_parse(client, strlen(client), &a)) { /* whatever the web side says: nothing else gets into the journal */
		snprintf(out, WH_REFUSED_NAME, "a socket of this machine");
	} else if (wh_addr_is_v4(&a)) {
		snprintf(out, WH_REFUSED_NAME, "%s", (wh_addr_text(&a, text), text));
	} else {
		struct wh_prefix p = wh_prefix_of(&a, 64);
		wh_addr_text(&p.addr, text);
		snprintf(out, WH_REFUSED_NAME, "%s/64", text);
	}
}

void wh_refused_add(struct wh_refused *r, const char *client)
{
	char from[WH_REFUSED_NAME];
	size_t i = 0;
	name(client, from);
	if (!got(r)) {
		atomic_fetch_add(&r->others, 1);
		return;
	}
	while (i < WH_REFUSED_SOURCES && r->source[i].attempts && strcmp(r->source[i].from, from))
		i++;
	if (i < WH_REFUSED_SOURCES) {
		memcpy(r->source[i].from, from, sizeof from);
		r->source[i].attempts += r->source[i].attempts < UINT32_MAX;
	} else {
		atomic_fetch_add(&r->others, 1);
	}
	atomic_flag_clear(&r->busy);
}

/* The sources of the minute; those for which the hour has no line are others from now on. */
static size_t take_sources(struct wh_refused *r, struct wh_refused_line *out)
{
	size_t n = 0;
	if (!got(r))
		return 0;
	for (size_t i = 0; i < WH_REFUSED_SOURCES && r->source[i].attempts; i++) {
		r->source[i].from[WH_REFUSED_NAME - 1] = 0;
		if (r->lines < WH_REFUSED_LINES) {
			out[n++] = r->source[i];
			r->lines++;
		} else {
			atomic_fetch_add(&r->others, r->source[i].attempts);
		}
	}
	memset(r->source, 0, sizeof r->source);
	atomic_flag_clear(&r->busy);
	return n;
}

static size_t take_others(struct wh_refused *r, struct wh_refused_line *out)
{
	*out = (struct wh_refused_line){"other addresses", atomic_exchange(&r->others, 0)};
	return out->attempts > 0;
}

size_t wh_refused_take(struct wh_refused *r, int64_t now_us, bool all, struct wh_refused_line out[static WH_REFUSED_SOURCES + 1])
{
	const bool sources = r->source[0].attempts > 0;
	size_t n = 0;
	if (r->hour_us && now_us - r->hour_us >= HOUR_US && !all) { /* what it had no line for */
		n = take_others(r, out);
		r->hour_us = 0;
	}
	if (!r->hour_us && (sources || atomic_load(&r->others))) {
		r->hour_us = now_us;
		r->lines = 0;
	}
	if (!r->minute_us && sources)
		r->minute_us = now_us;
	if (sources && (all || now_us - r->minute_us >= MINUTE_US)) {
		n += take_sources(r, out + n);
		r->minute_us = 0;
	}
	return all ? n + take_others(r, out + n) : n;
}
