/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Openings and requests as documents, and their entries in the journal. */
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "jit/grants.h"

json_t *wh_jit_grant_json(const struct wh_jit_grant *g)
{
	char from[WH_PREFIX_STRLEN];
	return json_pack("{s:s,s:s,s:i,s:i,s:s,s:I,s:I,s:s,s:s*,s:b}", "id", g->id, "resource", g->resource, "proto",
	                 (int)g->proto, "port", (int)g->port, "from", wh_prefix_text(&g->from, from), "opened",
	                 (json_int_t)g->opened_us, "expires", (json_int_t)g->expires_us, "who", g->who, "why", g->why, "nsg",
	                 (int)g->nsg);
}

bool wh_jit_grant_read(const char *id, const char *text, struct wh_arena *mem, struct wh_jit_grant *g)
{
	json_t *o = json_loads(text, 0, NULL);
	const char *resource = json_string_value(json_object_get(o, "resource")),
		   *who = json_string_value(json_object_get(o, "who"));
	const char *from = json_string_value(json_object_get(o, "from")), *why = json_string_value(json_object_get(o, "why"));
	bool good = resource && who && from && !wh_prefix_parse(from, strlen(from), &g->from, NULL) && strlen(id) < sizeof g->id;
	if (good) {
		snprintf(g->id, sizeof g->id, "%s", id);
		g->resource = wh_arena_strdup(mem, resource);
		g->who = wh_arena_strdup(mem, who);
		g->why = why ? wh_arena_strdup(mem, why) : NULL;
		g->proto = (uint8_t)json_integer_value(json_object_get(o, "proto"));
		g->port = (uint16_t)json_integer_value(json_object_get(o, "port"));
		g->opened_us = json_integer_value(json_object_get(o, "opened"));
		g->expires_us = json_integer_value(json_object_get(o, "expires"));
		g->nsg = json_is_true(json_object_get(o, "nsg"));
		g->known = true;
	}
	json_decref(o);
	return good;
}

bool wh_jit_in_time(const struct wh_jit_grant *g, int64_t now_us)
{
	return g->opened_us <= now_us + WH_JIT_SLACK_S * INT64_C(1000000) && g->expires_us > now_us;
}

struct wh_jit_grant *wh_jit_grants_add(struct wh_jit_grants *c)
{
	c->g = wh_arena_grown(c->mem, c->g, c->n, &c->room, sizeof *c->g);
	memset(&c->g[c->n], 0, sizeof *c->g);
	return &c->g[c->n++];
}

static int collect(void *arg, const char *key, const char *json)
{
	struct wh_jit_grants *c = arg;
	if (!wh_jit_grant_read(key, json, c->mem, wh_jit_grants_add(c)))
		c->n--; /* damaged: of an opening the kernel's own list still shows it */
	return 0;
}

int wh_jit_grants_of(struct wh_state *s, const char *collection, struct wh_jit_grants *out, struct wh_error *err)
{
	return wh_state_each(s, collection, collect, out, err);
}

int wh_jit_journal(struct wh_state *s, const char *what, const char *who, const char *why, const struct wh_jit_grant *g,
                   struct wh_error *err)
{
	json_t *o = json_pack("{s:o,s:s*}", "opening", wh_jit_grant_json(g), "why", why);
	char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;
	int rc = text ? wh_state_log(s, who, what, text, err) : wh_fail(err, -ENOMEM, "out of memory");
	free(text);
	json_decref(o);
	return rc;
}

static int later(void *arg, int64_t seq, int64_t time_us, const char *who, const char *what, const char *json)
{
	(void)time_us;
	(void)who;
	(void)what;
	(void)json;
	if (*(int64_t *)arg < seq)
		*(int64_t *)arg = seq;
	return 0;
}

int wh_jit_last_entry(struct wh_state *s, const char *what, int64_t *out, struct wh_error *err)
{
	*out = 0;
	return wh_state_log_each(s, what, later, out, err);
}
