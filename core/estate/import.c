/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * estate.yaml and the NSG files that it names, into the ledger in one transaction. The ledger keeps one document for the
 * resources (collection "estate", key "estate"), and one for each NSG file (collection "nsg", key its path as written) with its
 * text.
 */
#include <ctype.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "base/json.h"
#include "base/yaml.h"
#include "estate/clear.h"
#include "estate/name_set.h"
#include "whittle/estate.h"

enum { MAX_NSG_FILE = 64 << 20 };

struct import {
	const char *path;
	struct wh_arena *mem;
	struct wh_error *err;
	json_t *resources, *vnets;
	const char *platform;                                  /* of all, or NULL */
	json_t *named;                                         /* set of the tags that rules name, in lower case */
	json_t *tags;                                          /* those of them that the published list holds, or NULL */
	struct file {
		const char *name;
		char *text;
		size_t len;
		const char **groups;
		size_t n_groups;
		struct wh_name_set by_name;
	} * *files;
	size_t n_files, room_files;
	struct wh_name_set names, addresses, by_file; /* of resources; each address with its resource's name; each struct file */
	FILE *notes;
	struct wh_estate_summary *sum;
};

static int need_text(struct import *im, const struct wh_yaml *n, const char **out)
{
	*out = "";
	if (n->kind != WH_YAML_SCALAR || !*n->scalar)
		return wh_fail_input(im->err, -EINVAL, "%s:%d: '%s' must be a text", im->path, n->line,
		                     n->key ? n->key : "the entry");
	*out = n->scalar;
	return 0;
}

static int need_list(struct import *im, const struct wh_yaml *n)
{
	return n->kind == WH_YAML_LIST ? 0
	                               : wh_fail_input(im->err, -EINVAL, "%s:%d: '%s' must be a list", im->path, n->line, n->key);
}

/* `owner`: a name for the current resource, which may not have its own yet. */
static int add_address(struct import *im, const struct wh_yaml *n, const char *const *owner, json_t *list)
{
	const char *s;
	struct wh_addr a;
	char buf[WH_ADDR_STRLEN];
	int rc = need_text(im, n, &s);
	if (rc)
		return rc;
	if (wh_addr_parse(s, strlen(s), &a))
		return wh_fail_input(im->err, -EINVAL, "%s:%d: '%s' is not an address", im->path, n->line, s);
	const char *text = wh_arena_strdup(im->mem, wh_addr_text(&a, buf));
	const char *const *other = wh_name_set_add(&im->addresses, text, owner);
	if (other == owner)
		return wh_fail_input(im->err, -EEXIST, "%s:%d: %s is named twice", im->path, n->line, buf);
	if (other)
		return wh_fail_input(im->err, -EEXIST, "%s:%d: %s is already an address of %s", im->path, n->line, buf, *other);
	json_array_append_new(list, json_string(text));
	im->sum->addresses++;
	return 0;
}

static void name_tags(struct import *im, const char **tags, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char *low = wh_arena_strdup(im->mem, tags[i]);
		for (char *c = low; *c; c++)
			*c = (char)tolower((unsigned char)*c);
		if (!wh_tag_known(low, NULL))
			json_object_set_new(im->named, low, json_true());
	}
}

static void note(struct import *im, const struct wh_nsg *nsg)
{
	for (size_t i = 0; i < nsg->n_rules; i++) {
		name_tags(im, nsg->rules[i].peer_tags, nsg->rules[i].n_peer_tags);
		name_tags(im, nsg->rules[i].local_tags, nsg->rules[i].n_local_tags);
	}
	for (size_t i = 0; i < nsg->n_rules; i++) {
		im->sum->rules += !nsg->rules[i].is_default;
		if (!nsg->rules[i].note)
			continue;
		fprintf(im->notes, "%s: rule %s: %s\n", nsg->name, nsg->rules[i].name, nsg->rules[i].note);
		im->sum->notes++;
	}
}

static const char *beside(struct import *im, const char *s)
{
	const char *slash = strrchr(im->path, '/');
	return *s == '/' || !slash ? s : wh_arena_printf(im->mem, "%.*s/%s", (int)(slash - im->path), im->path, s);
}

