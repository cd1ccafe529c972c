/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "guard/firewall_message.h"
#include "guard/persist_file.h"
#include "guard/rules_bytes.h"
#include "../support/arena.h"

static struct wh_nft_ruleset *rules(void)
{
	struct wh_nft_ruleset *rs = wh_arena_alloc(mem, sizeof *rs);
	struct wh_addr *locals = wh_arena_array(mem, 2, sizeof *locals);
	struct wh_prefix *v4 = wh_arena_array(mem, 2, sizeof *v4);
	struct wh_addr a = wh_addr_v4(0xc0000200), b = wh_addr_v4(0xcb007100);
	rs->ports = wh_arena_array(mem, 2, sizeof *rs->ports);
	rs->n_ports = 1;
	rs->nflog_group = 5;
	locals[0] = wh_addr_v4(0x0a000004);
	locals[1] = wh_addr_v4(0x0a000005);
	v4[0] = wh_prefix_of(&a, 96 + 24);
	v4[1] = wh_prefix_of(&b, 96 + 24);
	rs->ports[0] = (struct wh_nft_port){
		.direction = WH_INBOUND, .proto = WH_PROTO_TCP, .port = 22, .v4 = v4, .n_v4 = 2, .locals = locals, .n_locals = 2};
	return rs;
}

/* The message that asks to apply `rs`; free(p). */
static struct wh_bytes message(struct wh_nft_ruleset *rs, int64_t seconds)
{
	struct wh_bytes b = {0};
	wh_put_request(&b, &(struct wh_request){.what = WH_ASK_APPLY, .rs = rs, .number = seconds});
	assert_false(b.failed);
	return b;
}

static int taken(struct wh_nft_ruleset *rs, int64_t seconds)
{
	struct wh_request out;
	struct wh_bytes b = message(rs, seconds);
	int rc = wh_take_request(b.p, b.n, mem, &out);
	free(b.p);
	return rc;
}

static void a_request_is_decoded_as_it_was_encoded(void **state)
{
	struct wh_nft_ruleset *rs = rules();
	struct wh_bytes b = message(rs, 60);
	struct wh_request out;
	(void)state;
	assert_int_equal(wh_take_request(b.p, b.n, mem, &out), 0);
	assert_int_equal(out.what, WH_ASK_APPLY);
	assert_int_equal(out.number, 60);
	assert_int_equal(out.rs->n_ports, 1);
	assert_int_equal(out.rs->ports[0].n_v4, 2);
	assert_true(wh_addr_eq(&out.rs->ports[0].locals[1], &rs->ports[0].locals[1]));
	free(b.p);
}

static void a_cut_or_a_longer_message_is_refused(void **state)
{
	struct wh_bytes b = message(rules(), 60);
	struct wh_request out;
	(void)state;
	for (size_t n = 0; n < b.n; n++) {
		uint8_t *exact = malloc(n ? n : 1); /* so that a byte beyond is seen */
		memcpy(exact, b.p, n);
		assert_int_equal(wh_take_request(exact, n, mem, &out), -EBADMSG);
		free(exact);
	}
	wh_put_number(&b, 0, 1);
	assert_int_equal(wh_take_request(b.p, b.n, mem, &out), -EBADMSG);
	free(b.p);
}

static void every_field_has_its_range(void **state)
{
	struct wh_nft_ruleset *rs;
	(void)state;
	assert_int_equal(taken(rules(), 0), -EBADMSG); /* rules that nobody confirms, for good */
	assert_int_equal(taken(rules(), 86401), -EBADMSG);
	rs = rules(); rs->ports[0].proto = 47; assert_int_equal(taken(rs, 60), -EBADMSG);
	rs = rules(); rs->ports[0].v4[1] = rs->ports[0].v4[0]; assert_int_equal(taken(rs, 60), -EBADMSG);
	rs = rules(); rs->ports[0].v4[0].len = 96 + 8; assert_int_equal(taken(rs, 60), -EBADMSG); /* host bits */
	rs = rules(); rs->ports[0].v6 = rs->ports[0].v4; rs->ports[0].n_v6 = 1; assert_int_equal(taken(rs, 60), -EBADMSG);
	/* two for one packet */
	rs = rules();
	rs->ports[0].n_locals = 0;
	rs->ports[1] = rs->ports[0];
	rs->n_ports = 2;
	assert_int_equal(taken(rs, 60), -EBADMSG);
}

