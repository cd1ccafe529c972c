/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is known of the kernel's sets, and its file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "guard/known_file.h"

static char dir[] = "/tmp/whittle-known-XXXXXX";

static struct wh_nft_digest digest_of(const struct wh_nft_known *k, const char *const *texts, size_t n)
{
	struct wh_prefix p[8];
	struct wh_addr end = wh_prefix_last(&wh_prefix_all_v4);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(wh_prefix_parse(texts[i], strlen(texts[i]), &p[i], NULL), 0);
	return wh_nft_known_digest(k, &(struct wh_nft_cursor){.p = p, .n = n}, &end);
}

static bool same(struct wh_nft_digest a, struct wh_nft_digest b)
{
	return a.d[0] == b.d[0] && a.d[1] == b.d[1];
}

static struct wh_nft_known some(void)
{
	return (struct wh_nft_known){.key = {{{1, 2}}, {{3, 4}}}, .space = 7, .generation = 9};
}

static void a_set_is_known_by_its_intervals(void **state)
{
	struct wh_nft_known k = some(), other = some();
	const char *const list[] = {"10.0.0.0/31", "10.0.1.0/24"},
			  *const touching[] = {"10.0.0.0/32", "10.0.0.1/32", "10.0.1.0/24"}, *const less[] = {"10.0.0.0/31"},
			  *const shifted[] = {"10.0.0.2/31", "10.0.1.0/24"};
	struct wh_nft_digest d = digest_of(&k, list, 2);
	(void)state;
	assert_true(same(d, digest_of(&k, touching, 3))); /* the kernel keeps no line between neighbours */
	assert_false(same(d, digest_of(&k, less, 1)));
	assert_false(same(d, digest_of(&k, shifted, 2)));
	other.key[1].k[0]++;
	assert_false(same(d, digest_of(&other, list, 2)));

	wh_nft_known_put(&k, "a_input_tcp_22_v4", &d);
	struct wh_nft_digest short_of_one = digest_of(&k, less, 1);
	assert_true(wh_nft_known_is(&k, "a_input_tcp_22_v4", &d));
	assert_false(wh_nft_known_is(&k, "a_input_tcp_22_v4", &short_of_one));
	assert_false(wh_nft_known_is(&k, "b_input_tcp_22_v4", &d));
	wh_nft_known_ours(&k, false);
	assert_int_equal(k.generation, 10);
	wh_nft_known_drop(&k, "a_input_tcp_22_v4");
	assert_false(wh_nft_known_is(&k, "a_input_tcp_22_v4", &d));
	wh_nft_known_put(&k, "a_input_tcp_22_v4", &d);
	k.generation = 0; /* nothing is known */
	assert_false(wh_nft_known_is(&k, "a_input_tcp_22_v4", &d));
	wh_nft_known_free(&k);
}

static void put_bytes(const uint8_t *b, size_t n)
{
	char path[80];
	snprintf(path, sizeof path, "%s/enforced.known", dir);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(b, 1, n, f), n);
	fclose(f);
}

static void a_damaged_file_makes_nothing_known(void **state)
{
	struct wh_nft_known k = some(), read;
	struct wh_nft_digest d = {{0x1122334455667788u, 5}};
	uint8_t bytes[1024];
	char path[80];
	(void)state;
	wh_known_load(dir, &read);
	assert_int_equal(read.generation, 0);
	wh_nft_known_put(&k, "a_input_tcp_22_v4", &d);
	wh_nft_known_put(&k, "a_input_tcp_22_v6", &d);
	wh_known_save(dir, &k);
	wh_known_load(dir, &read);
	assert_int_equal(read.generation, 9);
	assert_int_equal(read.space, 7);
	assert_memory_equal(read.key, k.key, sizeof k.key);
	assert_int_equal(read.n, 2);
	assert_true(wh_nft_known_is(&read, "a_input_tcp_22_v6", &d));
	wh_nft_known_free(&read);

	snprintf(path, sizeof path, "%s/enforced.known", dir);
	FILE *f = fopen(path, "r");
	assert_non_null(f);
	size_t n = fread(bytes, 1, sizeof bytes, f);
	fclose(f);
	for (size_t i = 0; i < n; i++) {
		bytes[i] ^= 1;
		put_bytes(bytes, n);
		bytes[i] ^= 1;
		wh_known_load(dir, &read);
		assert_true(read.generation == 0 && !read.n);
		put_bytes(bytes, i);
		wh_known_load(dir, &read);
		assert_true(read.generation == 0 && !read.n);
	}
	char other[80];
	snprintf(other, sizeof other, "%s/other", dir);
	put_bytes(bytes, n);
	wh_known_load(dir, &read);
	assert_int_equal(read.generation, 9);
	wh_nft_known_free(&read);
	assert_int_equal(rename(path, other), 0);
	assert_int_equal(symlink(other, path), 0); /* a link is none of ours */
	wh_known_load(dir, &read);
	assert_int_equal(read.generation, 0);
	unlink(other);
	wh_nft_known_clear(&k); /* nothing is known: no file */
	wh_known_save(dir, &k);
	assert_int_not_equal(access(path, F_OK), 0);
	wh_nft_known_free(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_set_is_known_by_its_intervals),
		cmocka_unit_test(a_damaged_file_makes_nothing_known),
	};
	if (!mkdtemp(dir))
		return 1;
	int rc = cmocka_run_group_tests(tests, NULL, NULL);
	rmdir(dir);
	return rc;
}
