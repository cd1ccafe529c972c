/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The store of a fleet, as far as it needs no server: its URL, rows as bytes, and what differs from what was acknowledged. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>
#include <cmocka.h>
#include "ledger/clickhouse/fleet.h"
#include "state/sqlite.h"
#include "tests/unit/support/scene.h"
#include "tests/unit/support/store_world.h"

static void a_url_names_hosts_database_cluster_and_the_sensor(void **state)
{
	struct fleet_url u;
	struct wh_error err;
	(void)state;
	assert_int_equal(
		fleet_url_parse("clickhouse://w@a:1,b,[::1]:3/db_1?cluster=c&tenant=t-1&site=s.x&sensor=n&local=/x?&y", &u, &err),
		0);
	assert_int_equal(u.n, 3);
	assert_string_equal(u.origins[0], "http://a:1");
	assert_string_equal(u.origins[1], "http://b:8123");
	assert_string_equal(u.origins[2], "http://[::1]:3");
	assert_string_equal(u.user, "w");
	assert_string_equal(u.database, "db_1");
	assert_string_equal(u.cluster, "c");
	assert_string_equal(u.tenant, "t-1");
	assert_string_equal(u.site, "s.x");
	assert_string_equal(u.sensor, "n");
	assert_true(u.gzip);
	assert_false(u.overlap); /* sensors' counts are added unless somebody says that they see the same */
	assert_int_equal(fleet_url_parse("clickhouses://localhost/d?ca-file=/etc/ca.pem", &u, &err), 0);
	assert_string_equal(u.origins[0], "https://localhost:8443");
	assert_string_equal(u.user, "default");
	assert_string_equal(u.ca_file, "/etc/ca.pem");
	assert_true(*u.sensor); /* this machine's name */
	assert_int_equal(fleet_url_parse("clickhouse://127.0.0.1/d", &u, &err), 0);
	assert_false(u.gzip); /* on the same machine packing costs more than it saves */
	assert_int_equal(fleet_url_parse("clickhouse://127.0.0.1/d?overlap=1&gzip=1", &u, &err), 0);
	assert_true(u.overlap && u.gzip);
	assert_int_equal(fleet_url_parse("clickhouse://a/d?gzip=0&overlap=0", &u, &err), 0);
	assert_false(u.overlap || u.gzip);
}

