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

static char *taken; /* from the environment */

void wh_fleet_take_password(void)
{
	char *env = getenv(variable);
	if (!env || (!taken && !(taken = strdup(env))))
		return;
	explicit_bzero(env, strlen(env)); /* from this process's entry in /proc, too */
	unsetenv(variable);
}

static void wipe(char *secret)
{
	if (secret)
		explicit_bzero(secret, strlen(secret));
	free(secret);
}

/* *out NULL: there is none. wipe() it. */
static int password(const char *file, char **out, struct wh_error *err)
{
	size_t len;
	*out = NULL;
	wh_fleet_take_password();
	if (getenv(variable))
		return wh_fail(err, -ENOMEM, "out of memory");
	if (file && *file) {
		int rc = wh_read_file(file, MAX_PASSWORD, out, &len, err);
		while (!rc && len && ((*out)[len - 1] == '\n' || (*out)[len - 1] == '\r'))
			(*out)[--len] = 0;
		return rc;
	}
	*out = taken;
	taken = NULL;
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
	wipe(secret);
	wipe(taken);
	taken = NULL;
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
