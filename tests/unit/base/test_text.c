/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "base/json.h"
#include "base/text.h"
#include "base/yaml.h"

static int decode(const char *bytes, size_t n, char out[64], struct wh_error *err)
{
	char *text = malloc(n + 1);
	memcpy(text, bytes, n);
	text[n] = 0;
	int rc = wh_text_decode("f", &text, &n, err);
	assert_true(n < 64);
	memcpy(out, text, n + 1);
	free(text);
	return rc;
}

static void marks_and_both_orders_of_utf16_become_utf8(void **state)
{
	(void)state;
	static const struct { const char *bytes; size_t n; const char *want; } rows[] = {
		{"\xef\xbb\xbf{}", 5, "{}"},
		{"\xff\xfe{\0}\0", 6, "{}"},
		{"\xfe\xff\0{\0}", 6, "{}"},
		{"{\0}\0", 4, "{}"},
		{"\0{\0}", 4, "{}"},
		{"\xff\xfe\xe4\0\xac\x20\x3d\xd8\x00\xde", 10, "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"},
		{"\xff\xfe", 2, ""},
		{"plain", 5, "plain"},
		{"", 0, ""},
		{"\xe4", 1, "\xe4"}, /* for its reader to refuse */
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct wh_error err = {.text = ""};
		char out[64];
		if (decode(rows[i].bytes, rows[i].n, out, &err))
			fail_msg("%s", err.text);
		assert_string_equal(out, rows[i].want);
	}
}

static void half_a_character_and_utf32_are_named(void **state)
{
	(void)state;
	struct wh_error err;
	char out[64];
	assert_true(decode("\xff\xfe{\0}", 5, out, &err) < 0);
	assert_non_null(strstr(err.text, "f: begins as UTF-16, but has half a character at byte 4"));
	assert_true(decode("\xff\xfe\x3d\xd8{\0", 6, out, &err) < 0);
	assert_non_null(strstr(err.text, "at byte 2"));
	assert_true(decode("\xff\xfe\0\0{\0\0\0", 8, out, &err) < 0);
	assert_non_null(strstr(err.text, "UTF-32"));
	assert_true(err.input);
}

static void yaml_and_json_are_read_as_windows_saves_them(void **state)
{
	(void)state;
	char path[] = "/tmp/wh-text-XXXXXX";
	struct wh_arena *mem = wh_arena_new();
	struct wh_yaml *root;
	struct wh_error err = {.text = ""};
	int fd = mkstemp(path);
	assert_int_equal(write(fd, "\xff\xfe" "a\0:\0 \0b\0\r\0\n\0", 14), 14);
	close(fd);
	if (wh_yaml_parse_file(path, mem, &root, &err))
		fail_msg("%s", err.text);
	assert_string_equal(wh_yaml_get(root, "a")->scalar, "b");
	unlink(path);
	wh_arena_free(mem);
}

static void utf16_is_recognised_by_its_first_bytes(void **state)
{
	(void)state;
	assert_true(wh_text_is_wide("\xff\xfe{\0", 4));
	assert_true(wh_text_is_wide("\xfe\xff\0{", 4));
	assert_true(wh_text_is_wide("{\0\"\0t", 5));
	assert_true(wh_text_is_wide("\0{\0\"", 4));
	assert_false(wh_text_is_wide("\xff\xfe", 2)); /* too little to tell */
	assert_false(wh_text_is_wide("{\"a\"", 4));
	assert_false(wh_text_is_wide("\0\0\0\0{\"a", 7)); /* zeros that a cut file begins with */
	assert_false(wh_text_is_wide("\xef\xbb\xbf{", 4));
}

static void terminal_control_characters_are_not_printable(void **state)
{
	(void)state;
	static const char *const bad[] = {"a\x1b[2J",
	                                  "a\nb",
	                                  "\r",
	                                  "\x7f",
	                                  "\xc2\x9b"
	                                  "2J",
	                                  "\x9b"
	                                  "2J",
	                                  "\xe2\x80\xae"
	                                  "exe",
	                                  "\xe2\x81\xa6",
	                                  "\xe2\x80\x8f",
	                                  "\xff",
	                                  "\xc0\x80",
	                                  "\xed\xa0\x80",
	                                  "\xf5\x80\x80\x80",
	                                  "\xe2\x80",
	                                  "\xd8\x9c",
	                                  "\xe2\x80\xa8"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		char copy[32];
		assert_non_null(wh_text_unprintable(bad[i]));
		strcpy(copy, bad[i]);
		wh_text_make_printable(copy);
		assert_null(wh_text_unprintable(copy));
		assert_non_null(strchr(copy, '?'));
	}
	static const char *const same[] = {"vm\xc2\xad", "vm\xe2\x80\x8b", "vm\xe2\x81\xa0", "vm\xe2\x81\xa3", "vm\xef\xbf\xb9"};
	for (size_t i = 0; i < sizeof same / sizeof *same; i++)
		assert_non_null(wh_text_unprintable(same[i])); /* what looks like vm is not */
	assert_null(wh_text_unprintable("Grüße, 世界 \xf0\x9f\x98\x80"));
	struct wh_error err;
	wh_fail(&err, -EINVAL, "%s", "x\xc2\x9b\xe2\x80\xaey\x80");
	assert_string_equal(err.text, "x??y?");
}

static void names_in_commands_are_one_word_for_the_shell(void **state)
{
	(void)state;
	char buf[WH_SHELL_WORD], large[WH_SHELL_WORD];
	assert_string_equal(wh_shell_word("vm-1/web_2.x", buf), "vm-1/web_2.x");
	assert_string_equal(wh_shell_word("vm1; id", buf), "'vm1; id'");
	assert_string_equal(wh_shell_word("a'$(id)`id`\n", buf), "'a'\\''$(id)`id`\n'");
	assert_string_equal(wh_shell_word("", buf), "''");
	assert_string_equal(wh_shell_word("--all", buf), "NAME");
	memset(large, '\'', sizeof large - 1);
	large[sizeof large - 1] = 0;
	assert_string_equal(wh_shell_word(large, buf), "NAME");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(utf16_is_recognised_by_its_first_bytes),
		cmocka_unit_test(marks_and_both_orders_of_utf16_become_utf8),
		cmocka_unit_test(half_a_character_and_utf32_are_named),
		cmocka_unit_test(yaml_and_json_are_read_as_windows_saves_them),
		cmocka_unit_test(terminal_control_characters_are_not_printable),
		cmocka_unit_test(names_in_commands_are_one_word_for_the_shell),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
