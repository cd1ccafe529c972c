/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The exchange with Azure Resource Manager, against a local server that plays it with its faults. Needs node. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "whittle/azure.h"

static const char id[] =
	"/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.Network/networkSecurityGroups/web";

struct server {
	pid_t pid;
	FILE *out;
	char endpoint[64];
};

static bool have_node(void)
{
	return system("node --version >/dev/null 2>&1") == 0;
}

static struct server start(const char *plan)
{
	struct server s = {0};
	int fds[2], port = 0;
	assert_int_equal(pipe(fds), 0);
	s.pid = fork();
	assert_true(s.pid >= 0);
	if (!s.pid) {
		dup2(fds[1], 1);
		close(fds[0]);
		close(fds[1]);
		execlp("node", "node", "tests/tools/arm_server.js", plan, (char *)NULL);
		_exit(127);
	}
	close(fds[1]);
	s.out = fdopen(fds[0], "r");
	assert_int_equal(fscanf(s.out, "listening %d", &port), 1);
	snprintf(s.endpoint, sizeof s.endpoint, "http://127.0.0.1:%d", port);
	return s;
}

/* Ends the server; returns its group as it stood (new reference). *connections counts those that it was sent. */
static json_t *stop_counted(struct server *s, size_t *connections)
{
	char line[1 << 16];
	json_t *group = NULL;
	kill(s->pid, SIGTERM);
	while (fgets(line, sizeof line, s->out)) {
		*connections += !strcmp(line, "connection\n");
		if (!strncmp(line, "group ", 6))
			group = json_loads(line + 6, 0, NULL);
	}
	fclose(s->out);
	waitpid(s->pid, NULL, 0);
	assert_non_null(group);
	return group;
}

static json_t *stop(struct server *s)
{
	size_t ignored = 0;
	return stop_counted(s, &ignored);
}

/* Adds one deny before allow-ssh. */
static int build(void *arg, const json_t *present, json_t **wanted, struct wh_error *err)
{
	(void)err;
	++*(unsigned *)arg;
	*wanted = json_deep_copy(present);
	json_t *rules = json_object_get(json_object_get(*wanted, "properties"), "securityRules");
	json_array_append_new(rules, json_pack("{s:s,s:{s:s,s:s,s:s,s:s,s:s,s:s,s:i,s:s}}", "name", "whittle-deny", "properties",
	                                       "protocol", "Tcp", "sourcePortRange", "*", "destinationPortRange", "22",
	                                       "sourceAddressPrefix", "*", "destinationAddressPrefix", "*", "access", "Deny",
	                                       "priority", 299, "direction", "Inbound"));
	return 0;
}

static int exchange(const char *plan, const char *token_command, struct wh_arm_result *res, size_t *rules, struct wh_error *err)
{
	struct server s = start(plan);
	struct wh_arm_options opt = {
		.endpoint = s.endpoint, .token = "secret", .token_command = token_command, .max_wait_ms = 20000};
	struct wh_arm *arm = NULL;
	unsigned built = 0;
	memset(res, 0, sizeof *res);
	int rc = wh_arm_open(&opt, &arm, err);
	if (!rc)
		rc = wh_arm_replace_nsg(arm, id, build, &built, res, err);
	wh_arm_close(arm);
	json_t *group = stop(&s);
	*rules = json_array_size(json_object_get(json_object_get(group, "properties"), "securityRules"));
	json_decref(group);
	return rc;
}

static void succeeds(const char *plan)
{
	struct wh_arm_result res;
	struct wh_error err;
	size_t rules;
	if (exchange(plan, NULL, &res, &rules, &err))
		fail_msg("%s: %s", plan, err.text);
	assert_true(res.changed);
	assert_false(res.rolled_back);
	assert_int_equal(rules, 2);
}

static void fails(const char *plan, int code, const char *words)
{
	struct wh_arm_result res;
	struct wh_error err = {.text = ""};
	size_t rules;
	assert_int_equal(exchange(plan, NULL, &res, &rules, &err), code);
	if (!strstr(err.text, words))
		fail_msg("%s: '%s' lacks '%s'", plan, err.text, words);
	assert_null(strstr(err.text, "secret"));
	assert_int_equal(rules, 1); /* as before */
}

#define NEEDS_NODE() do { (void)state; if (!have_node()) { print_message("# node is absent\n"); skip(); } } while (0)

static void a_group_is_replaced_and_read_back(void **state)
{
	NEEDS_NODE();
	succeeds("");
}

static void a_group_with_odd_json_that_is_not_written_back_is_read(void **state)
{
	NEEDS_NODE();
	succeeds("odd");
}

static void a_group_with_odd_json_of_its_owner_is_left_as_it_is(void **state)
{
	NEEDS_NODE();
	fails("oddtag", -ENOTSUP, "can't be written back");
}

static void a_busy_throttling_or_failing_service_is_tried_again(void **state)
{
	NEEDS_NODE();
	succeeds("get429,get500,put409,put429,put500");
}

static void a_cut_connection_neither_loses_nor_doubles_the_change(void **state)
{
	NEEDS_NODE();
	succeeds("cutput-before");
	succeeds("cutput-after");
	succeeds("put500applied");
}

static void a_concurrent_change_wins_and_is_reported(void **state)
{
	NEEDS_NODE();
	fails("change", -EAGAIN, "another user or program changed");
	fails("cutput-before,,change", -EAGAIN, "another user or program changed");
}

