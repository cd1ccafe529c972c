/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include "estate/discover.h"

static const char *const private_ranges[] = {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"};

int wh_discover_parse(const char *spec, struct wh_prefix **out, size_t *n, struct wh_arena *mem, struct wh_error *err)
{
	size_t max = 1;
	for (const char *p = spec; *p; p++)
		max += *p == ',';
	*out = wh_arena_array(mem, max, sizeof **out);
	*n = 0;
	if (!strcmp(spec, "off"))
		return 0;
	for (const char *p = spec;; p++) {
		size_t len = strcspn(p, ",");
		if (wh_prefix_parse(p, len, &(*out)[*n], NULL))
			return wh_fail_input(err, -EINVAL, "discover: '%.*s' is not a prefix (write CIDR,… or off)", (int)len,
			                     p);
		(*n)++;
		p += len;
		if (!*p)
			return 0;
	}
}

void wh_discover_default(struct wh_prefix **out, size_t *n, struct wh_arena *mem)
{
	*n = sizeof private_ranges / sizeof *private_ranges;
	*out = wh_arena_array(mem, *n, sizeof **out);
	for (size_t i = 0; i < *n; i++)
		wh_prefix_parse(private_ranges[i], strlen(private_ranges[i]), &(*out)[i], NULL);
}

int wh_discover_stored(struct wh_state *s, bool imported, struct wh_arena *mem, struct wh_prefix **out, size_t *n,
                       struct wh_error *err)
{
	char *text = NULL;
	int rc = wh_state_get(s, "estate", "discover", &text, err);
	*n = 0;
	if (rc)
		return rc;
	json_t *v = text ? json_loads(text, JSON_DECODE_ANY, NULL) : NULL;
	if (json_is_string(v))
		rc = wh_discover_parse(json_string_value(v), out, n, mem, err);
	else if (!imported)
		wh_discover_default(out, n, mem);
	json_decref(v);
	free(text);
	return rc;
}
