/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The estate: imported from documents, and as the ledger has it. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include "app/app.h"
#include "app/network.h"
#include "base/heap.h"
#include "base/json.h"
#include "whittle/app_learning.h"
#include "whittle/topology.h"

/* A person's own estate is YAML, or JSON that has a list of resources without types. */
static bool is_inventory(const char *path)
{
	struct stat st;
	char *text;
	size_t len;
	const char *dot = strrchr(path, '.');
	if (!stat(path, &st) && S_ISDIR(st.st_mode))
		return true;
	if (!dot || (strcasecmp(dot, ".json") && strcasecmp(dot, ".tfstate")))
		return false;
	if (wh_read_file(path, 512 << 20, &text, &len, NULL))
		return true;
	json_t *doc = wh_json_load(text, len, 0, NULL, NULL), *first = json_array_get(json_object_get(doc, "resources"), 0);
	bool own = first && !json_object_get(first, "type") && json_object_get(first, "addresses");
	json_decref(doc);
	free(text);
	return !own;
}

int wh_app_estate_import(const struct wh_app *a, const char *const *paths, size_t n, struct wh_estate_summary *out,
                         struct wh_error *err)
{
	struct wh_ledger l;
	char line[64];
	int rc = wh_ledger_open(a->store_url, WH_STATE_CREATE, &l, err);
	wh_heap_in_large_pages(WH_APP_ESTATE_HEAP);
	if (!rc)
		rc = n > 1 || is_inventory(paths[0]) ? wh_inventory_import(l.state, paths, n, out, err)
		                                     : wh_estate_import(l.state, paths[0], out, err);
	rc = rc ? rc : wh_app_effective_notes(l.state, out, err);
	if (!rc) { /* a report shows the date of its inventory */
		snprintf(line, sizeof line, "{\"resources\":%zu}", out->resources);
		rc = wh_state_log(l.state, a->who, "estate.import", line, err);
	}
	wh_ledger_close(&l);
	return rc;
}

json_t *wh_app_estate_imported_json(const struct wh_estate_summary *s)
{
	return json_pack("{s:I,s:I,s:I,s:I,s:s}", "resources", (json_int_t)s->resources, "addresses", (json_int_t)s->addresses,
	                 "nsgs", (json_int_t)s->nsgs, "rules", (json_int_t)s->rules, "notes", s->note_texts ? s->note_texts : "");
}

int wh_app_estate(const struct wh_app *a, struct wh_arena *mem, struct wh_estate **out, struct wh_error *err)
{
	struct wh_app_ledger l;
	int rc = wh_app_open(a, WH_STATE_READ, mem, &l, err);
	wh_app_close(&l, out);
	return rc;
}

static json_t *resource_json(const struct wh_resource *r)
{
	char buf[WH_ADDR_STRLEN];
	json_t *addrs = json_array(), *nsgs = json_array();
	for (size_t i = 0; i < r->n_addrs; i++)
		json_array_append_new(addrs, json_string(wh_addr_text(&r->addrs[i], buf)));
	for (size_t i = 0; i < r->n_nsgs; i++)
		json_array_append_new(nsgs, json_string(r->nsgs[i]->name));
	return json_pack("{s:s,s:s*,s:o,s:b,s:b,s:o}", "name", r->name, "id", r->id, "addresses", addrs, "internetFacing",
	                 r->internet_facing, "discovered", r->discovered, "networkSecurityGroups", nsgs);
}

json_t *wh_app_estate_json(const struct wh_estate *e)
{
	json_t *list = json_array();
	for (size_t i = 0; i < e->n_resources; i++)
		json_array_append_new(list, resource_json(&e->resources[i]));
	return json_pack("{s:o}", "resources", list);
}
