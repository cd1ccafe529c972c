/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a fleet's rows are read: pages in order, edges merged, answers that are not whole, and the spool. */
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
#include "ledger/clickhouse/fleet.h"

/* An answer of `n` rows in `runs` runs, each in order, as of a table with that many parts; and a page without rows. */
static struct fleet_page *page_of(unsigned n, unsigned runs, struct wh_bytes *answer)
{
	struct fleet_page *out = calloc(1, sizeof *out);
	*answer = (struct wh_bytes){0};
	for (unsigned run = 0; run < runs; run++)
		for (unsigned i = run; i < n; i += runs) {
			const uint8_t key[2] = {(uint8_t)(1 + i / 12 / 256), (uint8_t)(i / 12)};
			fleet_put_plain(answer, &(struct fleet_row){.key = key,
			                                            .key_len = 2,
			                                            .sensor = i / 3 % 4,
			                                            .version = i % 3,
			                                            .value = key,
			                                            .len = 2});
		}
	*out = (struct fleet_page){.from = {.key = {1}, .len = 1}, .to = {.key = {200}, .len = 1}};
	return out;
}

/* Gives the answer in two, as two shards do, if it can be cut into rows of the same length. */
static int fill(struct fleet_page *p, struct wh_bytes *b, enum fleet_kind kind)
{
	enum { ROW = 1 + 2 + 8 + 8 + 1 + 2 };
	const size_t cut = b->n / ROW / 3 * ROW;
	const struct fleet_answer answers[] = {{b->p, cut, 0}, {b->p + cut, b->n - cut, 0}};
	int rc = fleet_page_fill(p, kind, answers, 2);
	free(b->p);
	return rc;
}

static void a_page_is_in_order_whatever_the_number_of_its_parts(void **state)
{
	struct wh_bytes b;
	(void)state;
	for (unsigned runs = 1; runs < 20; runs++) {
		struct fleet_page *p = page_of(3000, runs, &b);
		assert_int_equal(fill(p, &b, FLEET_SKETCH), 0);
		assert_int_equal(p->n_rows, 3000);
		for (unsigned i = 0; i < 3000; i++) {
			const struct fleet_row r = fleet_page_row(p, i);
			assert_int_equal((r.key[0] - 1) * 256 + r.key[1], i / 12);
			assert_int_equal(r.sensor, i / 3 % 4);
			assert_int_equal(r.version, i % 3);
		}
		const struct fleet_bound at = {.key = {1, 7}, .len = 2}, behind = {.key = {199}, .len = 1};
		assert_int_equal(fleet_page_find(p, &at), 7 * 12);
		assert_int_equal(fleet_page_find(p, &behind), 3000);
		fleet_page_free(p);
	}
}

static void a_page_with_rows_of_another_range_is_refused(void **state)
{
	struct wh_bytes b;
	(void)state;
	struct fleet_page *p = page_of(30, 1, &b);
	p->to.key[0] = 1;
	assert_int_equal(fill(p, &b, FLEET_SKETCH), -EBADMSG);
	fleet_page_free(p);
	p = page_of(30, 3, &b);
	p->from.key[0] = 2;
	assert_int_equal(fill(p, &b, FLEET_SKETCH), -EBADMSG);
	fleet_page_free(p);
	p = page_of(30, 3, &b);
	b.n--; /* cut */
	assert_int_equal(fill(p, &b, FLEET_SKETCH), -EBADMSG);
	fleet_page_free(p);
	p = page_of(30, 3, &b); /* no edges */
	assert_int_equal(fill(p, &b, FLEET_EDGE), -EBADMSG);
	fleet_page_free(p);
}

