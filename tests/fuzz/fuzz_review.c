/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Applying any stored change under review to a calculation is refused or gives valid rules: an edit or an addition allows
 * somebody, and no deny-all stands next to the allow that replaced it.
 */
#include <stdlib.h>
#include <string.h>
#include "review/changes.h"

static void need(bool ok)
{
	if (!ok)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wh_arena *mem = wh_arena_new();
	struct wh_addr a = wh_addr_v4(0x8c141e08);
	struct wh_prefix p = wh_prefix_of(&a, 125), hole = wh_prefix_of(&a, 128);
	struct wh_recommended_rule rules[2] = {
		{.name = "TCP-Inbound-22",
	         .proto = WH_PROTO_TCP,
	         .port = 22,
	         .prefixes = &p,
	         .n_prefixes = 1,
	         .except = &hole,
	         .n_except = 1},
		{.name = "TCP-Inbound-23", .proto = WH_PROTO_TCP, .port = 23, .system_generated = true}};
	struct wh_resource_result res = {.rules = rules, .n_rules = 2};
	json_t *list = json_loadb((const char *)data, size, 0, NULL), *c;
	size_t i;
	json_array_foreach(list, i, c) {
		size_t before = res.n_rules;
		int rc = wh_change_apply(c, 7, &res, mem);
		need(!rc || rc == -ESTALE || rc == -EBADMSG);
		need(res.n_rules <= before + 1);
		if (rc == -EBADMSG)
			break; /* the caller stops here, and enforces nothing */
		for (size_t k = 0; k < res.n_rules; k++) {
			need(res.rules[k].name &&
			     (res.rules[k].direction == WH_INBOUND || res.rules[k].direction == WH_OUTBOUND));
			need(!res.rules[k].review || (res.rules[k].n_prefixes && !res.rules[k].system_generated));
			wh_rule_find(&res, res.rules[k].name);
		}
	}
	json_decref(list);
	wh_arena_free(mem);
	return 0;
}
