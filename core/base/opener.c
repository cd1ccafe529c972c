/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <cap-ng.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/command.h"
#include "base/fresh_file.h"
#include "base/helper.h"
#include "base/opener.h"
#include "base/replace_file.h"
#include "base/trusted_path.h"

struct request {
	uint64_t number; /* by which the caller recognizes the answer */
	enum wh_grant_kind kind;
	int flags, timeout_s;
	uint64_t max;
	char what[128];
	char text[PATH_MAX];
};
struct reply {
	uint64_t number; /* the request's */
	int rc; /* 0 with a descriptor if one was asked for */
	bool input;
	uint64_t len;
	char why[sizeof ((struct wh_error *)0)->text];
};

static int opener = -1; /* our end of the socket; -1: there is none */
/* A file that the caller locks: processes that the program forks share the socket. */
static int turn = -1;

/* ---- texts as files in memory ---- */

static int memory_of(const char *text, size_t len)
{
	int fd = memfd_create("whittle", MFD_CLOEXEC);
	for (size_t done = 0; fd >= 0 && done < len;) {
		ssize_t n = pwrite(fd, text + done, len - done, (off_t)done);
		if (n > 0) {
			done += (size_t)n;
		} else if (n < 0 && errno != EINTR) {
			int rc = -errno;
			close(fd);
			return rc;
		}
	}
	return fd < 0 ? -errno : fd;
}

/* The first `len` bytes of a descriptor, NUL-terminated; free() it. */
static char *text_of(int fd, size_t len)
{
	char *text = len < SSIZE_MAX ? malloc(len + 1) : NULL;
	for (size_t have = 0; text && have < len;) {
		ssize_t n = pread(fd, text + have, len - have, (off_t)have);
		if (n > 0) {
			have += (size_t)n;
		} else if (n == 0 || errno != EINTR) {
			free(text);
			text = NULL;
		}
	}
	if (text)
		text[len] = 0;
	return text;
}

/* ---- the opener's own side ---- */

static bool directly_in(const char *dir, const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t n = slash ? (size_t)(slash - path) : 0;
	return slash ? strlen(dir) == n && !memcmp(dir, path, n) : !strcmp(dir, ".");
}

/* Whether `path` is below `dir` by its text alone, without "..". */
static bool below(const char *dir, const char *path)
{
	size_t n = strlen(dir);
	const char *rest = path;
	if (strcmp(dir, ".") != 0) {
		while (n > 1 && dir[n - 1] == '/')
			n--;
		if (strncmp(path, dir, n) || (path[n] && path[n] != '/' && dir[n - 1] != '/'))
			return false;
		rest = path + n;
	} else if (*path == '/') {
		return false;
	}
	for (const char *part = rest; part; part = strchr(part, '/')) {
		part += *part == '/';
		if (!strncmp(part, "..", 2) && (!part[2] || part[2] == '/'))
			return false;
	}
	return true;
}

static bool granted(const struct wh_grant *grants, size_t n, const struct request *r)
{
	for (size_t i = 0; i < n; i++) {
		if (grants[i].kind == r->kind && !strcmp(grants[i].text, r->text))
			return true;
		if (r->kind == WH_GRANT_READ && grants[i].kind == WH_GRANT_BELOW && below(grants[i].text, r->text))
			return true;
		if (r->kind == WH_GRANT_READ && grants[i].kind == WH_GRANT_BESIDE && directly_in(grants[i].text, r->text))
			return true;
	}
	return false;
}

/* Below a directory that is reached without a link of another user, whatever the file itself is. */
static int replace_for(const char *path, const char *text, size_t len)
{
	char buf[PATH_MAX];
	const char *name, *dir = wh_directory_of(path, buf, sizeof buf, &name);
	int at = dir ? wh_trusted_open(dir, O_PATH | O_DIRECTORY, 0) : -ENAMETOOLONG,
	    rc = at < 0 ? at : wh_replace_file(at, name, text, len);
	if (at >= 0)
		close(at);
	return rc;
}

/* Refuses what an owner can put there: a FIFO without a reader, a second name (hard link) of another file. */
static int append_to(const char *path)
{
	struct stat st;
	int fd = wh_trusted_open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOCTTY | O_NONBLOCK, 0600);
	if (fd < 0 || (!fstat(fd, &st) && (S_ISCHR(st.st_mode) || (S_ISREG(st.st_mode) && st.st_nlink == 1))))
		return fd;
	close(fd);
	return -EINVAL;
}

/* `keeps`: the file was opened and is now complete. */
static int fresh_for(const char *path, bool keeps)
{
	char buf[PATH_MAX];
	const char *name, *dir = wh_directory_of(path, buf, sizeof buf, &name);
	if (keeps)
		return wh_fresh_keep();
	return wh_fresh_open(dir ? wh_trusted_open(dir, O_PATH | O_DIRECTORY, 0) : -ENAMETOOLONG, name);
}