/* What was read while the store was held is read from the spool, by any way to it; not what was read before or after. */
static void a_held_book_keeps_its_pages_in_a_file_without_a_name(void **state)
{
	char dir[] = "/tmp/whittle-spool-XXXXXX", file[64];
	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(file, sizeof file, "%s/l.db", dir);
	struct fleet_book *b = fleet_book_new(file), *again = fleet_book_again(b);
	struct wh_bytes answer;
	struct fleet_page *p = page_of(3000, 5, &answer);
	assert_int_equal(fill(p, &answer, FLEET_SKETCH), 0);
	fleet_spool_put(b, FLEET_EDGE, p); /* nobody holds it */
	struct fleet_page *back = calloc(1, sizeof *back);
	back->from = p->from;
	back->to = p->to;
	assert_int_not_equal(fleet_spool_get(b, FLEET_EDGE, back), 0);
	fleet_book_hold(b, true);
	fleet_spool_put(b, FLEET_EDGE, p);
	assert_int_not_equal(fleet_spool_get(again, FLEET_OPEN, back), 0);
	assert_int_equal(fleet_spool_get(again, FLEET_EDGE, back), 0);
	assert_int_equal(back->n, p->n);
	assert_int_equal(back->n_rows, 3000);
	assert_memory_equal(back->bytes, p->bytes, p->n);
	assert_memory_equal(back->rows, p->rows, 3000 * sizeof *p->rows);
	assert_int_equal(rmdir(dir), 0); /* there is no file in it */
	fleet_page_free(back);
	fleet_book_hold(b, false);
	back = calloc(1, sizeof *back);
	back->from = p->from;
	back->to = p->to;
	assert_int_not_equal(fleet_spool_get(b, FLEET_EDGE, back), 0);
	fleet_page_free(back);
	fleet_page_free(p);
	fleet_book_close(again);
	fleet_book_close(b);
}

/* ---- edges ---- */

static struct wh_edge_key key_of(unsigned i)
{
	return (struct wh_edge_key){.local = wh_addr_v4(0x0a000000u + i / 500), .peer = wh_addr_v4(0xcb000000u + i % 500 * 7),
	                            .direction = WH_INBOUND, .proto = WH_PROTO_TCP, .port = 22};
}

static struct wh_edge edge_of(unsigned i, uint64_t flows)
{
	struct wh_edge e = {.first_us = (20454 + i % 9) * WH_US_PER_DAY, .flows = flows, .bytes_in = 100 + i, .bytes_out = 7};
	e.last_us = e.first_us + 5;
	e.day0 = wh_day(e.last_us);
	e.days = 1;
	e.hours = 1;
	e.size_hist[1] = e.time_hist[2] = (uint32_t)flows;
	return e;
}

/* flows 0: it is gone */
static void put_edge(struct wh_bytes *b, unsigned i, uint64_t sensor, uint64_t version, uint64_t flows)
{
	uint8_t key[WH_EDGE_KEY_BYTES], value[WH_EDGE_VALUE_MAX];
	const struct wh_edge_key k = key_of(i);
	const struct wh_edge e = edge_of(i, flows);
	wh_edge_key_encode(&k, key);
	const size_t len = flows ? wh_edge_encode(&e, value) : 0;
	fleet_put_plain(
		b, &(struct fleet_row){
			   .key = key, .key_len = sizeof key, .sensor = sensor, .version = version, .value = value, .len = len});
}

struct expected { unsigned n, next, step; };

static int expect(void *arg, const struct wh_edge_key *k, const struct wh_edge *e)
{
	struct expected *s = arg;
	const struct wh_edge_key key = key_of(s->next);
	struct wh_edge want = edge_of(s->next, 4), more = edge_of(s->next, 5);
	if (s->next % 2) /* two sensors' */
		wh_edge_merge(&want, &more);
	assert_memory_equal(k, &key, sizeof key);
	assert_memory_equal(e, &want, sizeof want);
	s->next += s->next % 5 == 3 ? 2 : 1; /* every fifth is gone */
	s->n++;
	return 0;
}

