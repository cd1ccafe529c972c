/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The library that draws the report, loaded when one is requested: cairo and pango bring thirty libraries, which no other command
 * needs. */
#include <dlfcn.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>
#include "whittle/report.h"

typedef int (*draw_fn)(const json_t *compliance, int64_t made_us, char **out, size_t *len, struct wh_error *err);

/* Next to the program, as built, else in its installed place. */
static void *library(const char **why)
{
	static const char *const places[] = {"/whittle-report.so", "/../lib/whittle/whittle-report.so"};
	char exe[PATH_MAX], path[PATH_MAX + 64];
	ssize_t len = readlink("/proc/self/exe", exe, sizeof exe - 1);
	void *lib = NULL;
	exe[len > 0 ? len : 0] = 0;
	if (strrchr(exe, '/'))
		*strrchr(exe, '/') = 0;
	for (size_t i = 0; !lib && i < sizeof places / sizeof *places; i++) {
		snprintf(path, sizeof path, "%s%s", exe, places[i]);
		if (access(path, F_OK) && i + 1 < sizeof places / sizeof *places)
			continue;
		lib = dlopen(path, RTLD_NOW | RTLD_LOCAL);
		*why = lib ? NULL : dlerror();
	}
	return lib;
}

int wh_report_pdf(const json_t *compliance, int64_t made_us, char **out, size_t *len, struct wh_error *err)
{
	const char *why = NULL;
	void *lib = library(&why), *at = lib ? dlsym(lib, "wh_report_draw") : NULL;
	draw_fn draw;
	*out = NULL;
	if (!at)
		return wh_fail(err, -ELIBACC, "the report can't be drawn: %s",
		               why ? why : "whittle-report.so is of another version");
	memcpy(&draw, &at, sizeof draw);
	return draw(compliance, made_us, out, len, err);
}
