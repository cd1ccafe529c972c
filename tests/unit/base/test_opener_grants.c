/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A process that was taken over asks the opener for files: it gets what a person named, and nothing else. */
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "base/opener.h"

enum { OWNER = 61003 };
static char top[] = "/tmp/whittle-test-XXXXXX";

/* A path below the test's directory; 32 of them live at a time. */
static const char *at(const char *name)
{
	static char buf[32][PATH_MAX];
	static unsigned next;
	char *p = buf[next++ % 32];
	snprintf(p, PATH_MAX, "%s/%s", top, name);
	return p;
}

static void make(const char *name)
{
	int fd = open(at(name), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	close(fd);
}

static int begin(void **state)
{
	(void)state;
	strcpy(top, "/tmp/whittle-test-XXXXXX");
	if (!mkdtemp(top) || chmod(top, 0711) || mkdir(at("closed"), 0700) || mkdir(at("closed/logs"), 0700) ||
	    mkdir(at("own"), 0755) || mkdir(at("closed/by"), 0700) || mkdir(at("closed/by/sub"), 0700))
		return -1;
	make("closed/by/x");
	make("closed/by/sub/y");
	make("closed/named");
	make("closed/secret");
	make("closed/logs/a");
	make("closed/logs-2");
	make("closed/kept");
	return symlink(at("closed"), at("lane")) || lchown(at("lane"), OWNER, OWNER) || link(at("closed/kept"), at("own/log")) ||
	       chown(at("own"), OWNER, OWNER);
}

static int end(void **state)
{
	char command[PATH_MAX];
	(void)state;
	snprintf(command, sizeof command, "rm -rf '%s'", top);
	return system(command);
}

static int opened(const char *name)
{
	int fd = wh_open_input(at(name), 0);
	if (fd >= 0)
		close(fd);
	return fd < 0 ? fd : 0;
}

static int appended(const char *name)
{
	int fd = wh_open_append(at(name));
	if (fd >= 0)
		close(fd);
	return fd < 0 ? fd : 0;
}

static int written(const char *name)
{
	return wh_write_file(at(name), "x", 1, &(struct wh_error){0});
}

/* The number of the first question that has another answer than it should have; 0: none. */
static int first_wrong(void)
{
	const struct { int got, wanted; } all[] = {
		{opened("closed/named"), 0},
		{opened("closed/logs/a"), 0},
		{opened("closed/secret"), -EACCES},
		{opened("closed/logs/../secret"), -EACCES},
		{opened("closed/logs-2"), -EACCES}, /* not below logs */
		{appended("closed/named"), -EACCES}, /* named to be read */
		{appended("closed/logs/a"), -EACCES},
		{written("closed/named"), -EACCES},
		{written("closed/logs/b"), -EACCES},
		{opened("closed/by/x"), 0},
		{opened("closed/by/sub/y"), -EACCES},
		{appended("closed/by/x"), -EACCES},
		{opened("lane/secret"), -ELOOP}, /* named, but by a link of the owner's */
		{appended("lane/secret"), -ELOOP},
		{written("lane/secret"), -ELOOP},
		{wh_open_new(at("lane/new")), -ELOOP},
		{appended("own/log"), -EINVAL}, /* a second name of another file */
		{written("closed/out"), 0},
		{appended("closed/list"), 0},
	};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (all[i].got != all[i].wanted) {
			fprintf(stderr, "question %zu: %d, and not %d\n", i + 1, all[i].got, all[i].wanted);
			return (int)i + 1;
		}
	return 0;
}

/* The rights that the opener, this process's only child, keeps: those over files. */
static bool has_rights_over_files_alone(void)
{
	char path[64], line[256];
	unsigned long long rights = 0;
	int child = 0;
	snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
	FILE *f = fopen(path, "re");
	bool found = f && fscanf(f, "%d", &child) == 1;
	if (f)
		fclose(f);
	snprintf(path, sizeof path, "/proc/%d/status", child);
	f = found ? fopen(path, "re") : NULL;
	while (f && fgets(line, sizeof line, f))
		if (sscanf(line, "CapEff: %llx", &rights) == 1)
			break;
	if (f)
		fclose(f);
	return !found || rights == 0xe; /* CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER; a kernel may list no children */
}

static void ask(void)
{
	const struct wh_grant grants[] = {
		{WH_GRANT_READ, at("closed/named")}, {WH_GRANT_BELOW, at("closed/logs")}, {WH_GRANT_BELOW, "."},
		{WH_GRANT_READ, at("lane/secret")},  {WH_GRANT_APPEND, at("lane/secret")}, {WH_GRANT_WRITE, at("lane/secret")},
		{WH_GRANT_NEW, at("lane/new")},      {WH_GRANT_APPEND, at("own/log")},     {WH_GRANT_WRITE, at("closed/out")},
		{WH_GRANT_APPEND, at("closed/list")}, {WH_GRANT_BESIDE, at("closed/by")},
	};
	if (chdir("/") || wh_opener_start(grants, sizeof grants / sizeof *grants, &(struct wh_error){0}))
		_exit(98);
	if (setresgid(OWNER, OWNER, OWNER) || setresuid(OWNER, OWNER, OWNER))
		_exit(97);
	int wrong = first_wrong();
	_exit(wrong ? wrong : has_rights_over_files_alone() ? 0 : 96);
}

static void what_was_not_named_stays_closed(void **state)
{
	struct stat st;
	int status;
	(void)state;
	if (geteuid())
		skip();
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (!pid)
		ask();
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(stat(at("closed/secret"), &st), 0);
	assert_int_equal(st.st_size, 0);
	assert_int_equal(access(at("closed/new"), F_OK), -1);
	assert_int_equal(stat(at("closed/out"), &st), 0);
	assert_int_equal(st.st_size, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(what_was_not_named_stays_closed, begin, end)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
