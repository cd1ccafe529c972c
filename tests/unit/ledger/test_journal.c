/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The journal is a chain of hashes: whatever its file's owner does to it is noticed, by itself or by a mark that is kept
 * elsewhere. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "../support/spoilt_ledger.h"
#include "base/sha256.h"

static struct wh_state *opened(int flags)
{
	struct wh_state *s;
	struct wh_error err;
	if (wh_state_open(spoilt_path, flags, &s, &err))
		fail_msg("%s", err.text);
	return s;
}

static void log_some(int n)
{
	struct wh_state *s = opened(WH_STATE_WRITE);
	char json[32];
	for (int i = 0; i < n; i++) {
		snprintf(json, sizeof json, "{\"n\":%d}", i);
		assert_int_equal(wh_state_log(s, "ada", "test", json, &(struct wh_error){0}), 0);
	}
	wh_state_close(s);
}

/* A ledger of six chained entries. */
static void make(void)
{
	spoilt_make(1); /* its own entry is the first */
	log_some(5);
}

static struct wh_journal_mark tip(void)
{
	struct wh_state *s = opened(WH_STATE_READ);
	struct wh_journal_mark m;
	assert_int_equal(wh_state_journal_tip(s, &m, &(struct wh_error){0}), 0);
	wh_state_close(s);
	return m;
}

static struct wh_journal_proof proof(const struct wh_journal_mark *head)
{
	struct wh_state *s = opened(WH_STATE_READ);
	struct wh_journal_proof p;
	struct wh_error err;
	if (wh_state_journal_prove(s, head, &p, &err))
		fail_msg("%s", err.text);
	wh_state_close(s);
	return p;
}

static void each_entry_is_chained_to_the_one_before(void **state)
{
	(void)state;
	make();
	struct wh_journal_mark head = tip();
	struct wh_journal_proof p = proof(&head);
	assert_int_equal(p.fault, WH_JOURNAL_FITS);
	assert_int_equal(p.entries, 6);
	assert_int_equal(p.before, 0);
	assert_int_equal(p.first, 1);
	assert_int_equal(p.last, 6);
	assert_int_equal(p.held, 6);
	log_some(1); /* by another user, which keeps no head */
	p = proof(&head);
	assert_int_equal(p.fault, WH_JOURNAL_FITS);
	assert_int_equal(p.held, 6);
	assert_int_equal(p.last, 7);
}

static void a_tampered_entry_is_found(void **state)
{
	(void)state;
	static const struct { const char *sql; enum wh_journal_fault fault; int64_t seq;
	} done[] = {
		{"UPDATE journal SET json = '{\"n\":9}' WHERE seq = 3", WH_JOURNAL_CHANGED, 3},
		{"UPDATE journal SET who = 'bob' WHERE seq = 3", WH_JOURNAL_CHANGED, 3},
		{"UPDATE journal SET what = 'tes', json = 't' || json WHERE seq = 3", WH_JOURNAL_CHANGED, 3},
		{"UPDATE journal SET time = time + 1 WHERE seq = 6", WH_JOURNAL_CHANGED, 6},
		{"DELETE FROM journal WHERE seq = 3", WH_JOURNAL_MISSING, 3},
		{"DELETE FROM journal WHERE seq = 1", WH_JOURNAL_MISSING, 1},
		{"DELETE FROM journal WHERE seq = 6", WH_JOURNAL_MISSING, 6},
		{"DELETE FROM journal WHERE seq = 3; DELETE FROM chain WHERE seq = 3", WH_JOURNAL_CHANGED, 4},
		{"DELETE FROM chain WHERE seq = 3", WH_JOURNAL_UNCHAINED, 3},
		{"INSERT INTO journal VALUES(7, 0, 'eve', 'test', '{}')", WH_JOURNAL_UNCHAINED, 7},
		{"UPDATE journal SET seq = seq + 1000 WHERE seq >= 3; UPDATE journal SET seq = seq - 999 WHERE seq > 1000;"
	         "UPDATE chain SET seq = seq + 1000 WHERE seq >= 3; UPDATE chain SET seq = seq - 999 WHERE seq > 1000;"
	         "INSERT INTO journal VALUES(3, 0, 'eve', 'test', '{}'); INSERT INTO chain SELECT 3, hash FROM chain WHERE seq = 2",
	         WH_JOURNAL_CHANGED, 3},
		{"UPDATE journal SET seq = 9 WHERE seq = 6; UPDATE chain SET seq = 9 WHERE seq = 6", WH_JOURNAL_CHANGED, 9},
		{"UPDATE journal SET seq = 100 WHERE seq = 3; UPDATE journal SET seq = 3 WHERE seq = 4; UPDATE journal SET seq = 4 WHERE seq = 100",
	         WH_JOURNAL_CHANGED, 3},
		{"UPDATE journal SET seq = 100 WHERE seq = 3; UPDATE journal SET seq = 3 WHERE seq = 4; UPDATE journal SET seq = 4 WHERE seq = 100;"
	         "UPDATE chain SET seq = 100 WHERE seq = 3; UPDATE chain SET seq = 3 WHERE seq = 4; UPDATE chain SET seq = 4 WHERE seq = 100",
	         WH_JOURNAL_CHANGED, 3},
	};
	for (size_t i = 0; i < sizeof done / sizeof *done; i++) {
		make();
		spoilt_sql(done[i].sql);
		struct wh_journal_proof p = proof(NULL);
		if (p.fault != done[i].fault || p.seq != done[i].seq)
			fail_msg("%s: %d at %lld", done[i].sql, (int)p.fault, (long long)p.seq);
	}
}

