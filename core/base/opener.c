/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/helper.h"
#include "base/opener.h"
#include "base/opener_serve.h"
#include "base/replace_file.h"
#include "base/trusted_path.h"

static int opener = -1; /* our end of the socket; -1: there is none */
/* A file that the caller locks: processes that the program forks share the socket. */
static int turn = -1;

int wh_opener_start(const struct wh_grant *grants, size_t n, struct wh_error *err)
{
	int end, rc = wh_helper_fork("whittle-opener", &end, err);
	if (rc == 1)
		wh_opener_serve(end, grants, n);
	if (!rc) {
		opener = end;
		turn = memfd_create("whittle-turn", MFD_CLOEXEC);
	}
	return rc;
}

void wh_opener_forget(void)
{
	opener = -1;
}

/* "/dev/fd/63", "/dev/stdin": a descriptor of this process, which the opener does not have. -1: the path is not one of these. */
static int own_descriptor(const char *path)
{
	static const char *const standard[] = {"/dev/stdin", "/dev/stdout", "/dev/stderr"}, *const dirs[] = {"/dev/fd/",
	                                                                                                     "/proc/self/fd/"};
	for (int i = 0; i < 3; i++)
		if (!strcmp(path, standard[i]))
			return i;
	for (size_t i = 0; i < sizeof dirs / sizeof *dirs; i++) {
		size_t n = strlen(dirs[i]);
		char *end;
		long fd = strncmp(path, dirs[i], n) ? -1 : strtol(path + n, &end, 10);
		if (fd >= 0 && fd < INT_MAX && end > path + n && !*end)
			return (int)fd;
	}
	return -1;
}

/* A descriptor that must not be opened a second time is already open. */
static int again(const char *path)
{
	int fd = own_descriptor(path), copy = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);
	return copy < 0 ? -EACCES : copy;
}

static int lock_turn(short type)
{
	struct flock lock = {.l_type = type, .l_whence = SEEK_SET};
	while (fcntl(turn, F_SETLKW, &lock) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

/* One process, and one of its threads, at a time. An answer left by another process, which was killed while it waited, does not
 * belong to this request. */
static int ask(struct wh_open_request *r, int give, struct wh_open_reply *p, int *fd)
{
	static uint32_t asked;
	static pthread_mutex_t one = PTHREAD_MUTEX_INITIALIZER;
	*fd = -1;
	if (opener < 0)
		return -ENOENT;
	pthread_mutex_lock(&one);
	r->number = (uint64_t)getpid() << 32 | ++asked;
	int rc = lock_turn(F_WRLCK), locked = rc;
	rc = rc ? rc : wh_helper_send(opener, r, sizeof *r, give);
	do {
		if (*fd >= 0)
			close(*fd);
		rc = rc ? rc : wh_helper_receive(opener, p, sizeof *p, fd);
	} while (!rc && p->number != r->number);
	if (!locked)
		lock_turn(F_UNLCK);
	pthread_mutex_unlock(&one);
	return rc;
}

static int ask_to_open(enum wh_grant_kind kind, const char *path, int flags)
{
	struct wh_open_request *r = calloc(1, sizeof *r);
	struct wh_open_reply p;
	int fd = -1, rc = -EACCES;
	if (r && strlen(path) < sizeof r->text) {
		r->kind = kind;
		r->flags = flags;
		strcpy(r->text, path);
		if (!ask(r, -1, &p, &fd))
			rc = p.rc;
	}
	free(r);
	return fd >= 0 ? fd : rc < 0 ? rc : -EACCES;
}

static bool refused(int code)
{
	return opener >= 0 && (code == EACCES || code == EPERM);
}

int wh_open_input(const char *path, int flags)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | flags);
	if (fd >= 0 || !refused(errno))
		return fd < 0 ? -errno : fd;
	return own_descriptor(path) >= 0 ? again(path) : ask_to_open(WH_GRANT_READ, path, flags);
}

bool wh_readable(const char *path)
{
	if (!euidaccess(path, R_OK))
		return true;
	int fd = refused(errno) ? ask_to_open(WH_GRANT_READ, path, O_NONBLOCK) : -1;
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

int wh_open_append(const char *path)
{
	int fd = wh_trusted_open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOCTTY | O_NONBLOCK, 0600);
	if (fd >= 0 || !refused(-fd))
		return fd;
	return own_descriptor(path) >= 0 ? again(path) : ask_to_open(WH_GRANT_APPEND, path, 0);
}

