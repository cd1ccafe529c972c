/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "base/replace_file.h"

static char top[] = "/tmp/whittle-test-XXXXXX";
static int dir;

static int begin(void **state)
{
	(void)state;
	return mkdtemp(top) && (dir = open(top, O_PATH | O_DIRECTORY | O_CLOEXEC)) >= 0 ? 0 : -1;
}

static int end(void **state)
{
	static const char *const names[] = {"a", "b", "link", "pipe"};
	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		unlinkat(dir, names[i], 0);
	close(dir);
	return rmdir(top); /* fails where a temporary file was left */
}

static const char *content(const char *name)
{
	static char text[16];
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, text, sizeof text - 1);
	close(fd);
	text[n > 0 ? n : 0] = 0;
	return text;
}

static mode_t mode_of(const char *name)
{
	struct stat st;
	assert_int_equal(fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW), 0);
	return st.st_mode;
}

static void a_file_is_made_and_replaced_and_keeps_its_mode(void **state)
{
	(void)state;
	mode_t mask = umask(022);
	assert_int_equal(wh_replace_file(dir, "a", "one", 3), 0);
	assert_int_equal(mode_of("a"), S_IFREG | 0644);
	assert_int_equal(fchmodat(dir, "a", 0600, 0), 0);
	assert_int_equal(wh_replace_file(dir, "a", "two", 3), 0);
	assert_string_equal(content("a"), "two");
	assert_int_equal(mode_of("a"), S_IFREG | 0600);
	umask(mask);
}

static void a_link_is_replaced_and_its_target_stays(void **state)
{
	(void)state;
	assert_int_equal(wh_replace_file(dir, "b", "kept", 4), 0);
	assert_int_equal(symlinkat("b", dir, "link"), 0);
	assert_int_equal(wh_replace_file(dir, "link", "new", 3), 0);
	assert_true(S_ISREG(mode_of("link")));
	assert_string_equal(content("b"), "kept");
	assert_string_equal(content("link"), "new");
}

static void a_link_is_a_link_whatever_it_leads_to(void **state)
{
	(void)state;
	mode_t mask = umask(022);
	unlinkat(dir, "link", 0);
	assert_int_equal(symlinkat(".", dir, "link"), 0); /* a directory would be refused */
	assert_int_equal(wh_replace_file(dir, "link", "new", 3), 0);
	assert_int_equal(mode_of("link"), S_IFREG | 0644);
	unlinkat(dir, "link", 0);
	assert_int_equal(fchmodat(dir, "b", 0666, 0), 0); /* the mode of another's file is not taken over */
	assert_int_equal(symlinkat("b", dir, "link"), 0);
	assert_int_equal(wh_replace_file(dir, "link", "new", 3), 0);
	assert_int_equal(mode_of("link"), S_IFREG | 0644);
	umask(mask);
}

static void anything_but_a_file_is_refused(void **state)
{
	(void)state;
	assert_int_equal(mkfifoat(dir, "pipe", 0600), 0);
	assert_int_equal(wh_replace_file(dir, "pipe", "x", 1), -EINVAL);
	assert_int_equal(wh_replace_file(dir, ".", "x", 1), -EISDIR);
	assert_true(S_ISFIFO(mode_of("pipe")));
}

static void a_path_is_parted_before_its_last_component(void **state)
{
	(void)state;
	char buf[8];
	const char *name;
	assert_string_equal(wh_directory_of("/a/b", buf, sizeof buf, &name), "/a");
	assert_string_equal(name, "b");
	assert_string_equal(wh_directory_of("/a", buf, sizeof buf, &name), "/");
	assert_string_equal(wh_directory_of("a", buf, sizeof buf, &name), ".");
	assert_null(wh_directory_of("/longer-than/b", buf, sizeof buf, &name));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_is_made_and_replaced_and_keeps_its_mode),
		cmocka_unit_test(a_link_is_replaced_and_its_target_stays),
		cmocka_unit_test(a_link_is_a_link_whatever_it_leads_to),
		cmocka_unit_test(anything_but_a_file_is_refused),
		cmocka_unit_test(a_path_is_parted_before_its_last_component),
	};
	return cmocka_run_group_tests_name("replace_file", tests, begin, end);
}
