/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Answers of Resource Graph without an end: the test plays the client of HTTP, which streams pages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include "azure/arm_http.h"
#include "whittle/graph.h"

enum { PAGE = 100000, MOST = 1 << 20 };

/* ---- stand-ins ---- */

static unsigned requests;

/* A page with one row, filled up to PAGE bytes, and another one to follow. */
int wh_arm_request(struct wh_arm *arm, const char *method, const char *path, const char *if_match, const char *body,
                   struct wh_https_reply *r, struct wh_error *err)
{
	(void)arm, (void)method, (void)path, (void)if_match, (void)body, (void)err;
	if (r->body)
		wh_https_reply_free(r);
	char *text = malloc(PAGE + 1);
	assert_non_null(text);
	memset(text, ' ', PAGE);
	int n = snprintf(text, PAGE, "{\"totalRecords\":1000000000,\"data\":[{\"id\":\"%u\"}],\"$skipToken\":\"t%u\"}", requests,
	                 requests);
	text[n] = ' ';
	text[PAGE] = 0;
	requests++;
	*r = (struct wh_https_reply){.status = 200, .body = text, .len = PAGE};
	return 0;
}

int wh_arm_wait(struct wh_arm *arm, int64_t ms, struct wh_error *err)
{
	(void)arm, (void)ms, (void)err;
	return 0;
}

const char *wh_arm_reason(const struct wh_arm *arm, const struct wh_https_reply *r, char buf[static 256])
{
	(void)arm, (void)r;
	return buf;
}

/* ---- the tests ---- */

static int take(void *arg, unsigned number, const char *text, size_t len, struct wh_error *err)
{
	(void)text, (void)err;
	assert_int_equal(number, ++*(unsigned *)arg);
	assert_int_equal(len, PAGE);
	return 0;
}

static void pages_without_an_end_are_an_error_with_its_reason(void **state)
{
	unsigned taken = 0;
	struct wh_error err = {.text = ""};
	const struct wh_graph_query q = {.query = "q", .most_bytes = MOST};
	(void)state;
	requests = 0;
	assert_int_equal(wh_arm_graph(NULL, &q, take, &taken, &err), -EMSGSIZE);
	assert_string_equal(err.text, "Resource Graph's answers have more than 1 MiB: ask for some subscriptions only");
	assert_int_equal(requests, MOST / PAGE + 1); /* no other is asked for */
	assert_int_equal(taken, MOST / PAGE);        /* and the last one is not taken */
}

static void each_query_has_its_own_limit(void **state)
{
	(void)state;
	for (size_t most = 0; most < 3; most++) {
		unsigned taken = 0;
		struct wh_error err = {.text = ""};
		const struct wh_graph_query q = {.query = "q", .most_bytes = most * PAGE};
		requests = 0;
		assert_int_equal(wh_arm_graph(NULL, &q, take, &taken, &err), -EMSGSIZE);
		assert_int_equal(requests, most + 1);
		assert_int_equal(taken, most);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages_without_an_end_are_an_error_with_its_reason),
		cmocka_unit_test(each_query_has_its_own_limit),
	};
	return cmocka_run_group_tests_name("graph", tests, NULL, NULL);
}
