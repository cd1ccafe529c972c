/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * clickhouse[s]://[USER@]HOST[:PORT][,HOST[:PORT]…]/DATABASE[?NAME=VALUE[&NAME=VALUE…]]
 *
 * Several hosts are servers of one cluster, each of which may be queried. A password is never a part of it, since others see the
 * arguments of a process.
 */
#include <ctype.h>
#include <string.h>
#include <unistd.h>
#include "base/store_url.h"
#include "ledger/clickhouse/fleet.h"

/* A name that needs no quotes in statements. */
static bool plain_name(const char *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!(p[i] == '_' || (p[i] >= 'a' && p[i] <= 'z') || (p[i] >= 'A' && p[i] <= 'Z') ||
		      (i && p[i] >= '0' && p[i] <= '9')))
			return false;
	return len && len < FLEET_NAME;
}

/* A label for people. */
static bool plain_label(const char *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)p[i]) && !strchr("._-:+", p[i]))
			return false;
	return len && len < FLEET_NAME;
}

static void put(char *to, const char *p, size_t len)
{
	memcpy(to, p, len);
	to[len] = 0;
}

static int take_host(struct fleet_url *u, const char *p, size_t len, bool tls, struct wh_error *err)
{
	const char *bracket = memchr(p, ']', len), *after = bracket ? bracket : p,
		   *colon = memchr(after, ':', len - (size_t)(after - p));
	size_t name = colon ? (size_t)(colon - p) : len;
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)p[i]) && !strchr(".-_:[]", p[i]))
			return wh_fail_input(err, -EINVAL, "clickhouse URL: '%.*s' is not a host", (int)len, p);
	if (!name || (colon && colon + 1 == p + len) || len > 280 || u->n == FLEET_HOSTS)
		return wh_fail_input(err, -EINVAL, "clickhouse URL: it names 1 to %d hosts, as HOST or HOST:PORT", FLEET_HOSTS);
	snprintf(u->origins[u->n++], FLEET_ORIGIN, "http%s://%.*s%s", tls ? "s" : "", (int)len, p,
	         colon ? "" : tls ? ":8443" : ":8123");
	return 0;
}

static int take_hosts(struct fleet_url *u, const char *p, const char *end, bool tls, struct wh_error *err)
{
	const char *at = memchr(p, '@', (size_t)(end - p));
	int rc = 0;
	if (at && memchr(p, ':', (size_t)(at - p)))
		return wh_fail_input(
			err, -EINVAL,
			"clickhouse URL: others would see a password in it: use password-file=FILE, or $WHITTLE_CLICKHOUSE_PASSWORD");
	if (at && !plain_label(p, (size_t)(at - p)))
		return wh_fail_input(err, -EINVAL, "clickhouse URL: the part before the @ is not a user name");
	put(u->user, at ? p : "default", at ? (size_t)(at - p) : 7);
	for (p = at ? at + 1 : p; !rc; p += 1) {
		const char *comma = memchr(p, ',', (size_t)(end - p));
		rc = take_host(u, p, (size_t)((comma ? comma : end) - p), tls, err);
		if (!comma)
			break;
		p = comma;
	}
	return rc;
}

/* NAME=0 or NAME=1. False: it is none of these. */
static bool take_switch(struct fleet_url *u, const char *p, size_t len)
{
	const struct { const char *name; bool *to; } known[] = {{"gzip=", &u->gzip}, {"overlap=", &u->overlap}};
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		size_t name = strlen(known[i].name);
		if (len != name + 1 || strncmp(p, known[i].name, name) || (p[name] != '0' && p[name] != '1'))
			continue;
		*known[i].to = p[name] == '1';
		return true;
	}
	return false;
}

static int take_parameter(struct fleet_url *u, const char *p, size_t len, struct wh_error *err)
{
	const struct { const char *name; char *to; size_t room; bool (*good)(const char *p, size_t len); } known[] = {
		{"cluster", u->cluster, sizeof u->cluster, plain_label},
		{"sensor", u->sensor, sizeof u->sensor, plain_label},
		{"tenant", u->tenant, sizeof u->tenant, plain_label},
		{"site", u->site, sizeof u->site, plain_label},
		{"password-file", u->password_file, sizeof u->password_file, NULL},
		{"ca-file", u->ca_file, sizeof u->ca_file, NULL},
	};
	const char *equals = memchr(p, '=', len);
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		size_t name = strlen(known[i].name);
		if (len <= name || strncmp(p, known[i].name, name) || p[name] != '=')
			continue;
		p += name + 1, len -= name + 1;
		if (!len || len >= known[i].room || (known[i].good && !known[i].good(p, len)))
			return wh_fail_input(err, -EINVAL, "clickhouse URL: %s=%.*s: 1 to %zu %s are allowed", known[i].name,
			                     (int)len, p, known[i].room - 1,
			                     known[i].good ? "letters, digits and ._-:+" : "characters");
		put(known[i].to, p, len);
		return 0;
	}
	if (take_switch(u, p, len))
		return 0;
	/* without its value, which may be a password */
	return wh_fail_input(err, -EINVAL,
	                     "clickhouse URL: '%.*s' is not known; there are cluster, sensor, tenant, site, password-file, "
	                     "ca-file, gzip=0|1, overlap=0|1 and, as the last one, local",
	                     (int)(equals ? (size_t)(equals - p) : len), p);
}

static bool is_loopback(const char *origin)
{
	const char *host = strstr(origin, "://") + 3;
	return !strncmp(host, "127.", 4) || !strncmp(host, "localhost:", 10) || !strncmp(host, "[::1]", 5);
}

int fleet_url_parse(const char *url, struct fleet_url *u, struct wh_error *err)
{
	bool tls = !strncmp(url, "clickhouses://", 14);
	const char *p = strstr(url, "://");
	*u = (struct fleet_url){.n = 0};
	if (!wh_store_is_fleet(url) || !p)
		return wh_fail_input(err, -EINVAL, "'%.200s' is not the URL of a ClickHouse server", url);
	p += 3;
	const char *slash = p + strcspn(p, "/?"), *name = *slash == '/' ? slash + 1 : slash, *query = name + strcspn(name, "?");
	int rc = take_hosts(u, p, slash, tls, err);
	if (!rc && (*slash != '/' || !plain_name(name, (size_t)(query - name))))
		rc = wh_fail_input(err, -EINVAL,
		                   "clickhouse URL: the database's name is missing, e.g. clickhouse://user@host:8123/whittle");
	if (rc)
		return rc;
	put(u->database, name, (size_t)(query - name));
	u->gzip = !is_loopback(u->origins[0]);
	for (p = query; *p && !rc; p += strcspn(p, "&")) {
		size_t len = strcspn(++p, "&");
		if (!strncmp(p, "local=", 6)) /* to the end: wh_store_path() */
			break;
		rc = take_parameter(u, p, len, err);
	}
	u->named = *u->sensor;
	if (!rc && !u->named && gethostname(u->sensor, sizeof u->sensor - 1))
		snprintf(u->sensor, sizeof u->sensor, "unnamed");
	for (char *c = u->sensor; *c; c++)
		*c = isalnum((unsigned char)*c) || strchr("._-:+", *c) ? *c : '-';
	return rc;
}
