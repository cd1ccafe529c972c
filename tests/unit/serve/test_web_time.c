/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What connections may hold together, and which of them make room. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "serve/web.h"

enum { MANY = WH_WEB_HELD_BODIES >> 20, ANSWERS = WH_WEB_HELD_ANSWERS >> 20 };
static struct wh_web_connections all;
static struct wh_web_connection c[WH_WEB_CONNECTIONS];

/* The first n connections, each older than the next. */
static void join(size_t n)
{
	memset(&all, 0, sizeof all);
	for (size_t i = 0; i < n; i++) {
		wh_web_joined(&all, &c[i], -1);
		c[i].since_ms -= (int64_t)(n - i);
	}
}

static void bodies_are_bounded_and_the_one_that_takes_longest_ends(void **state)
{
	int pair[2];
	char byte;
	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	join(MANY + 1);
	c[0].fd = pair[0];
	for (size_t i = 0; i < MANY; i++) {
		c[i].phase = WH_WEB_BODY;
		assert_true(wh_web_hold(&all, &c[i], WH_WEB_BODIES, 1 << 20));
	}
	c[MANY].phase = WH_WEB_BODY;
	assert_true(wh_web_hold(&all, &c[MANY], WH_WEB_BODIES, 1 << 20));
	assert_int_equal(read(pair[1], &byte, 1), 0); /* it is ended */
	assert_int_equal(c[0].held[WH_WEB_BODIES], 0);
	assert_int_equal(c[1].held[WH_WEB_BODIES], 1 << 20);
	assert_int_equal(all.held[WH_WEB_BODIES], WH_WEB_HELD_BODIES);
	for (size_t i = 0; i <= MANY; i++)
		wh_web_left(&all, &c[i]);
	assert_int_equal(all.held[WH_WEB_BODIES], 0);
	close(pair[0]);
	close(pair[1]);
}

static void bodies_that_wait_for_their_answer_stay(void **state)
{
	(void)state;
	join(MANY + 1);
	for (size_t i = 0; i < MANY; i++) {
		assert_true(wh_web_hold(&all, &c[i], WH_WEB_BODIES, 1 << 20));
		wh_web_phase(&c[i], WH_WEB_WORK);
	}
	assert_false(wh_web_hold(&all, &c[MANY], WH_WEB_BODIES, 1)); /* one more is refused */
	assert_int_equal(c[0].held[WH_WEB_BODIES], 1 << 20);
	wh_web_release(&all, &c[MANY], WH_WEB_BODIES);
	wh_web_release(&all, &c[0], WH_WEB_BODIES); /* until one has gone */
	assert_true(wh_web_hold(&all, &c[MANY], WH_WEB_BODIES, 1));
}

static void a_crowd_makes_room_and_a_slow_body_is_a_part_of_it(void **state)
{
	size_t ended = 0;
	(void)state;
	join(WH_WEB_CONNECTIONS);
	for (size_t i = 0; i < WH_WEB_CONNECTIONS; i++)
		c[i].phase = i < 100 ? WH_WEB_WORK : WH_WEB_BODY;
	wh_web_sweep(&all);
	for (size_t i = 0; i < WH_WEB_CONNECTIONS; i++)
		ended += c[i].phase == WH_WEB_REPLY;
	assert_int_equal(ended, WH_WEB_CONNECTIONS / 4);
	assert_int_equal(c[99].phase, WH_WEB_WORK); /* a request that is worked at stays */
	assert_int_equal(c[100].phase, WH_WEB_REPLY);
	assert_int_equal(c[WH_WEB_CONNECTIONS - 1].phase, WH_WEB_BODY); /* as does the newest */
}

static void answers_that_nobody_takes_are_bounded(void **state)
{
	(void)state;
	join(ANSWERS + 2);
	for (size_t i = 0; i < ANSWERS + 1; i++) {
		c[i].phase = WH_WEB_REPLY;
		assert_true(wh_web_hold(&all, &c[i], WH_WEB_ANSWERS, 1 << 20));
	}
	assert_int_equal(c[0].held[WH_WEB_ANSWERS], 0);
	assert_int_equal(c[1].held[WH_WEB_ANSWERS], 1 << 20);
	assert_int_equal(all.held[WH_WEB_ANSWERS], WH_WEB_HELD_ANSWERS);
	c[ANSWERS + 1].phase = WH_WEB_REPLY; /* the largest one goes out, too, as it is there */
	assert_false(wh_web_hold(&all, &c[ANSWERS + 1], WH_WEB_ANSWERS, WH_WEB_HELD_ANSWERS + 1));
	assert_int_equal(all.held[WH_WEB_ANSWERS], WH_WEB_HELD_ANSWERS + 1);
	assert_int_equal(all.held[WH_WEB_BODIES], 0);
}

static void a_crowd_of_slow_readers_makes_room_for_whoever_comes(void **state)
{
	(void)state;
	join(WH_WEB_CONNECTIONS);
	for (size_t i = 0; i + 1 < WH_WEB_CONNECTIONS; i++)
		c[i].phase = WH_WEB_REPLY;
	wh_web_sweep(&all);
	assert_int_equal(c[WH_WEB_CONNECTIONS - 1].phase, WH_WEB_HEAD); /* the one that comes in */
	assert_true(c[0].since_ms > c[WH_WEB_CONNECTIONS - 2].since_ms); /* has ended */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bodies_are_bounded_and_the_one_that_takes_longest_ends),
		cmocka_unit_test(bodies_that_wait_for_their_answer_stay),
		cmocka_unit_test(a_crowd_makes_room_and_a_slow_body_is_a_part_of_it),
		cmocka_unit_test(answers_that_nobody_takes_are_bounded),
		cmocka_unit_test(a_crowd_of_slow_readers_makes_room_for_whoever_comes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
