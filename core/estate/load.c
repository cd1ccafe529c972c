/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The estate out of the ledger, and the resources that nobody named but that answered in a discovered range. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "whittle/estate.h"

struct loading {
	struct wh_store *store;
	struct wh_arena *mem;
	struct wh_error *err;
	struct wh_estate *e;
	struct { const char *file; size_t first, n; } *files; /* the NSGs of each file */
	size_t n_files, room_files, room_nsgs, room_resources;
	struct wh_prefix *discover; size_t n_discover;
	size_t n_imported; /* resources that the estate names; those that are discovered come after, each address once */
	bool addresses_only; /* the groups were not loaded, and nobody asks for them */
};

#define GROW(array, n, room) do { \
	if ((n) == (room)) { \
		size_t room_ = (room) ? (room) * 2 : 8; \
		void *more_ = wh_arena_array(ld->mem, room_, sizeof *(array)); \
		if (n) memcpy(more_, (array), (n) * sizeof *(array)); \
		(array) = more_; (room) = room_; \
	} } while (0)

static int load_nsg(void *arg, const char *key, const char *json)
{
	struct loading *ld = arg;
	struct wh_nsg *nsgs;
	size_t n;
	int rc = wh_nsg_parse(key, json, strlen(json), ld->mem, &nsgs, &n, ld->err);
	if (rc)
		return rc;
	GROW(ld->files, ld->n_files, ld->room_files);
	ld->files[ld->n_files].file = wh_arena_strdup(ld->mem, key);
	ld->files[ld->n_files].first = ld->e->n_nsgs;
	ld->files[ld->n_files++].n = n;
	for (size_t i = 0; i < n; i++) {
		GROW(ld->e->nsgs, ld->e->n_nsgs, ld->room_nsgs);
		ld->e->nsgs[ld->e->n_nsgs++] = nsgs[i];
	}
	return 0;
}

static const char *copy(struct loading *ld, const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));
	return s ? wh_arena_strdup(ld->mem, s) : NULL;
}

static void add_group(struct wh_resource *r, const struct wh_nsg *nsg)
{
	for (size_t i = 0; i < r->n_nsgs; i++)
		if (r->nsgs[i] == nsg)
			return;
	r->nsgs[r->n_nsgs++] = nsg;
}

/* "web.json": every group of that file; "all.json#web": the one of that name. */
static bool add_groups(struct loading *ld, struct wh_resource *r, const char *ref)
{
	const char *hash = strrchr(ref, '#');
	size_t len = hash ? (size_t)(hash - ref) : strlen(ref);
	bool found = false;
	for (size_t f = 0; f < ld->n_files; f++) {
		if (strlen(ld->files[f].file) != len || strncmp(ld->files[f].file, ref, len))
			continue;
		for (size_t j = 0; j < ld->files[f].n; j++) {
			const struct wh_nsg *nsg = &ld->e->nsgs[ld->files[f].first + j];
			if (hash && strcasecmp(nsg->name, hash + 1))
				continue;
			add_group(r, nsg);
			found = true;
		}
	}
	return found;
}

static int load_resource(struct loading *ld, const json_t *o)
{
	json_t *v, *addrs = json_object_get(o, "addresses"), *nsgs = json_object_get(o, "nsgs");
	size_t i;
	GROW(ld->e->resources, ld->e->n_resources, ld->room_resources);
	struct wh_resource *r = &ld->e->resources[ld->e->n_resources++];
	memset(r, 0, sizeof *r);
	r->name = copy(ld, o, "name");
	r->id = copy(ld, o, "id");
	const char *scope = json_string_value(json_object_get(o, "nsgScope"));
	if (scope && wh_nsg_scope_parse(scope, &r->nsg_scope))
		return wh_fail(ld->err, -EBADMSG, "the ledger's estate is damaged: import it again");
	const char *platform = json_string_value(json_object_get(o, "platform"));
	if (platform && wh_platform_parse(platform, &r->platform))
		return wh_fail(ld->err, -EBADMSG, "the ledger's estate is damaged: import it again");
	r->internet_facing = json_is_true(json_object_get(o, "internetFacing"));
	r->addrs = wh_arena_array(ld->mem, json_array_size(addrs), sizeof *r->addrs);
	json_array_foreach(addrs, i, v) {
		const char *s = json_string_value(v);
		if (!r->name || !s || wh_addr_parse(s, strlen(s), &r->addrs[r->n_addrs++]))
			return wh_fail(ld->err, -EBADMSG, "the ledger's estate is damaged: import it again");
	}
	r->nsgs = wh_arena_array(ld->mem, json_array_size(nsgs) ? ld->e->n_nsgs : 0, sizeof *r->nsgs);
	json_array_foreach(nsgs, i, v)
		if (!json_is_string(v) || (!add_groups(ld, r, json_string_value(v)) && !ld->addresses_only)) /* without its group the host would seem open */
			return wh_fail(ld->err, -EBADMSG, "the ledger's estate is damaged: import it again");
	return 0;
}

static int load_service_tags(struct loading *ld, const json_t *list)
{
	if (!list)
		return 0;
	char *text = json_dumps(list, JSON_COMPACT);
	int rc = text ? wh_service_tags_parse("the ledger's service tags", text, strlen(text), ld->mem, &ld->e->service, ld->err) : -ENOMEM;
	free(text);
	return rc == -ENOMEM ? wh_fail(ld->err, rc, "out of memory") : rc;
}

