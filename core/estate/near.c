/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What decides about a machine, so that a question about two reads some documents in the place of all.
 *
 *   collection "near"      what it holds
 *   ""                     {"keys":[…], "tags":[…]}: VNets, gateways and security admin rules, which are in force for all, and the tags that these name
 *   "name web-1"           {"hosts":["/subscriptions/…"]}: the machines of that name, in lower case
 *   "at 10.0.1.4"          the same by address
 *   "host /subscriptions…" {"keys":[…], "groups":[…], "tags":[…], "asgs":[…]}
 *   "asg /subscriptions…"  {"keys":[…]}: the interfaces that are its members
 *   "tag storage"          a service tag with its addresses
 */
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "estate/name_set.h"
#include "estate/near.h"
#include "whittle/state.h"

static const char global[] = "";

/* ---- storing ---- */

struct keeping { struct wh_state *s; const struct wh_topology *t; struct wh_arena *mem; struct wh_error *err; };

static int put(struct keeping *k, const char *key, json_t *o)
{
	char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;
	int rc = text ? wh_state_put(k->s, "near", key, text, k->err) : wh_fail(k->err, -ENOMEM, "out of memory");
	free(text);
	json_decref(o);
	return rc;
}

/* A list of texts, each once. */
struct texts { json_t *list; struct wh_name_set had; };

static void add(struct texts *x, const char *text)
{
	if (text && !wh_name_set_add(&x->had, text, text))
		json_array_append_new(x->list, json_string(text));
}

static void add_rule(const struct wh_rule *r, struct texts *tags, struct texts *asgs)
{
	for (size_t i = 0; i < r->n_peer_tags + r->n_local_tags; i++)
		add(tags, i < r->n_peer_tags ? r->peer_tags[i] : r->local_tags[i - r->n_peer_tags]);
	for (size_t i = 0; i < r->n_peer_asgs + r->n_local_asgs; i++)
		add(asgs, i < r->n_peer_asgs ? r->peer_asgs[i] : r->local_asgs[i - r->n_peer_asgs]);
}

static void add_group(const struct wh_topology *t, size_t nsg, struct texts *groups, struct texts *tags, struct texts *asgs)
{
	if (!wh_known(nsg))
		return;
	add(groups, t->nsgs[nsg].id);
	for (size_t i = 0; i < t->nsgs[nsg].n_rules; i++)
		add_rule(&t->nsgs[nsg].rules[i], tags, asgs);
}

static struct texts texts_in(struct wh_arena *mem)
{
	return (struct texts){json_array(), {.mem = mem, .any_case = true}};
}

static int put_host(struct keeping *k, const struct wh_host *h, struct wh_arena *mem)
{
	const struct wh_topology *t = k->t;
	struct texts keys = texts_in(mem), groups = texts_in(mem), tags = texts_in(mem), asgs = texts_in(mem);
	add(&keys, h->key);
	for (size_t i = h->first; i < h->first + h->n; i++) {
		const struct wh_endpoint *e = &t->endpoints[i];
		const struct wh_subnet *s = e->subnet == WH_NONE ? NULL : &t->subnets[e->subnet];
		add(&keys, wh_lower(t->nics[e->nic].id, mem));
		add(&keys, wh_known(e->public_ip) ? wh_lower(t->public_ips[e->public_ip].id, mem) : NULL);
		add(&keys, s && s->route_table != WH_NONE ? wh_lower(t->route_tables[s->route_table].id, mem) : NULL);
		for (size_t b = 0; b < e->n_balancers; b++)
			add(&keys, e->balancers[b]->key);
		add_group(t, t->nics[e->nic].nsg, &groups, &tags, &asgs);
		add_group(t, s ? s->nsg : WH_NONE, &groups, &tags, &asgs);
	}
	return put(k, wh_arena_printf(mem, "host %s", h->key), json_pack("{s:o, s:o, s:o, s:o}", "keys", keys.list, "groups", groups.list, "tags", tags.list, "asgs", asgs.list));
}

