/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The contract of core/ledger/store.h, for each kind of store: facts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "tests/unit/support/scene.h"
#include "tests/unit/support/store_world.h"

static struct wh_fact seen_fact(enum wh_fact_kind kind, const char *client, const char *value, int day)
{
	struct wh_fact f = {.kind = kind,
	                    .client = world_address(client),
	                    .server = world_address("10.0.0.4"),
	                    .port = 443,
	                    .proto = WH_PROTO_TCP,
	                    .count = 1,
	                    .time_us = scene_day0_us + day * WH_US_PER_DAY};
	snprintf(f.value, sizeof f.value, "%s", value);
	return f;
}

static void commit_facts(struct world *w, struct wh_facts *f)
{
	struct wh_store_seen seen = {0};
	wh_facts_seen(f, &seen);
	MUST(world_commit(w, &(struct wh_store_progress){.path = "a", .seen = &seen}));
	wh_facts_clear(f);
}

static int print_fact(void *arg, const struct wh_fact_key *k, const struct wh_fact_row *r)
{
	uint8_t key[WH_FACT_KEY_MAX], row[WH_FACT_ROW_BYTES];
	size_t n = wh_fact_key_encode(k, key);
	wh_fact_row_encode(r, row);
	for (size_t i = 0; i < n; i++)
		fprintf(arg, "%02x", key[i]);
	fputc(' ', arg);
	for (size_t i = 0; i < sizeof row; i++)
		fprintf(arg, "%02x", row[i]);
	fputc('\n', arg);
	return 0;
}

static char *facts_of(struct wh_store *s, enum wh_fact_kind kind)
{
	char *out;
	size_t len;
	FILE *f = open_memstream(&out, &len);
	MUST(wh_store_facts(s, kind, print_fact, f, &err));
	fclose(f);
	return out;
}

static void however_facts_are_split_over_batches_the_sum_is_the_same(void **state)
{
	struct world one, many;
	world_open(&one, *state);
	world_open(&many, *state);
	struct wh_facts f = {.locals = one.locals}, g = {.locals = many.locals};
	for (unsigned i = 0; i < 600; i++) {
		static const char *const values[] = {"1.0", "1.2", "1.3"};
		char client[32];
		snprintf(client, sizeof client, "%s.0.%u.7", i % 2 ? "10" : "198", i % 5);
		struct wh_fact x = seen_fact(i % 7 == 0    ? WH_FACT_DNS_DOMAIN
		                             : i % 11 == 0 ? WH_FACT_CAPTURE
		                                           : WH_FACT_TLS,
		                             client, values[i % 3], (int)(i % 9));
		x.time_us += i * INT64_C(1000003) % 997;
		x.up = i * 31;
		x.down = i;
		x.hash = i * UINT64_C(0x9e3779b97f4a7c15) | 1;
		assert_int_equal(wh_facts_add(&f, &x, 1), 0);
		assert_int_equal(wh_facts_add(&g, &x, 1), 0);
		if (i % 50 == 0)
			commit_facts(&many, &g);
	}
	commit_facts(&one, &f);
	commit_facts(&many, &g);
	char *a = facts_of(one.s, WH_FACT_KINDS), *b = facts_of(many.s, WH_FACT_KINDS), *tls = facts_of(one.s, WH_FACT_TLS);
	assert_string_equal(a, b);
	assert_true(*tls && strlen(tls) < strlen(a) && !strncmp(a, tls, strlen(tls)));
	free(a);
	free(b);
	free(tls);
	wh_facts_free(&f);
	wh_facts_free(&g);
	world_close(&one);
	world_close(&many);
}

static struct wh_record attempt(unsigned i)
{
	static const char *const targets[] = {"198.51.100.7", "198.51.100.8", "2001:db8::7", "10.9.9.9"};
	return (struct wh_record){.kind = WH_RECORD_FLOW,
	                          .flow = {.src = world_address(i % 5 ? "10.0.0.4" : "10.0.0.5"),
	                                   .dst = world_address(targets[i % 13 < 10 ? 0 : 1 + i % 3]),
	                                   .src_port = (uint16_t)(20000 + i),
	                                   .dst_port = i % 17 ? 80 : (uint16_t)i,
	                                   .proto = WH_PROTO_TCP,
	                                   .start_us = scene_day0_us + (i % 3) * WH_US_PER_DAY + i * 1000,
	                                   .pkts_toserver = 1,
	                                   .bytes_toserver = 60}};
}

