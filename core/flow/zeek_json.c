/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Zeek's conn.log as JSON, one object a line, its keys with dots ("id.orig_h"). Unset fields are left out, or null. */
#include <stdlib.h>
#include <string.h>
#include "flow/json_scan.h"
#include "flow/zeek.h"

static int column(struct js_text key)
{
	for (int i = 0; i < ZEEK_COLUMNS; i++)
		if (js_equals(key, zeek_names[i]))
			return i;
	return -1;
}

static const char *read_line(struct lines *l, const char *p, size_t len)
{
	struct field f[ZEEK_COLUMNS];
	const char *end = p + len;
	struct js_text key, text, path = {"conn", 4};
	struct js_value v;
	struct wh_record rec;
	struct wh_tags tags;
	bool done = false;
	for (unsigned i = 0; i < ZEEK_COLUMNS; i++)
		f[i] = (struct field){"", 0};
	p = js_space(p, end);
	if (p == end || *p != '{')
		return "not JSON";
	while ((p = js_member(p, end, &key, &done)) && !done) {
		if (!(p = js_value(p, end, &v)))
			return "not JSON";
		text = *v.p == '"' ? v.text : (struct js_text){v.p, (size_t)(v.end - v.p)};
		int c = column(key);
		if (c >= 0 && !js_equals(text, "null"))
			f[c] = (struct field){text.p, text.len};
		else if (js_equals(key, "_path"))
			path = text;
	}
	if (!p || js_space(p, end) != end)
		return "not JSON";
	if (!js_equals(path, "conn") || !f[ZEEK_STATE].len) {
		emit_other(&l->emit);
		return NULL;
	}
	const char *why = zeek_record(f, &rec, &tags);
	return why ? why : lines_give(l, &rec);
}

static void *open_state(const struct wh_reader_options *o)
{
	return lines_open(sizeof(struct lines), read_line, o);
}

static int probe(const void *head, size_t len)
{
	const char *end = (const char *)head + len, *p = js_space(head, end);
	return p < end && *p == '{' && js_find(p, end, "id.orig_h") ? js_find(p, end, "conn_state") ? 90 : 60 : 0;
}

const struct wh_reader wh_reader_zeek_json = {
	.name = "zeek-json",
	.help = "Zeek's conn.log, JSON",
	.probe = probe,
	.open = open_state,
	.close = free,
	.feed = lines_feed,
};
