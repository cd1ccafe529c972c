/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The console's files, which are a part of the program (console/build.sh writes them as C). If they were not built there are
 * none. */
#include <string.h>
#include "serve/web.h"

extern const struct wh_console_file wh_console_files[] __attribute__((weak));

bool wh_console_built(void)
{
	return wh_console_files != NULL;
}

const struct wh_console_file *wh_console_file(const char *path)
{
	for (const struct wh_console_file *f = wh_console_files; f && f->path; f++)
		if (!strcmp(f->path, path))
			return f;
	return NULL;
}
