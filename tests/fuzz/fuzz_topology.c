/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The model of a network from any bytes: it is refused, or can be queried, and its written form can be read again. */
#include <stdlib.h>
#include "whittle/reach.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wh_arena *mem = wh_arena_new();
	struct wh_inventory none;
	struct wh_topology t, again;
	uint8_t *bytes;
	size_t len;
	if (!wh_topology_read(data, size, &none, mem, &t)) {
		struct wh_reach *r = wh_reach_new(&t, mem);
		for (size_t i = 0; i < t.n_endpoints && i < 8; i++)
			for (size_t k = 0; k < t.n_endpoints && k < 8; k++)
				wh_reach_ports(r, wh_reach_between(r, i, k));
		wh_reach_free(r);
		if (wh_topology_write(&t, &bytes, &len) || wh_topology_read(bytes, len, &none, mem, &again) ||
		    again.n_endpoints != t.n_endpoints)
			abort();
		free(bytes);
	}
	wh_arena_free(mem);
	return 0;
}
