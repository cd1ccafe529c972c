/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The inventory in the ledger: each resource's JSON as a document (collection "resource" for what makes the network, "other" for
 * the rest, "nsg" for the groups), and the resources that recommendations are made for as the estate's.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "base/json.h"
#include "estate/aws.h"
#include "estate/clear.h"
#include "estate/name_set.h"
#include "estate/topology.h"
#include "whittle/estate.h"
#include "whittle/topology.h"

struct storing {
	struct wh_state *s;
	struct wh_topology *t;
	struct wh_estate_summary *sum;
	struct wh_error *err;
	struct wh_name_set names, addresses;
	struct wh_arena *mem;
};

static const char group_type[] = "microsoft.network/networksecuritygroups";

static bool of_network(const char *type)
{
	static const char *const prefixes[] = {WH_AWS_RAW, "microsoft.network/", "microsoft.compute/virtualmachine",
	                                       "microsoft.classiccompute/virtualmachines"};
	for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
		if (!strncmp(type, prefixes[i], strlen(prefixes[i])))
			return true;
	return false;
}

static int put(struct storing *st, const struct wh_item *it)
{
	bool group = wh_type_is(it->type, group_type);
	if (it->derived && !group)
		return 0;
	json_t *o = group ? json_copy(it->body)
	                  : json_pack("{s:s, s:s, s:s, s:s, s:O}", "id", it->id, "name", it->name, "type", it->type, "file",
	                              it->file, "body", it->body);
	if (group) { /* in a form that is read as a group, whatever its origin */
		json_object_set_new(o, "type", json_string("Microsoft.Network/networkSecurityGroups"));
		json_object_set_new(o, "id", json_string(it->id));
	}
	return wh_state_put_json(st->s,
	                         group                  ? "nsg"
	                         : of_network(it->type) ? "resource"
	                                                : "other",
	                         group ? it->id : it->key, o, st->err);
}

/* ARM ids are unique, names are not; in the estate they must be. */
static const char *name_of(struct storing *st, const struct wh_host *h)
{
	const char *group = strcasestr(h->id, "/resourceGroups/"), *name = h->name;
	if (!wh_name_set_add(&st->names, name, h))
		return name;
	if (group) {
		size_t len = strcspn(group += 16, "/");
		name = wh_arena_printf(st->mem, "%.*s/%s", (int)len, group, h->name);
	}
	return wh_name_set_add(&st->names, name, h) ? h->id : name;
}

static void add_group(json_t *list, const struct wh_topology *t, size_t nsg)
{
	size_t i;
	json_t *v;
	if (!wh_known(nsg))
		return;
	json_array_foreach(list, i, v)
		if (!strcasecmp(json_string_value(v), t->nsgs[nsg].id))
			return;
	json_array_append_new(list, json_string(t->nsgs[nsg].id));
}

static json_t *resource(struct storing *st, const struct wh_host *h)
{
	json_t *addresses = json_array(), *groups = json_array();
	const char *name = name_of(st, h);
	for (size_t i = h->first; i < h->first + h->n; i++) {
		const struct wh_endpoint *e = &st->t->endpoints[i];
		char buf[WH_ADDR_STRLEN];
		const char *text = wh_arena_strdup(st->mem, wh_addr_text(&e->addr, buf));
		const char *other = wh_name_set_add(&st->addresses, text, name);
		if (other) {
			wh_inventory_note(st->t->inventory,
			                  "%s is an address of %s and of %s: flows of it are counted as the first one's", text,
			                  other, name);
			continue;
		}
		json_array_append_new(addresses, json_string(text));
		add_group(groups, st->t, st->t->nics[e->nic].nsg);
		if (e->subnet != WH_NONE)
			add_group(groups, st->t, st->t->subnets[e->subnet].nsg);
		st->sum->addresses++;
	}
	const struct wh_item *it = wh_inventory_find(st->t->inventory, h->id);
	json_t *o = json_array_size(addresses)
	                    ? json_pack("{s:s, s:s, s:s*, s:b, s:O, s:O}", "name", name, "id", h->id, "platform",
	                                it && it->derived ? "other" : NULL, "internetFacing",
	                                wh_topology_faces_internet(st->t, h), "addresses", addresses, "nsgs", groups)
	                    : NULL;
	json_decref(addresses);
	json_decref(groups);
	return o;
}

