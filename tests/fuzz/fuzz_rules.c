/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A file of rules, of any bytes, gives an error that names it, or rules with valid fields only. */
#include <stdlib.h>
#include <string.h>
#include "whittle/harden.h"

static void need(bool ok)
{
	if (!ok)
		abort();
}

static void check(const struct wh_recommended_rule *r)
{
	need(r->name && (r->direction == WH_INBOUND || r->direction == WH_OUTBOUND));
	for (size_t i = 0; i < r->n_prefixes; i++)
		need(r->prefixes[i].len <= 128);
	for (size_t i = 0; i < r->n_except; i++)
		need(r->except[i].len <= 128);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wh_arena *mem = wh_arena_new();
	struct wh_addr addrs[2] = {wh_addr_v4(0x0a000004), wh_addr_v4(0x0a000005)};
	struct wh_resource res[2] = {{.name = "vm1", .id = "/subscriptions/a/vm1", .addrs = &addrs[0], .n_addrs = 1},
	                             {.name = "vm2", .addrs = &addrs[1], .n_addrs = 1}};
	struct wh_estate e = {.resources = res, .n_resources = 2};
	struct wh_recommendation *r = NULL;
	struct wh_error err = {0};
	if (wh_rules_parse("f", (const char *)data, size, &e, mem, &r, &err)) {
		need(err.text[0] == 'f' && err.input);
	} else {
		need(r != NULL);
		for (size_t i = 0; i < r->n_resources; i++) {
			need(r->resources[i].resource == &res[0] || r->resources[i].resource == &res[1]);
			for (size_t k = 0; k < r->resources[i].n_rules; k++)
				check(&r->resources[i].rules[k]);
		}
		free(wh_recommendation_json(r, NULL));
	}
	wh_arena_free(mem);
	return 0;
}