/* The same for `r`, with one byte of it changed where `at` is not 0. */
static int taken_as(const struct wh_request *r, size_t at, uint8_t byte)
{
	struct wh_request out;
	struct wh_bytes b = {0};
	wh_put_request(&b, r);
	assert_false(b.failed);
	if (at)
		b.p[at] = byte;
	int rc = wh_take_request(b.p, b.n, mem, &out);
	free(b.p);
	return rc;
}

static void every_field_of_an_opening_has_its_range(void **state)
{
	enum { NAME_AT = 1 + 8 + 1 };
	struct wh_addr from = wh_addr_v4(0xcb007107);
	const struct wh_request good = {
		.what = WH_ASK_JIT_OPEN,
		.number = 1000,
		.opening = {.resource = "vm1", .proto = WH_PROTO_UDP, .port = 53, .from = wh_prefix_of(&from, 128)}};
	struct wh_request r = good;
	(void)state;
	assert_int_equal(taken_as(&good, 0, 0), 0);
	assert_int_equal(taken_as(&good, NAME_AT + 1, 0), -EBADMSG); /* a name with a NUL */
	r.opening.proto = WH_PROTO_TCP + 1; assert_int_equal(taken_as(&r, 0, 0), -EBADMSG);
	r = good; r.opening.port = 0; assert_int_equal(taken_as(&r, 0, 0), -EBADMSG);
	r = good; r.number = 0; assert_int_equal(taken_as(&r, 0, 0), -EBADMSG);
}

static void every_closed_port_has_its_range(void **state)
{
	struct wh_jit_port ports[WH_ASK_MAX_PORTS + 1];
	struct wh_request r = {.what = WH_ASK_JIT_ON, .number = 60, .ports = ports, .n_ports = WH_ASK_MAX_PORTS};
	(void)state;
	for (size_t i = 0; i <= WH_ASK_MAX_PORTS; i++)
		ports[i] = (struct wh_jit_port){WH_PROTO_TCP, (uint16_t)(i + 1)};
	assert_int_equal(taken_as(&r, 0, 0), 0);
	r.n_ports++;
	assert_int_equal(taken_as(&r, 0, 0), -EBADMSG);
	r.n_ports = 1;
	ports[0].port = 0;
	assert_int_equal(taken_as(&r, 0, 0), -EBADMSG);
}

static void rejected_prefixes_are_decoded_as_they_were_encoded(void **state)
{
	struct wh_nft_ruleset *rs = rules();
	struct wh_prefix many[65], two[2] = {rs->ports[0].v4[0], rs->ports[0].v4[1]};
	struct wh_request out;
	(void)state;
	rs->reject = (struct wh_nft_reject){.v4 = two, .n_v4 = 2, .v6 = (struct wh_prefix[]){wh_prefix_all_v6}, .n_v6 = 1};
	struct wh_bytes b = message(rs, 60);
	assert_int_equal(wh_take_request(b.p, b.n, mem, &out), 0);
	assert_false(out.rs->audit);
	assert_int_equal(out.rs->reject.n_v4, 2);
	assert_int_equal(out.rs->reject.n_v6, 1);
	assert_true(wh_addr_eq(&out.rs->reject.v4[1].addr, &two[1].addr));
	free(b.p);
	two[1] = two[0];
	assert_int_equal(taken(rs, 60), -EBADMSG); /* twice the same */
	for (size_t i = 0; i < 65; i++) {
		struct wh_addr a = wh_addr_v4((uint32_t)i << 8);
		many[i] = wh_prefix_of(&a, 96 + 24);
	}
	rs->reject = (struct wh_nft_reject){.v4 = many, .n_v4 = 65};
	assert_int_equal(taken(rs, 60), -EBADMSG);
	rs->reject.n_v4 = 64;
	assert_int_equal(taken(rs, 60), 0);
}

