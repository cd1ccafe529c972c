/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "cli/output.c"
#include "cli/table.c"
#include "cli/text_width.c"

/* The output of `fill` through a pipe: standard output is no terminal then. */
static void prints(void (*fill)(struct cli_table *t), const char *columns, const char *want)
{
	int ends[2], saved;
	char got[4096] = "";

	fflush(stdout);
	saved = dup(STDOUT_FILENO);
	assert_int_equal(pipe(ends), 0);
	dup2(ends[1], STDOUT_FILENO);
	close(ends[1]);
	struct cli_table *t = cli_table_new(columns);
	fill(t);
	cli_table_print(t);
	fflush(stdout);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	ssize_t n = read(ends[0], got, sizeof got - 1);
	close(ends[0]);
	assert_true(n >= 0);
	assert_string_equal(got, want);
}

static void two_rows(struct cli_table *t)
{
	cli_table_text(t, "vm1");
	cli_table_number(t, 41203);
	cli_table_text(t, "ok");
	cli_table_text(t, "database-server");
	cli_table_number(t, 7);
	cli_table_text(t, NULL);
}

static void columns_are_aligned_and_no_line_ends_in_blanks(void **state)
{
	(void)state;
	prints(two_rows, "Resource|>Flows|Reason",
	       "Resource          Flows  Reason\n"
	       "vm1              41,203  ok\n"
	       "database-server       7\n");
}

static void east_asian(struct cli_table *t)
{
	cli_table_text(t, "日本");
	cli_table_text(t, "x");
	cli_table_text(t, "é");
	cli_table_text(t, "y");
}

static void wide_characters_align_by_their_width(void **state)
{
	(void)state;
	prints(east_asian, "N|V", "N     V\n日本  x\né     y\n");
}

static void hostile(struct cli_table *t)
{
	cli_table_text(t, "a\033[31mb\n\xff\xe2\x80\xae"
	                  "c");
}

static void control_characters_do_not_reach_a_terminal(void **state)
{
	(void)state;
	prints(hostile, "N", "N\na?[31mb???c\n");
}

static void nothing(struct cli_table *t)
{
	(void)t;
}

static void a_table_without_rows_is_its_header(void **state)
{
	(void)state;
	prints(nothing, "A|>B", "A  B\n");
}

static void numbers_are_grouped(void **state)
{
	(void)state;
	char buf[32];
	assert_string_equal(wh_number_text(0, buf), "0");
	assert_string_equal(wh_number_text(999, buf), "999");
	assert_string_equal(wh_number_text(1000, buf), "1,000");
	assert_string_equal(wh_number_text(UINT64_MAX, buf), "18,446,744,073,709,551,615");
}

static void long_text_is_cut_after_a_comma_or_space(void **state)
{
	(void)state;
	assert_int_equal(cli_piece("10.0.0.0/8, 11.0.0.0/8", 16), 12);
	assert_int_equal(cli_piece("abcdef", 4), 4);
	assert_int_equal(cli_piece("ab", 4), 2);
	assert_int_equal(cli_piece("日", 1), 3); /* never no progress */
}

static void a_name_is_cut_after_a_hyphen_rather_than_within_a_word(void **state)
{
	(void)state;
	assert_int_equal(cli_piece("vm-web-frontend-000", 12), 7);
	assert_int_equal(cli_piece("compute/virtualmachines", 15), 8);
	assert_int_equal(cli_piece("the vm-web-frontend-000", 12), 4);
	assert_int_equal(cli_longest_piece("vm-web-frontend-000"), 9);
	assert_int_equal(cli_longest_piece("compute/virtualmachines in use"), 15);
	assert_int_equal(cli_longest_piece(""), 0);
}

static void lists(struct cli_table *t)
{
	struct wh_prefix p[3];
	const char *const texts[] = {"192.0.2.0/24", "198.51.100.7", "203.0.113.0/28"};
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(wh_prefix_parse(texts[i], strlen(texts[i]), &p[i], NULL), 0);
	cli_table_text(t, "22");
	cli_table_prefixes(t, p, 2, p + 2, 1, 2);
	cli_table_text(t, "end");
	cli_table_text(t, "a\nb");
	cli_table_list(t, "x\ny, z");
}

static void a_list_has_one_part_a_line_if_wanted(void **state)
{
	(void)state;
	prints(lists, "Port|Allowed|Why",
	       "Port  Allowed                                 Why\n"
	       "22    192.0.2.0/24, 198.51.100.7, and 1 more  end\n"
	       "a?b   x?y, z\n");
	cli_lists_long();
	prints(lists, "Port|Allowed|Why",
	       "Port  Allowed         Why\n"
	       "22    192.0.2.0/24    end\n"
	       "      198.51.100.7\n"
	       "      203.0.113.0/28\n"
	       "a?b   x y\n"
	       "      z\n");
	each_on_its_line = false;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_are_aligned_and_no_line_ends_in_blanks),
		cmocka_unit_test(wide_characters_align_by_their_width),
		cmocka_unit_test(control_characters_do_not_reach_a_terminal),
		cmocka_unit_test(a_table_without_rows_is_its_header),
		cmocka_unit_test(numbers_are_grouped),
		cmocka_unit_test(a_list_has_one_part_a_line_if_wanted),
		cmocka_unit_test(long_text_is_cut_after_a_comma_or_space),
		cmocka_unit_test(a_name_is_cut_after_a_hyphen_rather_than_within_a_word),
	};
	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
