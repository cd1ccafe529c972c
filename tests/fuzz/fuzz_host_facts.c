/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts of a host, of any bytes, are refused with the file's name, or every row of them is usable. */
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "whittle/host_facts.h"

static void look_at(const struct wh_host_openings *o, struct wh_arena *mem)
{
	struct wh_ranges all = {0};
	for (size_t i = 0; i < o->n; i++) {
		all = wh_ranges_union(all, o->list[i].peers, mem);
		if (o->list[i].ports.from > o->list[i].ports.to || !o->list[i].interface)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wh_arena *mem = wh_arena_new();
	struct wh_host_facts f;
	struct wh_error err = {.text = ""};
	char *text = malloc(size + 1);
	json_t *doc = NULL;
	if (!text)
		abort();
	memcpy(text, data, size);
	text[size] = 0;
	if (!wh_json_parse("fuzz.json", text, size, &doc, &err)) {
		if (!wh_host_facts_read("fuzz.json", doc, mem, &f, &err)) {
			look_at(&f.inbound, mem);
			look_at(&f.outbound, mem);
			look_at(&f.published, mem);
			if (!f.name || !*f.name)
				abort();
		} else if (strncmp(err.text, "fuzz.json", 9)) {
			abort();
		}
	}
	json_decref(doc);
	free(text);
	wh_arena_free(mem);
	return 0;
}