static void a_number_of_things_is_no_larger_than_the_message(void **state)
{
	struct wh_bytes b = message(rules(), 60);
	struct wh_request out;
	const size_t n_ports = 1 + 1 + 1 + 8 + 4, n_v4 = n_ports + 4 + 4 + 4;
	(void)state;
	memset(b.p + n_v4, 0xff, 4);
	assert_int_equal(wh_take_request(b.p, b.n, mem, &out), -EBADMSG);
	memcpy(b.p + n_v4, "\2\0\0\0", 4);
	assert_int_equal(wh_take_request(b.p, b.n, mem, &out), 0);
	memset(b.p + n_ports, 0xff, 4);
	assert_int_equal(wh_take_request(b.p, b.n, mem, &out), -EBADMSG);
	free(b.p);
}

static struct wh_firewall_answer done(const struct wh_firewall_grants *g, const struct wh_request *r)
{
	struct wh_firewall_answer a;
	struct wh_bytes more = {0};
	int fd;
	wh_firewall_do(g, r, mem, &a, &more, &fd);
	free(more.p);
	assert_int_equal(fd, -1);
	return a;
}

static void a_command_asks_for_no_more_than_what_was_typed(void **state)
{
	const struct wh_firewall_grants confirm = {.may = WH_MAY_LOOK | WH_MAY_CONFIRM, .state_dir = "/nowhere"};
	(void)state;
	for (int what = WH_ASK_APPLY; what < WH_ASKS; what++) {
		struct wh_request r = {.what = (enum wh_ask)what, .rs = rules(), .number = 60, .opening.resource = "vm1"};
		if (what == WH_ASK_CONFIRM)
			continue;
		struct wh_firewall_answer a = done(&confirm, &r);
		assert_int_equal(a.rc, -EPERM);
		assert_non_null(strstr(a.err.text, "may not ask"));
	}
	const struct wh_firewall_grants back = {.may = WH_MAY_ROLL_BACK, .state_dir = "/nowhere"};
	assert_non_null(strstr(done(&back, &(struct wh_request){.what = WH_ASK_ROLLBACK, .flag = true}).err.text, "may not ask"));
}

static void rules_that_lock_the_operator_out_need_the_operators_consent(void **state)
{
	const struct wh_session here = {.client = wh_addr_v4(0x08080808), .port = 22};
	struct wh_firewall_grants g = {.may = WH_MAY_APPLY, .state_dir = "/nowhere", .sessions = &here, .n_sessions = 1};
	(void)state;
	struct wh_firewall_answer a = done(
		&g, &(struct wh_request){.what = WH_ASK_APPLY, .rs = rules(), .number = 60, .force = true});
	assert_int_equal(a.rc, -EPERM);
	assert_non_null(strstr(a.err.text, "8.8.8.8"));
	struct wh_nft_ruleset *none = rules();
	none->n_ports = 0;
	assert_int_equal(done(&g, &(struct wh_request){.what = WH_ASK_APPLY, .rs = none, .number = 60}).rc, -ENODATA);
}

/* Files of earlier versions, which the ledger's owner can forge, take nothing's place. */
static void what_is_stored_is_not_replaced_by_what_is_taken_over(void **state)
{
	char dir[] = "/tmp/wh-adopt-XXXXXX", path[64];
	const struct wh_persist_times times = {.confirmed_us = 6};
	struct wh_error err;
	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(wh_persist_write_rules(dir, WH_PERSIST_RULES, rules(), &times, &err), 0);
	const struct wh_firewall_grants g = {.may = WH_MAY_ADOPT, .state_dir = dir};
	assert_int_equal(done(&g, &(struct wh_request){.what = WH_ASK_ADOPT, .rs = rules()}).rc, 1);
	snprintf(path, sizeof path, "%s/" WH_PERSIST_RULES, dir);
	assert_int_equal(truncate(path, 10), 0); /* damaged: a person decides */
	assert_int_equal(done(&g, &(struct wh_request){.what = WH_ASK_ADOPT, .rs = rules()}).rc, 1);
	unlink(path);
	rmdir(dir);
}

