/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Preloaded: code of an attacker in the process that calls a parser of ours: libsqlite3, libyaml, jansson, libcurl's first
 * look-up. It tries what an attacker would, prints "attack NAME uid N" once a parser's process, and "through NAME: WHAT" for what
 * it was not kept from.
 *   ATTACK_SECRET  a file that only root may read       ATTACK_DIR  a directory that only root may write
 *   ATTACK_SOCKET  where a program of root's listens    ATTACK_PID  a process of root's
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <errno.h>
#include <netdb.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static int log_fd = -1;

static void say(const char *format, ...)
{
	char text[300];
	va_list ap;
	va_start(ap, format);
	int n = vsnprintf(text, sizeof text, format, ap);
	va_end(ap);
	if (write(log_fd, text, (size_t)n) < 0)
		_exit(99);
}

/* Open before anything is given up, as an attacker's own channel would be. */
static void __attribute__((constructor)) open_log(void)
{
	const char *path = getenv("ATTACK_LOG");
	int fd = path ? open(path, O_WRONLY | O_APPEND) : -1;
	log_fd = fd < 0 ? 2 : fcntl(fd, F_DUPFD, 900);
}

/* The program closes what a process does not need; the attacker's own channel is none of that. */
int close_range(unsigned first, unsigned last, int flags)
{
	const unsigned kept = (unsigned)log_fd;
	if (kept < first || kept > last)
		return (int)syscall(SYS_close_range, first, last, flags);
	int rc = kept > first ? (int)syscall(SYS_close_range, first, kept - 1, flags) : 0;
	return rc || kept == last ? rc : (int)syscall(SYS_close_range, kept + 1, last, flags);
}

static void files(const char *reader)
{
	const char *secret = getenv("ATTACK_SECRET"), *dir = getenv("ATTACK_DIR");
	char path[4096], other[4096];
	int fd = open(secret, O_RDONLY);
	if (fd >= 0 && read(fd, path, 1) == 1)
		say("through %s: read a file of root's\n", reader);
	snprintf(path, sizeof path, "%s/planted-%s", dir, reader);
	if (open(path, O_WRONLY | O_CREAT, 0600) >= 0)
		say("through %s: made a file in a directory of root's\n", reader);
	if (open(secret, O_WRONLY | O_APPEND) >= 0 || truncate(secret, 0) == 0)
		say("through %s: wrote a file of root's\n", reader);
	if (chmod(secret, 0666) == 0)
		say("through %s: opened a file of root's to all\n", reader);
	snprintf(other, sizeof other, "%s/moved-%s", dir, reader);
	if (link(secret, other) == 0 || symlink(secret, other) == 0 || rename(secret, other) == 0 || unlink(secret) == 0 ||
	    mkdir(other, 0700) == 0)
		say("through %s: changed a directory of root's\n", reader);
	if (open("/proc/sys/kernel/core_pattern", O_WRONLY) >= 0 || open("/proc/sysrq-trigger", O_WRONLY) >= 0)
		say("through %s: may set the kernel's settings\n", reader);
}

static void privileges(const char *reader)
{
	uid_t was = geteuid();
	pid_t pid;
	char *argv[] = {(char[]){"true"}, NULL};
	if (was && (setuid(0) == 0 || seteuid(0) == 0 || setreuid(0, 0) == 0))
		say("through %s: became root\n", reader);
	if (was && (setfsuid(0), setfsuid((uid_t)-1) == 0))
		say("through %s: opens files as root\n", reader);
	if (posix_spawn(&pid, "/bin/true", NULL, NULL, argv, environ) == 0) {
		int status;
		if (waitpid(pid, &status, 0) == pid && WIFEXITED(status) && !WEXITSTATUS(status))
			say("through %s: ran a program\n", reader);
	}
	if ((mount("none", "/mnt", "tmpfs", 0, NULL) == 0 && umount("/mnt") == 0) || chroot("/") == 0)
		say("through %s: mounts\n", reader);
	int raw = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
	if (raw >= 0)
		say("through %s: raw packets\n", reader);
}

static void network(const char *reader)
{
	if (socket(AF_INET, SOCK_STREAM, 0) >= 0 || socket(AF_INET6, SOCK_DGRAM, 0) >= 0)
		say("through %s: has the network\n", reader);
}

/* Other processes of the same uid: the ways of one that has root's uid and nothing else. */
static void processes(const char *reader)
{
	const char *path = getenv("ATTACK_SOCKET"), *number = getenv("ATTACK_PID");
	const struct rlimit none = {0, 0};
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	cpu_set_t one;
	pid_t pid = number ? (pid_t)atoi(number) : 0;
	if (path) {
		static const int types[] = {SOCK_STREAM, SOCK_SEQPACKET, SOCK_STREAM | SOCK_CLOEXEC};
		snprintf(at.sun_path, sizeof at.sun_path, "%s", path);
		for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
			int fd = socket(AF_UNIX, types[i], 0);
			if (fd >= 0 && (connect(fd, (const void *)&at, sizeof at) == 0 || errno == EPROTOTYPE))
				say("through %s: reached a program of root's\n", reader);
			close(fd);
		}
	}
	if (pid <= 0)
		return;
	if (getenv("ATTACK_SIGNALS") && kill(pid, SIGTERM) == 0)
		say("through %s: ended a process of root's\n", reader);
	if (prlimit(pid, RLIMIT_CPU, &none, NULL) == 0)
		say("through %s: limited a process of root's\n", reader);
	CPU_ZERO(&one);
	CPU_SET(0, &one);
	if (sched_setaffinity(pid, sizeof one, &one) == 0)
		say("through %s: moved a process of root's\n", reader);
}

static void attack(const char *reader, int has_network)
{
	static const char *last;
	static pid_t in;
	if (in == getpid() && last && !strcmp(last, reader))
		return;
	in = getpid();
	last = reader;
	say("attack %s uid %d\n", reader, (int)geteuid());
	files(reader);
	privileges(reader);
	processes(reader);
	if (!has_network)
		network(reader);
}

#define REAL(type, name, ...) ((type (*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name))

int sqlite3_open_v2(const char *file, void **db, int flags, const char *vfs)
{
	if (file && *file == '/')
		attack("sqlite", 0);
	return REAL(int, sqlite3_open_v2, const char *, void **, int, const char *)(file, db, flags, vfs);
}

int yaml_parser_initialize(void *parser)
{
	attack("yaml", 0);
	return REAL(int, yaml_parser_initialize, void *)(parser);
}

void *json_load_callback(void *f, void *arg, size_t flags, void *err)
{
	attack("json", 0);
	return REAL(void *, json_load_callback, void *, void *, size_t, void *)(f, arg, flags, err);
}

void *json_loadb(const char *text, size_t len, size_t flags, void *err)
{
	attack("json", 0);
	return REAL(void *, json_loadb, const char *, size_t, size_t, void *)(text, len, flags, err);
}

/* libcurl's own connection: the parsers of TLS and HTTP are in this process. */
int connect(int fd, const struct sockaddr *to, socklen_t len)
{
	if (to->sa_family == AF_INET && ((const struct sockaddr_in *)(const void *)to)->sin_addr.s_addr == htonl(INADDR_LOOPBACK))
		attack("https", 1);
	return REAL(int, connect, int, const struct sockaddr *, socklen_t)(fd, to, len);
}