static int put_global(struct keeping *k)
{
	static const char *const types[] = {"microsoft.network/virtualnetworks", "microsoft.network/virtualnetworkgateways", "microsoft.network/localnetworkgateways", "microsoft.network/networkmanagers"};
	struct texts keys = texts_in(k->mem), tags = texts_in(k->mem), asgs = texts_in(k->mem);
	for (size_t i = 0; i < k->t->inventory->n; i++)
		for (size_t j = 0; j < sizeof types / sizeof *types; j++) {
			const struct wh_item *it = &k->t->inventory->items[i];
			size_t len = strlen(types[j]);
			if (!strncmp(it->type, types[j], len) && (!it->type[len] || it->type[len] == '/'))
				add(&keys, it->key);
		}
	for (size_t i = 0; i < k->t->n_admin; i++)
		add_rule(&k->t->admin[i].rule, &tags, &asgs);
	return put(k, global, json_pack("{s:o, s:o, s:o}", "keys", keys.list, "tags", tags.list, "asgs", asgs.list));
}

/* A machine among those of a name or an address. */
static void add_place(json_t *of, struct wh_arena *mem, const char *kind, const char *name, const char *key)
{
	const char *at = wh_lower(wh_arena_printf(mem, "%s %s", kind, name), mem);
	json_t *list = json_object_get(of, at);
	if (!list)
		json_object_set_new(of, at, list = json_array());
	if (!json_array_size(list) || strcmp(key, json_string_value(json_array_get(list, json_array_size(list) - 1))))
		json_array_append_new(list, json_string(key));
}

static int put_places(struct keeping *k)
{
	const struct wh_topology *t = k->t;
	json_t *of = json_object(), *list;
	const char *at;
	char buf[WH_ADDR_STRLEN];
	int rc = 0;
	for (size_t h = 0; h < t->n_hosts; h++) {
		const struct wh_host *host = &t->hosts[h];
		add_place(of, k->mem, "name", host->name, host->key);
		for (size_t i = host->first; i < host->first + host->n; i++)
			add_place(of, k->mem, "at", wh_addr_text(&t->endpoints[i].addr, buf), host->key);
	}
	json_object_foreach(of, at, list)
		rc = rc ? rc : put(k, at, json_pack("{s:O}", "hosts", list));
	json_decref(of);
	return rc;
}

int wh_near_store(struct wh_state *s, const struct wh_topology *t, const json_t *tags, struct wh_error *err)
{
	struct wh_arena *mem = wh_arena_new(), *one = wh_arena_new();
	struct keeping k = {s, t, mem, err};
	json_t *tag;
	size_t i;
	int rc = put_global(&k);
	for (size_t h = 0; h < t->n_hosts && !rc; h++) {
		rc = put_host(&k, &t->hosts[h], one);
		wh_arena_reset(one);
	}
	rc = rc ? rc : put_places(&k);
	for (i = 0; i < t->n_asgs && !rc; i++) {
		struct texts keys = texts_in(mem);
		add(&keys, wh_lower(t->asgs[i].id, mem)); /* one without members is known to have none */
		for (size_t m = 0; m < t->asgs[i].n; m++)
			add(&keys, wh_lower(t->nics[t->endpoints[t->asgs[i].endpoints[m]].nic].id, mem));
		rc = put(&k, wh_lower(wh_arena_printf(mem, "asg %s", t->asgs[i].id), mem), json_pack("{s:o}", "keys", keys.list));
	}
	json_array_foreach(json_object_get(tags, "values"), i, tag)
		rc = rc ? rc : put(&k, wh_lower(wh_arena_printf(mem, "tag %s", json_string_value(json_object_get(tag, "name"))), mem), json_incref(tag));
	wh_arena_free(one);
	wh_arena_free(mem);
	return rc;
}

/* ---- loading ---- */

struct nearby { struct wh_state *s; struct wh_inventory *inv; struct wh_name_set had; json_t *values; struct wh_error *err; };

/* *out NULL: there is none. */
static int get(struct nearby *n, const char *key, json_t **out)
{
	char *text = NULL;
	int rc = wh_state_get(n->s, "near", key, &text, n->err);
	*out = NULL;
	if (!rc && text)
		rc = wh_json_parse("the ledger's estate", text, strlen(text), out, n->err);
	free(text);
	return rc;
}

