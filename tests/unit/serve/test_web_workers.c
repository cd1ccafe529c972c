/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which worker gets which request, and who waits for whom. The test is both sides: the HTTP library, and the workers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include "base/helper.h"
#include "serve/web_workers.h"

enum { MANY = 60 };

/* ---- stand-ins ---- */

static unsigned resumed;
static void resume(struct MHD_Connection *c)
{
	(void)c;
	resumed++;
}

static const union MHD_ConnectionInfo *nothing(struct MHD_Connection *c, enum MHD_ConnectionInfoType t, ...)
{
	(void)c, (void)t;
	return NULL;
}

static time_t passed_s;
int clock_gettime(clockid_t id, struct timespec *t)
{
	int rc = (int)syscall(SYS_clock_gettime, id, t);
	t->tv_sec += passed_s;
	return rc;
}

/* ---- workers ---- */

static int ends[WH_SERVE_WORKERS], control[2];
static size_t n_ends;

static void add_worker(void)
{
	int pair[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(wh_helper_send(control[0], "w", 1, pair[0]), 0);
	close(pair[0]);
	ends[n_ends++] = pair[1];
	assert_true(wh_web_take_worker(control[1]));
}

static int begin(void **state)
{
	(void)state;
	wh_http.MHD_resume_connection = resume;
	wh_http.MHD_get_connection_info = nothing;
	resumed = 0;
	n_ends = 0;
	passed_s = 0;
	wh_web_workers_begin();
	return socketpair(AF_UNIX, SOCK_STREAM, 0, control);
}

static void hear(void)
{
	struct pollfd p[WH_SERVE_WORKERS];
	wh_web_workers_poll(p);
	poll(p, WH_SERVE_WORKERS, 0);
	wh_web_workers_hear(p);
}

static int end(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_ends; i++)
		close(ends[i]);
	hear();
	close(control[0]);
	close(control[1]);
	return 0;
}

/* The request that worker i has got; "" if none. "whole " is before one that may not be put off. */
static const char *got(size_t i)
{
	static char text[WH_TARGET_MAX + 16];
	struct pollfd p = {.fd = ends[i], .events = POLLIN};
	struct wh_frame_request r;
	uint8_t *bytes;
	size_t n;
	if (poll(&p, 1, 0) != 1)
		return "";
	assert_int_equal(wh_helper_receive_message(ends[i], 1 << 20, &bytes, &n, NULL), 0);
	assert_true(wh_frame_take_request(bytes, n, &r));
	snprintf(text, sizeof text, "%s%s", r.whole ? "whole " : "", r.target);
	free(bytes);
	return text;
}

static void answer(size_t i, const char *body)
{
	assert_int_equal(
		wh_frame_send_reply(ends[i], &(struct wh_frame_reply){.status = 200, .body = body, .n_body = strlen(body)}), 0);
	hear();
}

static void put_off_as(size_t i, const char *made_of)
{
	const struct wh_frame_reply later = {.status = 503, .later = true, .etag = made_of};
	assert_int_equal(wh_frame_send_reply(ends[i], &later), 0);
	hear();
}

static void put_off(size_t i)
{
	put_off_as(i, "");
}

/* ---- clients ---- */

static struct wh_web_job *ask_of(const char *base, const char *target, const char *etag)
{
	struct wh_web_job *j = calloc(1, sizeof *j);
	assert_non_null(j);
	j->head = calloc(1, sizeof *j->head);
	assert_non_null(j->head);
	j->head->frame = (struct wh_frame_request){.method = WH_GET,
	                                           .secret = "",
	                                           .target = target,
	                                           .base = base,
	                                           .client = "",
	                                           .request_id = "",
	                                           .if_none_match = etag};
	assert_true(wh_web_queue(j));
	wh_web_dispatch();
	return j;
}

static struct wh_web_job *ask(const char *target, const char *etag)
{
	return ask_of("https://h", target, etag);
}

/* The answer's body; NULL: there is none yet. "refused": it was. */
static const char *answered(const struct wh_web_job *j)
{
	return !j->answered ? NULL : j->refused ? "refused" : j->frame ? j->reply.body : "lost";
}

static void leave(struct wh_web_job *j)
{
	wh_web_frame_drop(j->frame);
	free(j->head);
	free(j);
}

/* ---- the tests ---- */

static void many_that_want_the_same_wait_for_one_computation(void **state)
{
	struct wh_web_job *j[MANY], *others[2];
	unsigned computed = 0;
	(void)state;
	add_worker();
	add_worker();
	for (size_t i = 0; i < MANY; i++)
		j[i] = ask("/slow/same", "");
	others[0] = ask("/slow/same", "\"etag\"");            /* it may get a 304, which the others must not */
	others[1] = ask_of("https://other", "/slow/same", ""); /* it gets links to that host */
	for (const char *t; *(t = got(0)); put_off(0)) /* each is identified by a worker */
		assert_string_equal(t, "/slow/same");
	for (const char *t; *(t = got(1));) {
		if (!strncmp(t, "whole ", 6))
			computed++;
		if (!strncmp(t, "whole ", 6)) {
			for (; *got(0); put_off(0)) /* meanwhile the other worker identifies the rest */
				assert_true(computed);
			answer(1, "made");
		} else {
			put_off(1);
		}
	}
	assert_int_equal(computed, 3);
	for (size_t i = 0; i < MANY; i++) {
		assert_string_equal(answered(j[i]), "made");
		leave(j[i]);
	}
	for (size_t i = 0; i < 2; i++) {
		assert_string_equal(answered(others[i]), "made");
		leave(others[i]);
	}
	assert_int_equal(resumed, MANY + 2);
}

