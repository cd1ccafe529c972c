/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From where the operator is connected, read from a /proc that the test writes. */
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "whittle/enforce.h"

enum { OPERATOR = 1000, SELF = 400 };
static char proc[64];

static int setup(void **state)
{
	(void)state;
	snprintf(proc, sizeof proc, "/tmp/whittle-proc-XXXXXX");
	return mkdtemp(proc) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *f)
{
	(void)st, (void)flag, (void)f;
	return remove(path);
}

static int teardown(void **state)
{
	(void)state;
	return nftw(proc, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void put(int pid, const char *name, const void *text, size_t len)
{
	char path[256];
	snprintf(path, sizeof path, "%s/%d/%s", proc, pid, name);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, len, f), len);
	fclose(f);
}

#define ENV(pid, text) put(pid, "environ", text, sizeof text - 1) /* words end with \0 */

static void process(int pid, int parent, const char *name, unsigned uid)
{
	static const char *const dirs[] = {"", "/fd", "/net"};
	char text[256];
	for (size_t i = 0; i < 3; i++) {
		snprintf(text, sizeof text, "%s/%d%s", proc, pid, dirs[i]);
		assert_int_equal(mkdir(text, 0700), 0);
	}
	int n = snprintf(text, sizeof text, "%d (%s) S %d 1 1 0 -1", pid, name, parent);
	put(pid, "stat", text, (size_t)n);
	n = snprintf(text, sizeof text, "Name:\t%s\nUid:\t%u\t%u\t%u\t%u\n", name, uid, uid, uid, uid);
	put(pid, "status", text, (size_t)n);
	ENV(pid, "HOME=/root\0PATH=/bin\0");
}

static void socket_of(int pid, int fd, const char *inode)
{
	char path[256];
	snprintf(path, sizeof path, "%s/%d/fd/%d", proc, pid, fd);
	assert_int_equal(symlink(inode, path), 0);
}

/* init ─ sshd (root) ─ sshd (the operator's) ─ shell ─ sudo ─ whittle */
static void as_with_sudo(const char *shell_env, size_t len)
{
	process(1, 0, "systemd", 0);
	process(100, 1, "sshd", 0);
	process(200, 100, "sshd", OPERATOR);
	process(300, 200, "bash) S 1 (", OPERATOR); /* a name that tries to look like the rest of the line */
	process(350, 300, "sudo", 0);
	process(SELF, 350, "whittle", 0);
	put(300, "environ", shell_env, len);
}

static size_t sessions(struct wh_session *out)
{
	return wh_sessions(proc, SELF, OPERATOR, out, 8);
}

static bool is(const struct wh_session *s, const char *client, unsigned port)
{
	struct wh_addr a;
	assert_int_equal(wh_addr_parse(client, strlen(client), &a), 0);
	return wh_addr_eq(&a, &s->client) && s->port == port;
}

static const char tcp_head[] =
	"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";

static void behind_sudo_the_shells_own_environment_is_found(void **state)
{
	static const char env[] =
		"TERM=xterm\0XSSH_CONNECTION=192.0.2.1 1 10.0.0.4 22\0SSH_CONNECTION=203.0.113.7 50000 10.0.0.4 2222";
	struct wh_session s[8];
	(void)state;
	as_with_sudo(env, sizeof env);
	assert_int_equal(sessions(s), 1);
	assert_true(is(&s[0], "203.0.113.7", 2222));
}

static void a_link_local_client_is_found_without_its_zone(void **state)
{
	static const char env[] = "SSH_CONNECTION=fe80::7%eth0 50000 fe80::4%eth0 22";
	struct wh_session s[8];
	(void)state;
	as_with_sudo(env, sizeof env);
	assert_int_equal(sessions(s), 1);
	assert_true(is(&s[0], "fe80::7", 22));
}

static void without_an_environment_the_servers_socket_gives_the_client(void **state)
{
	char tcp[1024], tcp6[1024];
	struct wh_session s[8];
	(void)state;
	as_with_sudo("TERM=xterm", 11);
	socket_of(200, 3, "socket:[7001]");
	socket_of(200, 4, "socket:[7002]");
	socket_of(200, 5, "socket:[7003]"); /* listens for a forwarded port */
	socket_of(200, 6, "/dev/null");
	uint32_t v4 = 0, local = 0;
	memcpy(&v4, (const uint8_t[]){203, 0, 113, 7}, 4);
	memcpy(&local, (const uint8_t[]){10, 0, 0, 4}, 4);
	int n = snprintf(tcp, sizeof tcp,
	                 "%s   0: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 7003 1 0\n"
	                 "   1: %08X:0016 %08X:C350 01 00000000:00000000 02:000A 00000000     0        0 7001 4 0\n"
	                 "   2: %08X:0016 %08X:C351 01 00000000:00000000 02:000A 00000000     0        0 9999 4 0\n",
	                 tcp_head, local, v4, local, local);
	put(200, "net/tcp", tcp, (size_t)n);
	uint32_t w[4];
	memcpy(w, (const uint8_t[]){0x20, 1, 0xd, 0xb8, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9}, 16);
	n = snprintf(tcp6, sizeof tcp6,
	             "%s   0: %08X%08X%08X%08X:0016 %08X%08X%08X%08X:C350 01 00000000:00000000 02:000A 00000000  0  0 7002 2 0\n",
	             tcp_head, w[0], w[1], w[2], w[3], w[0], w[1], w[2], w[3]);
	put(200, "net/tcp6", tcp6, (size_t)n);
	assert_int_equal(sessions(s), 2);
	assert_true(is(&s[0], "203.0.113.7", 22));
	assert_true(is(&s[1], "2001:db8:7::9", 22));
}

