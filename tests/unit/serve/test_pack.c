/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>
#include "base/helper.h"
#include "serve/cache.h"
#include "serve/frame.h"

/* n bytes that compress well, put in pieces of different lengths. */
static struct wh_packed packed(const char *text, size_t n)
{
	struct wh_packed out;
	struct wh_pack *p = wh_pack_begin();
	assert_non_null(p);
	for (size_t at = 0, piece = 1; at < n; at += piece, piece = piece * 3 % 70001 + 1) {
		if (piece > n - at)
			piece = n - at;
		assert_int_equal(wh_pack_put(text + at, piece, p), 0);
	}
	assert_true(wh_pack_end(p, &out));
	return out;
}

static char *text_of(size_t n)
{
	char *text = malloc(n + 1);
	for (size_t i = 0; i < n; i++)
		text[i] = (char)('a' + i / 100 % 26);
	text[n] = 0;
	return text;
}

static void a_short_answer_stays_text_and_a_long_one_is_gzip_of_it(void **state)
{
	(void)state;
	static const size_t lengths[] = {0, 1, 4096, 4097, 65535, 65536, 65537, 1000000};
	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		size_t n = lengths[i];
		char *text = text_of(n), *back = malloc(n + 1);
		struct wh_packed p = packed(text, n);
		if (n <= 4096) {
			assert_int_equal(p.n_plain, 0);
			assert_int_equal(p.n, n);
			assert_true(!n || !memcmp(p.bytes, text, n));
		} else {
			z_stream z = {.next_in = (Bytef *)p.bytes,
			              .avail_in = (uInt)p.n,
			              .next_out = (Bytef *)back,
			              .avail_out = (uInt)n + 1};
			assert_int_equal(p.n_plain, n);
			assert_true(p.n < n / 4);
			assert_int_equal(inflateInit2(&z, 16 + MAX_WBITS), Z_OK);
			assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
			assert_int_equal(z.total_out, n);
			assert_memory_equal(back, text, n);
			inflateEnd(&z);
		}
		free(p.bytes);
		free(text);
		free(back);
	}
}

static void a_reply_of_any_length_arrives_as_it_was_sent(void **state)
{
	(void)state;
	static const size_t lengths[] = {0, 10, 32768, 32769, 100000};
	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		char *text = text_of(lengths[i]);
		const struct wh_frame_reply r = {
			.status = 200, .type = "t", .etag = "\"e\"", .body = text, .n_body = lengths[i], .n_plain = 7};
		struct wh_frame_reply back;
		int pair[2];
		uint8_t *p;
		size_t n;
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
		assert_int_equal(wh_frame_send_reply(pair[0], &r), 0);
		assert_int_equal(wh_helper_receive_message(pair[1], WH_FRAME_MAX, &p, &n, NULL), 0);
		assert_true(wh_frame_take_reply(p, n, &back));
		assert_int_equal(back.n_body, lengths[i]);
		assert_int_equal(back.n_plain, 7);
		assert_memory_equal(back.body, text, lengths[i]);
		assert_string_equal(back.etag, "\"e\"");
		free(p);
		free(text);
		close(pair[0]);
		close(pair[1]);
	}
}

static void put(const char *target, size_t n)
{
	struct wh_packed body = {malloc(n), n, 0};
	memset(body.bytes, *target, n);
	if (!wh_cache_put(target, &body, WH_UNTIL_LEDGER))
		free(body.bytes);
}

static void the_least_recently_used_answer_is_removed_and_a_change_of_the_file_removes_all(void **state)
{
	(void)state;
	char path[] = "/tmp/whittle-cache-XXXXXX", name[20];
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_null(wh_cache_get(path, "/a"));
	put("/a", 10);
	assert_non_null(wh_cache_get(path, "/a"));
	assert_null(wh_cache_get(path, "/b"));
	for (int i = 0; i < 40; i++) { /* each is a twentieth of what there is room for */
		snprintf(name, sizeof name, "/%d", i);
		put(name, 700000);
		assert_non_null(wh_cache_get(path, "/a")); /* used again and again */
	}
	assert_null(wh_cache_get(path, "/0"));
	assert_non_null(wh_cache_get(path, "/39"));
	put("/too large", 20 << 20);
	assert_null(wh_cache_get(path, "/too large"));
	assert_int_equal(write(fd, "x", 1), 1);
	assert_null(wh_cache_get(path, "/a"));
	assert_null(wh_cache_get(path, "/39"));
	close(fd);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_short_answer_stays_text_and_a_long_one_is_gzip_of_it),
		cmocka_unit_test(a_reply_of_any_length_arrives_as_it_was_sent),
		cmocka_unit_test(the_least_recently_used_answer_is_removed_and_a_change_of_the_file_removes_all),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
