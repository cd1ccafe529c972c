/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The estate that the ledger had, taken out before another one is put in. */
#include <stdlib.h>
#include <string.h>
#include "base/array.h"
#include "estate/clear.h"
#include "estate/topology.h"

struct keys { char **k; size_t n, room; };

static int collect_key(void *arg, const char *key, const char *json)
{
	struct keys *k = arg;
	(void)json;
	if (!wh_array_grow(&k->k, k->n, &k->room, sizeof *k->k))
		return -ENOMEM;
	k->k[k->n++] = strdup(key);
	return 0;
}

static int clear(struct wh_state *s, const char *collection, struct wh_error *err)
{
	struct keys old = {0};
	int rc = wh_state_each(s, collection, collect_key, &old, err);
	for (size_t i = 0; i < old.n; i++) {
		rc = rc ? rc : wh_state_delete(s, collection, old.k[i], err);
		free(old.k[i]);
	}
	free(old.k);
	return rc;
}

int wh_estate_clear(struct wh_state *s, struct wh_error *err)
{
	static const char *const collections[] = {"nsg", "resource", "other", "near", "effective"};
	int rc = 0;
	for (size_t i = 0; i < sizeof collections / sizeof *collections && !rc; i++)
		rc = clear(s, collections[i], err);
	return rc ? rc : wh_state_put_bytes(s, WH_TOPOLOGY_IMAGE, NULL, 0, err);
}