static void openings_and_closings_beyond_the_policy_are_refused(void **state)
{
	struct wh_prefix office, stranger;
	struct wh_jit_port port = {WH_PROTO_TCP, 22};
	(void)state;
	wh_prefix_parse("203.0.113.0/24", 14, &office, NULL);
	wh_prefix_parse("198.51.100.7", 12, &stranger, NULL);
	struct wh_jit_policy policy = {
		.resource = "vm1", .ports = &port, .n_ports = 1, .from = &office, .n_from = 1, .longest_s = 3600};
	const struct wh_jit_config jit = {.policies = &policy, .n_policies = 1};
	const struct wh_firewall_grants g = {
		.may = WH_MAY_OPEN | WH_MAY_CLOSE, .state_dir = "/nowhere", .jit = &jit, .who = "root"};
	struct wh_request r = {.what = WH_ASK_JIT_OPEN,
	                       .number = 1000,
	                       .opening = {.resource = "vm1", .proto = WH_PROTO_TCP, .port = 22, .from = stranger}};
	assert_non_null(strstr(done(&g, &r).err.text, "refused (source)"));
	r.opening.from = office;
	struct wh_firewall_grants other_user = g, no_config = g;
	other_user.who = "bob"; /* as the process that the person started knows; a message can't say it */
	assert_non_null(strstr(done(&other_user, &r).err.text, "refused (user)"));
	no_config.jit = NULL;
	assert_int_equal(done(&no_config, &r).rc, -EPERM);
	r.opening.port = 3389;
	assert_non_null(strstr(done(&g, &r).err.text, "refused (port)"));
	r.opening.port = 22;
	r.number = 3600 * 1000 + 1;
	assert_non_null(strstr(done(&g, &r).err.text, "refused (time)"));
	r.opening.resource = "vm2";
	assert_non_null(strstr(done(&g, &r).err.text, "refused (resource)"));
	struct wh_jit_port other = {WH_PROTO_TCP, 443};
	assert_non_null(strstr(
		done(&g, &(struct wh_request){.what = WH_ASK_JIT_ON, .ports = &other, .n_ports = 1, .number = 60}).err.text,
		"refused (port)"));
}

/* A process that the program left behind asks, once the program is gone: what it reads is the test's answer. */
static void ask_as_an_orphan(int answer)
{
	const struct wh_firewall_grants g = {.may = WH_MAY_LOOK, .state_dir = "/nowhere"};
	const struct wh_request r = {.what = WH_ASK_CONFIRMED};
	struct wh_firewall_answer a;
	struct wh_bytes more;
	struct wh_error err;
	const pid_t program = getpid();
	int fd;
	if (wh_firewall_start(&g, &err) || wh_firewall_ask(&r, &a, &more, &fd, &err)) /* while it is there, it is answered */
		_exit(1);
	free(more.p);
	if (fork())
		_exit(0);
	while (getppid() == program)
		sched_yield();
	int rc = wh_firewall_ask(&r, &a, &more, &fd, &err);
	_exit(write(answer, &rc, sizeof rc) != sizeof rc);
}

/* Otherwise a reader that was taken over could go on when nobody waits for its command any more. */
static void the_firewalls_process_obeys_only_while_the_program_is_there(void **state)
{
	int ends[2], status, rc = 0;
	(void)state;
	if (geteuid())
		skip();
	assert_int_equal(pipe(ends), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (!pid)
		ask_as_an_orphan(ends[1]);
	close(ends[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(read(ends[0], &rc, sizeof rc), sizeof rc);
	assert_int_equal(rc, -EPIPE);
	close(ends[0]);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, arena_begin, arena_end)
	const struct CMUnitTest tests[] = {
		TEST(a_request_is_decoded_as_it_was_encoded),
		TEST(a_cut_or_a_longer_message_is_refused),
		TEST(every_field_has_its_range),
		TEST(every_field_of_an_opening_has_its_range),
		TEST(every_closed_port_has_its_range),
		TEST(rejected_prefixes_are_decoded_as_they_were_encoded),
		TEST(a_number_of_things_is_no_larger_than_the_message),
		TEST(a_command_asks_for_no_more_than_what_was_typed),
		TEST(rules_that_lock_the_operator_out_need_the_operators_consent),
		TEST(the_firewalls_process_obeys_only_while_the_program_is_there),
		TEST(what_is_stored_is_not_replaced_by_what_is_taken_over),
		TEST(openings_and_closings_beyond_the_policy_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
