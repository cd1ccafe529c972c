/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Openings, closings, switching on and off, from the ledger's journal. */
#include <string.h>
#include "whittle/jit.h"

struct reading {
	wh_jit_log_cb each;
	void *arg;
};

static int entry(void *arg, int64_t seq, int64_t time_us, const char *who, const char *what, const char *json)
{
	struct reading *r = arg;
	struct wh_jit_event e = {.time_us = time_us, .who = who, .what = what + 4};
	(void)seq;
	if (strncmp(what, "jit.", 4) != 0)
		return 0;
	json_t *doc = json_loads(json, 0, NULL), *o = json_object_get(doc, "opening");
	const char *from = json_string_value(json_object_get(o, "from"));
	e.id = json_string_value(json_object_get(o, "id"));
	e.resource = json_string_value(json_object_get(o ? o : doc, "resource")); /* a policy's stands alone */
	e.nsg = json_string_value(json_object_get(doc, "nsg"));
	e.state = json_string_value(json_object_get(doc, "state"));
	/* for a closing its own reason, or the opening's if it has none; for an opening its own */
	e.why = json_string_value(json_object_get(doc, "why"));
	if (!e.why)
		e.why = json_string_value(json_object_get(o, "why"));
	e.proto = (uint8_t)json_integer_value(json_object_get(o, "proto"));
	e.port = (uint16_t)json_integer_value(json_object_get(o, "port"));
	e.expires_us = json_integer_value(json_object_get(o, "expires"));
	e.has_opening = e.resource && from && !wh_prefix_parse(from, strlen(from), &e.from, NULL);
	int rc = r->each(r->arg, &e);
	json_decref(doc);
	return rc;
}

int wh_jit_log(struct wh_state *s, wh_jit_log_cb each, void *arg, struct wh_error *err)
{
	struct reading r = {each, arg};
	return wh_state_log_each(s, NULL, entry, &r, err);
}
