/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finds the files of rules/ that a person may edit. */
#include <dlfcn.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/opener.h"
#include "whittle/base.h"

#ifndef WH_RULES_DIR
#define WH_RULES_DIR "/usr/local/share/whittle/rules"
#endif

/* Finds rules/ from the path of the program or plugin `object`: in share/whittle of an installation, or in the root of the source
 * tree, which has include/whittle/base.h. */
static bool rules_near(const char *object, const char *name, char *buf, size_t size)
{
	char dir[PATH_MAX], probe[PATH_MAX + 64];

	if (!realpath(object, dir))
		return false;
	for (int up = 0; up < 5; up++) {
		char *slash = strrchr(dir, '/');
		if (!slash)
			return false;
		*slash = 0;
		if (up == 0)
			continue;
		if (up == 1 && snprintf(buf, size, "%s/share/whittle/rules/%s", dir, name) < (int)size && wh_readable(buf))
			return true;
		snprintf(probe, sizeof probe, "%s/include/whittle/base.h", dir);
		if (access(probe, F_OK) == 0 && snprintf(buf, size, "%s/rules/%s", dir, name) < (int)size && wh_readable(buf))
			return true;
	}
	return false;
}

int wh_rules_path(const char *rules_dir, const char *name, char *buf, size_t size, struct wh_error *err)
{
	const char *dir = rules_dir ? rules_dir : secure_getenv("WHITTLE_RULES");
	Dl_info self;

	if (dir && *dir) {
		if (snprintf(buf, size, "%s/%s", dir, name) >= (int)size)
			return wh_fail_input(err, -ENAMETOOLONG, "%s/%s: the path is too long", dir, name);
		if (wh_readable(buf))
			return 0;
		return wh_fail_input(err, -errno, "%s: cannot be read: %s (%s). A copy of the installed file can be put there",
		                     buf, strerror(errno), rules_dir ? "rules-dir in whittle.yaml" : "$WHITTLE_RULES");
	}
	if (rules_near("/proc/self/exe", name, buf, size))
		return 0;
	/* within the plugin, the program is Suricata: look next to the shared object */
	if (dladdr(&wh_prefix_all_v4, &self) && self.dli_fname && rules_near(self.dli_fname, name, buf, size))
		return 0;
	if (snprintf(buf, size, "%s/%s", WH_RULES_DIR, name) < (int)size && wh_readable(buf))
		return 0;
	return wh_fail_input(err, -ENOENT, "%s: not found in %s; set rules-dir in whittle.yaml, or $WHITTLE_RULES", name,
	                     WH_RULES_DIR);
}
