/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tags of a record: its `tenant_id`, its `vlan` tags, and the name of the sensor that wrote it (`sensor`, or `host`,
 * Suricata's key for its sensor-name). Most logs have none of them. The scanner marks the records that do (wh_record.tagged);
 * their lines are read here once more, so that the others cost nothing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "whittle/flow.h"

/* From the opening quote of a string to its closing one, or end. */
static const char *string_end(const char *p, const char *end)
{
	for (p++; p < end && *p != '"'; p++)
		if (*p == '\\' && p + 1 < end)
			p++;
	return p;
}

static const char *skip_space(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	return p;
}

/* A number that is not negative, or up to three of them in an array. Returns how many. */
static unsigned numbers(const char *p, const char *end, uint32_t v[3])
{
	unsigned n = 0;
	bool array = p < end && *p == '[';
	p += array;
	while (n < 3) {
		p = skip_space(p, end);
		if (p == end || *p < '0' || *p > '9')
			break;
		for (v[n] = 0; p < end && *p >= '0' && *p <= '9'; p++)
			v[n] = v[n] * 10 + (uint32_t)(*p - '0');
		n++;
		p = skip_space(p, end);
		if (!array || p == end || *p++ != ',')
			break;
	}
	return n;
}

static void take(struct wh_tags *o, const char *key, size_t len, const char *p, const char *end)
{
	uint32_t v[3] = {0};
	bool sensor = len == 6 && !memcmp(key, "sensor", 6);
	if (len == 4 && !memcmp(key, "vlan", 4)) {
		memset(o->realm.vlan, 0, sizeof o->realm.vlan);
		for (unsigned n = numbers(p, end, v); n-- > 0;)
			o->realm.vlan[n] = (uint16_t)v[n];
	} else if (len == 9 && !memcmp(key, "tenant_id", 9)) {
		o->realm.tenant = numbers(p, end, v) ? v[0] : 0;
	} else if (sensor || (len == 4 && !memcmp(key, "host", 4) && !o->by_sensor)) {
		o->by_sensor = sensor;
		o->sensor = p < end && *p == '"' ? p + 1 : NULL;
		o->sensor_len = o->sensor ? (size_t)(string_end(p, end) - o->sensor) : 0;
	}
}

struct wh_tags wh_tags_of(const char *line, size_t len)
{
	struct wh_tags o = {.sensor = NULL};
	const char *p = line, *end = line + len;
	for (unsigned depth = 0; p < end; p++) {
		if (*p == '"') {
			const char *key = p + 1, *colon;
			p = string_end(p, end);
			colon = depth == 1 ? skip_space(p + (p < end), end) : end; /* only a key has one */
			if (colon < end && *colon == ':')
				take(&o, key, (size_t)(p - key), skip_space(colon + 1, end), end);
		} else if (*p == '{' || *p == '[') {
			depth++;
		} else if (*p == '}' || *p == ']') {
			depth--;
		}
	}
	return o;
}

bool wh_realm_eq(const struct wh_realm *a, const struct wh_realm *b)
{
	return a->tenant == b->tenant && !memcmp(a->vlan, b->vlan, sizeof a->vlan);
}

const char *wh_realm_text(const struct wh_realm *r, char out[static WH_REALM_STRLEN])
{
	size_t n = 0;
	out[0] = 0;
	if (r->tenant)
		n = (size_t)snprintf(out, WH_REALM_STRLEN, "tenant%u", r->tenant);
	for (unsigned i = 0; i < 3 && r->vlan[i]; i++)
		n += (size_t)snprintf(out + n, WH_REALM_STRLEN - n, "%s%u", i ? "." : n ? "/vlan" : "vlan", r->vlan[i]);
	return n ? out : strcpy(out, "untagged");
}

/* It is one if it would be written so: a text that no record's network has would leave all of them out. */
bool wh_realm_is(const char *text)
{
	struct wh_realm r = {0};
	char written[WH_REALM_STRLEN];
	char *end;
	const char *p = text;
	if (!strncmp(p, "tenant", 6)) {
		r.tenant = (uint32_t)strtoul(p + 6, &end, 10);
		p = end + (*end == '/');
	}
	size_t before = strncmp(p, "vlan", 4) ? 0 : 4;
	for (unsigned i = 0; i < 3 && before; i++) {
		r.vlan[i] = (uint16_t)strtoul(p + before, &end, 10);
		p = end;
		before = *p == '.';
	}
	return !strcmp(text, "one") || !strcmp(text, wh_realm_text(&r, written));
}
