/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "base/store_url.h"
#include "ledger/clickhouse/fleet.h"
#include "ledger/fleet_start.h"
#include "net/https.h"

enum { MAX_PASSWORD = 1000 };
static const char variable[] = "WHITTLE_CLICKHOUSE_PASSWORD";

/* *out NULL: there is none. free() it after it was wiped. */
static int password(const char *file, char **out, struct wh_error *err)
{
	size_t len;
	char *env = getenv(variable);
	*out = NULL;
	if (file && *file) {
		int rc = wh_read_file(file, MAX_PASSWORD, out, &len, err);
		while (!rc && len && ((*out)[len - 1] == '\n' || (*out)[len - 1] == '\r'))
			(*out)[--len] = 0;
		return rc;
	}
	if (env && !(*out = strdup(env)))
		return wh_fail(err, -ENOMEM, "out of memory");
	if (env) { /* removed from this process, and from its entry in /proc */
		explicit_bzero(env, strlen(env));
		unsetenv(variable);
	}
	return 0;
}

int wh_fleet_start(const char *url, const char *password_file, unsigned processes, struct wh_error *err)
{
	struct fleet_url u;
	const char *origins[FLEET_HOSTS];
	char *secret = NULL;
	if (!wh_store_is_fleet(url))
		return 0;
	int rc = fleet_url_parse(url, &u, err);
	rc = rc ? rc : password(*u.password_file ? u.password_file : password_file, &secret, err);
	if (!rc && (secret || strcmp(u.user, "default") != 0))
		rc = wh_https_log_in(u.user, secret ? secret : "", err);
	for (size_t i = 0; !rc && i < u.n; i++)
		origins[i] = u.origins[i];
	rc = rc || !processes ? rc : wh_https_start_several(origins, u.n, processes, err);
	if (secret)
		explicit_bzero(secret, strlen(secret));
	free(secret);
	return rc;
}

int wh_fleet_check(const char *url, struct wh_error *err)
{
	struct fleet_url u;
	return fleet_url_parse(url, &u, err);
}

char *wh_fleet_ca_file(const char *url)
{
	struct fleet_url u;
	return wh_store_is_fleet(url) && !fleet_url_parse(url, &u, &(struct wh_error){0}) && *u.ca_file ? strdup(u.ca_file)
	                                                                                                : NULL;
}
