/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>
#include "base/store_url.h"

static const char file[] = "sqlite:";

bool wh_store_is_file(const char *url)
{
	return !strncmp(url, file, sizeof file - 1) || (!strstr(url, "://") && strcmp(url, "memory:"));
}

const char *wh_store_path(const char *url)
{
	return strncmp(url, file, sizeof file - 1) ? url : url + sizeof file - 1;
}
