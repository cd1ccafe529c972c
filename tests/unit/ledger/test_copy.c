/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A copy of the ledger, out and in, while others use it. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "../support/spoilt_ledger.h"
#include "state/copy.h"

enum { LARGE = 3 << 20 }; /* a document of so many bytes takes more than one step */

static void good(int rc, const struct wh_error *err)
{
	if (rc)
		fail_msg("%s", err->text);
}

static struct wh_state *opened(const char *path, int flags)
{
	struct wh_state *s;
	struct wh_error err;
	good(wh_state_open(path, flags, &s, &err), &err);
	return s;
}

static void put_large(char fill)
{
	struct wh_state *s = opened(spoilt_path, WH_STATE_WRITE);
	struct wh_error err;
	char *json = malloc(LARGE + 1);
	memset(json, fill, LARGE);
	json[LARGE] = 0;
	good(wh_state_put(s, "test", "large", json, &err), &err);
	free(json);
	wh_state_close(s);
}

/* The byte that the large document of a ledger consists of; 0: it is not there, or of several. */
static char fill_of(const char *path)
{
	struct wh_state *s = opened(path, WH_STATE_READ);
	struct wh_error err;
	char *json, fill;
	good(wh_state_get(s, "test", "large", &json, &err), &err);
	good(wh_state_check(s, &err), &err);
	wh_state_close(s);
	fill = json && strlen(json) == LARGE && strspn(json, (char[]){*json, 0}) == LARGE ? *json : 0;
	free(json);
	return fill;
}

static void finish(struct wh_state_copy *c)
{
	int left = 1, total;
	struct wh_error err;
	while (left)
		good(wh_state_copy_step(c, 1000, &left, &total, &err), &err);
	wh_state_copy_end(c);
}

static void a_copy_is_the_ledger_of_one_moment(void **state)
{
	(void)state;
	struct wh_state_beside beside;
	struct wh_state_copy *c;
	struct wh_error err;
	int left, total;
	spoilt_make(10);
	put_large('a');
	good(wh_state_beside_make(spoilt_path, "copy", &beside, &err), &err);
	good(wh_state_copy_out(spoilt_path, beside.path, &c, &err), &err);
	good(wh_state_copy_step(c, 0, &left, &total, &err), &err);
	assert_true(left > 0);
	put_large('b'); /* somebody else goes on */
	finish(c);
	assert_int_equal(fill_of(beside.path), 'a');
	assert_int_equal(fill_of(spoilt_path), 'b');
	wh_state_beside_remove(&beside);
	assert_int_equal(access(beside.path, F_OK), -1);
}

static void a_copy_takes_the_ledgers_place_whole_or_not_at_all(void **state)
{
	(void)state;
	struct wh_state_beside beside;
	struct wh_state_copy *c;
	struct wh_error err;
	int left, total;
	spoilt_make(10);
	put_large('a');
	good(wh_state_beside_make(spoilt_path, "copy", &beside, &err), &err);
	good(wh_state_copy_out(spoilt_path, beside.path, &c, &err), &err);
	finish(c);
	put_large('b');
	struct wh_state *reader = opened(spoilt_path, WH_STATE_READ);
	good(wh_state_copy_in(beside.path, spoilt_path, &c, &err), &err);
	good(wh_state_copy_step(c, 0, &left, &total, &err), &err);
	assert_true(left > 0);
	assert_int_equal(fill_of(spoilt_path), 'b');
	wh_state_copy_end(c); /* as where it was killed */
	assert_int_equal(fill_of(spoilt_path), 'b');
	good(wh_state_copy_in(beside.path, spoilt_path, &c, &err), &err);
	finish(c);
	assert_int_equal(fill_of(spoilt_path), 'a');
	char *json;
	good(wh_state_get(reader, "test", "large", &json, &err), &err); /* which had it open before */
	assert_int_equal(json[0], 'a');
	free(json);
	wh_state_close(reader);
	wh_state_beside_remove(&beside);
}

static void a_temporary_copy_is_made_anew_and_used_by_one_process(void **state)
{
	(void)state;
	struct wh_state_beside one, other;
	struct wh_error err;
	char path[128], precious[128];
	struct stat st;
	spoilt_make(1);
	snprintf(path, sizeof path, "%s.copy", spoilt_path);
	snprintf(precious, sizeof precious, "%s/precious", spoilt_dir);
	FILE *f = fopen(precious, "w");
	fputs("precious", f);
	fclose(f);
	assert_int_equal(symlink(precious, path), 0); /* that the ledger's owner put there */
	good(wh_state_beside_make(spoilt_path, "copy", &one, &err), &err);
	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISREG(st.st_mode));
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(stat(precious, &st), 0);
	assert_int_equal(st.st_size, strlen("precious"));
	assert_int_equal(wh_state_beside_make(spoilt_path, "copy", &other, &err), -EBUSY);
	close(one.fd); /* as where it was killed */
	good(wh_state_beside_make(spoilt_path, "copy", &other, &err), &err);
	wh_state_beside_remove(&other);
	int locked = open(precious, O_RDONLY | O_CLOEXEC); /* a link to a file that somebody holds: no other copy is made */
	assert_true(locked >= 0 && !flock(locked, LOCK_EX));
	assert_int_equal(symlink(precious, path), 0);
	good(wh_state_beside_make(spoilt_path, "copy", &other, &err), &err);
	wh_state_beside_remove(&other);
	close(locked);
	unlink(precious);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_copy_is_the_ledger_of_one_moment),
		cmocka_unit_test(a_copy_takes_the_ledgers_place_whole_or_not_at_all),
		cmocka_unit_test(a_temporary_copy_is_made_anew_and_used_by_one_process),
	};
	return cmocka_run_group_tests(tests, spoilt_dir_make, spoilt_dir_remove);
}