static void a_url_that_is_wrong_is_refused_with_its_reason(void **state)
{
	static const struct {
		const char *url, *why;
	} wrong[] = {
		{"clickhouse://u:secret@h/d", "others would see a password in it"},
		{"clickhouse://h", "the database's name is missing"},
		{"clickhouse://h/", "the database's name is missing"},
		{"clickhouse://h/d;DROP", "the database's name is missing"},
		{"clickhouse:///d", "1 to 8 hosts"},
		{"clickhouse://h:/d", "1 to 8 hosts"},
		{"clickhouse://a,b,c,d,e,f,g,h,i/d", "1 to 8 hosts"},
		{"clickhouse://h'x/d", "not a host"},
		{"clickhouse://h/d?cluster=a'b", "cluster=a'b: 1 to 63 letters, digits and ._-:+ are allowed"},
		{"clickhouse://h/d?cluster=", "cluster=: 1 to 63 letters"},
		{"clickhouse://h/d?sensor=fw 1", "sensor=fw 1: 1 to 63 letters"},
		{"clickhouse://h/d?ca-file=", "ca-file=: 1 to 511 characters are allowed"},
		{"clickhouse://h/d?overlap=2", "'overlap' is not known"},
		{"clickhouse://h/d?overlap=11", "'overlap' is not known"},
		{"clickhouse://h/d?what=1", "'what' is not known"},
		{"clickhouse://h/d?what", "'what' is not known"},
		{"clickhouse://h/d?password=secret", "'password' is not known"},
		{"clickhouse://u%3asecret@h/d", "not a user name"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct fleet_url u;
		struct wh_error err = {.text = ""};
		assert_int_equal(fleet_url_parse(wrong[i].url, &u, &err), -EINVAL);
		if (!strstr(err.text, wrong[i].why))
			fail_msg("%s: %s", wrong[i].url, err.text);
		assert_null(strstr(err.text, "secret"));
	}
}

static void rows_are_read_as_they_were_written_and_nothing_else_is(void **state)
{
	struct wh_bytes b = {0};
	uint8_t value[300];
	struct fleet_row r;
	(void)state;
	memset(value, 7, sizeof value);
	fleet_put_row(&b, FLEET_SKETCH,
	              &(struct fleet_row){.key = (const uint8_t *)"ab",
	                                  .key_len = 2,
	                                  .sensor = 5,
	                                  .version = UINT64_MAX,
	                                  .value = value,
	                                  .len = 300});
	assert_int_equal(b.n, 1 + 2 + 8 + 8 + 1 + 2 + 300);
	memmove(b.p + 19, b.p + 20, b.n - 20); /* an answer has no column `gone` */
	b.n--;
	struct wh_taking t = {.p = b.p, .n = b.n};
	assert_int_equal(fleet_take_row(&t, &r), 1);
	assert_int_equal(r.key_len, 2);
	assert_int_equal(r.sensor, 5);
	assert_true(r.version == UINT64_MAX);
	assert_int_equal(r.len, 300);
	assert_memory_equal(r.value, value, 300);
	assert_int_equal(fleet_take_row(&t, &r), 0);
	for (size_t n = 1; n < b.n; n++) { /* cut anywhere */
		t = (struct wh_taking){.p = b.p, .n = n};
		assert_int_equal(fleet_take_row(&t, &r), -EBADMSG);
	}
	static const uint8_t long_key[] = {0xff, 0xff, 0xff, 0xff, 0x7f, 1, 2};
	t = (struct wh_taking){.p = long_key, .n = sizeof long_key};
	assert_int_equal(fleet_take_row(&t, &r), -EBADMSG);
	free(b.p);
}

/* ---- what differs ---- */

enum { CHANGES = 64 };
struct seen {
	size_t added, gone, n;
	struct {
		uint8_t key[WH_EDGE_KEY_BYTES];
		uint64_t hash;
		bool gone;
	} at[CHANGES];
};

static int see(void *arg, const uint8_t *key, size_t key_len, const uint8_t *value, size_t len, uint64_t hash)
{
	struct seen *s = arg;
	(void)len;
	assert_int_equal(key_len, WH_EDGE_KEY_BYTES);
	assert_in_range(s->n, 0, CHANGES - 1);
	s->added += value != NULL;
	s->gone += !value;
	memcpy(s->at[s->n].key, key, key_len);
	s->at[s->n].hash = hash;
	s->at[s->n++].gone = !value;
	return 0;
}

/* The rows that differ; they are acknowledged then. */
static struct seen differs(struct world *w, struct wh_sent *sent, const char *local)
{
	struct seen s = {0};
	struct wh_addr a = local ? world_address(local) : (struct wh_addr){{0}};
	const struct fleet_changes c = {.own = w->s, .sent = sent, .key = {{1, 2}}, .each = see, .arg = &s};
	MUST(fleet_changes(&c, FLEET_EDGE, a.b, local ? 16 : 0, &err));
	for (size_t i = 0; i < s.n; i++)
		if (s.at[i].gone)
			MUST(wh_sent_drop(sent, FLEET_EDGE, s.at[i].key, WH_EDGE_KEY_BYTES, &err));
		else
			MUST(wh_sent_put(sent, FLEET_EDGE, s.at[i].key, WH_EDGE_KEY_BYTES, s.at[i].hash, &err));
	return s;
}

static void only_rows_that_changed_or_were_removed_are_sent_again(void **state)
{
	struct world w;
	struct wh_sent *sent;
	struct seen s;
	(void)state;
	world_open(&w, "sqlite:");
	MUST(wh_sent_open(w.state, &sent, &err));
	for (int i = 0; i < 30; i++) {
		char from[32], to[32];
		snprintf(from, sizeof from, "203.0.113.%d", i);
		snprintf(to, sizeof to, "10.0.0.%d", i % 3);
		world_session(&w, from, to, 22, 0);
	}
	MUST(world_commit(&w, NULL));
	s = differs(&w, sent, "10.0.0.1");
	assert_int_equal(s.added, 10);
	s = differs(&w, sent, NULL);
	assert_int_equal(s.added, 20);
	s = differs(&w, sent, NULL);
	assert_int_equal(s.added + s.gone, 0);
	world_session(&w, "203.0.113.1", "10.0.0.1", 22, 1);
	MUST(world_commit(&w, NULL));
	s = differs(&w, sent, "10.0.0.2");
	assert_int_equal(s.added + s.gone, 0);
	s = differs(&w, sent, "10.0.0.1");
	assert_int_equal(s.added, 1);
	uint8_t key[36] = {10};
	MUST(wh_sent_put(sent, FLEET_EDGE, key, sizeof key, 9, &err)); /* of an edge that the ledger has no more */
	s = differs(&w, sent, NULL);
	assert_int_equal(s.gone, 1);
	assert_int_equal(s.added, 0);
	wh_sent_close(sent);
	world_close(&w);
}

struct mark {
	unsigned n;
	int64_t stamp;
};

static int take_mark(void *arg, unsigned kind, const uint8_t *part, size_t len, int64_t stamp)
{
	struct mark *m = arg;
	(void)kind, (void)part, (void)len;
	m->n++;
	m->stamp = stamp;
	return 0;
}

static void a_mark_that_came_while_its_part_was_sent_stays(void **state)
{
	struct world w;
	struct wh_sent *sent;
	struct mark m = {0};
	(void)state;
	world_open(&w, "sqlite:");
	MUST(wh_sent_open(w.state, &sent, &err));
	MUST(wh_sent_mark(sent, FLEET_EDGE, "abc", 3, &err));
	MUST(wh_sent_marks(sent, take_mark, &m, &err));
	assert_int_equal(m.n, 1);
	MUST(wh_sent_mark(sent, FLEET_EDGE, "abc", 3, &err));
	MUST(wh_sent_unmark(sent, FLEET_EDGE, "abc", 3, m.stamp, &err));
	MUST(wh_sent_marks(sent, take_mark, &m, &err));
	assert_int_equal(m.n, 2);
	MUST(wh_sent_unmark(sent, FLEET_EDGE, "abc", 3, m.stamp, &err));
	MUST(wh_sent_marks(sent, take_mark, &m, &err));
	assert_int_equal(m.n, 2);
	wh_sent_close(sent);
	world_close(&w);
}

static void a_batch_within_a_transaction_is_a_part_of_it(void **state)
{
	struct world w;
	(void)state;
	world_open(&w, "sqlite:");
	MUST(wh_state_begin(w.state, &err));
	world_session(&w, "203.0.113.1", "10.0.0.1", 22, 1);
	MUST(world_commit(&w, NULL));
	MUST(wh_state_end(w.state, false, &err));
	assert_int_equal(world_edges(w.s, NULL).n, 0);
	world_close(&w);
}

/* The ledger's owner can put a link there, and whittle sends as that user: a link's target is neither made nor locked. */
static void the_file_that_keeps_others_from_sending_is_no_link(void **state)
{
	char top[] = "/tmp/whittle-test-XXXXXX", ledger[64], lock[64], target[64];
	struct wh_error err = {.text = ""};
	(void)state;
	assert_non_null(mkdtemp(top));
	snprintf(ledger, sizeof ledger, "%s/l.db", top);
	snprintf(lock, sizeof lock, "%s/l.db-fleet", top);
	snprintf(target, sizeof target, "%s/target", top);
	struct wh_state s = {.file = ledger};
	struct fleet_store f = {.state = &s};
	int fd = open(target, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0 && !flock(fd, LOCK_EX));
	assert_int_equal(symlink(target, lock), 0);
	assert_int_equal(fleet_deliver(&f, &err), -ELOOP);
	assert_non_null(strstr(err.text, lock));
	close(fd);
	unlink(lock);
	unlink(target);
	rmdir(top);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_url_names_hosts_database_cluster_and_the_sensor),
		cmocka_unit_test(a_url_that_is_wrong_is_refused_with_its_reason),
		cmocka_unit_test(rows_are_read_as_they_were_written_and_nothing_else_is),
		cmocka_unit_test(only_rows_that_changed_or_were_removed_are_sent_again),
		cmocka_unit_test(a_mark_that_came_while_its_part_was_sent_stays),
		cmocka_unit_test(a_batch_within_a_transaction_is_a_part_of_it),
		cmocka_unit_test(the_file_that_keeps_others_from_sending_is_no_link),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
