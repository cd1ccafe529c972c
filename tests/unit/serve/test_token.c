/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "whittle/serve.h"

static char dir[64], path[128];
static struct wh_tokens t;
static struct wh_error err;

static int setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/wh-token-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof path, "%s/serve-tokens", dir);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(dir);
}

static void a_secret_is_its_tokens_alone(void **state)
{
	char one[WH_TOKEN_SECRET], two[WH_TOKEN_SECRET];
	(void)state;
	assert_int_equal(wh_token_add(dir, "one", WH_SERVE_READER, 0, one, &err), 0);
	assert_int_equal(wh_token_add(dir, "two", WH_SERVE_OPERATOR, 5, two, &err), 0);
	assert_int_equal(strlen(one), WH_TOKEN_SECRET - 1);
	assert_string_not_equal(one, two);
	assert_int_equal(wh_tokens_load(dir, &t, &err), 0);
	assert_int_equal(t.n, 2);
	const struct wh_token *k = wh_token_of(&t, two);
	assert_non_null(k);
	assert_string_equal(k->name, "two");
	assert_int_equal(k->role, WH_SERVE_OPERATOR);
	assert_int_equal(k->expires_us, 5);
	one[20] ^= 1;
	assert_null(wh_token_of(&t, one));
	assert_null(wh_token_of(&t, ""));
	assert_null(wh_token_of(&t, "whittle_"));
}

static void the_file_holds_no_secret_and_is_its_owners(void **state)
{
	char secret[WH_TOKEN_SECRET], text[1024] = "";
	struct stat st;
	(void)state;
	assert_int_equal(wh_token_add(dir, "one", WH_SERVE_READER, 0, secret, &err), 0);
	FILE *f = fopen(path, "r");
	assert_non_null(f);
	assert_true(fread(text, 1, sizeof text - 1, f) > 0);
	assert_int_equal(fstat(fileno(f), &st), 0);
	fclose(f);
	assert_null(strstr(text, secret + 8));
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void a_revoked_token_is_refused(void **state)
{
	char secret[WH_TOKEN_SECRET];
	(void)state;
	assert_int_equal(wh_token_add(dir, "one", WH_SERVE_READER, 0, secret, &err), 0);
	assert_int_equal(wh_token_add(dir, "one", WH_SERVE_READER, 0, secret, &err), -EEXIST);
	assert_int_equal(wh_token_revoke(dir, "two", &err), -ENOENT);
	assert_int_equal(wh_token_revoke(dir, "one", &err), 0);
	assert_int_equal(wh_tokens_load(dir, &t, &err), 0);
	assert_int_equal(t.n, 0);
}

static void a_damaged_file_accepts_no_token(void **state)
{
	char secret[WH_TOKEN_SECRET];
	(void)state;
	assert_int_equal(wh_token_add(dir, "one", WH_SERVE_OPERATOR, 0, secret, &err), 0);
	FILE *f = fopen(path, "a");
	assert_non_null(f);
	fputs("1 two root 0 0 00\n", f);
	fclose(f);
	assert_int_equal(wh_tokens_load(dir, &t, &err), -EBADMSG);
	assert_null(wh_token_of(&t, secret));
}

static void a_link_in_the_file_s_place_accepts_no_token(void **state)
{
	char secret[WH_TOKEN_SECRET], there[128];
	(void)state;
	snprintf(there, sizeof there, "%s/there", dir);
	assert_int_equal(wh_token_add(dir, "one", WH_SERVE_OPERATOR, 0, secret, &err), 0);
	assert_int_equal(rename(path, there), 0);
	assert_int_equal(symlink(there, path), 0);
	assert_int_equal(wh_tokens_load(dir, &t, &err), -ELOOP);
	assert_null(wh_token_of(&t, secret));
	unlink(path);
	unlink(there);
	assert_int_equal(mkfifo(path, 0600), 0);
	alarm(10);
	wh_tokens_load(dir, &t, &err);
	alarm(0);
	assert_int_equal(t.n, 0);
}

static void a_name_is_one_word(void **state)
{
	static const char *const bad[] = {"", "a b", "a\nb", "-a", "ü", "01234567890123456789012345678901234567890"};
	char secret[WH_TOKEN_SECRET];
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(wh_token_add(dir, bad[i], WH_SERVE_READER, 0, secret, &err), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_secret_is_its_tokens_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(the_file_holds_no_secret_and_is_its_owners, setup, teardown),
		cmocka_unit_test_setup_teardown(a_revoked_token_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(a_damaged_file_accepts_no_token, setup, teardown),
		cmocka_unit_test_setup_teardown(a_link_in_the_file_s_place_accepts_no_token, setup, teardown),
		cmocka_unit_test(a_name_is_one_word),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
