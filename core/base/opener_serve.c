/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <cap-ng.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/command.h"
#include "base/fresh_file.h"
#include "base/helper.h"
#include "base/opener_serve.h"
#include "base/replace_file.h"
#include "base/trusted_path.h"

/* ---- texts as files in memory ---- */

int wh_memory_of(const char *text, size_t len)
{
	int fd = memfd_create("whittle", MFD_CLOEXEC), rc = fd < 0 ? -errno : wh_write_all_at(fd, text, len, 0);
	if (rc && fd >= 0)
		close(fd);
	return rc ? rc : fd;
}

char *wh_text_of(int fd, size_t len)
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

static bool granted(const struct wh_grant *grants, size_t n, const struct wh_open_request *r)
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

int wh_fresh_for(const char *path, bool keeps)
{
	char buf[PATH_MAX];
	const char *name, *dir = wh_directory_of(path, buf, sizeof buf, &name);
	if (keeps)
		return wh_fresh_keep();
	return wh_fresh_open(dir ? wh_trusted_open(dir, O_PATH | O_DIRECTORY, 0) : -ENAMETOOLONG, name);
}

static void answer(int to, const struct wh_grant *grants, size_t n, struct wh_open_request *r, int given)
{
	struct wh_open_reply *p = calloc(1, sizeof *p);
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
		fd = wh_fresh_for(r->text, r->flags != 0);
		p->rc = fd < 0 ? fd : 0;
		fd = r->flags ? -1 : fd;
	} else if (r->kind == WH_GRANT_WRITE) {
		text = given >= 0 && r->max < INT_MAX ? wh_text_of(given, (size_t)r->max) : NULL;
		p->rc = text ? replace_for(r->text, text, (size_t)r->max) : -ENOMEM;
	} else {
		p->rc = wh_command_output(r->what, r->text, (size_t)r->max, r->timeout_s, &text, &len, &err);
		fd = p->rc ? -1 : wh_memory_of(text, len);
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

void wh_opener_serve(int from, const struct wh_grant *grants, size_t n)
{
	struct wh_open_request *r = malloc(sizeof *r);
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
