/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <fcntl.h>
#include <zlib.h>
#include <zstd.h>
#include <cmocka.h>
#include "whittle/flow.h"

#define TEXT (1500u << 10)

static char dir[] = "/tmp/whittle-input-XXXXXX", path[sizeof dir + 16], text[TEXT];

/* Lines of digits that compress, but not to nothing. */
static void fill_text(void)
{
	uint64_t x = 1;
	for (size_t i = 0; i < TEXT; i++) {
		x = x * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		text[i] = i % 80 == 79 ? '\n' : (char)('0' + (x >> 60));
	}
}

static void write_file(const void *p, size_t len, int flags)
{
	int fd = open(path, O_WRONLY | O_CREAT | flags, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, p, len), len);
	close(fd);
}

static size_t gzip(const char *p, size_t len, unsigned char *out, size_t room)
{
	z_stream z = {0};
	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_in = (Bytef *)(uintptr_t)p;
	z.avail_in = (uInt)len;
	z.next_out = out;
	z.avail_out = (uInt)room;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	size_t n = room - z.avail_out;
	deflateEnd(&z);
	return n;
}

static size_t zstd(const char *p, size_t len, unsigned char *out, size_t room)
{
	size_t n = ZSTD_compress(out, room, p, len, 3);
	assert_false(ZSTD_isError(n));
	return n;
}

static unsigned char packed[2 * TEXT];

/* The text in three streams, one behind the other, of which the second is empty. */
static size_t pack(bool gz)
{
	size_t (*one)(const char *, size_t, unsigned char *, size_t) = gz ? gzip : zstd;
	size_t n = one(text, 100001, packed, sizeof packed);
	n += one(text, 0, packed + n, sizeof packed - n);
	return n + one(text + 100001, TEXT - 100001, packed + n, sizeof packed - n);
}

static struct wh_input *open_path(void)
{
	struct wh_input *in = NULL;
	struct wh_error err;
	assert_int_equal(wh_input_open(path, &in, &err), 0);
	return in;
}

static void expect_text(struct wh_input *in, size_t from, size_t chunk)
{
	static char buf[1 << 20];
	struct wh_error err;
	size_t at = from;
	int64_t n;
	while ((n = wh_input_read(in, buf, chunk, &err)) > 0) {
		assert_true(at + (size_t)n <= TEXT);
		assert_memory_equal(buf, text + at, (size_t)n);
		at += (size_t)n;
	}
	assert_int_equal(n, 0);
	assert_int_equal(at, TEXT);
}

static void expect_all_ways(void)
{
	static const size_t chunks[] = {1 << 20, 4096, 777, 131072};
	struct wh_error err;
	for (size_t i = 0; i < sizeof chunks / sizeof *chunks; i++) {
		struct wh_input *in = open_path();
		expect_text(in, 0, chunks[i]);
		assert_int_equal(wh_input_seek(in, 654321, &err), 0);
		expect_text(in, 654321, chunks[i]);
		assert_int_equal(wh_input_seek(in, 0, &err), 0);
		expect_text(in, 0, chunks[i]);
		assert_int_equal(wh_input_seek(in, TEXT + 1, &err), -ERANGE);
		assert_non_null(strstr(err.text, path));
		wh_input_close(in);
		in = open_path();
		assert_int_equal(wh_input_seek(in, 99, &err), 0);
		expect_text(in, 99, chunks[i]);
		wh_input_close(in);
	}
}

static void a_plain_file_is_read_and_sought(void **state)
{
	(void)state;
	write_file(text, TEXT, O_TRUNC);
	expect_all_ways();
}

static void gzip_of_several_members_is_read_and_sought(void **state)
{
	(void)state;
	size_t n = pack(true);
	memset(packed + n, 0, 700); /* padding, as tapes leave it */
	write_file(packed, n + 700, O_TRUNC);
	expect_all_ways();
}

static void zstd_of_several_frames_is_read_and_sought(void **state)
{
	(void)state;
	size_t n = pack(false);
	memcpy(packed + n, "\x50\x2a\x4d\x18\x04\0\0\0skip", 12); /* a frame to be skipped */
	write_file(packed, n + 12, O_TRUNC);
	expect_all_ways();
}

/* Reads to the end or an error; all that comes before must be the text. */
static int64_t read_until_it_ends(struct wh_error *err)
{
	static char buf[50000];
	struct wh_input *in = open_path();
	size_t at = 0;
	int64_t n;
	while ((n = wh_input_read(in, buf, sizeof buf, err)) > 0) {
		assert_memory_equal(buf, text + at, (size_t)n);
		at += (size_t)n;
	}
	wh_input_close(in);
	return n;
}