static int put_estate(struct storing *st, const json_t *tags)
{
	json_t *resources = json_array(), *vnets = json_array(), *o;
	char buf[WH_PREFIX_STRLEN];
	for (size_t i = 0; i < st->t->n_hosts; i++)
		if (st->t->hosts[i].kind <= WH_HOST_INSTANCE && (o = resource(st, &st->t->hosts[i])))
			json_array_append_new(resources, o);
	for (size_t i = 0; i < st->t->n_vnets; i++)
		for (size_t k = 0; k < st->t->vnets[i].n_space; k++)
			json_array_append_new(vnets, json_string(wh_prefix_text(&st->t->vnets[i].space[k], buf)));
	st->sum->resources = json_array_size(resources);
	json_t *doc = json_pack("{s:o, s:o, s:O*}", "resources", resources, "vnets", vnets, "serviceTags",
	                        json_array_size(json_object_get(tags, "values")) ? tags : NULL);
	return wh_state_put_json(st->s, "estate", "estate", doc, st->err);
}

/* The notes as lines, into the summary. */
static int print_notes(const struct storing *st)
{
	size_t len, n = st->t->inventory->n_notes;
	FILE *f = open_memstream(&st->sum->note_texts, &len);
	if (!f)
		return wh_fail(st->err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < n; i++)
		fprintf(f, "%s\n", st->t->inventory->notes[i]);
	st->sum->notes = n;
	return fclose(f) ? wh_fail(st->err, -ENOMEM, "out of memory") : 0;
}

static int put_image(struct storing *st)
{
	uint8_t *bytes;
	size_t len;
	int rc = wh_topology_write(st->t, &bytes, &len);
	rc = rc ? wh_fail(st->err, rc, "out of memory") : wh_state_put_bytes(st->s, WH_TOPOLOGY_IMAGE, bytes, len, st->err);
	free(bytes);
	return rc;
}

int wh_inventory_store(struct wh_state *s, struct wh_topology *t, struct wh_estate_summary *out, struct wh_error *err)
{
	struct storing st = {s, t, out, err, {.mem = t->mem}, {.mem = t->mem}, t->mem};
	*out = (struct wh_estate_summary){.nsgs = t->n_nsgs};
	for (size_t i = 0; i < t->n_nsgs; i++)
		for (size_t k = 0; k < t->nsgs[i].n_rules; k++)
			out->rules += !t->nsgs[i].rules[k].is_default;
	int rc = wh_state_begin(s, err);
	if (rc)
		return rc;
	json_t *tags = wh_used_tags(t);
	rc = wh_estate_clear(s, err);
	for (size_t i = 0; i < t->inventory->n && !rc; i++)
		rc = put(&st, &t->inventory->items[i]);
	rc = rc ? rc : wh_inventory_put_effective(s, t->inventory, err);
	rc = rc ? rc : put_estate(&st, tags);
	rc = rc ? rc : put_image(&st);
	json_decref(tags);
	rc = wh_state_finish(s, rc, err);
	return rc ? rc : print_notes(&st);
}

int wh_inventory_import(struct wh_state *s, const char *const *paths, size_t n, struct wh_estate_summary *out,
                        struct wh_error *err)
{
	struct wh_arena *mem = wh_arena_new();
	struct wh_inventory inv;
	struct wh_topology t = {0};
	*out = (struct wh_estate_summary){0};
	int rc = wh_inventory_read(paths, n, mem, &inv, err);
	rc = rc ? rc : wh_topology_build(&inv, mem, &t, err);
	rc = rc ? rc : wh_inventory_store(s, &t, out, err);
	wh_topology_free(&t);
	wh_inventory_free(&inv);
	wh_arena_free(mem);
	return rc;
}

/* ---- out of the ledger ---- */

/* built: the model is there, so that no text is needed for its errors. cut: nor the groups' rules as JSON. */
struct loading { struct wh_inventory *inv; struct wh_error *err; bool groups, built, cut; };

static int parse_stored(const struct loading *l, const char *key, const char *json, json_t **out)
{
	static const char *const rules[] = {"securityRules", "defaultSecurityRules", NULL};
	char *rest = l->groups && l->cut ? wh_json_cut(json, strlen(json), rules) : NULL;
	const char *text = rest ? rest : json;
	int rc = wh_json_parse(key, text, strlen(text), out, l->err);
	free(rest);
	return rc;
}