static void nobody_gets_an_answer_that_was_begun_before_it_was_asked_for(void **state)
{
	struct wh_web_job *early, *late;
	(void)state;
	add_worker();
	add_worker();
	early = ask("/slow/changing", "");
	put_off(*got(0) ? 0 : 1);
	assert_string_equal(got(1), "whole /slow/changing");
	late = ask("/slow/changing", ""); /* what it asks about may have been changed by now */
	assert_string_equal(got(0), "/slow/changing");
	put_off(0);
	answer(1, "old");
	assert_string_equal(answered(early), "old");
	assert_null(answered(late));
	assert_string_equal(got(1), "whole /slow/changing");
	answer(1, "new");
	assert_string_equal(answered(late), "new");
	leave(early);
	leave(late);
}

static void whoever_asks_for_what_is_computed_from_the_same_ledger_gets_it(void **state)
{
	struct wh_web_job *first, *same, *changed, *other;
	(void)state;
	add_worker();
	add_worker();
	first = ask("/slow/one", "");
	put_off_as(*got(0) ? 0 : 1, "r1");
	assert_string_equal(got(1), "whole /slow/one");
	same = ask("/slow/one", "");
	assert_string_equal(got(0), "/slow/one"); /* a worker says whether its sender may have it */
	put_off_as(0, "r1");
	other = ask("/slow/two", "");
	assert_string_equal(got(0), "/slow/two");
	put_off_as(0, "r1");
	changed = ask("/slow/one", "");
	assert_string_equal(got(0), "/slow/one");
	put_off_as(0, "r2");
	answer(1, "of r1");
	assert_string_equal(answered(first), "of r1");
	assert_string_equal(answered(same), "of r1");
	assert_null(answered(other));
	assert_null(answered(changed));
	assert_string_equal(got(1), "whole /slow/two");
	answer(1, "two");
	assert_string_equal(answered(other), "two");
	assert_string_equal(got(1), "whole /slow/one");
	answer(1, "of r2");
	assert_string_equal(answered(changed), "of r2");
	leave(first);
	leave(same);
	leave(changed);
	leave(other);
}

static void a_cheap_request_is_answered_while_slow_ones_are_computed(void **state)
{
	static const char *const targets[] = {"/slow/a", "/slow/b", "/slow/c"};
	struct wh_web_job *slow[3], *cheap;
	(void)state;
	add_worker();
	add_worker();
	for (size_t i = 0; i < 3; i++) {
		slow[i] = ask(targets[i], "");
		put_off(*got(0) ? 0 : 1);
	}
	assert_string_equal(got(1), "whole /slow/a"); /* and takes its time */
	assert_string_equal(got(0), "");
	for (int i = 0; i < 3; i++) {
		cheap = ask("/cheap", "");
		assert_string_equal(got(0), "/cheap");
		answer(0, "here");
		assert_string_equal(answered(cheap), "here");
		leave(cheap);
	}
	for (size_t i = 0; i < 3; i++) {
		assert_null(answered(slow[i]));
		if (i)
			assert_non_null(strstr(got(1), targets[i]));
		answer(1, targets[i]);
		assert_string_equal(answered(slow[i]), targets[i]);
		leave(slow[i]);
	}
}

static void the_slow_ones_that_wait_are_bounded(void **state)
{
	static char targets[WH_WEB_SLOW + 2][32];
	struct wh_web_job *j[WH_WEB_SLOW + 2];
	size_t refused = 0;
	(void)state;
	add_worker();
	add_worker();
	for (size_t i = 0; i < WH_WEB_SLOW + 2; i++) {
		snprintf(targets[i], sizeof targets[i], "/slow/many/%zu", i);
		j[i] = ask(targets[i], "");
		put_off(*got(0) ? 0 : 1);
	}
	assert_string_equal(answered(j[WH_WEB_SLOW + 1]), "refused"); /* one is computed, the others wait */
	close(ends[0]); /* both end: nobody waits for ever */
	close(ends[1]);
	n_ends = 0;
	hear();
	add_worker();
	hear();
	for (; *got(0); answer(0, "made"))
		;
	for (size_t i = 0; i < WH_WEB_SLOW + 2; i++) {
		assert_non_null(answered(j[i]));
		refused += j[i]->refused == 503;
		leave(j[i]);
	}
	assert_int_equal(refused, 1);
}

static void what_proved_to_be_quick_is_put_off_no_more(void **state)
{
	struct wh_web_job *j;
	(void)state;
	add_worker();
	for (int time = 0; time < 4; time++) {
		j = ask("/slow/small-estate", "");
		if (!time) {
			assert_string_equal(got(0), "/slow/small-estate");
			put_off(0);
		}
		assert_string_equal(got(0), time < 3 ? "whole /slow/small-estate" : "/slow/small-estate");
		passed_s += time == 2; /* the estate has grown */
		answer(0, "made");
		leave(j);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(many_that_want_the_same_wait_for_one_computation, begin, end),
		cmocka_unit_test_setup_teardown(nobody_gets_an_answer_that_was_begun_before_it_was_asked_for, begin, end),
		cmocka_unit_test_setup_teardown(whoever_asks_for_what_is_computed_from_the_same_ledger_gets_it, begin, end),
		cmocka_unit_test_setup_teardown(a_cheap_request_is_answered_while_slow_ones_are_computed, begin, end),
		cmocka_unit_test_setup_teardown(the_slow_ones_that_wait_are_bounded, begin, end),
		cmocka_unit_test_setup_teardown(what_proved_to_be_quick_is_put_off_no_more, begin, end),
	};
	return cmocka_run_group_tests_name("web_workers", tests, NULL, NULL);
}
