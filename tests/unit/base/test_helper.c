/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages between a program and its helper, over a socket pair. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "base/helper.h"

static int ends[2];

static int make_pair(void **state)
{
	(void)state;
	return socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
}

static int close_pair(void **state)
{
	(void)state;
	close(ends[0]);
	close(ends[1]);
	return 0;
}

static void messages_arrive_whole_with_a_zero_behind(void **state)
{
	uint8_t *bytes;
	size_t len;
	(void)state;
	assert_int_equal(wh_helper_send_message(ends[0], "abc", 3, -1), 0);
	assert_int_equal(wh_helper_send_message(ends[0], "", 0, -1), 0);
	assert_int_equal(wh_helper_receive_message(ends[1], 3, &bytes, &len, NULL), 0);
	assert_int_equal(len, 3);
	assert_string_equal((char *)bytes, "abc");
	free(bytes);
	assert_int_equal(wh_helper_receive_message(ends[1], 3, &bytes, &len, NULL), 0);
	assert_int_equal(len, 0);
	assert_string_equal((char *)bytes, "");
	free(bytes);
}

static void sending_ends_in_its_time_though_nobody_reads(void **state)
{
	static const char large[4 << 20];
	(void)state;
	alarm(60);
	assert_int_equal(wh_helper_send_within(ends[0], large, sizeof large, -1, 20), -ETIMEDOUT);
	alarm(0);
}

static void a_descriptor_comes_with_its_message(void **state)
{
	uint8_t *bytes;
	size_t len;
	int fd = -1, through[2];
	char c = 0;
	(void)state;
	assert_int_equal(pipe(through), 0);
	assert_int_equal(wh_helper_send_message(ends[0], "x", 1, through[1]), 0);
	assert_int_equal(wh_helper_receive_message(ends[1], 1, &bytes, &len, &fd), 0);
	free(bytes);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "y", 1), 1);
	assert_int_equal(read(through[0], &c, 1), 1);
	assert_int_equal(c, 'y');
	close(fd);
	close(through[0]);
	close(through[1]);
}

static void a_descriptor_that_nobody_expects_is_closed(void **state)
{
	uint8_t *bytes;
	size_t len;
	int through[2];
	char c;
	(void)state;
	assert_int_equal(pipe(through), 0);
	assert_int_equal(wh_helper_send_message(ends[0], "x", 1, through[1]), 0);
	close(through[1]);
	assert_int_equal(wh_helper_receive_message(ends[1], 1, &bytes, &len, NULL), 0);
	free(bytes);
	assert_int_equal(read(through[0], &c, 1), 0); /* the other end is closed everywhere */
	close(through[0]);
}

static void a_message_that_is_too_long_is_refused_with_its_descriptor(void **state)
{
	uint8_t *bytes = (uint8_t *)1;
	size_t len = 9;
	int fd = 5, through[2];
	char c;
	(void)state;
	assert_int_equal(pipe(through), 0);
	assert_int_equal(wh_helper_send_message(ends[0], "abcd", 4, through[1]), 0);
	close(through[1]);
	assert_int_equal(wh_helper_receive_message(ends[1], 3, &bytes, &len, &fd), -EMSGSIZE);
	assert_null(bytes);
	assert_int_equal(len, 0);
	assert_int_equal(fd, -1);
	assert_int_equal(read(through[0], &c, 1), 0);
	close(through[0]);
}

static void a_message_that_ends_early_is_refused(void **state)
{
	const uint32_t eight = 8;
	uint8_t *bytes;
	size_t len;
	(void)state;
	assert_int_equal(wh_helper_send(ends[0], &eight, sizeof eight, -1), 0);
	assert_int_equal(wh_helper_send(ends[0], "abc", 3, -1), 0);
	shutdown(ends[0], SHUT_WR);
	assert_int_equal(wh_helper_receive_message(ends[1], 100, &bytes, &len, NULL), -EPIPE);
	assert_null(bytes);
	assert_int_equal(wh_helper_receive_message(ends[1], 100, &bytes, &len, NULL), -EPIPE);
}

static void a_helper_that_does_not_answer_in_time_is_not_waited_for(void **state)
{
	uint8_t *bytes = (uint8_t *)1;
	size_t len = 9;
	(void)state;
	assert_int_equal(wh_helper_ask(ends[0], "x", 1, 50, 100, &bytes, &len), -ETIMEDOUT);
	assert_null(bytes);
	assert_int_equal(len, 0);
}

static void a_helper_that_reads_nothing_is_not_waited_for(void **state)
{
	static char much[8 << 20];
	uint8_t *bytes;
	size_t len;
	(void)state;
	assert_int_equal(wh_helper_ask(ends[0], much, sizeof much, 50, 100, &bytes, &len), -ETIMEDOUT);
	assert_null(bytes);
}

/* The time counts for the whole answer, not for each of its bytes. */
static void a_helper_that_answers_byte_by_byte_is_not_waited_for(void **state)
{
	const uint32_t many = 90;
	uint8_t *bytes;
	size_t len;
	(void)state;
	pid_t drips = fork();
	if (!drips) {
		alarm(10);
		wh_helper_send(ends[1], &many, sizeof many, -1);
		while (!wh_helper_send(ends[1], "x", 1, -1))
			usleep(20000);
		_exit(0);
	}
	int64_t began = wh_monotonic_us();
	assert_int_equal(wh_helper_ask(ends[0], NULL, 0, 200, 100, &bytes, &len), -ETIMEDOUT);
	assert_true(wh_monotonic_us() - began < 1500000);
	assert_null(bytes);
	kill(drips, SIGKILL);
	waitpid(drips, NULL, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(messages_arrive_whole_with_a_zero_behind, make_pair, close_pair),
		cmocka_unit_test_setup_teardown(sending_ends_in_its_time_though_nobody_reads, make_pair, close_pair),
		cmocka_unit_test_setup_teardown(a_descriptor_comes_with_its_message, make_pair, close_pair),
		cmocka_unit_test_setup_teardown(a_descriptor_that_nobody_expects_is_closed, make_pair, close_pair),
		cmocka_unit_test_setup_teardown(a_message_that_is_too_long_is_refused_with_its_descriptor, make_pair, close_pair),
		cmocka_unit_test_setup_teardown(a_message_that_ends_early_is_refused, make_pair, close_pair),
cmocka_unit_test_setup_teardown(a_helper_that_does_not_answer_in_time_is_not_waited_for, make_pair, close_pair),
cmocka_unit_test_setup_teardown(a_helper_that_reads_nothing_is_not_waited_for, make_pair, close_pair),
cmocka_unit_test_setup_teardown(a_helper_that_answers_byte_by_byte_is_not_waited_for, make_pair, close_pair),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
