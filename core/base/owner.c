/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <cap-ng.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/fsuid.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/owner.h"
#include "base/service_user.h"
#include "base/store_url.h"
#include "base/replace_file.h"
#include "base/trusted_path.h"

enum { NOBODY = 65534, MAX_GROUPS = 256 };

static char became[64]; /* the owner's name, after the change of user */

static void name_it(struct wh_owner *o, gid_t gid_of_dir)
{
	const struct passwd *pw = getpwuid(o->uid);
	/* never root's group because a directory has it */
	o->gid = !o->uid ? 0 : pw ? pw->pw_gid : gid_of_dir ? gid_of_dir : NOBODY;
	if (pw)
		snprintf(o->name, sizeof o->name, "%s", pw->pw_name);
	else
		snprintf(o->name, sizeof o->name, "uid %u", (unsigned)o->uid);
}

/* Fills *st for the file itself: in a directory that root shares with a group, its owner counts, whatever it is. A service that
 * is not root looks with the rights of the directory's owner, as its own may not suffice. False: it is not there. */
static bool file_of(const char *path, uid_t dir_owner, struct stat *st)
{
	uid_t self = geteuid();
	if (self)
		setfsuid(dir_owner);
	bool there = !lstat(path, st);
	if (self)
		setfsuid(self);
	return there;
}

/* Root works in a directory of its own only if no link of another user leads there: else that user would choose the directory. */
static int reached_by_root(const char *path, const struct stat *dir, struct wh_error *err)
{
	char text[PATH_MAX];
	const char *name;
	struct stat st;
	int at = wh_directory_of(path, text, sizeof text, &name) ? wh_trusted_open(text, O_PATH | O_DIRECTORY, 0) : -ENAMETOOLONG;
	bool same = at >= 0 && !fstat(at, &st) && st.st_dev == dir->st_dev && st.st_ino == dir->st_ino;
	if (at >= 0)
		close(at);
	return same ? 0
	            : wh_fail(err, -EPERM,
	                      "%s: another user's symbolic link leads to a directory of root; name the directory itself", text);
}

/* The directory of a ledger's path, without links; -ENOENT if it does not exist. */
static int directory_of(const char *path, char dir[static PATH_MAX], struct wh_error *err)
{
	char text[PATH_MAX];
	const char *name;
	if (!wh_directory_of(path, text, sizeof text, &name))
		return wh_fail_input(err, -ENAMETOOLONG, "%.80s…: the path is too long", path);
	if (realpath(text, dir))
		return 0;
	return wh_fail(err, -errno, "%s: %s", text, strerror(errno));
}

int wh_owner_of(const char *store_url, struct wh_owner *out, struct wh_error *err)
{
	const char *path = wh_store_path(store_url);
	char dir[PATH_MAX];
	struct stat of_dir, of_file;
	memset(out, 0, sizeof *out);
	out->uid = geteuid();
	out->gid = getegid();
	if (out->uid != 0 && !wh_may_change_user())
		return 0;
	const uid_t self = out->uid;
	int rc = directory_of(path, dir, err);
	if (rc == -ENOENT || rc == -ENOTDIR) { /* nothing is opened; if somebody creates it meanwhile, root does not use it */
		*out = (struct wh_owner){.other = true, .uid = NOBODY, .gid = NOBODY, .name = "nobody"};
		return 0;
	}
	if (!rc && stat(dir, &of_dir))
		rc = wh_fail(err, -errno, "%s: %s", dir, strerror(errno));
	if (rc)
		return rc;
	out->uid = of_dir.st_uid;
	gid_t gid = of_dir.st_gid;
	if (!out->uid && file_of(path, of_dir.st_uid, &of_file) && of_file.st_uid) {
		out->uid = of_file.st_uid;
		gid = of_file.st_gid;
	}
	out->other = out->uid != self;
	name_it(out, gid);
	if (!wh_is_root_or_service(out->uid))
		return 0;
	rc = wh_trusted_dir(dir, true, err);
	return rc ? rc : reached_by_root(path, &of_dir, err);
}