static void however_attempts_are_split_over_batches_the_sum_and_the_target_are_the_same(void **state)
{
	struct world one, many;
	world_open(&one, *state);
	world_open(&many, *state);
	struct wh_facts f = {.locals = one.locals}, g = {.locals = many.locals};
	for (unsigned i = 0; i < 500; i++) {
		struct wh_record r = attempt(i), other = attempt(499 - i);
		assert_true(wh_facts_is_attempt(&r, one.locals));
		assert_int_equal(wh_facts_count_day(&f, &r), 0);
		assert_int_equal(wh_facts_add_attempt(&f, &r), 0);
		assert_int_equal(wh_facts_count_day(&g, &other), 0);
		assert_int_equal(wh_facts_add_attempt(&g, &other), 0);
		if (i % 37 == 0)
			commit_facts(&many, &g);
	}
	commit_facts(&one, &f);
	commit_facts(&many, &g);
	char *a = facts_of(one.s, WH_FACT_ATTEMPTS), *b = facts_of(many.s, WH_FACT_ATTEMPTS);
	assert_true(*a);
	assert_string_equal(a, b);
	free(a);
	free(b);
	wh_facts_free(&f);
	wh_facts_free(&g);
	world_close(&one);
	world_close(&many);
}

/* Of 200 rows in which one target got nine of ten attempts. */
static void the_target_of_most_attempts_is_mostly_the_one_that_is_kept(void **state)
{
	const struct wh_addr victim = world_address("203.0.113.80");
	unsigned kept = 0;
	(void)state;
	for (int row = 0; row < 200; row++) {
		struct wh_locals *locals = wh_locals_new();
		struct wh_facts f = {.locals = locals};
		struct wh_addr target;
		for (unsigned i = 0; i < 100; i++) {
			struct wh_record r = attempt(1);
			r.flow.start_us += row * 1000000 + i * 7919;
			r.flow.src_port = (uint16_t)(1024 + 31 * i);
			if (i % 10)
				r.flow.dst = victim;
			else
				r.flow.dst.b[15] = (uint8_t)i;
			assert_int_equal(wh_facts_add_attempt(&f, &r), 0);
		}
		assert_int_equal(f.at[0].row.count, 100);
		assert_true(wh_fact_target(&f.at[0].row, &target));
		kept += wh_addr_eq(&target, &victim);
		wh_facts_free(&f);
		wh_locals_free(locals);
	}
	assert_in_range(kept, 165, 195); /* 180; the bounds are three and a half deviations away */
}

static void only_what_our_addresses_tried_in_vain_is_an_attempt(void **state)
{
	struct world w;
	world_open(&w, "memory:");
	struct wh_record r = attempt(1);
	(void)state;
	assert_true(wh_facts_is_attempt(&r, w.locals));
	r.flow.denied = true; /* by a cloud's own group */
	r.flow.pkts_toclient = 1;
	assert_true(wh_facts_is_attempt(&r, w.locals));
	r = attempt(1);
	r.flow.pkts_toclient = 1; /* refused */
	r.flow.has_tcp_flags = true;
	r.flow.tcp_flags_toserver = WH_TCP_SYN;
	r.flow.tcp_flags_toclient = WH_TCP_RST | WH_TCP_ACK;
	assert_true(wh_facts_is_attempt(&r, w.locals));
	r.flow.src = world_address("198.51.100.3"); /* a stranger's */
	assert_false(wh_facts_is_attempt(&r, w.locals));
	r = attempt(1);
	r.flow.has_tcp_flags = true; /* it went on: the sensor does not hear the answers */
	r.flow.tcp_flags_toserver = WH_TCP_SYN | WH_TCP_ACK | WH_TCP_PSH;
	r.flow.pkts_toserver = 9;
	assert_false(wh_facts_is_attempt(&r, w.locals));
	r = attempt(1);
	r.flow.proto = WH_PROTO_UDP;
	assert_true(wh_facts_is_attempt(&r, w.locals));
	r.flow.dst = world_address("224.0.0.251");
	assert_false(wh_facts_is_attempt(&r, w.locals));
	r.flow.dst = world_address("255.255.255.255");
	assert_false(wh_facts_is_attempt(&r, w.locals));
	r.flow.dst = world_address("ff02::1:2");
	assert_false(wh_facts_is_attempt(&r, w.locals));
	r = attempt(1);
	r.flow.proto = WH_PROTO_UDP;
	r.flow.src_port = 53; /* an answer to a question that was not heard */
	r.flow.dst_port = 41000;
	assert_false(wh_facts_is_attempt(&r, w.locals));
	r = attempt(1);
	r.kind = WH_RECORD_ALERT;
	assert_false(wh_facts_is_attempt(&r, w.locals));
	world_close(&w);
}

struct tally { size_t rows; uint64_t count, more; };

static int count_fact(void *arg, const struct wh_fact_key *k, const struct wh_fact_row *r)
{
	struct tally *t = arg;
	t->rows++;
	t->count += r->count;
	t->more += strcmp(k->value, WH_FACT_MORE) ? 0 : r->count;
	return 0;
}

