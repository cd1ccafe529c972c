/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether the unit that restores the confirmed rules runs at boot, judged from systemd's own directories without asking it:
 * enabled means a link in the .wants or .requires directory of a target, and the unit's file has to be there, and not be masked
 * (a link to /dev/null, or empty).
 */
#include <fnmatch.h>
#include <ctype.h>
#include <glob.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/json.h"
#include "guard/persist_file.h"

#define UNIT "whittle-enforce.service"
/* In systemd's order: the first that has the unit decides. */
static const char *const places[] = {"/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system",
                                     "/usr/lib/systemd/system", "/lib/systemd/system"};
enum { N_PLACES = sizeof places / sizeof *places };

static bool wanted(const char *root)
{
	static const char *const kinds[] = {"wants", "requires"};
	char pattern[PATH_MAX];
	bool found = false;
	for (size_t i = 0; i < 2 * N_PLACES && !found; i++) {
		glob_t g;
		if (snprintf(pattern, sizeof pattern, "%s%s/*.target.%s/" UNIT, root, places[i / 2], kinds[i % 2]) >=
		    (int)sizeof pattern)
			continue;
		found = !glob(pattern, GLOB_NOSORT, NULL, &g) && g.gl_pathc;
		globfree(&g);
	}
	return found;
}

/* The unit's file into `path`; false where there is none, or it is masked. */
static bool unit_file(const char *root, char path[static PATH_MAX])
{
	struct stat st, target;
	char link[PATH_MAX];
	for (size_t i = 0; i < N_PLACES; i++) {
		if (snprintf(path, PATH_MAX, "%s%s/" UNIT, root, places[i]) >= PATH_MAX || lstat(path, &st))
			continue;
		ssize_t n = S_ISLNK(st.st_mode) ? readlink(path, link, sizeof link - 1) : 0;
		link[n > 0 ? n : 0] = 0;
		return strcmp(link, "/dev/null") && !stat(path, &target) && S_ISREG(target.st_mode) && target.st_size;
	}
	return false;
}

/* Whether a pattern such as "|/var/lib/whittle/enforced.rules" is one for a file in `dir`. */
static bool names(const char *pattern, const char *dir)
{
	char file[PATH_MAX], whole[PATH_MAX];
	if (!realpath(dir, whole))
		snprintf(whole, sizeof whole, "%s", dir);
	while (*pattern == '|' || *pattern == '!')
		pattern++;
	return snprintf(file, sizeof file, "%s/" WH_PERSIST_RULES, whole) < (int)sizeof file &&
	       !fnmatch(pattern, file, FNM_PATHNAME);
}

/* The combined content of a unit's file and its drop-ins. */
struct unit {
	bool any, met;  /* the unit has file conditions; one of them matches our file */
	char user[64];  /* the user that it runs as; empty: root */
};

/* An empty condition resets those before it. */
static void read_unit(const char *path, const char *dir, struct unit *u)
{
	struct wh_error ignored;
	char *text, *save, *line;
	size_t len;
	if (wh_read_file(path, 1 << 20, &text, &len, &ignored))
		return;
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *value = strchr(line, '=');
		if (value && !strncmp(line, "User=", 5)) {
			snprintf(u->user, sizeof u->user, "%s", value + 1);
		} else if (value && !strncmp(line, "ConditionPathExists", 19)) {
			value++;
			u->any = *value;
			u->met = *value && (u->met || names(value, dir));
		}
	}
	free(text);
}

/* A unit fails if its user does not exist. */
static bool user_there(const char *root, const char *user)
{
	char path[PATH_MAX];
	const struct passwd *pw = NULL;
	if (!*user || isdigit((unsigned char)*user))
		return true;
	if (!*root)
		return getpwnam(user);
	FILE *f = snprintf(path, sizeof path, "%s/etc/passwd", root) < PATH_MAX ? fopen(path, "re") : NULL;
	while (f && (pw = fgetpwent(f)) && strcmp(pw->pw_name, user) != 0)
		;
	if (f)
		fclose(f);
	return pw;
}

bool wh_persist_survives_reboot(const char *root, const char *dir, const char **why)
{
	char path[PATH_MAX], pattern[PATH_MAX];
	struct unit unit = {.user = ""};
	*why = "the service whittle-enforce is not enabled: `systemctl enable whittle-enforce`";
	if (!wanted(root))
		return false;
	*why = "the service whittle-enforce is enabled, but its file is missing, or it is masked";
	if (!unit_file(root, path))
		return false;
	read_unit(path, dir, &unit);
	for (size_t i = N_PLACES; i-- > 0;) { /* drop-ins */
		glob_t g;
		if (snprintf(pattern, sizeof pattern, "%s%s/" UNIT ".d/*.conf", root, places[i]) >= (int)sizeof pattern)
			continue;
		if (!glob(pattern, 0, NULL, &g))
			for (size_t k = 0; k < g.gl_pathc; k++)
				read_unit(g.gl_pathv[k], dir, &unit);
		globfree(&g);
	}
	*why = "the service whittle-enforce restores another ledger's rules: run `whittle restore --store …` after a reboot";
	if (unit.any && !unit.met)
		return false;
	*why = "the user of the service whittle-enforce does not exist: run `systemd-sysusers`";
	if (!user_there(root, unit.user))
		return false;
	*why = NULL;
	return true;
}