/* Reads and checks an NSG file once, however many resources name it; *out is its entry. */
static int read_nsg_file(struct import *im, const struct wh_yaml *n, const char *s, struct file **out)
{
	struct wh_error inner;
	struct wh_nsg *nsgs;
	size_t count, len;
	char *text;
	if ((*out = (struct file *)(uintptr_t)wh_name_set_find(&im->by_file, s)))
		return 0;
	const char *file = beside(im, s);
	int rc = wh_read_file(file, MAX_NSG_FILE, &text, &len, &inner);
	if (rc)
		return wh_fail_input(im->err, rc, "%s:%d: %s", im->path, n->line, inner.text);
	rc = wh_nsg_parse(file, text, len, im->mem, &nsgs, &count, im->err);
	if (rc) {
		free(text);
		return rc;
	}
	struct file *f = wh_arena_alloc(im->mem, sizeof *f);
	*f = (struct file){wh_arena_strdup(im->mem, s), text, len, wh_arena_array(im->mem, count + 1, sizeof *f->groups), count,
	                   {.mem = im->mem, .any_case = true}};
	for (size_t i = 0; i < count; i++) {
		note(im, &nsgs[i]);
		f->groups[i] = nsgs[i].name;
		wh_name_set_add(&f->by_name, nsgs[i].name, f);
	}
	im->sum->nsgs += count;
	wh_nsgs_free(nsgs, count);
	im->files = wh_arena_grown(im->mem, im->files, im->n_files, &im->room_files, sizeof *im->files);
	im->files[im->n_files++] = f;
	wh_name_set_add(&im->by_file, f->name, f);
	*out = f;
	return 0;
}

/* "web.json", or "all.json#web" for one group of a file that holds several. */
static int add_nsg(struct import *im, const struct wh_yaml *n, struct wh_name_set *had, json_t *list)
{
	const char *s, *hash, *near;
	struct file *f = NULL;
	int rc = need_text(im, n, &s);
	if (rc)
		return rc;
	if (wh_name_set_add(had, s, n))
		return wh_fail_input(im->err, -EEXIST, "%s:%d: %s is named twice", im->path, n->line, s);
	hash = strrchr(s, '#');
	rc = read_nsg_file(im, n, hash ? wh_arena_printf(im->mem, "%.*s", (int)(hash - s), s) : s, &f);
	if (rc || !f)
		return rc;
	if (hash && !wh_name_set_find(&f->by_name, hash + 1)) {
		near = wh_nearest(hash + 1, f->groups);
		return wh_fail_input(im->err, -ENOENT, "%s:%d: %s holds no network security group '%s'%s%s%s", im->path, n->line,
		                     f->name, hash + 1, near ? " (did you mean '" : "", near ? near : "", near ? "'?)" : "");
	}
	if (!hash && f->n_groups > 1) {
		fprintf(im->notes, "%s:%d: %s holds %zu groups, and all of them count here; write %s#%s for one\n", im->path,
		        n->line, s, f->n_groups, s, f->groups[0]);
		im->sum->notes++;
	}
	json_array_append_new(list, json_string(s));
	return 0;
}

static int read_platform(struct import *im, const struct wh_yaml *n, const char **text, enum wh_platform *out)
{
	int rc = need_text(im, n, text);
	if (!rc && wh_platform_parse(*text, out))
		rc = wh_fail_input(im->err, -EINVAL, "%s:%d: 'platform' must be azure, other or auto, not '%.60s'", im->path,
		                   n->line, *text);
	return rc;
}

/* A name or id: the text displayed and searched must be the text written. */
static int need_printable(struct import *im, const struct wh_yaml *n, const char **out)
{
	int rc = need_text(im, n, out);
	if (!rc && wh_text_unprintable(*out))
		rc = wh_fail_input(im->err, -EINVAL, "%s:%d: the %s '%s' holds a character that is not printable", im->path,
		                   n->line, n->key, *out);
	return rc;
}

/* A resource, as its keys are read. */
struct parts {
	json_t *o, *addresses, *nsgs;
	struct wh_name_set groups;
	const char *name, **owner;
	bool facing;
};

static int read_scope(struct import *im, const struct wh_yaml *n, const char **out)
{
	enum wh_nsg_scope scope;
	int rc = need_text(im, n, out);
	if (!rc && wh_nsg_scope_parse(*out, &scope))
		rc = wh_fail_input(im->err, -EINVAL, "%s:%d: 'nsg-scope' must be nic, subnet or both, not '%.60s'", im->path,
		                   n->line, *out);
	return rc;
}