static void answer(int to, const struct wh_grant *grants, size_t n, struct request *r, int given)
{
	struct reply *p = calloc(1, sizeof *p);
	struct wh_error err = {0};
	char *text = NULL;
	size_t len = 0;
	int fd = -1;
	if (!p)
		_exit(1);
	p->number = r->number;
	r->text[sizeof r->text - 1] = r->what[sizeof r->what - 1] = 0;
	if (!granted(grants, n, r)) {
		p->rc = -EACCES;
	} else if (r->kind == WH_GRANT_READ) {
		fd = wh_trusted_open(r->text, O_RDONLY | O_NOCTTY | (r->flags & O_NONBLOCK), 0);
	} else if (r->kind == WH_GRANT_APPEND) {
		fd = append_to(r->text);
	} else if (r->kind == WH_GRANT_NEW) {
		fd = fresh_for(r->text, r->flags != 0);
		p->rc = fd < 0 ? fd : 0;
		fd = r->flags ? -1 : fd;
	} else if (r->kind == WH_GRANT_WRITE) {
		text = given >= 0 && r->max < INT_MAX ? text_of(given, (size_t)r->max) : NULL;
		p->rc = text ? replace_for(r->text, text, (size_t)r->max) : -ENOMEM;
	} else {
		p->rc = wh_command_output(r->what, r->text, (size_t)r->max, r->timeout_s, &text, &len, &err);
		fd = p->rc ? -1 : memory_of(text, len);
	}
	if (!p->rc && fd < 0 && r->kind != WH_GRANT_WRITE && r->kind != WH_GRANT_NEW)
		p->rc = fd;
	p->len = len;
	p->input = err.input;
	memcpy(p->why, err.text, sizeof p->why);
	if (text)
		explicit_bzero(text, r->kind == WH_GRANT_RUN ? len : 0); /* a token, perhaps */
	free(text);
	if (wh_helper_send(to, p, sizeof *p, p->rc ? -1 : fd))
		_exit(1);
	if (fd >= 0)
		close(fd);
	free(p);
}

/* Keeps those rights over files that this process has, and no other privilege. */
static int keep_rights_over_files(void)
{
	static const unsigned rights[] = {CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER};
	bool held[sizeof rights / sizeof *rights];
	if (capng_get_caps_process())
		return -EPERM;
	for (size_t i = 0; i < sizeof rights / sizeof *rights; i++)
		held[i] = capng_have_capability(CAPNG_PERMITTED, rights[i]);
	capng_clear(CAPNG_SELECT_CAPS);
	for (size_t i = 0; i < sizeof rights / sizeof *rights; i++)
		if (held[i])
			capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, rights[i]);
	return capng_apply(CAPNG_SELECT_CAPS) ? -EPERM : 0;
}

static void __attribute__((noreturn)) serve(int from, const struct wh_grant *grants, size_t n)
{
	struct request *r = malloc(sizeof *r);
	int given;
	if (keep_rights_over_files())
		_exit(1);
	while (r && !wh_helper_receive(from, r, sizeof *r, &given)) {
		answer(from, grants, n, r, given);
		if (given >= 0)
			close(given);
	}
	wh_fresh_drop();
	_exit(0);
}

int wh_opener_start(const struct wh_grant *grants, size_t n, struct wh_error *err)
{
	int end, rc = wh_helper_fork("whittle-opener", &end, err);
	if (rc == 1)
		serve(end, grants, n);
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

/* ---- the program's side ---- */

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
static int ask(struct request *r, int give, struct reply *p, int *fd)
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
	struct request *r = calloc(1, sizeof *r);
	struct reply p;
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
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK, 0600);
	if (fd >= 0 || !refused(errno))
		return fd < 0 ? -errno : fd;
	return own_descriptor(path) >= 0 ? again(path) : ask_to_open(WH_GRANT_APPEND, path, 0);
}

int wh_open_new(const char *path)
{
	return opener < 0 ? fresh_for(path, false) : ask_to_open(WH_GRANT_NEW, path, 0);
}

int wh_keep_new(const char *path)
{
	struct request *r = opener < 0 ? NULL : calloc(1, sizeof *r);
	struct reply p;
	int fd, rc = opener < 0 ? fresh_for(path, true) : -EACCES;
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
	int fd = in_place ? open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY) : dir ? open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
	if (fd < 0)
		return dir ? -errno : -ENAMETOOLONG;
	int rc = in_place ? wh_write_all(fd, text, len) : wh_replace_file(fd, name, text, len);
	close(fd);
	return rc;
}

static int ask_to_write(const char *path, const char *text, size_t len)
{
	struct request *r = calloc(1, sizeof *r);
	struct reply p;
	int fd, rc = -EACCES, memory = memory_of(text, len);
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
	struct request *r = calloc(1, sizeof *r);
	struct reply p = {0};
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
			*out = fd >= 0 ? text_of(fd, *len) : NULL;
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
