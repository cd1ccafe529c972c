/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The gate, as a worker asks it: whom sessions and sockets belong to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include "base/helper.h"
#include "serve/gate.h"

static char dir[64], at[128], listen_at[160];
static struct wh_serve_options o = {.store_url = "/l.db", .state_dir = dir, .n_listen = 1};
static int control, gate, listener;
static struct wh_error err;

/* ---- stand-in for the C library, in the gate's process too: how far its clocks are from the kernel's ---- */

static struct { time_t set_s, passed_s; } *clocks;

int clock_gettime(clockid_t id, struct timespec *t)
{
	int rc = (int)syscall(SYS_clock_gettime, id, t);
	if (!rc && clocks)
		t->tv_sec += id == CLOCK_REALTIME ? clocks->set_s : clocks->passed_s;
	return rc;
}

static int share_clocks(void **state)
{
	(void)state;
	clocks = mmap(NULL, sizeof *clocks, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return clocks == MAP_FAILED ? -1 : 0;
}

static int setup(void **state)
{
	*clocks = (typeof(*clocks)){0, 0};
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int pair[2];
	(void)state;
	strcpy(dir, "/tmp/wh-gate-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(at, sizeof at, "%s/s", dir);
	snprintf(listen_at, sizeof listen_at, "unix:%s", at);
	strcpy(a.sun_path, at);
	o.listen[0] = listen_at;
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(listener, (struct sockaddr *)&a, sizeof a) || listen(listener, 4) || wh_gate_start(&o, &control, &err) ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) || wh_helper_send(control, "w", 1, pair[0]))
		return -1;
	close(pair[0]);
	gate = pair[1];
	return 0;
}

static int teardown(void **state)
{
	char path[128];
	(void)state;
	close(gate);
	close(listener);
	wh_helper_end(control);
	unlink(at);
	snprintf(path, sizeof path, "%s/serve-tokens", dir);
	unlink(path);
	return rmdir(dir);
}

static struct wh_gate_answer ask(uint32_t what, uint32_t shown, const char *secret, int fd)
{
	struct wh_gate_request r = {.what = what, .shown = shown};
	struct wh_gate_answer a = {.rc = -1};
	char *out, *errors;
	snprintf(r.secret, sizeof r.secret, "%s", secret);
	assert_int_equal(wh_gate_ask(gate, &r, fd, &a, &out, &errors, &err), 0);
	free(out);
	free(errors);
	return a;
}

static void a_session_ends_with_its_token_also_if_another_token_gets_the_name(void **state)
{
	char secret[WH_TOKEN_SECRET];
	(void)state;
	assert_int_equal(wh_token_add(dir, "ada", WH_SERVE_READER, 0, secret, &err), 0);
	struct wh_gate_answer in = ask(WH_GATE_LOG_IN, WH_SHOWN_TOKEN, secret, -1);
	assert_int_equal(in.rc, 0);
	assert_int_equal(ask(WH_GATE_WHO, WH_SHOWN_SESSION, in.session, -1).who, WH_WHO_KNOWN);
	assert_int_equal(wh_token_revoke(dir, "ada", &err), 0);
	assert_int_equal(ask(WH_GATE_WHO, WH_SHOWN_SESSION, in.session, -1).who, WH_WHO_NOBODY);
	assert_int_equal(wh_token_add(dir, "ada", WH_SERVE_OPERATOR, 0, secret, &err), 0);
	assert_int_equal(ask(WH_GATE_WHO, WH_SHOWN_SESSION, in.session, -1).who, WH_WHO_NOBODY);
	assert_int_equal(ask(WH_GATE_WHO, WH_SHOWN_TOKEN, secret, -1).role, WH_SERVE_OPERATOR);
}

