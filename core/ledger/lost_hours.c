/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Document "lost-hours": of each source that lost messages, an object from the hour since 1970 to how many. The oldest hours are
 * forgotten. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include "whittle/ledger.h"

enum { MOST_HOURS = 64 * 24 };

/* Hours as texts of one length: their order is that of time until the year 2084. */
static void hour_text(int64_t hour, char out[static 24])
{
	snprintf(out, 24, "%06lld", (long long)hour);
}

static void forget_oldest(json_t *hours)
{
	while (json_object_size(hours) > MOST_HOURS) {
		const char *hour, *oldest = NULL;
		json_t *n;
		json_object_foreach(hours, hour, n)
			if (!oldest || strcmp(hour, oldest) < 0)
				oldest = hour;
		json_object_del(hours, oldest);
	}
}

int wh_lost_hours_add(struct wh_state *s, const char *source, int64_t hour, uint64_t lost, struct wh_error *err)
{
	char *had = NULL, name[24], *text;
	int rc = wh_state_get(s, "lost-hours", source, &had, err);
	if (rc)
		return rc;
	json_t *hours = had ? json_loads(had, 0, NULL) : NULL;
	free(had);
	if (!json_is_object(hours)) {
		json_decref(hours);
		hours = json_object();
	}
	hour_text(hour, name);
	json_int_t before = json_integer_value(json_object_get(hours, name));
	json_object_set_new(hours, name,
	                    json_integer((json_int_t)wh_saturating_add(before > 0 ? (uint64_t)before : 0, lost) & INT64_MAX));
	forget_oldest(hours);
	text = json_dumps(hours, JSON_COMPACT | JSON_SORT_KEYS);
	rc = text ? wh_state_put(s, "lost-hours", source, text, err) : wh_fail(err, -ENOMEM, "out of memory");
	free(text);
	json_decref(hours);
	return rc;
}

struct collecting { struct wh_arena *mem; int64_t *hours; size_t n, room; };

static int collect(void *arg, const char *source, const char *json)
{
	struct collecting *c = arg;
	json_t *hours = json_loads(json, 0, NULL), *n;
	const char *hour;
	(void)source;
	json_object_foreach(hours, hour, n) {
		if (json_integer_value(n) <= 0)
			continue;
		c->hours = wh_arena_grown(c->mem, c->hours, c->n, &c->room, sizeof *c->hours);
		c->hours[c->n++] = strtoll(hour, NULL, 10);
	}
	json_decref(hours);
	return 0;
}

int wh_lost_hours(struct wh_state *s, struct wh_arena *mem, int64_t **hours, size_t *n, struct wh_error *err)
{
	struct collecting c = {.mem = mem};
	int rc = s ? wh_state_each(s, "lost-hours", collect, &c, err) : 0;
	*hours = c.hours;
	*n = rc ? 0 : c.n;
	return rc;
}