static void of_one_address_so_many_facts_are_kept_and_the_rest_is_counted(void **state)
{
	struct world w;
	struct tally t = {0};
	world_open(&w, *state);
	struct wh_facts f = {.locals = w.locals};
	for (unsigned i = 0; i < 3000; i++) {
		char client[32], name[32];
		snprintf(client, sizeof client, "198.51.%u.%u", i / 250, i % 250);
		snprintf(name, sizeof name, "n%u.example", i);
		struct wh_fact x = seen_fact(WH_FACT_TLS, client, "1.2", 0);
		assert_int_equal(wh_facts_add(&f, &x, 1), 0);
		if (i % 800 == 0)
			commit_facts(&w, &f);
	}
	commit_facts(&w, &f);
	MUST(wh_store_facts(w.s, WH_FACT_TLS, count_fact, &t, &err));
	assert_int_equal(t.rows, WH_FACTS_OF_ADDRESS + 1);
	assert_int_equal(t.count, 3000);
	assert_int_equal(t.more, 3000 - WH_FACTS_OF_ADDRESS);
	wh_facts_free(&f);
	world_close(&w);
}

static void facts_of_days_long_past_are_forgotten_and_others_are_not(void **state)
{
	struct world w;
	struct tally days = {0}, tls = {0};
	world_open(&w, *state);
	struct wh_facts f = {.locals = w.locals};
	for (int day = 0; day < 70; day += 10) {
		struct wh_fact x[2] = {seen_fact(WH_FACT_DNS_DOMAIN, "10.0.0.9", "example.com", day),
		                       seen_fact(WH_FACT_TLS, "198.51.100.1", "1.2", day)};
		assert_int_equal(wh_facts_add(&f, x, 2), 0);
	}
	commit_facts(&w, &f);
	struct wh_fact last = seen_fact(WH_FACT_DNS_DOMAIN, "10.0.0.9", "example.com", 75);
	assert_int_equal(wh_facts_add(&f, &last, 1), 0);
	commit_facts(&w, &f);
	MUST(wh_store_facts(w.s, WH_FACT_DNS_DOMAIN, count_fact, &days, &err));
	MUST(wh_store_facts(w.s, WH_FACT_TLS, count_fact, &tls, &err));
	assert_int_equal(days.rows, 6); /* 20 to 60, and 75 */
	assert_int_equal(tls.rows, 1);
	assert_int_equal(tls.count, 7);
	wh_facts_free(&f);
	world_close(&w);
}

/* 40 ssh records of four clients, one a second. */
static void write_log(const struct world *w, char log[static 64])
{
	snprintf(log, 64, "%s/eve.json", w->dir);
	FILE *f = fopen(log, "w");
	for (int i = 0; i < 40; i++)
		fprintf(f,
		        "{\"timestamp\":\"2026-10-01T10:00:%02d.000000+0000\",\"event_type\":\"ssh\",\"src_ip\":\"198.51.100.%d\",\"src_port\":4000,\"dest_ip\":\"10.0.0.4\","
		        "\"dest_port\":22,\"proto\":\"TCP\",\"ssh\":{\"server\":{\"proto_version\":\"2.0\"}}}\n",
		        i, i % 4);
	fclose(f);
}

/* Reads what is within these times, and counts the facts that are in the store then. */
static struct tally read_log(struct world *w, const char *log, int64_t since_us, int64_t until_us)
{
	struct wh_ingest_options opt = {.locals = w->locals, .byte_limit = 8 << 20, .since_us = since_us, .until_us = until_us};
	struct wh_ingest_result r;
	struct tally t = {0};
	MUST(wh_ingest(w->s, log, &opt, &r, &err));
	MUST(wh_store_facts(w->s, WH_FACT_SSH, count_fact, &t, &err));
	return t;
}

static void a_log_read_twice_shows_its_facts_once(void **state)
{
	struct world w;
	char log[64];
	world_open(&w, *state);
	write_log(&w, log);
	read_log(&w, log, 0, 0);
	struct tally t = read_log(&w, log, 0, 0);
	assert_int_equal(t.rows, 4);
	assert_int_equal(t.count, 40);
	world_close(&w);
}

static void facts_outside_of_the_time_that_was_read_come_with_a_later_reading(void **state)
{
	struct world w;
	char log[64];
	const int64_t ten = scene_day0_us + 10 * INT64_C(3600000000);
	world_open(&w, *state);
	write_log(&w, log);
	assert_int_equal(read_log(&w, log, ten + 30 * 1000000, 0).count, 10);
	assert_int_equal(read_log(&w, log, ten, ten + 20 * 1000000).count, 30);
	assert_int_equal(read_log(&w, log, 0, 0).count, 40);
	assert_int_equal(read_log(&w, log, 0, 0).count, 40);
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		EACH_KIND(however_facts_are_split_over_batches_the_sum_is_the_same),
		EACH_KIND(however_attempts_are_split_over_batches_the_sum_and_the_target_are_the_same),
		cmocka_unit_test(the_target_of_most_attempts_is_mostly_the_one_that_is_kept),
		cmocka_unit_test(only_what_our_addresses_tried_in_vain_is_an_attempt),
		EACH_KIND(of_one_address_so_many_facts_are_kept_and_the_rest_is_counted),
		EACH_KIND(facts_of_days_long_past_are_forgotten_and_others_are_not),
		EACH_KIND(a_log_read_twice_shows_its_facts_once),
		EACH_KIND(facts_outside_of_the_time_that_was_read_come_with_a_later_reading),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