static void a_group_that_reads_back_differently_is_rolled_back(void **state)
{
	NEEDS_NODE();
	fails("mangle", -EIO, "the former group was put back");
}

static void a_change_that_fails_half_way_is_rolled_back(void **state)
{
	NEEDS_NODE();
	fails("asyncfail", -EIO, "the former group was put back");
}

static void a_service_that_keeps_failing_leaves_the_group_as_it_was(void **state)
{
	NEEDS_NODE();
	fails("illput", -EIO, "nothing was applied");
}

static void a_missing_permission_is_named(void **state)
{
	NEEDS_NODE();
	fails("forbid", -EACCES, "networkSecurityGroups/read");
	fails("forbidput", -EACCES, "networkSecurityGroups/write");
	fails("expire", -EACCES, "has expired");
}

static void a_token_that_the_service_sends_back_is_not_printed(void **state)
{
	NEEDS_NODE();
	fails("echo", -EACCES, "no right with Bearer ******: played no right");
}

static void a_poll_at_another_host_is_refused(void **state)
{
	NEEDS_NODE();
	struct wh_arm_result res;
	struct wh_error err;
	size_t rules;
	assert_int_equal(exchange("foreign", NULL, &res, &rules, &err), -EPERM);
}

static void an_expired_token_is_asked_for_again(void **state)
{
	NEEDS_NODE();
	struct wh_arm_result res;
	struct wh_error err = {.text = ""};
	size_t rules;
	if (exchange("expire", "echo secret", &res, &rules, &err))
		fail_msg("%s", err.text);
	assert_int_equal(rules, 2);
}

/* Reads the group with one try; the sentence of the failure, or "read". */
static void reads_once(const char *plan, const char *words)
{
	struct server s = start(plan);
	struct wh_arm_options opt = {.endpoint = s.endpoint, .token = "secret", .max_tries = 1};
	struct wh_arm *arm = NULL;
	struct wh_error err = {.text = "read"};
	json_t *group = NULL;
	char *etag = NULL;
	assert_int_equal(wh_arm_open(&opt, &arm, &err), 0);
	int rc = wh_arm_get(arm, id, &group, &etag, &err);
	wh_arm_close(arm);
	json_decref(stop(&s));
	json_decref(group);
	free(etag);
	assert_int_equal(rc, strcmp(words, "read") ? -EIO : 0);
	if (!strstr(err.text, words))
		fail_msg("%s: '%s' lacks '%s'", plan, err.text, words);
}

static void an_answer_with_a_continuation_line_or_too_long_a_header_is_refused(void **state)
{
	NEEDS_NODE();
	reads_once("", "read");
	reads_once("folded", "continuation line");
	reads_once("manylines", "more than 256 lines");
	reads_once("longheader", "64 KiB");
}

static void each_request_has_a_connection_and_a_handle_of_its_own(void **state)
{
	NEEDS_NODE();
	struct server s = start("");
	struct wh_arm_options opt = {.endpoint = s.endpoint, .token = "secret", .max_wait_ms = 20000};
	struct wh_arm_result res;
	struct wh_arm *arm = NULL;
	struct wh_error err;
	size_t connections = 0;
	unsigned built = 0;
	assert_int_equal(wh_arm_open(&opt, &arm, &err), 0);
	assert_int_equal(wh_arm_replace_nsg(arm, id, build, &built, &res, &err), 0);
	wh_arm_close(arm);
	json_decref(stop_counted(&s, &connections));
	assert_int_equal(connections, res.requests);
}

static void a_token_is_never_sent_in_clear(void **state)
{
	(void)state;
	static const char *const bad[] = {"http://management.azure.example", "http://127.0.0.1.evil.example", "ftp://x",
	                                  "http://localhost@evil.example"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct wh_arm_options opt = {.endpoint = bad[i], .token = "secret"};
		struct wh_arm *arm;
		struct wh_error err;
		assert_int_equal(wh_arm_open(&opt, &arm, &err), -EINVAL);
		assert_true(err.input);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_group_is_replaced_and_read_back),
		cmocka_unit_test(a_group_with_odd_json_that_is_not_written_back_is_read),
		cmocka_unit_test(a_group_with_odd_json_of_its_owner_is_left_as_it_is),
		cmocka_unit_test(a_busy_throttling_or_failing_service_is_tried_again),
		cmocka_unit_test(a_cut_connection_neither_loses_nor_doubles_the_change),
		cmocka_unit_test(a_concurrent_change_wins_and_is_reported),
		cmocka_unit_test(a_group_that_reads_back_differently_is_rolled_back),
		cmocka_unit_test(a_change_that_fails_half_way_is_rolled_back),
		cmocka_unit_test(a_service_that_keeps_failing_leaves_the_group_as_it_was),
		cmocka_unit_test(a_missing_permission_is_named),
		cmocka_unit_test(a_token_that_the_service_sends_back_is_not_printed),
		cmocka_unit_test(a_poll_at_another_host_is_refused),
		cmocka_unit_test(an_expired_token_is_asked_for_again),
		cmocka_unit_test(an_answer_with_a_continuation_line_or_too_long_a_header_is_refused),
		cmocka_unit_test(each_request_has_a_connection_and_a_handle_of_its_own),
		cmocka_unit_test(a_token_is_never_sent_in_clear),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
