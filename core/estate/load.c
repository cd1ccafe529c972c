/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The estate out of the ledger, and the resources that no document names but that answered in a discovered range. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "base/json.h"
#include "estate/discover.h"
#include "estate/name_set.h"
#include "whittle/estate.h"

struct group_file {
	size_t first, n;
	bool same_names;            /* two of its groups have one name */
	struct wh_name_set by_name; /* the place of each group among all, a size_t */
};

/* How much of the groups is loaded; the first two are for callers that evaluate no rule. */
enum groups { NO_GROUPS, GROUPS_WITHOUT_RULES, WHOLE_GROUPS };

struct loading {
	struct wh_state *state;
	struct wh_arena *mem;
	struct wh_error *err;
	struct wh_estate *e;
	struct wh_name_set files; /* a struct group_file for each */
	struct wh_name_set locals; /* the addresses of the estate's resources: one of these is not discovered again */
	size_t room_nsgs, room_resources;
	struct wh_prefix *discover; size_t n_discover;
	enum groups groups;
};

static int damaged(const struct loading *ld)
{
	return wh_fail(ld->err, -EBADMSG, "the ledger's estate is damaged: import it again");
}

/* The group without its rules, which are most of it; 1: it has rules that are kept until a day, or another shape. */
static int parse_short(const struct loading *ld, const char *key, const char *json, struct wh_nsg **nsgs, size_t *n)
{
	static const char *const rules[] = {"securityRules", "defaultSecurityRules", NULL};
	struct wh_error ignored;
	bool may_keep = strstr(json, WH_NSG_KEEPS) || strstr(json, "\\u"); /* it may hide in an escape */
	char *rest = may_keep ? NULL : wh_json_cut(json, strlen(json), rules);
	int rc = rest ? wh_nsg_parse(key, rest, strlen(rest), ld->mem, nsgs, n, &ignored) : 1;
	free(rest);
	return rc ? 1 : 0;
}

static int load_nsg(void *arg, const char *key, const char *json)
{
	struct loading *ld = arg;
	struct wh_nsg *nsgs;
	size_t n;
	int rc = ld->groups == WHOLE_GROUPS ? 1 : parse_short(ld, key, json, &nsgs, &n);
	if (rc)
		rc = wh_nsg_parse(key, json, strlen(json), ld->mem, &nsgs, &n, ld->err);
	if (rc)
		return rc;
	struct group_file *f = wh_arena_alloc(ld->mem, sizeof *f);
	*f = (struct group_file){.first = ld->e->n_nsgs, .n = n, .by_name = {.mem = ld->mem, .any_case = true}};
	for (size_t i = 0; i < n; i++) {
		ld->e->nsgs = wh_arena_grown(ld->mem, ld->e->nsgs, ld->e->n_nsgs, &ld->room_nsgs, sizeof *ld->e->nsgs);
		ld->e->nsgs[ld->e->n_nsgs++] = nsgs[i];
		size_t *place = wh_arena_alloc(ld->mem, sizeof *place);
		*place = f->first + i;
		f->same_names |= wh_name_set_add(&f->by_name, nsgs[i].name, place) != NULL;
	}
	wh_name_set_add(&ld->files, wh_arena_strdup(ld->mem, key), f);
	return 0;
}

static const char *copy(struct loading *ld, const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));
	return s ? wh_arena_strdup(ld->mem, s) : NULL;
}

/* The groups of a reference: "web.json", every group of that file; "all.json#web", those of that name, mostly
 * one. */
struct reference { const struct group_file *file; const char *name; size_t first, n; };

static struct reference resolve(const struct loading *ld, const char *ref)
{
	const char *hash = strrchr(ref, '#');
	struct reference r = {.name = hash ? hash + 1 : NULL};
	r.file = wh_name_set_find(&ld->files, hash ? wh_arena_printf(ld->mem, "%.*s", (int)(hash - ref), ref) : ref);
	if (!r.file)
		return r;
	r.first = r.file->first;
	r.n = r.file->n;
	if (hash && !r.file->same_names) {
		const size_t *at = wh_name_set_find(&r.file->by_name, r.name);
		r.first = at ? *at : 0;
		r.n = at != NULL;
	}
	return r;
}

