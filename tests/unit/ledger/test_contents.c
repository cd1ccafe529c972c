/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "ledger/store.h"

static struct wh_line_key key;

static uint64_t rng = 88172645463325252u;
static uint64_t draw(uint64_t below)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return rng % below;
}

static size_t hash_by(const struct wh_line_hasher *by, const char *text, size_t len, struct wh_line *out, size_t max)
{
	char *exact = malloc(len ? len : 1); /* its end is the end of the readable memory */
	assert_non_null(exact);
	memcpy(exact, text, len);
	size_t n = by->hashes(&key, exact, len, out, max);
	free(exact);
	return n;
}

static size_t hash(const char *text, size_t len, struct wh_line *out, size_t max)
{
	return hash_by(wh_line_hashers(), text, len, out, max);
}

/* The last of the ways, without vectors, and every other one. */
static void expect_the_same_of_all(const char *text, size_t len, struct wh_line *a, struct wh_line *b, size_t max)
{
	const struct wh_line_hasher *last = wh_line_hashers();
	while (last[1].name)
		last++;
	assert_string_equal(last->name, "portable");
	size_t m = hash_by(last, text, len, b, max);
	assert_true(m ? b[m - 1].end == len : !len);
	for (const struct wh_line_hasher *by = wh_line_hashers(); by != last; by++) {
		assert_int_equal(hash_by(by, text, len, a, max), m);
		for (size_t i = 0; i < m; i++) {
			assert_int_equal(a[i].hash, b[i].hash);
			assert_int_equal(a[i].begin, b[i].begin);
			assert_int_equal(a[i].end, b[i].end);
		}
	}
}

static void with_vectors_or_without_lines_have_the_same_hashes(void **state)
{
	enum { MOST = 5000 };
	static char text[MOST];
	static struct wh_line a[MOST], b[MOST];
	static const char odd[] = {'\n', '\r', 0, '\xef', '\xbb', '\xbf', '{', '\t'};
	(void)state;
	for (int round = 0; round < 4000; round++) {
		size_t len = draw(round % 4 ? 200 : MOST);
		unsigned rare = 1 + (unsigned)draw(400);
		for (size_t i = 0; i < len; i++)
			text[i] = draw(rare) ? (char)('a' + draw(26)) : odd[draw(sizeof odd)];
		expect_the_same_of_all(text, len, a, b, MOST);
	}
}

static uint64_t one(const char *text)
{
	struct wh_line l;
	assert_int_equal(hash(text, strlen(text), &l, 1), 1);
	return l.hash;
}

static void line_ends_and_marks_before_a_line_are_no_part_of_it(void **state)
{
	struct wh_line l[2];
	(void)state;
	assert_int_equal(one("{\"a\":1}\n"), one("{\"a\":1}"));
	assert_int_equal(one("{\"a\":1}\n"), one("{\"a\":1}\r\n"));
	assert_int_equal(one("{\"a\":1}\n"), one("\xef\xbb\xbf{\"a\":1}\n"));
	assert_int_equal(hash("\0\0\0{\"a\":1}\n", 11, l, 2), 1);
	assert_int_equal(l[0].hash, one("{\"a\":1}"));
	assert_int_equal(l[0].begin, 3);
	assert_int_equal(one("\n"), 0);
	assert_int_equal(one("\r\n"), 0);
	char text[66] = {0};
	for (size_t n = 1; n < 65; n++) { /* a carriage return anywhere in a vector */
		memset(text, 'x', n);
		text[n] = '\r';
		uint64_t with = one(text);
		text[n] = 0;
		assert_int_equal(with, one(text));
	}
}

static void lines_that_differ_in_one_bit_have_other_hashes(void **state)
{
	char text[1100];
	struct wh_line l;
	(void)state;
	memset(text, 'q', sizeof text);
	hash(text, sizeof text, &l, 1);
	for (size_t i = 0; i < sizeof text; i++) {
		struct wh_line m;
		text[i] ^= 1;
		hash(text, sizeof text, &m, 1);
		text[i] ^= 1;
		assert_int_not_equal(l.hash, m.hash);
		assert_int_equal(hash(text, i, &m, 1), i ? 1 : 0);
		if (i)
			assert_int_not_equal(l.hash, m.hash); /* nor one that is shorter */
	}
}

/* ---- contents in a ledger ---- */

struct world {
	char dir[32], path[48];
	struct wh_ledger ledger;
	struct wh_contents *c;
};

