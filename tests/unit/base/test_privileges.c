/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a process has left after it gave its privileges up, as the kernel shows it. Each test needs root, and runs in a child. */
#include <dlfcn.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "base/landlock.h"
#include "base/owner.h"
#include "base/service_user.h"
#include "whittle/enforce.h"

enum { SERVICE = 977, NOBODY = 65534, A_GROUP = 4 };
#define NET_ADMIN_ONLY "0000000000001000"
#define KILL_ONLY "0000000000000020"
#define NO_CAPABILITY "0000000000000000"

/* ---- stand-ins for the C library ---- */

static bool service_exists;
struct passwd *getpwnam(const char *name)
{
	static char service[] = WH_SERVICE_USER, nowhere[] = "/nonexistent";
	static struct passwd pw = {
		.pw_name = service, .pw_uid = SERVICE, .pw_gid = SERVICE, .pw_dir = nowhere, .pw_shell = nowhere};
	return service_exists && !strcmp(name, WH_SERVICE_USER) ? &pw : NULL;
}

/* Another user puts a link in the file's place after its path was resolved. */
static const char *replaced, *replacement;
char *realpath(const char *path, char *out)
{
	char *(*real)(const char *, char *) = (char *(*)(const char *, char *))dlsym(RTLD_NEXT, "realpath");
	char *resolved = real(path, out);
	if (resolved && replaced && !strcmp(resolved, replaced)) {
		unlink(replaced);
		if (symlink(replacement, replaced))
			_exit(99);
	}
	return resolved;
}

/* ---- a child ---- */

/* The value of a line of /proc/self/status; "" if there is none. */
static const char *status(const char *key)
{
	static char line[4096];
	FILE *f = fopen("/proc/self/status", "re");
	const char *out = "";
	while (f && fgets(line, sizeof line, f))
		if (!strncmp(line, key, strlen(key)) && line[strlen(key)] == ':') {
			line[strcspn(line, "\n")] = 0;
			out = line + strlen(key) + 1 + strspn(line + strlen(key) + 1, " \t");
			break;
		}
	if (f)
		fclose(f);
	return out;
}

static void want(const char *key, const char *value)
{
	const char *got = status(key);
	size_t n = strlen(got);
	while (n && got[n - 1] == ' ')
		n--;
	if (n == strlen(value) && !strncmp(got, value, n))
		return;
	fprintf(stderr, "%s: '%s', not '%s'\n", key, got, value);
	_exit(1);
}

static void in_a_child(void (*run)(void))
{
	int end;
	if (geteuid()) {
		skip();
		return;
	}
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		const gid_t groups[] = {0, A_GROUP};
		if (setgroups(2, groups)) /* as root's shell has them */
			_exit(98);
		run();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &end, 0), pid);
	assert_int_equal(end, 0);
}

/* ---- the ledger's owner ---- */

static void become_owner(void)
{
	const struct wh_owner o = {.other = true, .uid = NOBODY, .gid = NOBODY, .name = "nobody"};
	struct wh_error err;
	if (wh_owner_become(&o, &err))
		_exit(2);
	want("Uid", "65534\t65534\t65534\t65534");
	want("Gid", "65534\t65534\t65534\t65534");
	want("Groups", "65534");
	want("CapPrm", NO_CAPABILITY);
	want("CapEff", NO_CAPABILITY);
	want("CapBnd", NO_CAPABILITY);
	want("NoNewPrivs", "1");
}

static void the_owner_has_none_of_roots_groups(void **state)
{
	(void)state;
	in_a_child(become_owner);
}

/* A service may find a ledger of root's. */
static void become_root(void)
{
	const struct wh_owner o = {.other = true, .name = "root"};
	struct wh_error err;
	if (wh_owner_become(&o, &err))
		_exit(2);
	want("Uid", "0\t0\t0\t0");
	want("CapPrm", NO_CAPABILITY);
	want("CapBnd", NO_CAPABILITY);
	want("NoNewPrivs", "1");
}

static void root_as_the_owner_has_no_capability(void **state)
{
	(void)state;
	in_a_child(become_root);
}

/* Whoever owns the directory of a ledger, with root's group: an owner without an account has no other. */
static void own_by_uid(void)
{
	char dir[] = "/tmp/whittle-test-XXXXXX", url[64];
	struct wh_owner o;
	struct wh_error err;
	if (!mkdtemp(dir) || chown(dir, 61003, 0))
		_exit(97);
	snprintf(url, sizeof url, "%s/l.db", dir);
	int rc = wh_owner_of(url, &o, &err);
	rmdir(dir);
	if (rc || !o.other || o.uid != 61003 || o.gid != NOBODY)
		_exit(2);
}

static void the_owner_never_gets_roots_group_from_its_directory(void **state)
{
	(void)state;
	in_a_child(own_by_uid);
}

/* ---- a command that keeps its user ---- */

static void keep_user(void)
{
	struct wh_error err;
	if (wh_keep_user(&err))
		_exit(2);
	want("Uid", "0\t0\t0\t0");
	want("CapPrm", KILL_ONLY);
	want("CapEff", KILL_ONLY);
	want("CapBnd", NO_CAPABILITY);
	want("NoNewPrivs", "1");
}