static void the_operators_other_sessions_count_and_no_other_users(void **state)
{
	char tcp[512];
	struct wh_session s[8];
	(void)state;
	process(1, 0, "systemd", 0);
	process(150, 1, "tmux: server", OPERATOR); /* of yesterday */
	ENV(150, "SSH_CONNECTION=192.0.2.1 4000 10.0.0.4 22\0");
	process(SELF, 150, "whittle", 0);
	process(210, 1, "sshd-session", OPERATOR); /* the address from which the operator is attached today */
	process(220, 1, "sshd-session", OPERATOR + 1);
	process(230, 1, "nginx", OPERATOR);
	for (int pid = 210, i = 1; pid <= 230; pid += 10, i++) {
		uint32_t v4 = 0;
		char inode[32];
		memcpy(&v4, (const uint8_t[]){198, 51, 100, (uint8_t)i}, 4);
		snprintf(inode, sizeof inode, "socket:[%d]", pid);
		socket_of(pid, 3, inode);
		int n = snprintf(tcp, sizeof tcp, "%s   0: 0400000A:0016 %08X:C350 01 0:0 02:0A 0     0        0 %d 4 0\n",
		                 tcp_head, v4, pid);
		put(pid, "net/tcp", tcp, (size_t)n);
	}
	assert_int_equal(sessions(s), 2);
	assert_true(is(&s[0], "192.0.2.1", 22));
	assert_true(is(&s[1], "198.51.100.1", 22));
}

static void network_of(int pid, const char *name)
{
	char path[256];
	snprintf(path, sizeof path, "%s/%d/ns", proc, pid);
	assert_int_equal(mkdir(path, 0700), 0);
	strcat(path, "/net");
	assert_int_equal(symlink(name, path), 0);
}

static void a_session_in_another_network_namespace_does_not_count(void **state)
{
	static const char env[] = "SSH_CONNECTION=203.0.113.7 50000 10.0.0.4 22";
	struct wh_session s[8];
	(void)state;
	as_with_sudo(env, sizeof env);
	network_of(SELF, "net:[4026531840]");
	network_of(300, "net:[4026532999]");
	assert_int_equal(sessions(s), 0);
	network_of(350, "net:[4026531840]");
	put(350, "environ", env, sizeof env);
	assert_int_equal(sessions(s), 1);
}

/* pid's only socket: an SSH connection of 198.51.100.1 to 10.0.0.4. */
static void serves_ssh(int pid)
{
	char tcp[512];
	uint32_t v4 = 0;
	memcpy(&v4, (const uint8_t[]){198, 51, 100, 1}, 4);
	socket_of(pid, 3, "socket:[7001]");
	int n = snprintf(tcp, sizeof tcp, "%s   0: 0400000A:0016 %08X:C350 01 0:0 02:0A 0     0        0 7001 4 0\n", tcp_head,
	                 v4);
	put(pid, "net/tcp", tcp, (size_t)n);
}

static void a_server_among_the_parents_counts_whoever_it_runs_as(void **state)
{
	struct wh_session s[8];
	(void)state;
	as_with_sudo("TERM=xterm", 11);
	serves_ssh(100); /* root's, before it becomes its user */
	assert_int_equal(sessions(s), 1);
	assert_true(is(&s[0], "198.51.100.1", 22));
}

static void a_servers_socket_in_another_network_namespace_does_not_count(void **state)
{
	struct wh_session s[8];
	(void)state;
	as_with_sudo("TERM=xterm", 11);
	serves_ssh(200);
	network_of(SELF, "net:[4026531840]");
	network_of(200, "net:[4026532999]");
	assert_int_equal(sessions(s), 0);
}

static void a_process_with_brackets_in_its_name_does_not_hide_its_parents(void **state)
{
	static const char env[] = "SSH_CONNECTION=203.0.113.7 50000 10.0.0.4 22";
	struct wh_session s[8];
	(void)state;
	as_with_sudo("TERM=xterm", 11);
	put(200, "environ", env, sizeof env);
	assert_int_equal(sessions(s), 1);
}

