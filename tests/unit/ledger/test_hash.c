/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The hash of the tables: it is what its authors say, and keys that were chosen to collide don't. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <sys/wait.h>
#include <unistd.h>
#include "ledger/edge_table.h"

/* SipHash-1-3 of 16 bytes, 0 to 15, and of 40, with the key 0 to 15; worked out by the byte, as the paper has it. */
static uint64_t by_the_paper(const uint8_t key[16], const uint8_t *m, size_t len)
{
	uint64_t k0 = 0, k1 = 0, last = (uint64_t)len << 56;
	for (int i = 0; i < 8; i++)
		k0 |= (uint64_t)key[i] << 8 * i, k1 |= (uint64_t)key[8 + i] << 8 * i;
	uint64_t v[4] = {k0 ^ 0x736f6d6570736575u, k1 ^ 0x646f72616e646f6du, k0 ^ 0x6c7967656e657261u, k1 ^ 0x7465646279746573u};
#define ROTATE(x, n) ((x) << (n) | (x) >> (64 - (n)))
#define ROUND() do { \
		v[0] += v[1]; v[1] = ROTATE(v[1], 13); v[1] ^= v[0]; v[0] = ROTATE(v[0], 32); \
		v[2] += v[3]; v[3] = ROTATE(v[3], 16); v[3] ^= v[2]; \
		v[0] += v[3]; v[3] = ROTATE(v[3], 21); v[3] ^= v[0]; \
		v[2] += v[1]; v[1] = ROTATE(v[1], 17); v[1] ^= v[2]; v[2] = ROTATE(v[2], 32); \
	} while (0)
	for (size_t i = 0; i < len; i += 8) {
		uint64_t w = 0;
		for (int b = 0; b < 8; b++)
			w |= (uint64_t)m[i + (size_t)b] << 8 * b;
		v[3] ^= w; ROUND(); v[0] ^= w;
	}
	v[3] ^= last; ROUND(); v[0] ^= last;
	v[2] ^= 0xff;
	ROUND(); ROUND(); ROUND();
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static void the_hash_is_siphash_with_one_and_three_rounds(void **state)
{
	uint8_t key[16], m[40];
	struct wh_hash_key k;
	uint64_t more;
	(void)state;
	for (uint8_t i = 0; i < 40; i++)
		m[i] = (uint8_t)(i * 7 + 1);
	for (uint8_t i = 0; i < 16; i++)
		key[i] = i;
	for (int i = 0; i < 2; i++) {
		memcpy(&k.k[i], key + 8 * i, 8);
		k.k[i] = le64toh(k.k[i]);
	}
	memcpy(&more, m + 32, 8);
	assert_true(wh_siphash(k, m, 4, le64toh(more)) == by_the_paper(key, m, 40));
	memcpy(&more, m + 16, 8);
	assert_true(wh_siphash(k, m, 2, le64toh(more)) == by_the_paper(key, m, 24));
}

static struct wh_hash_key key_of_a_process(void)
{
	struct wh_hash_key k = {{0}};
	int fd[2];
	assert_int_equal(pipe(fd), 0);
	pid_t pid = fork();
	if (!pid) {
		k = wh_hash_key();
		_exit(write(fd[1], &k, sizeof k) != sizeof k);
	}
	assert_int_equal(read(fd[0], &k, sizeof k), sizeof k);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	close(fd[0]);
	close(fd[1]);
	return k;
}

/* The first test: no key has been drawn here, which a child would inherit. */
static void each_process_has_a_key_of_its_own(void **state)
{
	struct wh_hash_key a = key_of_a_process(), b = key_of_a_process();
	(void)state;
	assert_true(a.k[0] != b.k[0] && a.k[1] != b.k[1]);
}

/* Steps from where a key is looked for first to where it lies, over all keys. */
static uint64_t steps(const struct wh_edge_table *t)
{
	uint64_t sum = 0;
	for (size_t at = 0; at <= t->by_edge.mask; at++)
		if (t->by_edge.slot[at])
			sum += (at - slot_of(&t->by_edge, t->by_edge.slot[at])) & t->by_edge.mask;
	return sum;
}

enum { PEERS = 80000 };

static uint64_t steps_of(void (*peer)(unsigned i, struct wh_addr *a))
{
	struct wh_locals *l = wh_locals_new();
	struct wh_prefix ten;
	wh_prefix_parse("10.0.0.0/8", 10, &ten, NULL);
	wh_locals_add_prefix(l, &ten);
	struct wh_edge_table *t = wh_edge_table_new(l, 64 << 20);
	for (unsigned i = 0; i < PEERS; i++) {
		struct wh_record r = {.kind = WH_RECORD_FLOW};
		r.flow = (struct wh_flow){.proto = WH_PROTO_UDP,
		                          .pkts_toserver = 5,
		                          .pkts_toclient = 5,
		                          .bytes_toserver = 900,
		                          .bytes_toclient = 900,
		                          .src_port = 40000,
		                          .dst_port = 53,
		                          .state = WH_STATE_ESTABLISHED,
		                          .dst = wh_addr_v4(0x0a000004)};
		peer(i, &r.flow.src);
		assert_int_equal(wh_edge_table_fold(t, &r), 0);
	}
	assert_int_equal(wh_edge_table_count(t), PEERS);
	uint64_t n = steps(t);
	wh_edge_table_free(t);
	wh_locals_free(l);
	return n;
}

static void ordinary(unsigned i, struct wh_addr *a)
{
	*a = wh_addr_v4(0x50000000u + i * 77);
}

/* A /64 with an upper half that makes a multiplying hash's factor 0 for any seed: all lower halves had one hash. */
static void crafted(unsigned i, struct wh_addr *a)
{
	uint64_t upper = 0xe7037ed1a0b428dbu, lower = i;
	memcpy(a->b, &upper, 8);
	memcpy(a->b + 8, &lower, 8);
}

static void crafted_addresses_lie_no_closer_together_than_ordinary_ones(void **state)
{
	(void)state;
	uint64_t usual = steps_of(ordinary), chosen = steps_of(crafted);
	assert_true(usual < 2 * (uint64_t)PEERS);
	assert_true(chosen < 2 * (uint64_t)PEERS);
}

static void a_process_has_one_key_and_it_is_not_zero(void **state)
{
	struct wh_hash_key a = wh_hash_key(), b = wh_hash_key();
	(void)state;
	assert_memory_equal(&a, &b, sizeof a);
	assert_true(a.k[0] && a.k[1] && a.k[0] != a.k[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_process_has_a_key_of_its_own),
		cmocka_unit_test(the_hash_is_siphash_with_one_and_three_rounds),
		cmocka_unit_test(crafted_addresses_lie_no_closer_together_than_ordinary_ones),
		cmocka_unit_test(a_process_has_one_key_and_it_is_not_zero),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
