/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Root makes a socket in a directory of another user's, who puts something else in its way at the worst moment. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "flow/listen.h"

enum { OTHER = 65534 };
static char top[64], theirs[80], dir[96], moved[96], path[112], roots[80], planted[96], secret[96];
static struct wh_error err;
static void (*before_bind)(void), (*before_lchown)(void);

/* Instead of the C library's: what the other user does just before. As root, for a kernel that protects no hard links. */
static void once(void (**what)(void))
{
	void (*now)(void) = *what;
	*what = NULL;
	if (now) {
		int was = setfsuid(0);
		now();
		setfsuid((uid_t)was);
	}
}

int bind(int fd, const struct sockaddr *a, socklen_t n)
{
	once(&before_bind);
	return (int)syscall(SYS_bind, fd, a, n);
}

int lchown(const char *file, uid_t uid, gid_t gid)
{
	once(&before_lchown);
	return fchownat(AT_FDCWD, file, uid, gid, AT_SYMLINK_NOFOLLOW);
}

static int setup(void **state)
{
	(void)state;
	strcpy(top, "/tmp/wh-listen-XXXXXX");
	if (!mkdtemp(top))
		return -1;
	snprintf(theirs, sizeof theirs, "%s/theirs", top);
	snprintf(dir, sizeof dir, "%s/sock", theirs);
	snprintf(moved, sizeof moved, "%s/moved", theirs);
	snprintf(path, sizeof path, "%s/eve", dir);
	snprintf(roots, sizeof roots, "%s/roots", top);
	snprintf(planted, sizeof planted, "%s/eve", roots);
	snprintf(secret, sizeof secret, "%s/secret", roots);
	int fd = chmod(top, 0711) || mkdir(theirs, 0755) || mkdir(dir, 0755) || mkdir(roots, 0755)
	                 ? -1
	                 : open(secret, O_WRONLY | O_CREAT, 0600);
	return fd < 0 || close(fd);
}

static int teardown(void **state)
{
	char in_moved[112];
	(void)state;
	snprintf(in_moved, sizeof in_moved, "%s/eve", moved);
	before_bind = before_lchown = NULL;
	unlink(in_moved);
	unlink(path);
	unlink(dir);
	rmdir(dir);
	rmdir(moved);
	rmdir(theirs);
	unlink(planted);
	unlink(secret);
	rmdir(roots);
	return rmdir(top);
}

static void give_to_the_other(void)
{
	if (geteuid())
		skip(); /* needs root */
	assert_int_equal(chown(theirs, OTHER, OTHER), 0);
	assert_int_equal(chown(dir, OTHER, OTHER), 0);
}

static void link_the_directory(void)
{
	assert_int_equal(rename(dir, moved), 0);
	assert_int_equal(symlink(roots, dir), 0);
	assert_int_equal(fchownat(AT_FDCWD, dir, OTHER, OTHER, AT_SYMLINK_NOFOLLOW), 0);
}

static void link_the_secret(void)
{
	assert_int_equal(unlink(path), 0);
	assert_int_equal(link(secret, path), 0);
}

static void the_socket_is_the_other_s(void **state)
{
	struct stat st;
	int fd;
	(void)state;
	give_to_the_other();
	assert_int_equal(wh_listen_open(path, OTHER, OTHER, &fd, &err), 0);
	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISSOCK(st.st_mode) && (st.st_mode & 0777) == 0660 && st.st_uid == OTHER && st.st_gid == OTHER);
	assert_int_equal(setfsuid((uid_t)-1), 0); /* root's rights are back */
	assert_int_equal(access(path, F_OK), 0);
	close(fd);
}

static void a_link_in_the_directory_s_place_leads_nowhere(void **state)
{
	int fd;
	(void)state;
	give_to_the_other();
	before_bind = link_the_directory;
	if (!wh_listen_open(path, OTHER, OTHER, &fd, &err))
		close(fd);
	assert_int_not_equal(access(planted, F_OK), 0);
	assert_int_not_equal(wh_listen_open(path, OTHER, OTHER, &fd, &err), 0); /* it is refused from the start, too */
	assert_int_not_equal(access(planted, F_OK), 0);
}

static void a_file_in_the_socket_s_place_is_not_given_away(void **state)
{
	struct stat st;
	int fd;
	(void)state;
	give_to_the_other();
	before_lchown = link_the_secret;
	assert_int_not_equal(wh_listen_open(path, OTHER, OTHER, &fd, &err), 0);
	assert_int_equal(stat(secret, &st), 0);
	assert_int_equal(st.st_uid, 0);
}

static void in_a_directory_of_root_s_it_is_given_to_the_other(void **state)
{
	struct stat st;
	int fd;
	(void)state;
	if (geteuid())
		skip();
	assert_int_equal(wh_listen_open(planted, OTHER, OTHER, &fd, &err), 0);
	assert_int_equal(lstat(planted, &st), 0);
	assert_int_equal(st.st_uid, OTHER);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_socket_is_the_other_s, setup, teardown),
		cmocka_unit_test_setup_teardown(a_link_in_the_directory_s_place_leads_nowhere, setup, teardown),
		cmocka_unit_test_setup_teardown(a_file_in_the_socket_s_place_is_not_given_away, setup, teardown),
		cmocka_unit_test_setup_teardown(in_a_directory_of_root_s_it_is_given_to_the_other, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