static void a_client_of_two_addresses_of_this_machine_is_two_sessions(void **state)
{
	static const char env[] =
		"SSH_CONNECTION=203.0.113.7 1 10.0.0.4 22\0SSH_CONNECTION=203.0.113.7 2 10.8.0.1 22\0SSH_CONNECTION=203.0.113.7 3 10.0.0.4 22";
	struct wh_session s[8];
	struct wh_nft_port port = {.direction = WH_INBOUND, .proto = WH_PROTO_TCP, .port = 22};
	struct wh_nft_ruleset rs = {.ports = &port, .n_ports = 1};
	struct wh_addr own;
	(void)state;
	as_with_sudo(env, sizeof env);
	assert_int_equal(sessions(s), 2);
	wh_addr_parse("10.8.0.1", 8, &own);
	port.locals = &own;
	port.n_locals = 1;
	assert_ptr_equal(wh_session_cut(&rs, s, 2), &s[1]); /* the other address is not judged */
	assert_null(wh_session_cut(&rs, s, 1));
}

static void a_malformed_value_is_no_session(void **state)
{
	static const char env[] =
		"SSH_CONNECTION=\0SSH_CONNECTION=a b c d\0SSH_CONNECTION=203.0.113.7 1 10.0.0.4 0\0SSH_CONNECTION=203.0.113.7 1 10.0.0.4 99999\0SSH_CONNECTION=203.0.113.7 1";
	struct wh_session s[8];
	(void)state;
	as_with_sudo(env, sizeof env);
	socket_of(200, 3, "socket:[x]");
	socket_of(200, 4, "socket:[7001]");
	put(200, "net/tcp", "garbage\n 0: 0A:0016 0A:C350 01 0 0 0 0 0 7001\n", 46);
	put(350, "stat", "350 sudo S", 10); /* the chain ends here */
	assert_int_equal(sessions(s), 0);
	assert_int_equal(wh_sessions("/nonexistent", SELF, OPERATOR, s, 8), 0);
}

static void a_cycle_of_parents_ends(void **state)
{
	struct wh_session s[8];
	(void)state;
	process(SELF, 350, "whittle", 0);
	process(350, SELF, "sudo", 0);
	assert_int_equal(sessions(s), 0);
}

static void no_more_sessions_are_returned_than_there_is_room_for(void **state)
{
	static const char env[] =
		"SSH_CONNECTION=203.0.113.7 1 10.0.0.4 22\0SSH_CONNECTION=203.0.113.7 2 10.0.0.4 22\0SSH_CONNECTION=203.0.113.8 1 10.0.0.4 22\0SSH_CONNECTION=203.0.113.9 1 10.0.0.4 22";
	struct wh_session s[2];
	(void)state;
	as_with_sudo(env, sizeof env);
	assert_int_equal(wh_sessions(proc, SELF, OPERATOR, s, 2), 2);
	assert_true(is(&s[0], "203.0.113.7", 22));
	assert_true(is(&s[1], "203.0.113.8", 22));
}

static void a_session_is_cut_when_it_could_not_be_opened_again(void **state)
{
	struct wh_prefix v4[1];
	struct wh_nft_port port = {.direction = WH_INBOUND, .proto = WH_PROTO_TCP, .port = 22, .v4 = v4, .n_v4 = 1};
	struct wh_nft_ruleset rs = {.ports = &port, .n_ports = 1};
	struct wh_session s[4] = {{.port = 22}, {.port = 2222}, {.port = 22}, {.port = 22}};
	(void)state;
	wh_prefix_parse("140.20.30.8/29", 14, &v4[0], NULL);
	wh_addr_parse("140.20.30.9", 11, &s[0].client);
	wh_addr_parse("203.0.113.7", 11, &s[1].client); /* to a port without a rule */
	wh_addr_parse("127.0.0.1", 9, &s[2].client);
	wh_addr_parse("2001:db8::1", 11, &s[3].client);
	assert_ptr_equal(wh_session_cut(&rs, s, 4), &s[3]);
	assert_null(wh_session_cut(&rs, s, 3));
	rs.audit = true;
	assert_null(wh_session_cut(&rs, s, 4));
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(behind_sudo_the_shells_own_environment_is_found),
		T(a_link_local_client_is_found_without_its_zone),
		T(without_an_environment_the_servers_socket_gives_the_client),
		T(the_operators_other_sessions_count_and_no_other_users),
		T(a_session_in_another_network_namespace_does_not_count),
		T(a_server_among_the_parents_counts_whoever_it_runs_as),
		T(a_servers_socket_in_another_network_namespace_does_not_count),
		T(a_process_with_brackets_in_its_name_does_not_hide_its_parents),
		T(a_client_of_two_addresses_of_this_machine_is_two_sessions),
		T(a_malformed_value_is_no_session),
		T(a_cycle_of_parents_ends),
		T(no_more_sessions_are_returned_than_there_is_room_for),
		T(a_session_is_cut_when_it_could_not_be_opened_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