static int take_keys(struct nearby *n, const json_t *keys, bool groups)
{
	size_t i;
	json_t *v;
	int rc = 0;
	json_array_foreach((json_t *)(uintptr_t)keys, i, v) {
		const char *key = json_string_value(v);
		char *text = NULL;
		if (!key || wh_name_set_add(&n->had, wh_arena_strdup(n->inv->mem, key), n))
			continue;
		rc = rc ? rc : wh_state_get(n->s, groups ? "nsg" : "resource", key, &text, n->err);
		if (!rc && text) /* a machine that an interface alone names has no document */
			rc = wh_inventory_take_stored(n->inv, key, text, groups, n->err);
		free(text);
	}
	return rc;
}

static int take_tags(struct nearby *n, const json_t *tags)
{
	size_t i;
	json_t *v, *tag;
	int rc = 0;
	json_array_foreach((json_t *)(uintptr_t)tags, i, v) {
		const char *key = wh_lower(wh_arena_printf(n->inv->mem, "tag %s", json_string_value(v) ? json_string_value(v) : ""), n->inv->mem);
		if (wh_name_set_add(&n->had, key, n))
			continue;
		rc = rc ? rc : get(n, key, &tag);
		if (!rc && tag)
			json_array_append_new(n->values, tag);
	}
	return rc;
}

/* What a document of ours names. */
static int take(struct nearby *n, const char *key)
{
	json_t *doc, *members, *v;
	size_t i;
	int rc = get(n, key, &doc);
	rc = rc ? rc : take_keys(n, json_object_get(doc, "keys"), false);
	rc = rc ? rc : take_keys(n, json_object_get(doc, "groups"), true);
	rc = rc ? rc : take_tags(n, json_object_get(doc, "tags"));
	json_array_foreach(json_object_get(doc, "asgs"), i, v) {
		rc = rc ? rc : get(n, wh_lower(wh_arena_printf(n->inv->mem, "asg %s", json_string_value(v) ? json_string_value(v) : ""), n->inv->mem), &members);
		if (rc)
			break;
		rc = take_keys(n, json_object_get(members, "keys"), false);
		json_decref(members);
	}
	json_decref(doc);
	return rc;
}

/* 1: it is no machine and no address. */
static int take_end(struct nearby *n, const char *end)
{
	struct wh_arena *mem = n->inv->mem;
	struct wh_addr a;
	char buf[WH_ADDR_STRLEN];
	json_t *doc = NULL, *v;
	size_t i;
	bool address = !wh_addr_parse(end, strlen(end), &a);
	const char *host = wh_lower(wh_arena_printf(mem, "host %s", end), mem);
	int rc = get(n, wh_lower(wh_arena_printf(mem, "name %s", end), mem), &doc);
	if (!rc && !doc && address)
		rc = get(n, wh_arena_printf(mem, "at %s", wh_addr_text(&a, buf)), &doc);
	if (rc || (!doc && address) || (!doc && !strcmp(host, "host internet")))
		return rc;
	json_array_foreach(json_object_get(doc, "hosts"), i, v)
		rc = rc ? rc : take(n, wh_arena_printf(mem, "host %s", json_string_value(v)));
	if (!doc && !(rc = get(n, host, &doc)))
		rc = doc ? take(n, host) : 1;
	json_decref(doc);
	return rc;
}

int wh_inventory_load_near(struct wh_state *s, const char *const *ends, size_t n_ends, struct wh_arena *mem, struct wh_inventory *out, struct wh_error *err)
{
	struct nearby n = {.s = s, .inv = out, .had = {.mem = mem}, .err = err};
	json_t *first;
	*out = (struct wh_inventory){.mem = mem};
	int rc = get(&n, global, &first);
	if (rc || !first)
		return rc ? rc : 1;
	json_decref(first);
	n.values = json_array();
	for (size_t i = 0; i < n_ends && !rc; i++)
		rc = take_end(&n, ends[i]);
	rc = rc ? rc : take(&n, global);
	if (!rc && json_array_size(n.values)) {
		json_t *doc = json_pack("{s:i, s:O}", "changeNumber", 0, "values", n.values);
		char *text = json_dumps(doc, JSON_COMPACT);
		rc = text ? wh_service_tags_parse("the ledger's service tags", text, strlen(text), mem, &out->service, err) : wh_fail(err, -ENOMEM, "out of memory");
		free(text);
		json_decref(doc);
	}
	json_decref(n.values);
	wh_inventory_join(out);
	return rc;
}