/* Of a key and sensor the last version counts, wherever it stands; sensors are merged; what is gone is not there. */
static void a_page_of_edges_has_each_key_once_with_its_sensors_merged(void **state)
{
	enum { N = 2000 };
	struct wh_bytes b = {0};
	struct fleet_page *p = calloc(1, sizeof *p);
	struct wh_error err;
	(void)state;
	for (unsigned run = 0; run < 3; run++)
		for (unsigned i = 0; i < N; i++) {
			if (run == 0)
				put_edge(&b, i, 1, 9, i % 5 == 4 ? 0 : 4);
			else if (run == 1)
				put_edge(&b, i, 1, 3, 77);
			else if (i % 2)
				put_edge(&b, i, 2, 1, i % 5 == 4 ? 0 : 5);
		}
	p->to.end = true;
	const struct fleet_answer answer = {b.p, b.n, 0};
	assert_int_equal(fleet_page_fill(p, FLEET_EDGE, &answer, 1), 0);
	assert_true(p->n < b.n / 5); /* packed */
	assert_true(p->n_rows > 3);
	struct fleet_bound from = {.len = 0}, to = {.end = true};
	struct expected seen = {.n = 0};
	struct fleet_walk w = {.kind = FLEET_EDGE, .from = &from, .to = &to, .each = expect, .arg = &seen, .err = &err};
	assert_int_equal(fleet_page_edges(p, &w), 0);
	assert_int_equal(seen.n, N / 5 * 4);
	from = (struct fleet_bound){.key = {[10] = 0xff, [11] = 0xff, [12] = 10, [15] = 1}, .len = 16};
	to = (struct fleet_bound){.key = {[10] = 0xff, [11] = 0xff, [12] = 10, [15] = 3}, .len = 16};
	seen = (struct expected){.next = 500};
	assert_int_equal(fleet_page_edges(p, &w), 0);
	assert_int_equal(seen.n, 800);
	assert_int_equal(seen.next, 1500);
	free(b.p);
	fleet_page_free(p);
}

static int take_edge(void *arg, const struct wh_edge_key *k, const struct wh_edge *e)
{
	(void)k;
	*(struct wh_edge *)arg = *e;
	return 0;
}

/* The rows of three sensors of one edge: the one with more flows stands first, in the middle or last. */
static struct wh_edge three_sensors(unsigned first, bool overlap)
{
	struct wh_bytes b = {0};
	struct fleet_page *p = calloc(1, sizeof *p);
	struct wh_edge out = {0};
	struct wh_error err;
	for (unsigned i = 0; i < 3; i++)
		put_edge(&b, 0, 1 + i, 1, (first + i) % 3 ? 4 + (first + i) % 3 : 40);
	p->to.end = true;
	p->overlap = overlap;
	const struct fleet_answer answer = {b.p, b.n, 0};
	assert_int_equal(fleet_page_fill(p, FLEET_EDGE, &answer, 1), 0);
	const struct fleet_bound from = {.len = 0}, to = {.end = true};
	struct fleet_walk w = {.kind = FLEET_EDGE, .from = &from, .to = &to, .each = take_edge, .arg = &out, .err = &err};
	assert_int_equal(fleet_page_edges(p, &w), 0);
	free(b.p);
	fleet_page_free(p);
	return out;
}

static void sensors_that_overlap_count_as_the_one_that_saw_more(void **state)
{
	(void)state;
	for (unsigned first = 0; first < 3; first++) {
		const struct wh_edge sum = three_sensors(first, false), most = three_sensors(first, true), want = edge_of(0, 40);
		assert_int_equal(sum.flows, 40 + 5 + 6);
		assert_int_equal(sum.size_hist[1], 40 + 5 + 6);
		assert_memory_equal(&most, &want, sizeof want);
	}
}

/* ---- a server ---- */

static int count_edges(void *arg, const struct wh_edge_key *k, const struct wh_edge *e)
{
	(void)k, (void)e;
	++*(unsigned *)arg;
	return 0;
}

static void answer_one(int client, const struct wh_bytes *plan, const struct wh_bytes *part, const struct wh_bytes *whole)
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
	const struct wh_bytes *b = strstr(body, "count()") ? plan : strstr(in, "wait_end_of_query=1") ? whole : part;
	int head_n = snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", b->n);
	assert_int_equal(write(client, head, (size_t)head_n), head_n);
	assert_int_equal(write(client, b->p, b->n), (ssize_t)b->n);
	close(client);
}

