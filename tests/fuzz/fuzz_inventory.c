/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An inventory of any bytes is refused with the file's name, or it makes a network in which every pair of classes has a
 * verdict. */
#include <stdlib.h>
#include <string.h>
#include "whittle/reach.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wh_arena *mem = wh_arena_new();
	struct wh_inventory inv = {.mem = mem};
	struct wh_topology t = {0};
	struct wh_error err = {.text = ""};
	char *text = malloc(size + 1);
	if (!text)
		abort();
	memcpy(text, data, size);
	text[size] = 0;
	int rc = wh_inventory_add(&inv, "fuzz.json", text, size, &err);
	wh_inventory_join(&inv);
	rc = rc ? rc : wh_topology_build(&inv, mem, &t, &err);
	if (rc && strncmp(err.text, "fuzz.json", 9))
		abort();
	if (!rc && t.n_endpoints < 64) {
		struct wh_reach *r = wh_reach_new(&t, mem);
		size_t n = wh_reach_classes(r);
		for (size_t i = 0; i < n; i++)
			for (size_t k = 0; k < n; k++)
				wh_reach_ports(r, wh_reach_pair(r, i, k));
		wh_reach_free(r);
	}
	wh_topology_free(&t);
	wh_inventory_free(&inv);
	wh_arena_free(mem);
	return 0;
}
