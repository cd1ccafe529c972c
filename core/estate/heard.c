/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The addresses for which anything was learned. */
#include <stdlib.h>
#include "whittle/estate.h"

enum { ENOUGH = -ECANCELED };

static int one_is_enough(void *arg, const struct wh_edge_key *k, const struct wh_edge *e)
{
	(void)arg, (void)k, (void)e;
	return ENOUGH;
}

int wh_estate_heard(struct wh_store *s, const struct wh_estate *e, struct wh_arena *mem, struct wh_heard *out,
                    struct wh_error *err)
{
	size_t room = 0;
	for (size_t i = 0; i < e->n_resources; i++)
		room += e->resources[i].n_addrs;
	*out = (struct wh_heard){.addrs = wh_arena_array(mem, room + 1, sizeof *out->addrs)};
	for (size_t i = 0; i < e->n_resources; i++)
		for (size_t k = 0; e->resources[i].n_addrs > 1 && k < e->resources[i].n_addrs; k++) {
			const struct wh_addr *a = &e->resources[i].addrs[k];
			struct wh_error why = {.text = ""};
			int rc = wh_store_sensor_edges(s, a, one_is_enough, NULL, &why);
			if (rc && rc != ENOUGH) {
				if (err)
					*err = why;
				return rc;
			}
			if (rc)
				out->addrs[out->n++] = *a;
		}
	if (out->n)
		qsort(out->addrs, out->n, sizeof *out->addrs, wh_addr_order);
	return 0;
}
