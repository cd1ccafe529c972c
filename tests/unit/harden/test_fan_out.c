/* SPDX-License-Identifier: GPL-2.0-or-later */
/* On how many local addresses a peer is answered: counted by several threads, and one by one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "harden/fan_out.h"

enum { LOCALS = 40, PEERS = 3000, THREADS = 3 };

/* Peer p is answered on those of the local addresses that p divides or so, on up to three ports of each. */
static bool answered(unsigned local, unsigned p)
{
	return p % 5 ? (local * 7 + p) % (p % 37 + 1) == 0 : local == p % LOCALS;
}

static struct wh_fan_out *told(struct wh_thread_pool *pool)
{
	struct wh_fan_out *f = wh_fan_out_new(pool);
	for (unsigned local = 0; local < LOCALS; local++)
		for (unsigned port = 0; port < 3; port++)
			for (unsigned p = port; p < PEERS; p++) {
				struct wh_addr l = wh_addr_v4(0x0a000000u + local), a = wh_addr_v4(0x50000000u + p * 77);
				if (answered(local, p))
					assert_int_equal(wh_fan_out_add(f, local % wh_thread_pool_threads(pool), &l, &a), 0);
			}
	return f;
}

static void a_peer_counts_once_for_each_local_address_of_all_sources(void **state)
{
	(void)state;
	for (unsigned threads = 1; threads <= THREADS; threads += 2) {
		struct wh_error err = {.text = ""};
		struct wh_thread_pool *pool = wh_thread_pool_new(NULL, threads);
		struct wh_fan_out *f = told(pool);
		assert_int_equal(wh_fan_out_count(f, pool, &err), 0);
		for (unsigned p = 0; p < PEERS; p++) {
			struct wh_addr a = wh_addr_v4(0x50000000u + p * 77);
			unsigned on = 0;
			for (unsigned local = 0; local < LOCALS; local++)
				on += answered(local, p);
			assert_int_equal(wh_fan_out_elsewhere(f, wh_peer_hash(wh_hash_key(), &a)), on ? on - 1 : 0);
		}
		struct wh_addr stranger = wh_addr_v4(0x01020304);
		assert_int_equal(wh_fan_out_elsewhere(f, wh_peer_hash(wh_hash_key(), &stranger)), 0);
		wh_fan_out_free(f);
		wh_thread_pool_free(pool);
	}
}

/* The finishing step of a hash that has no key, as this one was before: f(high) ^ low decides, so that for each other high half
 * there is a low half with the same hash. */
static uint64_t old_half(uint64_t x)
{
	x = (x ^ 0x9e3779b97f4a7c15u) * 0xbf58476d1ce4e5b9u;
	return x ^ x >> 31;
}

static void addresses_that_were_chosen_to_share_a_partners_hash_are_not_taken_for_it(void **state)
{
	struct wh_error err = {.text = ""};
	struct wh_thread_pool *pool = wh_thread_pool_new(NULL, 1);
	struct wh_fan_out *f = wh_fan_out_new(pool);
	struct wh_addr partner = wh_addr_v4(0x8c141e09u), local, twin;
	uint64_t high, low;
	(void)state;
	memcpy(&high, partner.b, 8), memcpy(&low, partner.b + 8, 8);
	for (unsigned i = 0; i < 20; i++) {
		uint64_t other = 0x0120 + i, paired = low ^ old_half(high) ^ old_half(other);
		memcpy(twin.b, &other, 8), memcpy(twin.b + 8, &paired, 8);
		local = wh_addr_v4(0x0a000000u + i);
		assert_int_equal(wh_fan_out_add(f, 0, &local, &twin), 0);
	}
	assert_int_equal(wh_fan_out_add(f, 0, &local, &partner), 0);
	assert_int_equal(wh_fan_out_count(f, pool, &err), 0);
	assert_int_equal(wh_fan_out_elsewhere(f, wh_peer_hash(wh_hash_key(), &partner)), 0);
	wh_fan_out_free(f);
	wh_thread_pool_free(pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_peer_counts_once_for_each_local_address_of_all_sources),
		cmocka_unit_test(addresses_that_were_chosen_to_share_a_partners_hash_are_not_taken_for_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
