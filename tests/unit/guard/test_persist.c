/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The files that survive a reboot are read whole, as they were written, or not at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <cmocka.h>
#include "guard/persist_file.h"

#define NAME "enforced.rules"
static char dir[64], path[96], other[96];
static struct wh_arena *mem;
static struct wh_error err;

static int setup(void **state)
{
	const struct wh_nft_ruleset none = {.nflog_group = 7};
	const struct wh_persist_times times = {.expires_us = 5, .confirmed_us = 6};
	(void)state;
	strcpy(dir, "/tmp/wh-persist-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof path, "%s/" NAME, dir);
	snprintf(other, sizeof other, "%s/other", dir);
	mem = wh_arena_new();
	return wh_persist_write_rules(dir, NAME, &none, &times, &err);
}

static int teardown(void **state)
{
	(void)state;
	wh_arena_free(mem);
	unlink(path);
	unlink(other);
	return rmdir(dir);
}

static int read_rules(void)
{
	struct wh_nft_ruleset *rs;
	struct wh_persist_times times;
	alarm(10); /* nothing waits */
	int rc = wh_persist_read_rules(dir, NAME, mem, &rs, &times, &err);
	alarm(0);
	if (!rc) {
		assert_int_equal(rs->nflog_group, 7);
		assert_int_equal(times.expires_us, 5);
	}
	return rc;
}

static void each_changed_byte_and_each_cut_is_found(void **state)
{
	char bytes[512];
	(void)state;
	assert_int_equal(read_rules(), 0);
	FILE *f = fopen(path, "r+");
	assert_non_null(f);
	size_t n = fread(bytes, 1, sizeof bytes, f);
	assert_in_range(n, 40, sizeof bytes - 1);
	for (size_t i = 0; i < n; i++) {
		bytes[i] ^= 1;
		rewind(f);
		fwrite(bytes, 1, n, f);
		fflush(f);
		assert_int_equal(read_rules(), -EBADMSG);
		bytes[i] ^= 1;
	}
	rewind(f);
	fwrite(bytes, 1, n, f);
	fputc(0, f); /* a byte more */
	fflush(f);
	assert_int_equal(read_rules(), -EBADMSG);
	fclose(f);
	assert_int_equal(truncate(path, (off_t)n), 0);
	assert_int_equal(read_rules(), 0);
	while (n--) {
		assert_int_equal(truncate(path, (off_t)n), 0);
		assert_int_equal(read_rules(), -EBADMSG);
	}
}

/* A file with this body and a head that fits. */
static void forge(const char *name, const uint8_t *body, size_t n)
{
	char to[96];
	snprintf(to, sizeof to, "%s/%s", dir, name);
	FILE *f = fopen(to, "w");
	assert_non_null(f);
	fprintf(f, "whittle-enforced 2 %zu %08lx\n", n, crc32(crc32(0, NULL, 0), body, (uInt)n));
	fwrite(body, 1, n, f);
	assert_int_equal(fclose(f), 0);
}

static void a_body_with_more_than_rules_in_it_is_refused(void **state)
{
	uint8_t bytes[512];
	(void)state;
	FILE *f = fopen(path, "r");
	assert_non_null(f);
	size_t n = fread(bytes, 1, sizeof bytes - 1, f);
	fclose(f);
	const uint8_t *body = (const uint8_t *)memchr(bytes, '\n', n) + 1;
	size_t len = n - (size_t)(body - bytes);
	forge(NAME, body, len);
	assert_int_equal(read_rules(), 0);
	bytes[n] = 0;
	forge(NAME, body, len + 1);
	assert_int_equal(read_rules(), -EBADMSG);
}

static void closed_ports_that_are_not_as_they_were_written_are_refused(void **state)
{
	static const uint8_t odd_protocol[] = {1, 0, 0, 0, WH_PROTO_TCP + 1, 22, 0},
			     more[] = {1, 0, 0, 0, WH_PROTO_TCP, 22, 0, 0}, no_port[] = {1, 0, 0, 0, WH_PROTO_TCP, 0, 0},
			     many[] = {2, 0, 0, 0, WH_PROTO_TCP, 22, 0};
	static const struct { const uint8_t *body; size_t n; } all[] = {{odd_protocol, sizeof odd_protocol}, {more, sizeof more},
	                                                                {no_port, sizeof no_port}, {many, sizeof many}};
	char *difference;
	(void)state;
	snprintf(other, sizeof other, "%s/jit.closed", dir); /* for teardown */
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		forge("jit.closed", all[i].body, all[i].n);
		assert_int_equal(wh_persist_jit_differs(dir, &difference, &err), -EBADMSG);
	}
}

static void only_a_plain_file_of_that_name_is_read(void **state)
{
	(void)state;
	assert_int_equal(rename(path, other), 0);
	assert_int_equal(read_rules(), -ENOENT);
	assert_int_equal(symlink(other, path), 0);
	assert_int_equal(read_rules(), -ELOOP);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_not_equal(read_rules(), 0);
}

/* Its owner could exchange any file in it. */
static void a_directory_that_others_may_write_is_not_believed(void **state)
{
	(void)state;
	const struct wh_nft_ruleset none = {.nflog_group = 7};
	const struct wh_persist_times times = {.expires_us = 5};
	size_t n = 0;
	assert_int_equal(chmod(dir, 0777), 0);
	assert_int_equal(read_rules(), -EPERM);
	assert_int_equal(wh_persist_write_rules(dir, "other", &none, &times, &err), -EPERM);
	assert_int_equal(wh_persist_rename(dir, NAME, "other", &err), -EPERM);
	assert_int_equal(wh_persist_remove(dir, NAME, &n, &err), -EPERM);
	assert_int_equal(access(path, F_OK), 0);
	assert_int_not_equal(access(other, F_OK), 0);
	assert_int_equal(chmod(dir, 0700), 0);
	if (geteuid())
		skip();
	assert_int_equal(chown(dir, 65534, 65534), 0);
	assert_int_equal(read_rules(), -EPERM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_changed_byte_and_each_cut_is_found, setup, teardown),
		cmocka_unit_test_setup_teardown(a_body_with_more_than_rules_in_it_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(closed_ports_that_are_not_as_they_were_written_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(only_a_plain_file_of_that_name_is_read, setup, teardown),
		cmocka_unit_test_setup_teardown(a_directory_that_others_may_write_is_not_believed, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
