/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The filter of all output. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include <jansson.h>
#include "cli/output.c"

/* The output of `print`, in a process of its own with standard output and error in one pipe. */
static int printed(void (*print)(void), char got[static 8192])
{
	int ends[2], status;
	size_t n = 0;
	ssize_t did;
	fflush(NULL);
	assert_int_equal(pipe(ends), 0);
	pid_t pid = fork();
	if (!pid) {
		dup2(ends[1], STDOUT_FILENO);
		dup2(ends[1], STDERR_FILENO);
		close(ends[0]);
		close(ends[1]);
		if (!cli_output_open())
			_exit(9);
		print();
		_exit(fclose(stdout) ? 1 : 0);
	}
	close(ends[1]);
	while ((did = read(ends[0], got + n, 8191 - n)) > 0)
		n += (size_t)did;
	got[n] = 0;
	close(ends[0]);
	waitpid(pid, &status, 0);
	return WEXITSTATUS(status);
}

static const char hostile[] = "a\x1b[2J\x07\r\x7f"
			      "\xc2\x9b"
			      "2J\xe2\x80\xae\xe2\x81\xa6\xff\xc0\x80"
			      "\xed\xa0\x80\xef\xbb\xbf"
			      "z";

static void print_text(void)
{
	printf("x %s\n\tü世😀\n", hostile);
	fprintf(stderr, "e %s\n", hostile);
}

static void control_characters_are_replaced_and_text_stays(void **state)
{
	(void)state;
	char got[8192];
	assert_int_equal(printed(print_text, got), 0);
	for (const char *line = got; *line; line += strcspn(line, "\n") + 1) {
		char copy[256];
		snprintf(copy, sizeof copy, "%.*s", (int)strcspn(line, "\n"), *line == '\t' ? line + 1 : line);
		copy[strcspn(copy, "\n")] = 0;
		assert_null(wh_text_unprintable(copy));
	}
	assert_non_null(strstr(got, "\n\tü世😀\n"));
	assert_non_null(strstr(got, "x a?[2J????"));
	assert_non_null(strstr(got, "e a?[2J????"));
}

static void print_json(void)
{
	json_t *o = json_object();
	json_object_set_new(o, "k", json_string("a\x1b\x7f\xc2\x9b\xe2\x80\xae\xf3\xa0\x81\x81z"));
	json_dumpf(o, stdout, 0);
	json_decref(o);
}

static void json_keeps_its_texts_as_escapes(void **state)
{
	(void)state;
	char got[8192];
	assert_int_equal(printed(print_json, got), 0);
	assert_null(wh_text_unprintable(got));
	json_t *o = json_loads(got, 0, NULL);
	assert_non_null(o);
	assert_string_equal(json_string_value(json_object_get(o, "k")), "a\x1b\x7f\xc2\x9b\xe2\x80\xae\xf3\xa0\x81\x81z");
	json_decref(o);
}

static void print_in_bytes(void)
{
	const char *s = "ü世😀é";
	setvbuf(stdout, NULL, _IONBF, 0);
	for (; *s; s++)
		fwrite(s, 1, 1, stdout);
	fwrite("\xe4\xb8", 1, 2, stdout); /* a character that is never finished */
}

static void a_character_that_comes_in_pieces_stays_whole(void **state)
{
	(void)state;
	char got[8192];
	assert_int_equal(printed(print_in_bytes, got), 0);
	assert_true(!strncmp(got, "ü世😀é?", strlen("ü世😀é?")));
	assert_null(wh_text_unprintable(got));
}

static void print_for_ever(void)
{
	cli_output_only_prints();
	for (;;)
		puts("line");
}

static void a_command_that_only_prints_ends_when_nobody_reads(void **state)
{
	(void)state;
	int ends[2], status = -1;
	fflush(NULL);
	assert_int_equal(pipe(ends), 0);
	pid_t pid = fork();
	if (!pid) {
		signal(SIGPIPE, SIG_IGN);
		alarm(20); /* a failure, not for ever */
		dup2(ends[1], STDOUT_FILENO);
		close(ends[0]);
		close(ends[1]);
		if (cli_output_open())
			print_for_ever();
		_exit(9);
	}
	close(ends[1]);
	char byte;
	assert_int_equal(read(ends[0], &byte, 1), 1);
	close(ends[0]);
	waitpid(pid, &status, 0);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == CLI_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(control_characters_are_replaced_and_text_stays),
		cmocka_unit_test(json_keeps_its_texts_as_escapes),
		cmocka_unit_test(a_character_that_comes_in_pieces_stays_whole),
		cmocka_unit_test(a_command_that_only_prints_ends_when_nobody_reads),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
