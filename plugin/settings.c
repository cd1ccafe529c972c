/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>
#include "base/store_url.h"
#include "base/yaml.h"
#include "ledger/fleet_start.h"
#include "settings.h"
#include "whittle/config.h"
#include "whittle/estate.h"
#include "whittle/flow.h"

const char *const wh_setting_names[] = {"config", "store", "flush-interval", "memory", "discover", "realm", NULL};
static const char where[] = "eve-log: whittle";

static int set_text(char **to, const char *value, struct wh_error *err)
{
	char *copy = strdup(value);
	if (!copy)
		return wh_fail(err, -ENOMEM, "out of memory");
	free(*to);
	*to = copy;
	return 0;
}

int wh_settings_set(struct wh_settings *s, const char *name, const char *value, struct wh_error *err)
{
	bool known = false;
	for (const char *const *k = wh_setting_names; *k; k++)
		known |= !strcmp(*k, name);
	if (!known) {
		const char *near = wh_nearest(name, wh_setting_names);
		return wh_fail_input(err, -EINVAL, "%s: unknown setting '%.60s'%s%s%s", where, name,
		                     near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
	}
	if (!value || !*value)
		return wh_fail_input(err, -EINVAL, "%s: '%s' must be one text, not a list, a map or empty", where, name);
	if (!strcmp(name, "config")) {
		if (*value != '/')
			return wh_fail_input(err, -EINVAL, "%s: 'config' must be an absolute path, not '%.200s'", where,
			                     value);
		return set_text(&s->config, value, err);
	}
	if (!strcmp(name, "store"))
		return set_text(&s->store, value, err);
	if (!strcmp(name, "realm")) {
		if (!wh_realm_is(value))
			return wh_fail_input(
				err, -EINVAL,
				"%s: 'realm' must be one, vlan10, tenant3, tenant3/vlan10.20 or untagged, not '%.60s'", where,
				value);
		return set_text(&s->realm, value, err);
	}
	if (!strcmp(name, "discover"))
		return set_text(&s->discover, value, err);
	if (!strcmp(name, "flush-interval")) {
		if (wh_duration_parse(value, &s->flush_interval) || s->flush_interval < 1 || s->flush_interval > 86400)
			return wh_fail_input(err, -EINVAL,
			                     "%s: 'flush-interval' must be a time from 1s to 1d such as 10s, not '%.60s'", where,
			                     value);
		return 0;
	}
	if (wh_size_parse(value, &s->memory) || s->memory < WH_SINK_MIN_MEMORY)
		return wh_fail_input(err, -EINVAL, "%s: 'memory' must be a size of at least 4MiB such as 64MiB, not '%.60s'",
		                     where, value);
	return 0;
}

/* Suricata changes its directory when it becomes a daemon, so a path must not depend on it. */
static int check_store(const char *url, struct wh_error *err)
{
	struct wh_ledger l;
	if (!wh_store_has_file(url)) { /* let the store list the known kinds */
		int rc = wh_ledger_open(url, WH_STATE_READ, &l, err);
		wh_ledger_close(&l);
		return rc && err->input ? rc : 0;
	}
	if (*wh_store_path(url) != '/')
		return wh_fail_input(err, -EINVAL, "%s: 'store' must be an absolute path, not '%.200s'", where,
		                     wh_store_path(url));
	if (!wh_store_is_fleet(url))
		return 0;
	wh_fleet_apart(); /* no thread of Suricata waits for a server */
	return wh_fleet_check(url, err);
}

int wh_settings_complete(struct wh_settings *s, struct wh_error *err)
{
	struct wh_config *c;
	struct wh_locals *l = NULL;
	const char *env = secure_getenv("WHITTLE_STORE");
	int rc = wh_config_load(s->config, &c, err);
	if (rc)
		return rc;
	if (!s->store)
		rc = set_text(&s->store, env && *env ? env : c->ledger.store ? c->ledger.store : WH_DEFAULT_STORE, err);
	if (!rc && !s->discover && c->estate.discover)
		rc = set_text(&s->discover, c->estate.discover, err);
	if (!rc && !s->realm && c->ledger.realm)
		rc = wh_settings_set(s, "realm", c->ledger.realm, err);
	if (!s->flush_interval)
		s->flush_interval = c->ledger.flush_interval ? c->ledger.flush_interval : 10;
	if (!s->memory)
		s->memory = c->ledger.memory_limit ? c->ledger.memory_limit : UINT64_C(64) << 20;
	s->sensor_slack_us = c->ledger.sensor_slack * 1000000;
	s->bounds = (struct wh_store_bounds){(unsigned)c->ledger.port_edges, (unsigned)c->ledger.edge_days,
	                                     c->ledger.ledger_size};
	if (!rc && s->memory < WH_SINK_MIN_MEMORY)
		rc = wh_fail_input(err, -EINVAL, "%s: 'memory-limit' must be at least 4MiB for the plugin",
		                   s->config ? s->config : WH_DEFAULT_CONFIG);
	if (!rc)
		rc = check_store(s->store, err);
	if (!rc && c->ledger.password_file)
		rc = set_text(&s->password_file, c->ledger.password_file, err);
	if (!rc && (rc = wh_estate_locals(NULL, s->discover, &l, err)) && err->input)
		rc = wh_fail_input(err, rc, "%s: 'discover' must be off, or prefixes such as 10.0.0.0/8,fd00::/8, not '%.200s'",
		                   where, s->discover);
	wh_locals_free(l);
	wh_config_free(c);
	return rc;
}

void wh_settings_clear(struct wh_settings *s)
{
	free(s->config);
	free(s->store);
	free(s->password_file);
	free(s->discover);
	free(s->realm);
	memset(s, 0, sizeof *s);
}
