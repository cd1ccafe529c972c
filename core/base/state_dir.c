/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/json.h"
#include "base/replace_file.h"
#include "base/service_user.h"
#include "base/state_dir.h"
#include "base/store_url.h"
#include "base/trusted_path.h"

/* "/srv/a-b/l" as "srv-a\x2db-l": the output of systemd-escape for the path, but below the length limit of a file's name. */
static int escaped(const char *path, char out[static NAME_MAX + 1])
{
	size_t n = 0;
	path += strspn(path, "/");
	for (const char *p = path; *p; p++) {
		bool plain = strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_:", *p) ||
		             (*p == '.' && p > path);
		if (*p == '/' && (!p[1] || p[1] == '/'))
			continue;
		if (n + 5 > NAME_MAX)
			return -ENAMETOOLONG;
		if (plain || *p == '/')
			out[n++] = *p == '/' ? '-' : *p;
		else
			n += (size_t)snprintf(out + n, 5, "\\x%02x", (unsigned char)*p);
	}
	if (!n)
		out[n++] = '-';
	out[n] = 0;
	return 0;
}

/* Where this process's user keeps state. */
static int base_dir(char out[static PATH_MAX], struct wh_error *err)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	int n;
	if (wh_is_root_or_service(geteuid()))
		n = snprintf(out, PATH_MAX, WH_STATE_DIR);
	else if (state && *state == '/')
		n = snprintf(out, PATH_MAX, "%s/whittle", state);
	else if (home && *home == '/')
		n = snprintf(out, PATH_MAX, "%s/.local/state/whittle", home);
	else
		return wh_fail_input(err, -ENOENT, "no state directory is known: set WHITTLE_STATE, or HOME");
	return n < PATH_MAX ? 0 : wh_fail_input(err, -ENAMETOOLONG, "%.80s…: the path is too long", state ? state : home);
}

int wh_state_dir_beside(const char *store_url, char out[static PATH_MAX], struct wh_error *err)
{
	const char *path = wh_store_path(store_url), *name;
	char text[PATH_MAX];
	if (!wh_directory_of(path, text, sizeof text, &name))
		return wh_fail_input(err, -ENAMETOOLONG, "%.80s…: the path is too long", path);
	if (realpath(text, out))
		return 0;
	if (*text == '/') { /* it does not exist (yet): its name decides */
		strcpy(out, text);
		return 0;
	}
	return wh_fail(err, -errno, "%s: %s", text, strerror(errno));
}

int wh_state_dir(const char *configured, const char *store_url, char out[static PATH_MAX], struct wh_error *err)
{
	char beside[PATH_MAX], base[PATH_MAX], name[NAME_MAX + 1];
	if (configured) {
		if (*configured != '/')
			return wh_fail_input(err, -EINVAL, "%.200s: the state directory must be an absolute path", configured);
		return snprintf(out, PATH_MAX, "%s", configured) < PATH_MAX
		               ? 0
		               : wh_fail_input(err, -ENAMETOOLONG, "%.80s…: the path is too long", configured);
	}
	int rc = wh_state_dir_beside(store_url, beside, err);
	rc = rc ? rc : base_dir(base, err);
	if (rc)
		return rc;
	if (escaped(beside, name) || snprintf(out, PATH_MAX, "%s/%s", base, name) >= PATH_MAX)
		return wh_fail_input(err, -ENAMETOOLONG,
		                     "%.200s: the path is too long to name a state directory after it; set WHITTLE_STATE",
		                     beside);
	return 0;
}

static int check(const char *dir, struct wh_error *err)
{
	char whole[PATH_MAX];
	if (!realpath(dir, whole))
		return wh_fail(err, -errno, "%s: %s", dir, strerror(errno));
	return wh_trusted_dir(whole, true, err);
}

bool wh_state_dir_of_service(const char *dir)
{
	char text[PATH_MAX], parent[PATH_MAX];
	const char *name;
	struct stat st;
	uid_t uid;
	if (!wh_service_user(&uid, NULL) || snprintf(text, sizeof text, "%s", dir) >= (int)sizeof text)
		return false;
	while (stat(text, &st)) {
		if (errno != ENOENT || !strcmp(text, "/") || !wh_directory_of(text, parent, sizeof parent, &name))
			return false;
		strcpy(text, parent);
	}
	return st.st_uid == uid;
}

/* Root creates it as the service user if that user owns the parent directory. */
static int make_in(const char *parent, const char *dir)
{
	uid_t uid;
	gid_t gid;
	bool as_service = geteuid() == 0 && wh_state_dir_of_service(parent) && wh_service_user(&uid, &gid);
	if (as_service) {
		setfsgid(gid);
		setfsuid(uid);
	}
	int rc = mkdir(dir, 0700) ? -errno : 0;
	if (as_service) {
		setfsuid(0);
		setfsgid(getegid());
	}
	return rc == -EEXIST ? 0 : rc;
}

int wh_state_dir_check(const char *dir, bool make, struct wh_error *err)
{
	char parent[PATH_MAX], text[PATH_MAX];
	struct stat st;
	const char *name;
	size_t n = (size_t)snprintf(text, sizeof text, "%s", dir);
	while (n > 1 && n < sizeof text && text[n - 1] == '/')
		text[--n] = 0;
	if (!stat(text, &st) || !make || errno != ENOENT)
		return check(text, err);
	if (!wh_directory_of(text, parent, sizeof parent, &name) || !*name)
		return wh_fail_input(err, -ENAMETOOLONG, "%.80s…: the path is too long", dir);
	int rc = wh_state_dir_check(parent, true, err); /* checked first: nobody else may decide where the new one is created */
	int made = rc ? 0 : make_in(parent, text);
	if (made)
		rc = wh_fail(err, made, "%s: cannot be made: %s", text, strerror(-made));
	return rc ? rc : check(text, err);
}

int wh_state_dir_lock(const char *dir, struct wh_error *err)
{
	int rc = wh_state_dir_check(dir, true, err);
	if (rc)
		return rc;
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || flock(fd, LOCK_EX)) {
		rc = wh_fail(err, -errno, "%s: %s", dir, strerror(errno));
		if (fd >= 0)
			close(fd);
		return rc;
	}
	return fd;
}

int wh_state_dir_read(const char *dir, const char *name, size_t max, char **text, size_t *len, struct wh_error *err)
{
	char path[PATH_MAX];
	*text = NULL;
	*len = 0;
	if (snprintf(path, sizeof path, "%s/%s", dir, name) >= (int)sizeof path)
		return wh_fail(err, -ENAMETOOLONG, "%s: the path is too long", dir);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return errno == ENOENT ? 0 : wh_fail(err, -errno, "%s: %s", path, strerror(errno));
	int rc = wh_read_descriptor(fd, path, max, text, len, err);
	close(fd);
	return rc;
}