static int read_part(struct import *im, const struct wh_yaml *n, struct parts *p)
{
	enum wh_platform platform;
	const char *s;
	int rc;
	if (!strcmp(n->key, "name")) {
		if (!(rc = need_printable(im, n, &p->name)))
			json_object_set_new(p->o, "name", json_string(p->name));
	} else if (!strcmp(n->key, "id")) {
		if (!(rc = need_printable(im, n, &s)))
			json_object_set_new(p->o, "id", json_string(s));
	} else if (!strcmp(n->key, "nsg-scope")) {
		if (!(rc = read_scope(im, n, &s)))
			json_object_set_new(p->o, "nsgScope", json_string(s));
	} else if (!strcmp(n->key, "platform")) {
		if (!(rc = read_platform(im, n, &s, &platform)))
			json_object_set_new(p->o, "platform", json_string(s));
	} else if (!strcmp(n->key, "internet-facing")) {
		rc = wh_yaml_bool(im->path, n, &p->facing, im->err);
	} else if (!(rc = need_list(im, n))) {
		for (const struct wh_yaml *c = n->child; c && !rc; c = c->next)
			rc = !strcmp(n->key, "addresses") ? add_address(im, c, p->owner, p->addresses)
			                                  : add_nsg(im, c, &p->groups, p->nsgs);
	}
	return rc;
}

static int add_resource(struct import *im, const struct wh_yaml *r)
{
	static const char *const known[] = {"name", "id", "addresses", "internet-facing", "nsgs", "nsg-scope", "platform", NULL};
	struct parts p = {.o = json_object(),
	                  .addresses = json_array(),
	                  .nsgs = json_array(),
	                  .groups = {.mem = im->mem},
	                  .owner = wh_arena_alloc(im->mem, sizeof *p.owner)};
	int rc = r->kind == WH_YAML_MAP
	                 ? wh_yaml_check_keys(im->path, r, known, im->err)
	                 : wh_fail_input(im->err, -EINVAL, "%s:%d: a resource must be a map with a name", im->path, r->line);
	for (const struct wh_yaml *n = rc ? NULL : r->child; n && !rc; n = n->next)
		rc = read_part(im, n, &p);
	if (!rc && !p.name)
		rc = wh_fail_input(im->err, -EINVAL, "%s:%d: a resource needs a name", im->path, r->line);
	if (!rc && !json_array_size(p.addresses))
		rc = wh_fail_input(im->err, -EINVAL, "%s:%d: %s has no addresses", im->path, r->line, p.name);
	*p.owner = p.name;
	if (!rc && wh_name_set_add(&im->names, p.name, r))
		rc = wh_fail_input(im->err, -EEXIST, "%s:%d: there are two resources named '%s'", im->path, r->line, p.name);
	json_object_set_new(p.o, "internetFacing", json_boolean(p.facing));
	json_object_set_new(p.o, "addresses", p.addresses);
	json_object_set_new(p.o, "nsgs", p.nsgs);
	if (rc)
		json_decref(p.o);
	else
		json_array_append_new(im->resources, p.o);
	im->sum->resources += !rc;
	return rc;
}

static int add_vnet(struct import *im, const struct wh_yaml *n)
{
	const char *s;
	struct wh_prefix p;
	bool host;
	char buf[WH_PREFIX_STRLEN];
	int rc = need_text(im, n, &s);
	if (!rc && (wh_prefix_parse(s, strlen(s), &p, &host) || host))
		rc = wh_fail_input(im->err, -EINVAL, "%s:%d: '%s' is not a prefix", im->path, n->line, s);
	if (!rc)
		json_array_append_new(im->vnets, json_string(wh_prefix_text(&p, buf)));
	return rc;
}