static int change_user(const struct wh_owner *o, struct wh_error *err)
{
	gid_t groups[MAX_GROUPS];
	int n = MAX_GROUPS;
	const struct passwd *pw = getpwuid(o->uid);
	if (!pw || getgrouplist(pw->pw_name, o->gid, groups, &n) < 0) {
		groups[0] = o->gid;
		n = 1;
	}
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) || setgroups((size_t)n, groups) || setresgid(o->gid, o->gid, o->gid) ||
	    setresuid(o->uid, o->uid, o->uid))
		return wh_fail(err, -EPERM,
		               "the ledger belongs to %s, and this process can't become it: %s; run whittle as that user",
		               o->name, strerror(errno));
	prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0);
	uid_t r, e, s;
	if (getresuid(&r, &e, &s) || r != o->uid || e != o->uid || s != o->uid)
		return wh_fail(err, -EPERM, "the ledger belongs to %s, and this process did not become it", o->name);
	return 0;
}

void wh_no_core_dumps(void)
{
	const struct rlimit none = {0, 0};
	setrlimit(RLIMIT_CORE, &none);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

/* The bounding set is cleared before the change of user, which removes the right to do so. */
int wh_drop_bounding(struct wh_error *err)
{
	if (capng_get_caps_process())
		return wh_fail(err, -EPERM, "the privileges of this process can't be read");
	if (!capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP))
		return 0;
	capng_clear(CAPNG_SELECT_BOUNDS);
	return capng_apply(CAPNG_SELECT_BOUNDS) ? wh_fail(err, -EPERM, "the privileges that are not needed can't be given up")
	                                        : 0;
}

static int drop_capabilities(struct wh_error *err)
{
	capng_clear(CAPNG_SELECT_CAPS);
	if (capng_apply(CAPNG_SELECT_CAPS) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || capng_get_caps_process() ||
	    capng_have_capabilities(CAPNG_SELECT_CAPS) != CAPNG_NONE)
		return wh_fail(err, -EPERM, "the privileges that are not needed can't be given up");
	wh_no_core_dumps();
	return 0;
}

int wh_give_up_privileges(struct wh_error *err)
{
	int rc = wh_drop_bounding(err);
	return rc ? rc : drop_capabilities(err);
}

int wh_keep_user(struct wh_error *err)
{
	int rc = wh_drop_bounding(err);
	if (rc)
		return rc;
	bool may_kill = capng_have_capability(CAPNG_EFFECTIVE, CAP_KILL);
	capng_clear(CAPNG_SELECT_CAPS);
	if (may_kill)
		capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, CAP_KILL);
	if (capng_apply(CAPNG_SELECT_CAPS) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return wh_fail(err, -EPERM, "the privileges that are not needed can't be given up");
	wh_no_core_dumps();
	return 0;
}

int wh_owner_become(const struct wh_owner *o, struct wh_error *err)
{
	if (!o->other)
		return 0;
	int rc = wh_drop_bounding(err);
	rc = rc ? rc : change_user(o, err);
	rc = rc ? rc : drop_capabilities(err);
	if (!rc && o->uid &&
	    (!setuid(0) ||
	     (setfsuid(0) >= 0 && setfsuid((uid_t)-1) != (int)o->uid))) /* < 0: a system-call filter refuses the attempt itself */
		rc = wh_fail(err, -EPERM, "the ledger belongs to %s, and this process did not become it for good", o->name);
	if (!rc)
		snprintf(became, sizeof became, "%s", o->name);
	return rc;
}

int wh_become_nobody(struct wh_error *err)
{
	const struct wh_owner nobody = {.other = true, .uid = NOBODY, .gid = NOBODY, .name = "nobody"};
	return wh_may_change_user() ? wh_owner_become(&nobody, err) : wh_give_up_privileges(err);
}

/* A uid from the range of systemd's dynamic users that is not in use. */
static uid_t nobodys_uid(void)
{
	enum { FIRST = 61184, LAST = 65519 };
	for (int tries = 0; tries < 64; tries++) {
		uint32_t r;
		if (getrandom(&r, sizeof r, 0) != sizeof r)
			break;
		uid_t uid = FIRST + r % (LAST - FIRST + 1);
		if (!getpwuid(uid))
			return uid;
	}
	return NOBODY;
}

int wh_become_unknown(struct wh_error *err)
{
	struct wh_owner unknown = {.other = true, .name = "nobody"};
	unknown.uid = unknown.gid = nobodys_uid();
	return wh_may_change_user() ? wh_owner_become(&unknown, err) : wh_give_up_privileges(err);
}

const char *wh_as_owner(int code)
{
	static char text[128];
	if (!*became || (code != -EACCES && code != -EPERM))
		return "";
	snprintf(text, sizeof text, " (as %s, the ledger's owner)", became);
	return text;
}