int wh_open_new(const char *path)
{
	return opener < 0 ? wh_fresh_for(path, false) : ask_to_open(WH_GRANT_NEW, path, 0);
}

int wh_keep_new(const char *path)
{
	struct wh_open_request *r = opener < 0 ? NULL : calloc(1, sizeof *r);
	struct wh_open_reply p;
	int fd, rc = opener < 0 ? wh_fresh_for(path, true) : -EACCES;
	if (r && strlen(path) < sizeof r->text) {
		r->kind = WH_GRANT_NEW;
		r->flags = 1;
		strcpy(r->text, path);
		rc = ask(r, -1, &p, &fd);
		rc = rc ? rc : p.rc;
	}
	free(r);
	return rc;
}

/* A terminal or a pipe is written to with this process's own rights. */
static int replace(const char *path, const char *text, size_t len)
{
	char buf[PATH_MAX];
	struct stat st;
	bool in_place = !stat(path, &st) && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode);
	const char *name, *dir = wh_directory_of(path, buf, sizeof buf, &name);
	int own = own_descriptor(path);
	if (own >= 0)
		return wh_write_all(own, text, len);
	int fd = in_place ? open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY)
	         : dir    ? wh_trusted_open(dir, O_PATH | O_DIRECTORY, 0)
	                  : -ENAMETOOLONG;
	if (fd < 0)
		return in_place ? -errno : fd;
	int rc = in_place ? wh_write_all(fd, text, len) : wh_replace_file(fd, name, text, len);
	close(fd);
	return rc;
}

static int ask_to_write(const char *path, const char *text, size_t len)
{
	struct wh_open_request *r = calloc(1, sizeof *r);
	struct wh_open_reply p;
	int fd, rc = -EACCES, memory = wh_memory_of(text, len);
	if (r && memory >= 0 && strlen(path) < sizeof r->text) {
		r->kind = WH_GRANT_WRITE;
		r->max = len;
		strcpy(r->text, path);
		rc = ask(r, memory, &p, &fd);
		rc = rc ? rc : p.rc;
		if (fd >= 0)
			close(fd);
	}
	if (memory >= 0)
		close(memory);
	free(r);
	return rc;
}

int wh_write_file(const char *path, const char *text, size_t len, struct wh_error *err)
{
	int rc = replace(path, text, len);
	if (rc && refused(-rc))
		rc = ask_to_write(path, text, len);
	return rc ? wh_fail(err, rc, "%s: cannot be written: %s", path, strerror(-rc)) : 0;
}

int wh_opener_run(const char *what, const char *command, size_t max, int timeout_s, char **out, size_t *len, struct wh_error *err)
{
	struct wh_open_request *r = calloc(1, sizeof *r);
	struct wh_open_reply p = {0};
	int fd = -1, rc = -ENOENT;
	if (r && opener >= 0 && strlen(command) < sizeof r->text) {
		r->kind = WH_GRANT_RUN;
		r->max = max;
		r->timeout_s = timeout_s;
		snprintf(r->what, sizeof r->what, "%s", what);
		strcpy(r->text, command);
		rc = ask(r, -1, &p, &fd);
		if (!rc && p.rc && p.why[0]) {
			p.why[sizeof p.why - 1] = 0;
			rc = p.input ? wh_fail_input(err, p.rc < 0 ? p.rc : -EIO, "%s", p.why)
			             : wh_fail(err, p.rc < 0 ? p.rc : -EIO, "%s", p.why);
		} else if (!rc && p.rc) {
			rc = p.rc == -EACCES ? -ENOENT
			                     : wh_fail(err, p.rc < 0 ? p.rc : -EIO, "%s: the command can't be run", what);
		} else if (!rc) {
			*len = p.len <= max ? (size_t)p.len : 0;
			*out = fd >= 0 ? wh_text_of(fd, *len) : NULL;
			rc = *out ? 0 : wh_fail(err, -ENOMEM, "out of memory");
		} else {
			rc = wh_fail(err, rc, "%s: the process that runs commands is gone", what);
		}
	}
	if (fd >= 0)
		close(fd);
	free(r);
	return rc;
}