/* Keeps those tags that rules of the groups name: the whole list has some 80,000 prefixes. */
static int read_service_tags(struct import *im, const struct wh_yaml *n)
{
	struct wh_service_tags all;
	struct wh_error inner;
	char buf[WH_PREFIX_STRLEN], *text;
	const char *s, *key;
	size_t len, missing = 0;
	json_t *ignored, *values = json_array();
	int rc = need_text(im, n, &s);
	if (!rc && (rc = wh_read_file(beside(im, s), MAX_NSG_FILE, &text, &len, &inner)))
		rc = wh_fail_input(im->err, rc, "%s:%d: %s", im->path, n->line, inner.text);
	else if (!rc) {
		rc = wh_service_tags_parse(beside(im, s), text, len, im->mem, &all, im->err);
		free(text);
	}
	json_object_foreach(rc ? NULL : im->named, key, ignored) {
		const struct wh_service_tag *tag = wh_service_tag_find(&all, key);
		json_t *list = json_array();
		for (size_t i = 0; tag && i < tag->n; i++)
			json_array_append_new(list, json_string(wh_prefix_text(&tag->prefixes[i], buf)));
		if (tag)
			json_array_append_new(values, json_pack("{s:s,s:O}", "name", tag->name, "addressPrefixes", list));
		else
			fprintf(im->notes,
			        "%s:%d: %s holds no service tag %s, which a rule names: rules that name it are left alone\n",
			        im->path, n->line, s, key);
		missing += !tag;
		json_decref(list);
	}
	im->sum->notes += missing;
	im->tags = rc ? NULL : json_pack("{s:s,s:O}", "changeNumber", all.change, "values", values);
	json_decref(values);
	return rc;
}

static int read_yaml(struct import *im)
{
	static const char *const known[] = {"resources", "vnets", "service-tags", "platform", NULL};
	enum wh_platform platform;
	struct wh_yaml *root, *n;
	int rc = wh_yaml_parse_file(im->path, im->mem, &root, im->err);
	if (rc)
		return rc;
	if (!root || root->kind != WH_YAML_MAP)
		return wh_fail_input(im->err, -EINVAL, "%s:%d: an estate is a map with the list 'resources'", im->path,
		                     root ? root->line : 1);
	rc = wh_yaml_check_keys(im->path, root, known, im->err);
	if (!rc && !(n = wh_yaml_get(root, "resources")))
		rc = wh_fail_input(im->err, -EINVAL, "%s:1: there is no list 'resources'", im->path);
	if (!rc && !(rc = need_list(im, n)))
		for (n = n->child; n && !rc; n = n->next)
			rc = add_resource(im, n);
	if (!rc && (n = wh_yaml_get(root, "vnets")) && !(rc = need_list(im, n)))
		for (n = n->child; n && !rc; n = n->next)
			rc = add_vnet(im, n);
	if (!rc && (n = wh_yaml_get(root, "platform")))
		rc = read_platform(im, n, &im->platform, &platform);
	if (!rc && (n = wh_yaml_get(root, "service-tags")))
		rc = read_service_tags(im, n);
	return rc;
}

static int store(struct import *im, struct wh_state *s)
{
	json_t *doc = json_pack("{s:O,s:O,s:s*,s:O*}", "resources", im->resources, "vnets", im->vnets, "platform", im->platform,
	                        "serviceTags", im->tags);
	char *text = doc ? json_dumps(doc, JSON_COMPACT) : NULL;
	int rc = text ? wh_state_begin(s, im->err) : wh_fail(im->err, -ENOMEM, "out of memory");
	if (!rc) {
		rc = wh_estate_clear(s, im->err);
		for (size_t i = 0; i < im->n_files && !rc; i++)
			rc = wh_state_put(s, "nsg", im->files[i]->name, im->files[i]->text, im->err);
		if (!rc)
			rc = wh_state_put(s, "estate", "estate", text, im->err);
		rc = wh_state_finish(s, rc, im->err);
	}
	free(text);
	json_decref(doc);
	return rc;
}

int wh_estate_import(struct wh_state *s, const char *path, struct wh_estate_summary *out, struct wh_error *err)
{
	struct import im = {.path = path,
	                    .mem = wh_arena_new(),
	                    .err = err,
	                    .resources = json_array(),
	                    .vnets = json_array(),
	                    .named = json_object(),
	                    .sum = out};
	size_t len;
	memset(out, 0, sizeof *out);
	im.names.mem = im.addresses.mem = im.by_file.mem = im.mem;
	im.notes = open_memstream(&out->note_texts, &len);
	int rc = im.notes ? read_yaml(&im) : wh_fail(err, -ENOMEM, "out of memory");
	if (im.notes)
		fclose(im.notes);
	if (!rc)
		rc = store(&im, s);
	for (size_t i = 0; i < im.n_files; i++)
		free(im.files[i]->text);
	json_decref(im.resources);
	json_decref(im.vnets);
	json_decref(im.named);
	json_decref(im.tags);
	wh_arena_free(im.mem);
	if (rc) {
		free(out->note_texts);
		out->note_texts = NULL;
	}
	return rc;
}
