/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The estate's present state at Azure: queried from Resource Graph, and imported as files are. */
#include <stdlib.h>
#include <string.h>
#include "app/app.h"
#include "app/network.h"
#include "base/heap.h"
#include "whittle/app_learning.h"
#include "whittle/graph.h"
#include "whittle/topology.h"

/* Instances of scale sets and the active configuration of Virtual Network Manager are in tables of their own. What is read takes
 * eight times its text in memory; 10,000 machines with all that belongs to them are about 90 MiB of text. */
static const struct { const char *table, *query; size_t most_bytes; } queries[] = {
	{"resources", "Resources | order by id asc", 256 << 20},
	{"computeresources", "ComputeResources | order by id asc", 64 << 20},
	{"networkresources", "NetworkResources | order by id asc", 16 << 20},
};

struct taking { struct wh_inventory *inv; const char *table; };

static int take_page(void *arg, unsigned number, const char *text, size_t len, struct wh_error *err)
{
	const struct taking *t = arg;
	char name[64], *copy = malloc(len + 1);
	if (!copy)
		return wh_fail(err, -ENOMEM, "out of memory");
	memcpy(copy, text, len);
	copy[len] = 0;
	snprintf(name, sizeof name, "resource graph, %s, page %u", t->table, number);
	int rc = wh_inventory_add(t->inv, name, copy, len, err);
	wh_inventory_forget_text(t->inv); /* Azure writes a page as one line */
	return rc;
}

static int fetch(const struct wh_app_sync *ask, struct wh_inventory *inv, struct wh_error *err)
{
	struct wh_arm *arm = NULL;
	int rc = wh_arm_open(ask->arm, &arm, err);
	for (size_t i = 0; i < sizeof queries / sizeof *queries && !rc; i++) {
		const struct wh_graph_query q = {queries[i].query, ask->subscriptions, ask->n_subscriptions,
		                                 queries[i].most_bytes};
		rc = wh_arm_graph(arm, &q, take_page, &(struct taking){inv, queries[i].table}, err);
	}
	wh_arm_close(arm);
	if (!rc && !inv->n)
		rc = wh_fail(err, -ENOENT,
		             "Resource Graph lists no resource: give the token's owner the right to read the subscriptions");
	return rc;
}

int wh_app_estate_sync(const struct wh_app *a, const struct wh_app_sync *ask, struct wh_estate_summary *out, struct wh_error *err)
{
	struct wh_arena *mem = wh_arena_new();
	struct wh_inventory inv = {.mem = mem};
	struct wh_topology t = {0};
	struct wh_ledger l = {NULL, NULL};
	char line[64];
	*out = (struct wh_estate_summary){0};
	wh_heap_in_large_pages(WH_APP_ESTATE_HEAP);
	int rc = fetch(ask, &inv, err);
	if (!rc) {
		wh_inventory_join(&inv);
		rc = wh_topology_build(&inv, mem, &t, err);
	}
	rc = rc ? rc : wh_ledger_open(a->store_url, WH_STATE_CREATE, &l, err);
	rc = rc ? rc : wh_inventory_store(l.state, &t, out, err);
	if (!rc) {
		snprintf(line, sizeof line, "{\"resources\":%zu}", out->resources);
		rc = wh_state_log(l.state, a->who, "estate.sync", line, err);
	}
	wh_ledger_close(&l);
	wh_topology_free(&t);
	wh_inventory_free(&inv);
	wh_arena_free(mem);
	return rc;
}
