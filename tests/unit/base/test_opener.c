/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The opener, asked by several processes that share it. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "base/opener.h"

enum { ASKERS = 4, TIMES = 25 };
#define SLOW "sleep 0.4; printf slow"
static const char *const commands[ASKERS] = {"printf 0", "printf 1", "printf 2", "printf 3"};

static int start(void **state)
{
	struct wh_grant grants[ASKERS + 1] = {{WH_GRANT_RUN, SLOW}};
	(void)state;
	for (size_t i = 0; i < ASKERS; i++)
		grants[i + 1] = (struct wh_grant){WH_GRANT_RUN, commands[i]};
	return wh_opener_start(grants, ASKERS + 1, &(struct wh_error){0});
}

static bool says(const char *command, const char *expected)
{
	struct wh_error err;
	char *out = NULL;
	size_t len;
	bool does = !wh_opener_run("a test", command, 100, 10, &out, &len, &err) && !strcmp(out, expected);
	free(out);
	return does;
}

static void each_process_gets_its_own_answers(void **state)
{
	pid_t pids[ASKERS];
	int status;
	(void)state;
	for (size_t i = 0; i < ASKERS; i++) {
		pids[i] = fork();
		assert_true(pids[i] >= 0);
		if (!pids[i]) {
			bool good = true;
			for (size_t k = 0; k < TIMES; k++)
				good &= says(commands[i], commands[i] + strlen("printf "));
			_exit(!good);
		}
	}
	for (size_t i = 0; i < ASKERS; i++) {
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
}

static void a_late_answer_is_not_taken_for_the_next_one(void **state)
{
	int status;
	(void)state;
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (!pid)
		_exit(!says(SLOW, "slow"));
	usleep(150000); /* it has asked, and waits */
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_true(says(commands[0], "0"));
	assert_true(says(commands[1], "1"));
}

static void a_path_that_was_not_granted_is_refused(void **state)
{
	struct wh_error err;
	char *out;
	size_t len;
	(void)state;
	assert_int_equal(wh_opener_run("a test", "printf 9", 100, 10, &out, &len, &err), -ENOENT);
}

/* Lines are added to a file in a directory of the ledger's owner, too. */
static void lines_are_added_to_no_link_and_wait_for_no_reader(void **state)
{
	char dir[] = "/tmp/wh-append-XXXXXX", link[64], there[64];
	struct stat st;
	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(link, sizeof link, "%s/link", dir);
	snprintf(there, sizeof there, "%s/there", dir);
	assert_int_equal(symlink(there, link), 0);
	assert_int_equal(wh_open_append(link), -ELOOP);
	assert_int_not_equal(access(there, F_OK), 0);
	assert_int_equal(mkfifo(there, 0600), 0);
	alarm(10);
	assert_int_equal(wh_open_append(there), -ENXIO);
	alarm(0);
	unlink(there);
	int fd = wh_open_append(there);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0600);
	close(fd);
	unlink(there);
	unlink(link);
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_added_to_no_link_and_wait_for_no_reader),
		cmocka_unit_test(each_process_gets_its_own_answers),
		cmocka_unit_test(a_late_answer_is_not_taken_for_the_next_one),
		cmocka_unit_test(a_path_that_was_not_granted_is_refused),
	};
	return cmocka_run_group_tests(tests, start, NULL);
}