static void an_end_that_was_cut_is_found_by_the_head(void **state)
{
	(void)state;
	make();
	struct wh_journal_mark head = tip();
	spoilt_sql("DELETE FROM journal WHERE seq > 4; DELETE FROM chain WHERE seq > 4");
	assert_int_equal(proof(NULL).fault, WH_JOURNAL_FITS);
	struct wh_journal_proof p = proof(&head);
	assert_int_equal(p.fault, WH_JOURNAL_CUT);
	assert_int_equal(p.seq, 6);
	spoilt_sql("DELETE FROM journal; DELETE FROM chain");
	assert_int_equal(proof(&head).fault, WH_JOURNAL_CUT);
}

static void a_chain_that_was_computed_anew_is_found_by_the_head(void **state)
{
	(void)state;
	make();
	struct wh_journal_mark head = tip();
	spoilt_sql("UPDATE journal SET json = '{\"n\":9}' WHERE seq = 3; CREATE TEMP TABLE kept AS SELECT * FROM journal;"
	           "DELETE FROM journal; DELETE FROM chain; DELETE FROM sqlite_sequence WHERE name = 'journal'");
	log_some(6); /* as whittle would: it fits by itself */
	assert_int_equal(proof(NULL).fault, WH_JOURNAL_FITS);
	struct wh_journal_proof p = proof(&head);
	assert_int_equal(p.fault, WH_JOURNAL_HEAD);
	assert_int_equal(p.seq, 6);
}

static void entries_of_an_earlier_version_are_before_the_chain(void **state)
{
	(void)state;
	make();
	spoilt_sql("DROP TABLE chain");
	struct wh_journal_proof p = proof(NULL);
	assert_int_equal(p.fault, WH_JOURNAL_FITS);
	assert_int_equal(p.before, 6);
	assert_int_equal(p.first, 0);
	log_some(2); /* begins it */
	p = proof(NULL);
	assert_int_equal(p.fault, WH_JOURNAL_FITS);
	assert_int_equal(p.before, 6);
	assert_int_equal(p.first, 7);
	assert_int_equal(p.last, 8);
	spoilt_sql("UPDATE journal SET who = 'eve' WHERE seq = 2");
	p = proof(NULL);
	assert_int_equal(p.fault, WH_JOURNAL_EARLIER);
	assert_int_equal(p.seq, 7);
}

static void a_chain_that_is_taken_out_is_found_by_the_head(void **state)
{
	(void)state;
	make();
	struct wh_journal_mark head = tip();
	spoilt_sql("UPDATE journal SET who = 'eve' WHERE seq = 2; DELETE FROM chain");
	assert_int_equal(proof(&head).fault, WH_JOURNAL_CUT);
	log_some(1);
	assert_int_equal(proof(&head).fault, WH_JOURNAL_HEAD);
}

static pid_t another_writes(int n)
{
	pid_t pid = fork();
	if (!pid) {
		log_some(n);
		_exit(0);
	}
	return pid;
}

static void two_writers_at_once_make_one_chain(void **state)
{
	(void)state;
	spoilt_make(1);
	pid_t a = another_writes(30), b = another_writes(30);
	waitpid(a, NULL, 0);
	waitpid(b, NULL, 0);
	struct wh_journal_proof p = proof(NULL);
	assert_int_equal(p.fault, WH_JOURNAL_FITS);
	assert_int_equal(p.entries, 61);
	assert_int_equal(p.last, 61);
}

static void a_writer_that_is_killed_leaves_a_chain_that_fits(void **state)
{
	(void)state;
	spoilt_make(1);
	for (int i = 0; i < 8; i++) {
		pid_t pid = another_writes(1000000);
		usleep((useconds_t)(3000 + 2500 * i));
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		assert_int_equal(proof(NULL).fault, WH_JOURNAL_FITS);
	}
	log_some(1);
	assert_int_equal(proof(NULL).fault, WH_JOURNAL_FITS);
}

/* A transaction that is rolled back leaves nothing. */
static void a_transaction_that_is_taken_back_leaves_the_chain(void **state)
{
	(void)state;
	struct wh_error err;
	make();
	struct wh_state *s = opened(WH_STATE_WRITE);
	assert_int_equal(wh_state_begin(s, &err), 0);
	assert_int_equal(wh_state_log(s, "ada", "test", "{}", &err), 0);
	assert_int_equal(wh_state_end(s, false, &err), 0);
	wh_state_close(s);
	log_some(1);
	struct wh_journal_proof p = proof(NULL);
	assert_int_equal(p.fault, WH_JOURNAL_FITS);
	assert_int_equal(p.entries, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_entry_is_chained_to_the_one_before),
		cmocka_unit_test(a_tampered_entry_is_found),
		cmocka_unit_test(an_end_that_was_cut_is_found_by_the_head),
		cmocka_unit_test(a_chain_that_was_computed_anew_is_found_by_the_head),
		cmocka_unit_test(entries_of_an_earlier_version_are_before_the_chain),
		cmocka_unit_test(a_chain_that_is_taken_out_is_found_by_the_head),
		cmocka_unit_test(two_writers_at_once_make_one_chain),
		cmocka_unit_test(a_writer_that_is_killed_leaves_a_chain_that_fits),
		cmocka_unit_test(a_transaction_that_is_taken_back_leaves_the_chain),
	};
	return cmocka_run_group_tests_name("journal", tests, spoilt_dir_make, spoilt_dir_remove);
}
