/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Readers of lines hold some of them before they pass them on: their results are those of lines that come one by one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "flow/lines.h"

enum { LINES = 400, ROOM = 128 };
static const uint8_t key[WH_PAIRING_KEY_BYTES] = {1, 2, 3};

static uint64_t state_of_rng;
static unsigned below(unsigned n)
{
	state_of_rng ^= state_of_rng << 13, state_of_rng ^= state_of_rng >> 7, state_of_rng ^= state_of_rng << 17;
	return (unsigned)((state_of_rng * 0x2545f4914f6cdd1du >> 32) % n);
}

/* What one reading gave: a line a record, with all that its receiver can see at that moment. */
struct result {
	char *text; size_t len;
	struct wh_read_stats stats;
	uint64_t refuse; /* the callback refuses the record of this number, from 1; 0: none */
	uint64_t n;
};

static int see(void *arg, const struct wh_record *rec)
{
	struct result *r = arg;
	const struct wh_flow *f = &rec->flow;
	const struct wh_tags *t = rec->tags;
	if (++r->n == r->refuse)
		return -ECANCELED;
	r->text = realloc(r->text, r->len + 512);
	assert_non_null(r->text);
	r->len += (size_t)snprintf(r->text + r->len, 512,
	                           "%d:%d %d %lld %llu/%llu denied %d part %d by %.*s; line %llu, byte %llu\n", f->src_port,
	                           f->dst_port, f->proto, (long long)f->start_us, (unsigned long long)f->bytes_toserver,
	                           (unsigned long long)f->bytes_toclient, f->denied, f->part, t ? (int)t->sensor_len : 1,
	                           t ? t->sensor : "-", (unsigned long long)r->stats.lines, (unsigned long long)r->stats.bytes);
	return 0;
}

/* Interfaces, both directions, refused flows, lines without data, and lines that can't be read, in any order. */
static char *a_log(void)
{
	char *text = malloc(LINES * ROOM), *at = text;
	assert_non_null(text);
	for (unsigned i = 0; i < LINES; i++) {
		unsigned flow = below(40), kind = below(10),
			 eni = below(30);
		bool back = below(2);
		if (kind == 0)
			at += sprintf(at, "2 1 eni-%u - - - - - - - 1 2 - NODATA\n", eni);
		else if (kind == 1)
			at += sprintf(at, "2 1 eni-%u 10.0.0.1 nonsense 1 2 6 1 1 1793692800 1793692801 ACCEPT OK\n", eni);
		else if (kind == 2)
			at += sprintf(at, "\n");
		else
			at += sprintf(at, "2 1 eni-%u %s %s %u %u 6 3 %u %u %u %s OK\n", flow % 3 + 20 * (eni > 15),
			              back ? "10.0.0.1" : "198.51.100.7", back ? "198.51.100.7" : "10.0.0.1",
			              back ? 22 : 40000 + flow, back ? 40000 + flow : 22, 100 + i, 1793692800 + i,
			              1793692800 + 2 * i, kind == 3 ? "REJECT" : "ACCEPT");
	}
	return text;
}

/* Fed in stretches of `lines` lines each. */
static struct result reading(const char *text, size_t lines, uint64_t refuse)
{
	struct result r = {.refuse = refuse, .stats = {.now_us = INT64_C(1793700000000000)}};
	struct wh_pairing *pairing = wh_pairing_new(key);
	const struct wh_reader_options o = {.pairing = pairing};
	void *state = wh_reader_aws.open(&o);
	const char *end = text + strlen(text);
	for (const char *p = text, *next; p < end; p = next) {
		next = p;
		for (size_t i = 0; i < lines && next < end; i++)
			next = strchr(next, '\n') + 1;
		const struct wh_stretch in = {p, (size_t)(next - p), next == end, r.stats.lines + 1, (uint64_t)(p - text)};
		int64_t n = wh_reader_aws.feed(state, &in, see, &r, &r.stats);
		if (refuse && n < 0) {
			assert_int_equal(n, -ECANCELED);
			break;
		}
		assert_int_equal(n, in.len);
	}
	wh_reader_aws.close(state);
	wh_pairing_free(pairing);
	return r;
}

static void assert_same(const struct result *a, const struct result *b)
{
	assert_int_equal(a->n, b->n);
	assert_int_equal(a->len, b->len);
	assert_memory_equal(a->text, b->text, a->len);
	assert_memory_equal(&a->stats, &b->stats, sizeof a->stats);
}

static void held_lines_give_what_single_lines_give(void **s)
{
	(void)s;
	state_of_rng = 7;
	for (int round = 0; round < 20; round++) {
		char *text = a_log();
		struct result single = reading(text, 1, 0), some = reading(text, 23, 0), all = reading(text, LINES, 0);
		assert_true(single.n > LINES / 10 && single.stats.malformed && single.stats.other);
		assert_same(&single, &some);
		assert_same(&single, &all);
		free(single.text);
		free(some.text);
		free(all.text);
		free(text);
	}
}

static void a_refused_record_ends_the_reading_where_it_is(void **s)
{
	(void)s;
	state_of_rng = 8;
	char *text = a_log();
	for (uint64_t refuse = 1; refuse < 50; refuse += 7) {
		struct result single = reading(text, 1, refuse), all = reading(text, LINES, refuse);
		assert_int_equal(single.n, refuse);
		assert_same(&single, &all);
		free(single.text);
		free(all.text);
	}
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(held_lines_give_what_single_lines_give),
		cmocka_unit_test(a_refused_record_ends_the_reading_where_it_is),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