static pid_t serve(int s, const struct wh_bytes *plan, const struct wh_bytes *part, const struct wh_bytes *whole)
{
	pid_t pid = fork();
	while (pid == 0)
		answer_one(accept(s, NULL, NULL), plan, part, whole);
	close(s);
	return pid;
}

static unsigned edges_from(const struct wh_bytes *part, const struct wh_bytes *whole, bool held)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof at;
	struct wh_bytes plan = {0};
	struct wh_error err;
	unsigned n = 0;
	uint8_t group[17] = {16, [11] = 0xff, [12] = 0xff, [13] = 10};
	wh_put(&plan, group, sizeof group);
	wh_put_number(&plan, 3, 8);
	int s = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(s, (const void *)&at, sizeof at), 0);
	assert_int_equal(listen(s, 9), 0);
	assert_int_equal(getsockname(s, (void *)&at, &len), 0);
	pid_t pid = serve(s, &plan, part, whole);
	struct fleet_store f = {.base.ops = &wh_store_clickhouse, .client = {.url = {.n = 1, .database = "d"}, .ready = true}};
	snprintf(f.client.url.origins[0], sizeof f.client.url.origins[0], "http://127.0.0.1:%u", ntohs(at.sin_port));
	f.book = fleet_book_new("/tmp/l.db");
	if (held)
		fleet_book_hold(f.book, true);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(fleet_edges(&f.base, WH_EDGES_REPORTED, NULL, NULL, count_edges, &n, &err), 0);
	}
	if (held)
		fleet_book_hold(f.book, false);
	fleet_book_close(f.book);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	free(plan.p);
	return n / 2;
}

/* A server sends rows as it finds them. If it then fails, its error follows them, and the answer was a success long ago. */
static void an_answer_that_ends_in_an_error_is_asked_for_again_as_a_whole(void **state)
{
	static const char error[] =
		"Code: 241, e.displayText() = DB::Exception: Memory limit exceeded, e.what() = DB::Exception\n";
	struct wh_bytes part = {0}, whole = {0}, good = {0};
	(void)state;
	for (unsigned i = 0; i < 3; i++)
		put_edge(&whole, i, 1, 1, 4);
	wh_put(&good, whole.p, whole.n);
	put_edge(&part, 0, 1, 1, 4);
	size_t row = part.n;
	for (int held = 0; held < 2; held++) {
		part.n = row;
		assert_int_equal(edges_from(&part, &whole, held), 1); /* nothing speaks against it */
		wh_put(&part, error, sizeof error - 1);
		assert_int_equal(edges_from(&part, &whole, held), 3);
		part.n = row - 5; /* in the middle of a row */
		wh_put(&part, error, sizeof error - 1);
		assert_int_equal(edges_from(&part, &whole, held), 3);
		part.n = row + 3; /* no error's text, and no rows */
		assert_int_equal(edges_from(&part, &whole, held), 3);
	}
	/* a peer with this address: asked again, and believed */
	static const char peer[] = "DB::Exception: x";
	struct wh_edge_key k = key_of(0);
	uint8_t key[WH_EDGE_KEY_BYTES], value[WH_EDGE_VALUE_MAX];
	const struct wh_edge e = edge_of(0, 4);
	memcpy(k.peer.b, peer, 16);
	wh_edge_key_encode(&k, key);
	fleet_put_plain(&good, &(struct fleet_row){.key = key, .key_len = sizeof key, .sensor = 1, .version = 1,
	                                           .value = value, .len = wh_edge_encode(&e, value)});
	assert_int_equal(edges_from(&good, &good, false), 4);
	free(part.p);
	free(whole.p);
	free(good.p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_page_is_in_order_whatever_the_number_of_its_parts),
		cmocka_unit_test(a_page_with_rows_of_another_range_is_refused),
		cmocka_unit_test(a_page_of_edges_has_each_key_once_with_its_sensors_merged),
		cmocka_unit_test(sensors_that_overlap_count_as_the_one_that_saw_more),
		cmocka_unit_test(an_answer_that_ends_in_an_error_is_asked_for_again_as_a_whole),
		cmocka_unit_test(a_held_book_keeps_its_pages_in_a_file_without_a_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