static int take_stored(const struct loading *l, const char *key, const char *json)
{
	struct wh_inventory *inv = l->inv;
	bool group = l->groups;
	json_t *doc = NULL, *body;
	int rc = parse_stored(l, key, json, &doc);
	if (rc)
		return rc;
	const char *id = json_string_value(json_object_get(doc, "id")), *type = json_string_value(json_object_get(doc, "type")),
		   *file = json_string_value(json_object_get(doc, "file"));
	body = group ? doc : json_object_get(doc, "body");
	if (group && json_is_object(json_object_get(doc, "aws"))) { /* made anew of what AWS printed */
		json_decref(doc);
		return 0;
	}
	if (!id || !type || !json_is_object(body)) {
		json_decref(doc);
		return wh_fail(l->err, -EBADMSG, "the ledger's estate is damaged: import it again");
	}
	inv->documents = wh_arena_grown(inv->mem, inv->documents, inv->n_documents, &inv->room_documents, sizeof *inv->documents);
	inv->documents[inv->n_documents] = (struct wh_document){
		.file = wh_arena_strdup(inv->mem, file ? file : key),
		.text = l->built ? NULL : strdup(json),
		.len = l->built ? 0 : strlen(json)};
	inv->items = wh_arena_grown(inv->mem, inv->items, inv->n, &inv->room_items, sizeof *inv->items);
	const char *name = json_string_value(json_object_get(doc, "name"));
	inv->items[inv->n++] = (struct wh_item){.id = wh_arena_strdup(inv->mem, id),
	                                        .key = wh_lower(id, inv->mem),
	                                        .type = wh_lower(type, inv->mem),
	                                        .name = wh_arena_strdup(inv->mem, name ? name : wh_last_part(id)),
	                                        .body = json_incref(body),
	                                        .file = inv->documents[inv->n_documents].file,
	                                        .path = group ? "" : "body",
	                                        .document = inv->n_documents};
	inv->n_documents++;
	json_decref(doc);
	return 0;
}

static int load(void *arg, const char *key, const char *json)
{
	return take_stored(arg, key, json);
}

/* The groups and the service tags, for resources that are loaded. */
static int load_rest(struct wh_state *s, struct loading *l)
{
	struct wh_inventory *out = l->inv;
	char *text = NULL;
	l->groups = true;
	int rc = wh_state_each(s, "nsg", load, l, l->err);
	rc = rc ? rc : wh_state_get(s, "estate", "estate", &text, l->err);
	json_t *doc = text ? json_loads(text, 0, NULL) : NULL, *tags = json_object_get(doc, "serviceTags");
	char *listed = tags ? json_dumps(tags, JSON_COMPACT) : NULL;
	if (!rc && listed)
		rc = wh_service_tags_parse("the ledger's service tags", listed, strlen(listed), out->mem, &out->service, l->err);
	free(listed);
	json_decref(doc);
	free(text);
	wh_inventory_join(out);
	return rc;
}

int wh_inventory_load(struct wh_state *s, struct wh_arena *mem, struct wh_inventory *out, struct wh_error *err)
{
	struct loading l = {.inv = out, .err = err};
	*out = (struct wh_inventory){.mem = mem};
	int rc = wh_state_each(s, "resource", load, &l, err);
	if (!rc && !out->n)
		return wh_fail(
			err, -ENOENT,
			"the ledger has no inventory of networks: `whittle estate import DIRECTORY` reads what `az … list` prints, templates, Terraform's state");
	return rc ? rc : load_rest(s, &l);
}

int wh_inventory_load_all(struct wh_state *s, bool rules, struct wh_arena *mem, struct wh_inventory *out, struct wh_topology *t,
                          struct wh_error *err)
{
	int rc = wh_topology_load(s, out, mem, t, err), built = !rc;
	struct loading l = {.inv = out, .err = err, .built = built, .cut = built && !rules};
	if (rc < 0)
		return rc;
	size_t noted = out->n_notes;
	rc = wh_state_each(s, "resource", load, &l, err);
	rc = rc ? rc : wh_state_each(s, "other", load, &l, err);
	if (!rc && out->n) /* groups alone are of an estate.yaml */
		rc = load_rest(s, &l);
	if (built)
		out->n_notes = noted; /* the model's: what derives resources here says the same again */
	return rc || built ? rc : wh_topology_build(out, mem, t, err);
}