static bool add_groups(const struct loading *ld, struct wh_resource *res, const struct reference *r)
{
	size_t before = res->n_nsgs;
	bool found = false;
	for (size_t i = r->first; i < r->first + r->n; i++) {
		const struct wh_nsg *nsg = &ld->e->nsgs[i];
		bool there = false;
		if (r->name && strcasecmp(nsg->name, r->name))
			continue;
		for (size_t k = 0; k < before && !there; k++) /* a file's own groups are all different */
			there = res->nsgs[k] == nsg;
		if (!there)
			res->nsgs[res->n_nsgs++] = nsg;
		found = true;
	}
	return found;
}

static int load_groups(struct loading *ld, struct wh_resource *r, const json_t *refs)
{
	struct reference *list = wh_arena_array(ld->mem, json_array_size(refs), sizeof *list);
	size_t i, most = 0;
	json_t *v;
	json_array_foreach((json_t *)(uintptr_t)refs, i, v) {
		list[i] = resolve(ld, json_is_string(v) ? json_string_value(v) : "");
		most += list[i].n;
	}
	r->nsgs = wh_arena_array(ld->mem, most, sizeof *r->nsgs);
	json_array_foreach((json_t *)(uintptr_t)refs, i, v)
		if (!json_is_string(v) ||
		    (!add_groups(ld, r, &list[i]) && ld->groups != NO_GROUPS)) /* without its group the host would seem open */
			return damaged(ld);
	return 0;
}

static int load_resource(struct loading *ld, const json_t *o)
{
	json_t *v, *addrs = json_object_get(o, "addresses"), *nsgs = json_object_get(o, "nsgs");
	size_t i;
	ld->e->resources = wh_arena_grown(ld->mem, ld->e->resources, ld->e->n_resources, &ld->room_resources,
	                                  sizeof *ld->e->resources);
	struct wh_resource *r = &ld->e->resources[ld->e->n_resources++];
	memset(r, 0, sizeof *r);
	r->name = copy(ld, o, "name");
	r->id = copy(ld, o, "id");
	const char *scope = json_string_value(json_object_get(o, "nsgScope"));
	if (scope && wh_nsg_scope_parse(scope, &r->nsg_scope))
		return damaged(ld);
	const char *platform = json_string_value(json_object_get(o, "platform"));
	if (platform && wh_platform_parse(platform, &r->platform))
		return damaged(ld);
	if ((r->name && wh_text_unprintable(r->name)) ||
	    (r->id && wh_text_unprintable(r->id))) /* the import refuses such names */
		return damaged(ld);
	r->internet_facing = json_is_true(json_object_get(o, "internetFacing"));
	r->addrs = wh_arena_array(ld->mem, json_array_size(addrs), sizeof *r->addrs);
	json_array_foreach(addrs, i, v) {
		const char *s = json_string_value(v);
		if (!r->name || !s || wh_addr_parse(s, strlen(s), &r->addrs[r->n_addrs++]))
			return damaged(ld);
	}
	return load_groups(ld, r, nsgs);
}

static int load_service_tags(struct loading *ld, const json_t *list)
{
	if (!list)
		return 0;
	char *text = json_dumps(list, JSON_COMPACT);
	int rc = text ? wh_service_tags_parse("the ledger's service tags", text, strlen(text), ld->mem, &ld->e->service, ld->err)
	              : -ENOMEM;
	free(text);
	return rc == -ENOMEM ? wh_fail(ld->err, rc, "out of memory") : rc;
}

static int load_estate(struct loading *ld)
{
	char *text = NULL;
	json_t *v;
	size_t i;
	int rc = wh_state_get(ld->state, "estate", "estate", &text, ld->err);
	if (rc || !text)
		return rc;
	json_t *doc = wh_json_own(text), *vnets = json_object_get(doc, "vnets");
	free(text);
	ld->e->imported = true;
	if (!doc)
		rc = damaged(ld);
	json_array_foreach(json_object_get(doc, "resources"), i, v)
		rc = rc ? rc : load_resource(ld, v);
	ld->e->vnets = wh_arena_array(ld->mem, json_array_size(vnets), sizeof *ld->e->vnets);
	json_array_foreach(vnets, i, v) {
		const char *s = json_string_value(v);
		if (s && !wh_prefix_parse(s, strlen(s), &ld->e->vnets[ld->e->n_vnets], NULL))
			ld->e->n_vnets++;
	}
	const char *platform = json_string_value(json_object_get(doc, "platform"));
	if (!rc && platform && wh_platform_parse(platform, &ld->e->platform))
		rc = damaged(ld);
	if (!rc && ld->groups == WHOLE_GROUPS)
		rc = load_service_tags(ld, json_object_get(doc, "serviceTags"));
	json_decref(doc);
	return rc;
}

