/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The output of `az network nic list-effective-nsg`: the rules as Azure applies them to one interface, group by group, with lists
 * and tags resolved. They are no resources; they are stored next to these, to be compared with the groups' own rules.
 */
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "estate/topology.h"
#include "whittle/state.h"

#define COLLECTION "effective"

static void take(struct wh_inventory *inv, const char *file, const char *path, json_t *body)
{
	inv->effective = wh_arena_grown(inv->mem, inv->effective, inv->n_effective, &inv->room_effective, sizeof *inv->effective);
	inv->effective[inv->n_effective++] = (struct wh_effective_item){wh_arena_strdup(inv->mem, file),
	                                                                wh_arena_strdup(inv->mem, path), body};
}

void wh_inventory_take_effective(struct wh_inventory *inv, const char *file, const char *path, const json_t *body)
{
	take(inv, file, path, json_incref((json_t *)(uintptr_t)body));
}

int wh_inventory_put_effective(struct wh_state *s, const struct wh_inventory *inv, struct wh_error *err)
{
	char key[24];
	int rc = 0;
	for (size_t i = 0; i < inv->n_effective && !rc; i++) {
		const struct wh_effective_item *e = &inv->effective[i];
		snprintf(key, sizeof key, "%zu", i);
		rc = wh_state_put_json(s, COLLECTION, key,
		                       json_pack("{s:s, s:s, s:O}", "file", e->file, "path", e->path, "body", e->body), err);
	}
	return rc;
}

struct loading { struct wh_inventory *inv; struct wh_error *err; };

static int load(void *arg, const char *key, const char *json)
{
	struct loading *l = arg;
	json_t *doc = NULL;
	int rc = wh_json_parse(key, json, strlen(json), &doc, l->err);
	const char *file = json_string_value(json_object_get(doc, "file")),
		   *path = json_string_value(json_object_get(doc, "path"));
	json_t *body = json_object_get(doc, "body");
	if (!rc && (!file || !path || !json_is_object(body)))
		rc = wh_fail(l->err, -EBADMSG, "the ledger's estate is damaged: import it again");
	if (!rc)
		take(l->inv, file, path, json_incref(body));
	json_decref(doc);
	return rc;
}

int wh_inventory_load_effective(struct wh_state *s, struct wh_inventory *inv, struct wh_error *err)
{
	return wh_state_each(s, COLLECTION, load, &(struct loading){inv, err}, err);
}