static void a_stream_cut_anywhere_is_reported_as_cut(void **state)
{
	(void)state;
	for (int gz = 0; gz < 2; gz++) {
		struct wh_error err;
		size_t n = pack(gz);
		size_t first = gz ? gzip(text, 100001, packed, sizeof packed) : zstd(text, 100001, packed, sizeof packed);
		n = pack(gz);
		for (size_t cut = n - 1; cut > first + n / 8; cut -= cut > n - 12 ? 1 : n / 9) {
			write_file(packed, cut, O_TRUNC);
			err.input = false;
			assert_int_equal(read_until_it_ends(&err), -EBADMSG);
			assert_true(err.input);
			assert_non_null(strstr(err.text, "cut short"));
			assert_non_null(strstr(err.text, gz ? "gzip stream 3" : "zstd stream 3"));
		}
		write_file(packed, first, O_TRUNC); /* the end of a stream is no cut */
		assert_int_equal(read_until_it_ends(&err), 0);
	}
}

static void damage_and_trailing_garbage_are_errors(void **state)
{
	struct wh_error err;
	(void)state;
	for (int gz = 0; gz < 2; gz++) {
		size_t n = pack(gz);
		memcpy(packed + n, "rubbish after it", 16);
		write_file(packed, n + 16, O_TRUNC);
		assert_int_equal(read_until_it_ends(&err), -EBADMSG);
	}
	size_t n = pack(true);
	packed[n - 6] ^= 1; /* its checksum */
	write_file(packed, n, O_TRUNC);
	assert_int_equal(read_until_it_ends(&err), -EBADMSG);
}

static void a_file_that_grows_is_read_on_and_keeps_its_identity(void **state)
{
	char buf[100], id[80];
	struct wh_error err;
	(void)state;
	write_file("", 0, O_TRUNC);
	struct wh_input *in = open_path();
	assert_int_equal(wh_input_read(in, buf, sizeof buf, &err), 0);
	write_file("first\n", 6, O_APPEND);
	assert_int_equal(wh_input_read(in, buf, sizeof buf, &err), 6);
	assert_int_equal(wh_input_read(in, buf, sizeof buf, &err), 0);
	struct wh_input *again = open_path();
	snprintf(id, sizeof id, "%s", wh_input_identity(again));
	wh_input_close(again);
	write_file("second\n", 7, O_APPEND);
	assert_int_equal(wh_input_read(in, buf, sizeof buf, &err), 7);
	again = open_path();
	assert_string_equal(wh_input_identity(again), id);
	wh_input_close(again);
	wh_input_close(in);
	write_file("other\n", 6, O_TRUNC);
	again = open_path();
	assert_string_not_equal(wh_input_identity(again), id);
	wh_input_close(again);
}

static void a_pipe_is_read_without_identity_and_sought_forward_only(void **state)
{
	char buf[10];
	int ends[2], old = dup(0);
	struct wh_input *in;
	struct wh_error err;
	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "0123456789", 10), 10);
	close(ends[1]);
	assert_int_equal(dup2(ends[0], 0), 0);
	assert_int_equal(wh_input_open("-", &in, &err), 0);
	assert_string_equal(wh_input_identity(in), "");
	assert_string_equal(wh_input_path(in), "standard input");
	assert_int_equal(wh_input_seek(in, 4, &err), 0);
	assert_int_equal(wh_input_read(in, buf, sizeof buf, &err), 6);
	assert_memory_equal(buf, "456789", 6);
	assert_int_equal(wh_input_seek(in, 0, &err), -ESPIPE);
	wh_input_close(in);
	close(ends[0]);
	dup2(old, 0);
	close(old);
}

static void a_file_that_cannot_be_opened_is_named(void **state)
{
	struct wh_input *in;
	struct wh_error err = {0};
	(void)state;
	assert_int_equal(wh_input_open(dir, &in, &err), -EISDIR);
	assert_true(err.input);
	assert_int_equal(wh_input_open("/nonexistent/eve.json", &in, &err), -ENOENT);
	assert_non_null(strstr(err.text, "/nonexistent/eve.json"));
}

static int setup(void **state)
{
	(void)state;
	fill_text();
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof path, "%s/file", dir);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_plain_file_is_read_and_sought),
		cmocka_unit_test(gzip_of_several_members_is_read_and_sought),
		cmocka_unit_test(zstd_of_several_frames_is_read_and_sought),
		cmocka_unit_test(a_stream_cut_anywhere_is_reported_as_cut),
		cmocka_unit_test(damage_and_trailing_garbage_are_errors),
		cmocka_unit_test(a_file_that_grows_is_read_on_and_keeps_its_identity),
		cmocka_unit_test(a_pipe_is_read_without_identity_and_sought_forward_only),
		cmocka_unit_test(a_file_that_cannot_be_opened_is_named),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