/* ---- discovery ---- */

static int discovered(void *arg, const struct wh_addr *local)
{
	struct loading *ld = arg;
	char buf[WH_ADDR_STRLEN];
	bool in = false;
	for (size_t i = 0; i < ld->n_discover; i++)
		in |= wh_prefix_has(&ld->discover[i], local);
	if (!in || wh_name_set_find(&ld->locals, wh_addr_text(local, buf)))
		return 0;
	ld->e->resources = wh_arena_grown(ld->mem, ld->e->resources, ld->e->n_resources, &ld->room_resources,
	                                  sizeof *ld->e->resources);
	struct wh_resource *r = &ld->e->resources[ld->e->n_resources++];
	memset(r, 0, sizeof *r);
	r->name = wh_arena_strdup(ld->mem, wh_addr_text(local, buf));
	r->addrs = wh_arena_alloc(ld->mem, sizeof *r->addrs);
	*r->addrs = *local;
	r->n_addrs = 1;
	r->discovered = true;
	return 0;
}

static void know_locals(struct loading *ld)
{
	char buf[WH_ADDR_STRLEN];
	for (size_t i = 0; i < ld->e->n_resources; i++)
		for (size_t j = 0; j < ld->e->resources[i].n_addrs; j++)
			wh_name_set_add(&ld->locals, wh_arena_strdup(ld->mem, wh_addr_text(&ld->e->resources[i].addrs[j], buf)),
			                ld->e);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct wh_resource *)a)->name, ((const struct wh_resource *)b)->name);
}

static int load(const struct wh_ledger *l, enum groups groups, struct wh_arena *mem, struct wh_estate **out, struct wh_error *err)
{
	struct loading ld = {.state = l->state,
	                     .mem = mem,
	                     .err = err,
	                     .e = wh_arena_alloc(mem, sizeof *ld.e),
	                     .files = {.mem = mem},
	                     .locals = {.mem = mem},
	                     .groups = groups};
	int rc = groups != NO_GROUPS ? wh_state_each(l->state, "nsg", load_nsg, &ld, err) : 0;
	if (!rc)
		rc = load_estate(&ld);
	if (!rc)
		rc = wh_discover_stored(l->state, ld.e->imported, mem, &ld.discover, &ld.n_discover, err);
	ld.e->found = wh_platform_found(WH_ASSET_TAG_FILE);
	if (!rc && ld.n_discover) {
		know_locals(&ld);
		rc = wh_store_locals(l->store, discovered, &ld, err);
	}
	if (!rc && !ld.e->n_vnets)
		wh_discover_default(&ld.e->vnets, &ld.e->n_vnets, mem);
	if (rc) {
		wh_estate_free(ld.e);
		*out = NULL;
		return rc;
	}
	if (ld.e->n_resources)
		qsort(ld.e->resources, ld.e->n_resources, sizeof *ld.e->resources, by_name);
	*out = ld.e;
	return 0;
}

int wh_estate_load(const struct wh_ledger *l, struct wh_arena *mem, struct wh_estate **out, struct wh_error *err)
{
	return load(l, WHOLE_GROUPS, mem, out, err);
}

int wh_estate_load_resources(const struct wh_ledger *l, struct wh_arena *mem, struct wh_estate **out, struct wh_error *err)
{
	return load(l, NO_GROUPS, mem, out, err);
}

int wh_estate_load_without_rules(const struct wh_ledger *l, struct wh_arena *mem, struct wh_estate **out, struct wh_error *err)
{
	return load(l, GROUPS_WITHOUT_RULES, mem, out, err);
}

void wh_estate_free(struct wh_estate *e)
{
	if (e)
		wh_nsgs_free(e->nsgs, e->n_nsgs);
}

struct wh_tag_context wh_estate_tags(const struct wh_estate *e)
{
	return (struct wh_tag_context){e->vnets, e->n_vnets, &e->service};
}