static int load_estate(struct loading *ld)
{
	char *text = NULL;
	json_t *v;
	size_t i;
	int rc = wh_store_get(ld->store, "estate", "estate", &text, ld->err);
	if (rc || !text)
		return rc;
	json_t *doc = json_loads(text, 0, NULL), *vnets = json_object_get(doc, "vnets");
	free(text);
	ld->e->imported = true;
	if (!doc)
		rc = wh_fail(ld->err, -EBADMSG, "the ledger's estate is damaged: import it again");
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
		rc = wh_fail(ld->err, -EBADMSG, "the ledger's estate is damaged: import it again");
	if (!rc && !ld->addresses_only)
		rc = load_service_tags(ld, json_object_get(doc, "serviceTags"));
	json_decref(doc);
	return rc;
}

/* ---- discovery ---- */

static const char *const private_ranges[] = {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"};

static int parse_discover(const char *spec, struct wh_prefix **out, size_t *n, struct wh_arena *mem, struct wh_error *err)
{
	size_t max = 1;
	for (const char *p = spec; *p; p++)
		max += *p == ',';
	*out = wh_arena_array(mem, max, sizeof **out);
	*n = 0;
	if (!strcmp(spec, "off"))
		return 0;
	for (const char *p = spec;; p++) {
		size_t len = strcspn(p, ",");
		if (wh_prefix_parse(p, len, &(*out)[*n], NULL))
			return wh_fail_input(err, -EINVAL, "--discover: '%.*s' is not a prefix (write CIDR,… or off)", (int)len, p);
		(*n)++;
		p += len;
		if (!*p)
			return 0;
	}
}

static void default_ranges(struct wh_prefix **out, size_t *n, struct wh_arena *mem)
{
	*n = sizeof private_ranges / sizeof *private_ranges;
	*out = wh_arena_array(mem, *n, sizeof **out);
	for (size_t i = 0; i < *n; i++)
		wh_prefix_parse(private_ranges[i], strlen(private_ranges[i]), &(*out)[i], NULL);
}

/* The setting that ingest used last, so that recommend sees the same resources. */
static int discovery(struct wh_store *s, bool imported, struct wh_arena *mem, struct wh_prefix **out, size_t *n, struct wh_error *err)
{
	char *text = NULL;
	int rc = wh_store_get(s, "estate", "discover", &text, err);
	*n = 0;
	if (rc)
		return rc;
	json_t *v = text ? json_loads(text, JSON_DECODE_ANY, NULL) : NULL;
	if (json_is_string(v))
		rc = parse_discover(json_string_value(v), out, n, mem, err);
	else if (!imported)
		default_ranges(out, n, mem);
	json_decref(v);
	free(text);
	return rc;
}

static int discovered(void *arg, const struct wh_addr *local)
{
	struct loading *ld = arg;
	char buf[WH_ADDR_STRLEN];
	bool in = false;
	for (size_t i = 0; i < ld->n_discover; i++)
		in |= wh_prefix_has(&ld->discover[i], local);
	const struct wh_estate imported = {.resources = ld->e->resources, .n_resources = ld->n_imported};
	if (!in || wh_estate_by_addr(&imported, local))
		return 0;
	GROW(ld->e->resources, ld->e->n_resources, ld->room_resources);
	struct wh_resource *r = &ld->e->resources[ld->e->n_resources++];
	memset(r, 0, sizeof *r);
	r->name = wh_arena_strdup(ld->mem, wh_addr_text(local, buf));
	r->addrs = wh_arena_alloc(ld->mem, sizeof *r->addrs);
	*r->addrs = *local;
	r->n_addrs = 1;
	r->discovered = true;
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct wh_resource *)a)->name, ((const struct wh_resource *)b)->name);
}

int wh_estate_load(struct wh_store *s, struct wh_arena *mem, struct wh_estate **out, struct wh_error *err)
{
	struct loading ld = {.store = s, .mem = mem, .err = err, .e = wh_arena_alloc(mem, sizeof *ld.e)};
	int rc = wh_store_each(s, "nsg", load_nsg, &ld, err);
	if (!rc)
		rc = load_estate(&ld);
	if (!rc)
		rc = discovery(s, ld.e->imported, mem, &ld.discover, &ld.n_discover, err);
	ld.n_imported = ld.e->n_resources;
	ld.e->found = wh_platform_found(WH_ASSET_TAG_FILE);
	if (!rc && ld.n_discover)
		rc = wh_store_locals(s, discovered, &ld, err);
	if (!rc && !ld.e->n_vnets)
		default_ranges(&ld.e->vnets, &ld.e->n_vnets, mem);
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
	for (size_t i = 0; i < e->n_resources; i++)
		if (!strcmp(e->resources[i].name, name_or_id) || (e->resources[i].id && !strcasecmp(e->resources[i].id, name_or_id)))
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

int wh_estate_locals(struct wh_store *s, const char *discover, struct wh_locals **out, struct wh_error *err)
{
	struct wh_arena *mem = wh_arena_new();
	struct loading ld = {.store = s, .mem = mem, .err = err, .e = wh_arena_alloc(mem, sizeof *ld.e), .addresses_only = true};
	struct wh_prefix *p = NULL;
	size_t n = 0;
	int rc = s ? load_estate(&ld) : 0;
	*out = NULL;
	if (!s && discover) {
		rc = parse_discover(discover, &p, &n, mem, err);
	} else if (!s) {
		default_ranges(&p, &n, mem);
	} else if (!rc && discover) {
		rc = parse_discover(discover, &p, &n, mem, err);
		json_t *v = json_string(discover);
		char *text = rc ? NULL : json_dumps(v, JSON_ENCODE_ANY), *had = NULL;
		if (!rc)
			rc = wh_store_get(s, "estate", "discover", &had, err);
		if (!rc && text && (!had || strcmp(had, text))) /* remembered, so that `recommend` sees the same resources */
			rc = wh_store_put(s, "estate", "discover", text, err);
		free(had);
		free(text);
		json_decref(v);
	} else if (!rc) {
		rc = discovery(s, ld.e->imported, mem, &p, &n, err);
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
