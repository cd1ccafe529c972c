/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Paths that root follows, and the directory of what survives a reboot: nobody else decides where they lead. */
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "base/opener.h"
#include "base/service_user.h"
#include "base/state_dir.h"
#include "base/trusted_path.h"

enum { SERVICE = 977, OTHER = 61003 };
static char top[] = "/tmp/whittle-test-XXXXXX", file[PATH_MAX], secret[PATH_MAX];

struct passwd *getpwnam(const char *name)
{
	static char service[] = WH_SERVICE_USER, nowhere[] = "/nonexistent";
	static struct passwd pw = {
		.pw_name = service, .pw_uid = SERVICE, .pw_gid = SERVICE, .pw_dir = nowhere, .pw_shell = nowhere};
	return !strcmp(name, WH_SERVICE_USER) ? &pw : NULL;
}

static void make(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	close(fd);
}

static void nothing_is_written_where_another_users_link_leads(void **state)
{
	(void)state;
	char lane[PATH_MAX];
	struct wh_error err;
	bool made;
	if (geteuid())
		skip();
	strcpy(top, "/tmp/whittle-test-XXXXXX");
	assert_non_null(mkdtemp(top));
	snprintf(lane, sizeof lane, "%s/lane", top);
	snprintf(file, sizeof file, "%s/lane/file", top);
	snprintf(secret, sizeof secret, "%s/file", top);
	assert_int_equal(symlink(top, lane), 0);
	assert_int_equal(lchown(lane, 61003, 61003), 0);
	assert_int_equal(wh_trusted_directory(lane, &made, &err), -ELOOP);
	assert_int_equal(wh_write_file(file, "x", 1, &err), -ELOOP);
	assert_int_equal(wh_open_append(file), -ELOOP);
	assert_int_equal(access(secret, F_OK), -1);
	assert_int_equal(lchown(lane, 0, 0), 0); /* root's own way */
	assert_int_equal(wh_write_file(file, "x", 1, &err), 0);
	assert_int_equal(unlink(secret), 0);
	unlink(lane);
	rmdir(top);
}

static void links_of_roots_are_followed_for_reading_alone_and_not_for_ever(void **state)
{
	(void)state;
	char loop[PATH_MAX];
	struct wh_error err;
	strcpy(top, "/tmp/whittle-test-XXXXXX");
	assert_non_null(mkdtemp(top));
	snprintf(file, sizeof file, "%s/file", top);
	snprintf(secret, sizeof secret, "%s/link", top);
	snprintf(loop, sizeof loop, "%s/loop", top);
	make(file);
	assert_int_equal(symlink("file", secret), 0);
	assert_int_equal(symlink("loop", loop), 0);
	if (!geteuid()) {
		int fd = wh_trusted_open(secret, O_RDONLY, 0);
		assert_true(fd >= 0);
		close(fd);
		assert_int_equal(wh_trusted_open(secret, O_WRONLY | O_CREAT, 0600), -ELOOP);
		assert_int_equal(wh_trusted_open(loop, O_RDONLY, 0), -ELOOP);
		assert_int_equal(wh_trusted_dir(top, false, &err), 0);
		assert_int_equal(chown(top, 0, 61003), 0);
		assert_int_equal(chmod(top, 0770), 0); /* a group of others may write it */
		assert_int_equal(wh_trusted_dir(top, false, &err), -EPERM);
	}
	unlink(loop);
	unlink(secret);
	unlink(file);
	rmdir(top);
}

/* A directory of root's, with one in it. */
static void begin(char sub[static PATH_MAX])
{
	if (geteuid())
		skip();
	strcpy(top, "/tmp/whittle-test-XXXXXX");
	assert_non_null(mkdtemp(top));
	assert_int_equal(chmod(top, 0755), 0);
	snprintf(sub, PATH_MAX, "%s/sub", top);
	assert_int_equal(mkdir(sub, 0755), 0);
}

static void end(const char *sub)
{
	rmdir(sub);
	assert_int_equal(rmdir(top), 0);
}