bool wh_resource_on_azure(const struct wh_estate *e, const struct wh_resource *r)
{
	enum wh_platform said = r->platform ? r->platform : e ? e->platform : WH_PLATFORM_UNSET;
	if (said)
		return said == WH_PLATFORM_AZURE;
	return r->n_nsgs || (r->id && !strncasecmp(r->id, "/subscriptions/", 15)) || (e && e->found == WH_PLATFORM_AZURE);
}

bool wh_resource_guarded_by(const struct wh_resource *r, const struct wh_nsg *nsg)
{
	for (size_t i = 0; i < r->n_nsgs; i++)
		if (r->nsgs[i] == nsg || (r->nsgs[i]->id && nsg->id && !strcasecmp(r->nsgs[i]->id, nsg->id)))
			return true;
	return false;
}

const struct wh_resource *wh_estate_by_addr(const struct wh_estate *e, const struct wh_addr *a)
{
	for (size_t i = 0; i < e->n_resources; i++)
		for (size_t j = 0; j < e->resources[i].n_addrs; j++)
			if (wh_addr_eq(&e->resources[i].addrs[j], a))
				return &e->resources[i];
	return NULL;
}

const struct wh_resource *wh_estate_find(const struct wh_estate *e, const char *name_or_id)
{
	struct wh_addr a;
	/* an estate from the ledger is sorted; one that is not is walked through */
	const struct wh_resource key = {.name = name_or_id};
	const struct wh_resource *named = e->n_resources ? bsearch(&key, e->resources, e->n_resources, sizeof key, by_name)
	                                                 : NULL;
	if (named)
		return named;
	for (size_t i = 0; i < e->n_resources; i++)
		if (!strcmp(e->resources[i].name, name_or_id) ||
		    (e->resources[i].id && !strcasecmp(e->resources[i].id, name_or_id)))
			return &e->resources[i];
	return wh_addr_parse(name_or_id, strlen(name_or_id), &a) ? NULL : wh_estate_by_addr(e, &a);
}

static int add_locals(struct wh_locals *l, const struct wh_estate *e, const struct wh_prefix *p, size_t n)
{
	int rc = 0;
	for (size_t i = 0; i < e->n_resources && !rc; i++)
		for (size_t j = 0; j < e->resources[i].n_addrs && !e->resources[i].discovered && !rc; j++)
			rc = wh_locals_add_addr(l, &e->resources[i].addrs[j]);
	for (size_t i = 0; i < n && !rc; i++)
		rc = wh_locals_add_prefix(l, &p[i]);
	return rc;
}

int wh_estate_locals(struct wh_state *s, const char *discover, struct wh_locals **out, struct wh_error *err)
{
	struct wh_arena *mem = wh_arena_new();
	struct loading ld = {.state = s,
	                     .mem = mem,
	                     .err = err,
	                     .e = wh_arena_alloc(mem, sizeof *ld.e),
	                     .files = {.mem = mem},
	                     .groups = NO_GROUPS};
	struct wh_prefix *p = NULL;
	size_t n = 0;
	int rc = s ? load_estate(&ld) : 0;
	*out = NULL;
	if (!s && discover) {
		rc = wh_discover_parse(discover, &p, &n, mem, err);
	} else if (!s) {
		wh_discover_default(&p, &n, mem);
	} else if (!rc && discover) {
		rc = wh_discover_parse(discover, &p, &n, mem, err);
		json_t *v = json_string(discover);
		char *text = rc ? NULL : json_dumps(v, JSON_ENCODE_ANY), *had = NULL;
		if (!rc)
			rc = wh_state_get(s, "estate", "discover", &had, err);
		if (!rc && text && (!had || strcmp(had, text))) /* remembered, so that `recommend` sees the same resources */
			rc = wh_state_put(s, "estate", "discover", text, err);
		free(had);
		free(text);
		json_decref(v);
	} else if (!rc) {
		rc = wh_discover_stored(s, ld.e->imported, mem, &p, &n, err);
	}
	if (!rc) {
		*out = wh_locals_new();
		rc = *out ? add_locals(*out, ld.e, p, n) : -ENOMEM;
		if (rc) {
			wh_locals_free(*out);
			*out = NULL;
			rc = wh_fail(err, rc, "out of memory");
		}
	}
	wh_arena_free(mem);
	return rc;
}
