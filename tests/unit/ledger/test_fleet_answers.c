/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Answers of a fleet's server that are not whole, or compressed. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "../support/native.h"
#include "whittle/ledger_hold.h"

static int count_edges(void *arg, const struct wh_edge_key *k, const struct wh_edge *e)
{
	(void)k, (void)e;
	++*(unsigned *)arg;
	return 0;
}

/* What it answers: to counts; to requests for rows, for all of them at the end, and for compressed ones. */
struct answers { struct wh_bytes plan, part, whole, packed; };

static void answer_one(int client, const struct answers *a)
{
	char in[16384] = "", head[100], *body;
	size_t n = 0, length;
	ssize_t got;
	while (!(body = strstr(in, "\r\n\r\n")) && (got = read(client, in + n, sizeof in - 1 - n)) > 0)
		n += (size_t)got;
	assert_non_null(body);
	length = strtoul(strstr(in, "Content-Length:") + 15, NULL, 10);
	for (body += 4; n < (size_t)(body - in) + length && (got = read(client, in + n, sizeof in - 1 - n)) > 0;)
		n += (size_t)got;
	const struct wh_bytes *b = strstr(body, "count()")               ? &a->plan
	                           : strstr(in, "wait_end_of_query=1") ? &a->whole
	                           : strstr(in, "compress=1")          ? &a->packed
	                                                               : &a->part;
	int head_n = snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", b->n);
	assert_int_equal(write(client, head, (size_t)head_n), head_n);
	assert_int_equal(write(client, b->p, b->n), (ssize_t)b->n);
	close(client);
}

static pid_t serve(int s, const struct answers *a)
{
	pid_t pid = fork();
	while (pid == 0)
		answer_one(accept(s, NULL, NULL), a);
	close(s);
	return pid;
}

/* `rows` are counted. */
static unsigned edges_of(struct answers *a, uint64_t rows, bool held)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof at;
	struct wh_error err;
	unsigned n = 0;
	uint8_t group[17] = {16, [11] = 0xff, [12] = 0xff, [13] = 10};
	a->plan = (struct wh_bytes){0};
	wh_put(&a->plan, group, sizeof group);
	wh_put_number(&a->plan, rows, 8);
	wh_put_number(&a->plan, 0, 8); /* gone */
	int s = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(s, (const void *)&at, sizeof at), 0);
	assert_int_equal(listen(s, 9), 0);
	assert_int_equal(getsockname(s, (void *)&at, &len), 0);
	pid_t pid = serve(s, a);
	struct fleet_store f = {.base.ops = &wh_store_clickhouse, .client = {.url = {.n = 1, .database = "d"}, .ready = true}};
	snprintf(f.client.url.origins[0], sizeof f.client.url.origins[0], "http://127.0.0.1:%u", ntohs(at.sin_port));
	f.book = fleet_book_new("/tmp/l.db");
	if (held)
		wh_store_hold(&f.base, true);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(fleet_edges(&f.base, WH_EDGES_REPORTED, NULL, NULL, count_edges, &n, &err), 0);
	}
	if (held)
		wh_store_hold(&f.base, false);
	fleet_book_close(f.book);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	free(a->plan.p);
	return n / 2;
}

static struct wh_bytes some_edges(unsigned n)
{
	struct wh_bytes plain = {0};
	for (unsigned i = 0; i < n; i++)
		put_edge(&plain, i, 1, 1, 4);
	struct wh_bytes b = native_of(plain.p, plain.n, 2);
	free(plain.p);
	return b;
}

static const char error[] = "Code: 241, e.displayText() = DB::Exception: Memory limit exceeded, e.what() = DB::Exception\n";

/* A server sends rows as it finds them. If it then fails, its error follows them, and the answer was a success long ago. */
static void an_answer_that_ends_in_an_error_is_asked_for_again_as_a_whole(void **state)
{
	struct answers a = {.part = some_edges(1), .whole = some_edges(3)};
	size_t row = a.part.n;
	(void)state;
	for (int held = 0; held < 2; held++) {
		a.part.n = row;
		assert_int_equal(edges_of(&a, 3, held), 1); /* nothing speaks against it */
		wh_put(&a.part, error, sizeof error - 1);
		assert_int_equal(edges_of(&a, 3, held), 3);
		a.part.n = row - 5; /* in the middle of a row */
		wh_put(&a.part, error, sizeof error - 1);
		assert_int_equal(edges_of(&a, 3, held), 3);
		a.part.n = row + 3; /* no error's text, and no rows */
		assert_int_equal(edges_of(&a, 3, held), 3);
	}
	free(a.part.p);
	free(a.whole.p);
}

/* Asked again, and believed. */
static void a_peer_whose_address_looks_like_an_error_is_read(void **state)
{
	static const char peer[] = "DB::Exception: x";
	struct wh_edge_key k = key_of(0);
	uint8_t key[WH_EDGE_KEY_BYTES], value[WH_EDGE_VALUE_MAX];
	const struct wh_edge e = edge_of(0, 4);
	struct answers a = {.part = some_edges(3)};
	(void)state;
	memcpy(k.peer.b, peer, 16);
	wh_edge_key_encode(&k, key);
	native_block(&a.part,
	             &(struct fleet_row){.key = key, .key_len = sizeof key, .sensor = 1, .version = 1, .value = value,
	                                 .len = wh_edge_encode(&e, value)},
	             1);
	a.whole = a.part;
	assert_int_equal(edges_of(&a, 3, false), 4);
	free(a.part.p);
}

/* Of many rows the answer is compressed. One that is empty is asked for again without that, one that was cut or has an error's
 * text as a whole. */
static void an_answer_of_many_rows_is_compressed(void **state)
{
	enum { MANY = FLEET_PACKED_ROWS };
	struct wh_bytes rows = some_edges(2);
	struct answers a = {.part = some_edges(1), .whole = some_edges(3)};
	(void)state;
	native_frame(&a.packed, rows.p, rows.n - 50, true);
	native_frame(&a.packed, rows.p + rows.n - 50, 50, true);
	assert_int_equal(edges_of(&a, MANY, false), 2);
	assert_int_equal(edges_of(&a, MANY - 1, false), 1);
	native_frame(&a.packed, (const uint8_t *)error, 49, true);
	assert_int_equal(edges_of(&a, MANY, false), 3);
	a.packed.n--;
	assert_int_equal(edges_of(&a, MANY, false), 3);
	a.packed.n = 0;
	native_frame(&a.packed, rows.p, rows.n - 50, true);
	assert_int_equal(edges_of(&a, MANY, false), 3);
	a.packed.n = 0;
	assert_int_equal(edges_of(&a, MANY, false), 1);
	free(rows.p);
	free(a.part.p);
	free(a.whole.p);
	free(a.packed.p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_that_ends_in_an_error_is_asked_for_again_as_a_whole),
		cmocka_unit_test(a_peer_whose_address_looks_like_an_error_is_read),
		cmocka_unit_test(an_answer_of_many_rows_is_compressed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