static void a_directory_that_others_could_replace_is_not_trusted(void **state)
{
	(void)state;
	char sub[PATH_MAX];
	struct wh_error err;
	begin(sub);
	assert_int_equal(wh_trusted_dir(sub, false, &err), 0);
	assert_int_equal(chmod(top, 0777), 0);
	assert_int_equal(wh_trusted_dir(sub, false, &err), -EPERM);
	assert_int_equal(chmod(top, 01777), 0); /* as /tmp: only its owner may rename it */
	assert_int_equal(wh_trusted_dir(sub, false, &err), 0);
	assert_int_equal(chmod(top, 0755), 0);
	assert_int_equal(chown(top, OTHER, 0), 0);
	assert_int_equal(wh_trusted_dir(sub, false, &err), -EPERM);
	assert_int_equal(chown(top, SERVICE, 0), 0);
	assert_int_equal(wh_trusted_dir(sub, false, &err), -EPERM);
	assert_int_equal(wh_trusted_dir(sub, true, &err), 0);
	assert_int_equal(chown(top, 0, 0), 0);
	assert_int_equal(rmdir(sub), 0);
	make(sub);
	assert_int_equal(wh_trusted_dir(sub, false, &err), -EPERM); /* no directory */
	unlink(sub);
	end(sub);
}

static void a_file_that_others_could_change_is_not_trusted(void **state)
{
	(void)state;
	char sub[PATH_MAX];
	struct wh_error err;
	begin(sub);
	snprintf(file, sizeof file, "%s/sub/f", top);
	make(file);
	assert_int_equal(wh_trusted_file(file, &err), 0);
	assert_int_equal(wh_trusted_file("/dev/null", &err), 0);
	assert_int_equal(chmod(file, 0602), 0);
	assert_int_equal(wh_trusted_file(file, &err), -EPERM);
	assert_int_equal(chmod(file, 0620), 0);
	assert_int_equal(wh_trusted_file(file, &err), 0); /* root's group */
	assert_int_equal(chown(file, 0, OTHER), 0);
	assert_int_equal(wh_trusted_file(file, &err), -EPERM);
	assert_int_equal(chown(file, OTHER, 0), 0);
	assert_int_equal(wh_trusted_file(file, &err), -EPERM);
	assert_int_equal(chown(file, 0, 0), 0);
	assert_int_equal(chown(sub, OTHER, 0), 0);
	assert_int_equal(wh_trusted_file(file, &err), -EPERM);
	unlink(file);
	end(sub);
}

static void the_state_directory_is_made_where_nobody_else_decides(void **state)
{
	(void)state;
	char sub[PATH_MAX], dir[PATH_MAX], out[PATH_MAX];
	struct wh_error err;
	struct stat st;
	begin(sub);
	snprintf(dir, sizeof dir, "%s/sub/a", top);
	assert_int_equal(wh_state_dir("relative", "/l.db", out, &err), -EINVAL);
	assert_int_equal(chown(sub, OTHER, 0), 0);
	assert_int_equal(wh_state_dir_check(dir, true, &err), -EPERM);
	assert_int_not_equal(stat(dir, &st), 0);
	assert_int_equal(chown(sub, 0, 0), 0);
	assert_int_equal(wh_state_dir_check(dir, true, &err), 0);
	assert_int_equal(stat(dir, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(st.st_uid, 0);
	assert_int_equal(rmdir(dir), 0);
	assert_int_equal(chown(sub, SERVICE, SERVICE), 0);
	assert_int_equal(wh_state_dir_check(dir, true, &err), 0);
	assert_int_equal(stat(dir, &st), 0);
	assert_int_equal(st.st_uid, SERVICE);
	assert_int_equal(st.st_gid, SERVICE);
	assert_int_equal(rmdir(dir), 0);
	end(sub);
}

static void a_file_of_the_state_directory_is_read_by_no_link(void **state)
{
	(void)state;
	char sub[PATH_MAX], *text;
	struct wh_error err;
	size_t len;
	begin(sub);
	snprintf(file, sizeof file, "%s/sub/f", top);
	snprintf(secret, sizeof secret, "%s/sub/link", top);
	make(file);
	assert_int_equal(symlink("f", secret), 0);
	assert_int_equal(wh_state_dir_read(sub, "f", 100, &text, &len, &err), 0);
	free(text);
	assert_int_equal(wh_state_dir_read(sub, "none", 100, &text, &len, &err), 0);
	assert_null(text);
	assert_int_equal(wh_state_dir_read(sub, "link", 100, &text, &len, &err), -ELOOP);
	unlink(secret);
	unlink(file);
	end(sub);
}

int main(void)
{
	umask(022);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_written_where_another_users_link_leads),
		cmocka_unit_test(links_of_roots_are_followed_for_reading_alone_and_not_for_ever),
		cmocka_unit_test(a_directory_that_others_could_replace_is_not_trusted),
		cmocka_unit_test(a_file_that_others_could_change_is_not_trusted),
		cmocka_unit_test(the_state_directory_is_made_where_nobody_else_decides),
		cmocka_unit_test(a_file_of_the_state_directory_is_read_by_no_link),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