static void who_keeps_the_user_may_end_processes_and_nothing_else(void **state)
{
	(void)state;
	in_a_child(keep_user);
}

/* ---- the process that changes the firewall ---- */

/* Nor may another process of the user read its memory. */
static void leaves_no_core(void)
{
	struct rlimit core;
	if (prctl(PR_GET_DUMPABLE) || getrlimit(RLIMIT_CORE, &core) || core.rlim_max || prctl(PR_GET_KEEPCAPS))
		_exit(5);
}

static void keep_net_admin(void)
{
	struct wh_error err;
	if (wh_enforce_privileges(NULL, &err))
		_exit(2);
	want("CapPrm", NET_ADMIN_ONLY);
	want("CapEff", NET_ADMIN_ONLY);
	want("CapInh", NO_CAPABILITY);
	want("CapBnd", NO_CAPABILITY);
	want("NoNewPrivs", "1");
	leaves_no_core();
}

static void need_net_admin(void)
{
	struct wh_error err;
	if (setresuid(61003, 61003, 61003) || wh_enforce_privileges(NULL, &err) != -EPERM || !strstr(err.text, "run as root"))
		_exit(2);
}

static void who_lacks_the_capability_is_told_which(void **state)
{
	(void)state;
	in_a_child(need_net_admin);
}

static void the_firewalls_process_keeps_one_capability(void **state)
{
	(void)state;
	in_a_child(keep_net_admin);
}

static void be_service(void)
{
	char dir[] = "/tmp/whittle-test-XXXXXX";
	struct wh_error err;
	service_exists = true;
	if (!mkdtemp(dir) || chown(dir, SERVICE, SERVICE))
		_exit(97);
	int rc = wh_enforce_privileges(dir, &err);
	rmdir(dir); /* /tmp lets its owner do that */
	if (rc)
		_exit(2);
	want("Uid", "977\t977\t977\t977");
	want("Gid", "977\t977\t977\t977");
	want("Groups", "");
	want("CapPrm", NET_ADMIN_ONLY);
	want("CapEff", NET_ADMIN_ONLY);
	want("CapBnd", NO_CAPABILITY);
	want("NoNewPrivs", "1");
	leaves_no_core();
}

static void as_the_services_user_it_has_no_other_group(void **state)
{
	(void)state;
	in_a_child(be_service);
}

/* ---- confined files ---- */

static char top[] = "/tmp/whittle-test-XXXXXX", file[PATH_MAX], secret[PATH_MAX];

static void make(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	close(fd);
}

static void confine_to_file(void)
{
	const struct wh_beneath list[] = {{file, true}};
	struct wh_error err;
	int rc = wh_confine_files(list, 1, WH_SIGNALS_OWN, &err), fd;
	if (rc == 1) /* a kernel without Landlock */
		_exit(0);
	if (rc)
		_exit(2);
	if (!replaced && (fd = open(file, O_RDWR | O_CLOEXEC)) < 0)
		_exit(3);
	if (open(secret, O_RDONLY | O_CLOEXEC) >= 0 || errno != EACCES)
		_exit(4);
}

static void a_link_put_in_a_files_place_opens_nothing_else(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(top));
	snprintf(file, sizeof file, "%s/file", top);
	snprintf(secret, sizeof secret, "%s/secret", top);
	make(file);
	make(secret);
	in_a_child(confine_to_file);
	replaced = file;
	replacement = secret;
	in_a_child(confine_to_file);
	unlink(file);
	unlink(secret);
	rmdir(top);
}

static void run_file(void)
{
	const struct wh_beneath list[] = {{top, true}};
	char *const argv[] = {file, NULL};
	struct wh_error err;
	int rc = wh_confine_files(list, 1, WH_SIGNALS_OWN, &err);
	if (rc == 1) /* a kernel without Landlock */
		_exit(0);
	execv(file, argv);
	if (rc || errno != EACCES) /* an empty file is no program: ENOEXEC, where it may be run */
		_exit(3);
}

static void a_directory_that_may_be_written_runs_no_program(void **state)
{
	(void)state;
	strcpy(top, "/tmp/whittle-test-XXXXXX");
	replaced = NULL;
	assert_non_null(mkdtemp(top));
	snprintf(file, sizeof file, "%s/file", top);
	make(file);
	assert_int_equal(chmod(file, 0700), 0);
	in_a_child(run_file);
	unlink(file);
	rmdir(top);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_owner_has_none_of_roots_groups),
		cmocka_unit_test(root_as_the_owner_has_no_capability),
		cmocka_unit_test(the_owner_never_gets_roots_group_from_its_directory),
		cmocka_unit_test(who_keeps_the_user_may_end_processes_and_nothing_else),
		cmocka_unit_test(the_firewalls_process_keeps_one_capability),
		cmocka_unit_test(who_lacks_the_capability_is_told_which),
		cmocka_unit_test(as_the_services_user_it_has_no_other_group),
		cmocka_unit_test(a_link_put_in_a_files_place_opens_nothing_else),
		cmocka_unit_test(a_directory_that_may_be_written_runs_no_program),
	};
	return cmocka_run_group_tests_name("privileges", tests, NULL, NULL);
}