static void open_world(struct world *w)
{
	struct wh_error err;
	strcpy(w->dir, "/tmp/whittle-XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	snprintf(w->path, sizeof w->path, "%s/l.db", w->dir);
	assert_int_equal(wh_ledger_open(w->path, WH_STATE_CREATE, &w->ledger, &err), 0);
	assert_int_equal(wh_contents_load(w->ledger.store, &w->c, &err), 0);
}

static void close_world(struct world *w)
{
	char command[64];
	wh_contents_free(w->c);
	wh_ledger_close(&w->ledger);
	snprintf(command, sizeof command, "rm -r %s", w->dir);
	assert_int_equal(system(command), 0);
}

/* Lines from..to of a log of that name, each of 600 bytes. */
static void some_lines(const char *name, unsigned from, unsigned to, struct wh_line *out)
{
	for (unsigned i = from; i < to; i++) {
		char text[40];
		struct wh_line l;
		snprintf(text, sizeof text, "%s %u", name, i);
		hash(text, strlen(text), &l, 1);
		out[i - from] = (struct wh_line){l.hash, (i - from) * 600, (i - from + 1) * 600};
	}
}

/* How many of the lines are new; they are counted from then on. */
static unsigned take(struct wh_contents *c, const struct wh_line *lines, size_t n)
{
	struct wh_error err;
	unsigned fresh = 0;
	for (size_t i = 0, run; i < n; i += run) {
		bool known;
		assert_int_equal(wh_contents_run(c, lines + i, n - i, &run, &known, &err), 0);
		assert_true(run >= 1 && run <= n - i);
		if (!known) {
			fresh += (unsigned)run;
			assert_int_equal(wh_contents_add(c, lines + i, run, &err), 0);
		}
	}
	return fresh;
}

static int commit(const struct wh_ledger *l, struct wh_contents *c)
{
	struct wh_error err;
	struct wh_store_seen seen = {0};
	const struct wh_store_progress p = {.path = "log", .seen = &seen};
	int rc = wh_contents_seen(c, &seen, &err);
	while (!rc && (rc = wh_store_commit_tables(l->store, NULL, 0, &p, NULL, &err)) == -EAGAIN)
		rc = wh_contents_look_again(c, &seen, "log", &err);
	if (!rc)
		wh_contents_written(c);
	return rc;
}

static void again(struct world *w)
{
	struct wh_error err;
	wh_contents_free(w->c);
	assert_int_equal(wh_contents_load(w->ledger.store, &w->c, &err), 0);
}

static void any_end_and_any_beginning_of_a_log_is_recognised(void **state)
{
	enum { N = 1200 };
	static struct wh_line all[N];
	struct world w;
	(void)state;
	open_world(&w);
	some_lines("a", 0, N, all);
	for (unsigned i = 0; i < N; i += 100)
		assert_int_equal(take(w.c, all + i, 100), 100);
	assert_int_equal(commit(&w.ledger, w.c), 0);
	for (unsigned cut = 0; cut < N; cut += 7) {
		again(&w);
		assert_int_equal(take(w.c, all + cut, N - cut), 0);
		again(&w);
		assert_int_equal(take(w.c, all, N - cut), 0);
	}
	close_world(&w);
}

static void a_log_that_grows_extends_its_content(void **state)
{
	static struct wh_line all[600];
	struct world w;
	struct wh_error err;
	(void)state;
	open_world(&w);
	some_lines("a", 0, 600, all);
	for (unsigned to = 50; to <= 600; to += 50) {
		again(&w);
		assert_int_equal(take(w.c, all, to), 50);
		assert_int_equal(commit(&w.ledger, w.c), 0);
	}
	struct wh_content_row row;
	assert_int_equal(w.ledger.store->ops->content(w.ledger.store, 1, &row, &err), 0);
	assert_int_equal(row.lines, 600);
	assert_true(row.n_marks < 12 && row.n_tail < 200);
	free(row.marks);
	free(row.tail);
	free(row.checks);
	assert_int_equal(w.ledger.store->ops->content(w.ledger.store, 2, &row, &err), -ENOENT);
	close_world(&w);
}

static void two_runs_that_count_the_same_lines_are_refused_but_the_first(void **state)
{
	static struct wh_line all[400], other[400];
	struct world w;
	struct wh_ledger ledger = {NULL, NULL};
	struct wh_contents *c;
	struct wh_error err;
	(void)state;
	open_world(&w);
	some_lines("a", 0, 400, all);
	some_lines("b", 0, 400, other);
	assert_int_equal(wh_ledger_open(w.path, WH_STATE_WRITE, &ledger, &err), 0);
	assert_int_equal(wh_contents_load(ledger.store, &c, &err), 0);
	assert_int_equal(take(w.c, all, 300), 300);
	assert_int_equal(take(c, other, 400), 400);
	assert_int_equal(commit(&w.ledger, w.c), 0);
	assert_int_equal(commit(&ledger, c), 0); /* another log: both stay */
	wh_contents_begin(c);
	assert_int_equal(take(c, all, 350), 50); /* it has learnt of the first run's lines meanwhile */
	again(&w);
	assert_int_equal(take(w.c, all, 400), 100);
	assert_int_equal(commit(&w.ledger, w.c), 0);
	assert_int_equal(commit(&ledger, c), -ESTALE);
	wh_contents_free(c);
	wh_ledger_close(&ledger);
	again(&w);
	assert_int_equal(take(w.c, all, 400), 0);
	assert_int_equal(take(w.c, other, 400), 0);
	close_world(&w);
}

struct reading { struct wh_ledger ledger; struct wh_contents *c; unsigned at, counted; bool begun, ended; };

/* Takes lines and commits them. One that another run was faster with ends, and what it took since its last commit is lost. */
static void read_on(struct world *w, struct reading *r, const struct wh_line *all, unsigned n, unsigned most)
{
	struct wh_error err;
	if (!r->begun) {
		assert_int_equal(wh_ledger_open(w->path, WH_STATE_WRITE, &r->ledger, &err), 0);
		assert_int_equal(wh_contents_load(r->ledger.store, &r->c, &err), 0);
		r->begun = true;
	}
	unsigned some = n - r->at < most ? n - r->at : most, fresh = take(r->c, all + r->at, some);
	int rc = commit(&r->ledger, r->c);
	assert_true(!rc || rc == -ESTALE);
	r->counted += rc ? 0 : fresh;
	r->at += some;
	r->ended = rc || r->at == n;
}

/* Three runs read one log, begin and commit when they like: the second has new lines behind a content of the first's that is too
 * long to be extended by another. */
static void however_runs_of_one_log_overlap_each_line_counts_once(void **state)
{
	enum { N = 36000, RUNS = 3 };
	struct wh_line *all = malloc(N * sizeof *all);
	unsigned seed = 1, lost = 0;
	(void)state;
	some_lines("a", 0, N, all);
	for (int round = 0; round < 40; round++) {
		struct world w;
		struct reading r[RUNS + 1] = {0};
		unsigned counted = 0, most = 3000u << round % 3;
		open_world(&w);
		while (!r[0].ended || !r[1].ended || !r[2].ended) {
			unsigned k = rand_r(&seed) % RUNS;
			if (!r[k].ended && (r[k].begun || !k || r[k - 1].at > N / 2))
				read_on(&w, &r[k], all, N, 50 + rand_r(&seed) % most);
		}
		read_on(&w, &r[RUNS], all, N, N); /* what all have left out */
		for (int k = 0; k <= RUNS; k++) {
			counted += r[k].counted;
			lost += r[k].ended && r[k].at < N;
			wh_contents_free(r[k].c);
			wh_ledger_close(&r[k].ledger);
		}
		assert_int_equal(counted, N);
		close_world(&w);
	}
	assert_true(lost > 10); /* runs did overlap */
	free(all);
}

static void a_hundred_logs_with_the_same_first_line_are_distinguished(void **state)
{
	static struct wh_line all[100];
	struct world w;
	char name[16];
	(void)state;
	open_world(&w);
	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof name, "log %d", i);
		some_lines(name, 0, 100, all);
		some_lines("the same", 0, 1, all);
		wh_contents_begin(w.c);
		again(&w);
		assert_int_equal(take(w.c, all, 100), i ? 99 : 100);
		assert_int_equal(commit(&w.ledger, w.c), 0);
	}
	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof name, "log %d", i);
		some_lines(name, 0, 100, all);
		some_lines("the same", 0, 1, all);
		wh_contents_begin(w.c);
		assert_int_equal(take(w.c, all, 100), i == 99 ? 99 : 0); /* the last is not among what was loaded */
		if (i == 98)
			break;
	}
	close_world(&w);
}

int main(void)
{
	const uint8_t secret[WH_LINE_KEY_BYTES] = "not very secret";
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(with_vectors_or_without_lines_have_the_same_hashes),
		cmocka_unit_test(line_ends_and_marks_before_a_line_are_no_part_of_it),
		cmocka_unit_test(lines_that_differ_in_one_bit_have_other_hashes),
		cmocka_unit_test(any_end_and_any_beginning_of_a_log_is_recognised),
		cmocka_unit_test(a_log_that_grows_extends_its_content),
		cmocka_unit_test(two_runs_that_count_the_same_lines_are_refused_but_the_first),
		cmocka_unit_test(however_runs_of_one_log_overlap_each_line_counts_once),
		cmocka_unit_test(a_hundred_logs_with_the_same_first_line_are_distinguished),
	};
	wh_line_key_init(&key, secret);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
