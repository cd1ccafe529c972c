/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>
#include "base/store_url.h"

static const char file[] = "sqlite:", *const servers[] = {"clickhouse://", "clickhouses://"};

bool wh_store_is_file(const char *url)
{
	return !strncmp(url, file, sizeof file - 1) || (!strstr(url, "://") && strcmp(url, "memory:"));
}

bool wh_store_is_fleet(const char *url)
{
	return !strncmp(url, servers[0], strlen(servers[0])) || !strncmp(url, servers[1], strlen(servers[1]));
}

bool wh_store_has_file(const char *url)
{
	return wh_store_is_file(url) || wh_store_is_fleet(url);
}

/* The value of the last parameter; it may hold any character. */
static const char *local_file(const char *url)
{
	const char *p = strchr(url, '?');
	for (; p; p = strchr(p + 1, '&'))
		if (!strncmp(p + 1, "local=", 6))
			return p + 7;
	return WH_STORE_FILE;
}

const char *wh_store_path(const char *url)
{
	if (wh_store_is_fleet(url))
		return local_file(url);
	return strncmp(url, file, sizeof file - 1) ? url : url + sizeof file - 1;
}