static void a_session_that_is_over_is_none_and_begins_none(void **state)
{
	char secret[WH_TOKEN_SECRET];
	(void)state;
	assert_int_equal(wh_token_add(dir, "ada", WH_SERVE_READER, 0, secret, &err), 0);
	char other[WH_TOKEN_SECRET];
	assert_int_equal(wh_token_add(dir, "bob", WH_SERVE_OPERATOR, 0, other, &err), 0);
	struct wh_gate_answer beside = ask(WH_GATE_LOG_IN, WH_SHOWN_TOKEN, other, -1);
	struct wh_gate_answer one = ask(WH_GATE_LOG_IN, WH_SHOWN_TOKEN, secret, -1), two;
	assert_string_equal(ask(WH_GATE_LOG_IN, WH_SHOWN_SESSION, one.session, -1).session, "");
	for (int i = 0; i < 300; i++) /* more than there are places; they end none of another token's */
		two = ask(WH_GATE_LOG_IN, WH_SHOWN_TOKEN, secret, -1);
	assert_int_equal(ask(WH_GATE_WHO, WH_SHOWN_SESSION, two.session, -1).who, WH_WHO_KNOWN);
	assert_int_equal(ask(WH_GATE_WHO, WH_SHOWN_SESSION, one.session, -1).who, WH_WHO_NOBODY);
	assert_int_equal(ask(WH_GATE_WHO, WH_SHOWN_SESSION, beside.session, -1).who, WH_WHO_KNOWN);
	ask(WH_GATE_LOG_OUT, WH_SHOWN_SESSION, two.session, -1);
	assert_int_equal(ask(WH_GATE_WHO, WH_SHOWN_SESSION, two.session, -1).who, WH_WHO_NOBODY);
	assert_int_equal(ask(WH_GATE_WHO, WH_SHOWN_SESSION, "", -1).who, WH_WHO_NOBODY);
}

static void a_session_lasts_a_working_day_wherever_the_clock_is_set(void **state)
{
	enum { DAY_S = 86400, WORKING_DAY_S = DAY_S / 2 };
	char secret[WH_TOKEN_SECRET];
	(void)state;
	assert_int_equal(wh_token_add(dir, "ada", WH_SERVE_READER, 0, secret, &err), 0);
	struct wh_gate_answer in = ask(WH_GATE_LOG_IN, WH_SHOWN_TOKEN, secret, -1);
	clocks->set_s = DAY_S;
	assert_int_equal(ask(WH_GATE_WHO, WH_SHOWN_SESSION, in.session, -1).who, WH_WHO_KNOWN);
	clocks->set_s = -DAY_S;
	clocks->passed_s = WORKING_DAY_S - 600;
	assert_int_equal(ask(WH_GATE_WHO, WH_SHOWN_SESSION, in.session, -1).who, WH_WHO_KNOWN);
	clocks->passed_s = WORKING_DAY_S + 1;
	assert_int_equal(ask(WH_GATE_WHO, WH_SHOWN_SESSION, in.session, -1).who, WH_WHO_NOBODY);
}

/* The kernel gives a user for every local socket: for those that the web side holds, the one that started the server. */
static void only_a_connection_to_the_server_s_own_socket_shows_a_user(void **state)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int pair[2], client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	(void)state;
	strcpy(a.sun_path, at);
	assert_int_equal(connect(client, (struct sockaddr *)&a, sizeof a), 0);
	int came = accept(listener, NULL, NULL);
	assert_int_equal(ask(WH_GATE_WHO, WH_SHOWN_SOCKET, "", came).role, WH_SERVE_OPERATOR); /* this test's own user */
	assert_int_equal(ask(WH_GATE_WHO, WH_SHOWN_SOCKET, "", client).who, WH_WHO_NOBODY);
	assert_int_equal(ask(WH_GATE_WHO, WH_SHOWN_SOCKET, "", listener).who, WH_WHO_NOBODY);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(ask(WH_GATE_WHO, WH_SHOWN_SOCKET, "", pair[0]).who, WH_WHO_NOBODY);
	assert_int_equal(ask(WH_GATE_WHO, WH_SHOWN_SOCKET, "", gate).who, WH_WHO_NOBODY);
	assert_int_equal(ask(WH_GATE_WHO, WH_SHOWN_SOCKET, "", 0).who, WH_WHO_NOBODY);
	assert_int_equal(ask(WH_GATE_WHO, WH_SHOWN_SOCKET, "", -1).who, WH_WHO_NOBODY);
	close(came);
	close(client);
	close(pair[0]);
	close(pair[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_session_ends_with_its_token_also_if_another_token_gets_the_name, setup,
	                                        teardown),
		cmocka_unit_test_setup_teardown(a_session_that_is_over_is_none_and_begins_none, setup, teardown),
		cmocka_unit_test_setup_teardown(a_session_lasts_a_working_day_wherever_the_clock_is_set, setup, teardown),
		cmocka_unit_test_setup_teardown(only_a_connection_to_the_server_s_own_socket_shows_a_user, setup, teardown),
	};
	return cmocka_run_group_tests(tests, share_clocks, NULL);
}
