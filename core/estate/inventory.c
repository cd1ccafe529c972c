/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Walks documents down to their resources, in any envelope, and joins the documents about one resource.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include "base/directory.h"
#include "base/json.h"
#include "base/owner.h"
#include "estate/aws.h"
#include "estate/scale_sets.h"
#include "estate/inventory.h"

enum { MAX_FILE = 512 << 20, MAX_NESTED = 8, MAX_DIRECTORIES = 16 };

void wh_inventory_note(struct wh_inventory *inv, const char *fmt, ...)
{
	char text[600];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	wh_text_make_printable(text);
	inv->notes = wh_arena_grown(inv->mem, inv->notes, inv->n_notes, &inv->room_notes, sizeof *inv->notes);
	inv->notes[inv->n_notes++] = wh_arena_strdup(inv->mem, text);
}

int wh_item_refuse(const struct wh_inventory *inv, const struct wh_item *it, const char *name, struct wh_error *err,
                   const char *fmt, ...)
{
	const struct wh_document *d = &inv->documents[it->document];
	char path[600];
	va_list ap;
	snprintf(path, sizeof path, "%s%s%s", it->path, name && *it->path ? "/" : "", name ? name : "");
	va_start(ap, fmt);
	int rc = wh_json_vrefuse(err, d->file, d->text, d->len, path, fmt, ap);
	va_end(ap);
	return rc;
}

void wh_inventory_take(struct wh_inventory *inv, size_t document, const char *path, json_t *body, const char *type,
                       const char *id)
{
	const char *name = json_string_value(wh_json_member(body, "name"));
	id = id ? id : json_string_value(wh_json_member(body, "id"));
	type = type ? type : json_string_value(wh_json_member(body, "type"));
	if (type && !strchr(type, '/'))
		type = NULL;
	type = type ? wh_lower(type, inv->mem) : id ? wh_type_of_id(id, inv->mem) : NULL;
	if (!type) {
		json_decref(body);
		return;
	}
	if (!name || strchr(name, '/'))
		name = id && strchr(id, '/') ? wh_last_part(id) : name ? wh_last_part(name) : "";
	if (!id)
		id = wh_arena_printf(inv->mem, "/subscriptions/-/resourceGroups/%s/providers/%s/%s",
		                     wh_field_text(body, "resourceGroup") ? wh_field_text(body, "resourceGroup") : "-", type,
		                     name);
	inv->items = wh_arena_grown(inv->mem, inv->items, inv->n, &inv->room_items, sizeof *inv->items);
	inv->items[inv->n++] = (struct wh_item){.id = wh_arena_strdup(inv->mem, id),
	                                        .key = wh_lower(id, inv->mem),
	                                        .type = type,
	                                        .name = wh_arena_strdup(inv->mem, name),
	                                        .body = body,
	                                        .file = inv->documents[document].file,
	                                        .path = wh_arena_strdup(inv->mem, path),
	                                        .document = document};
}

/* ---- envelopes ---- */

/* The share of an answer that its pages hold. A missing page is no error, but a note. */
struct pages { double total, given; bool cut; const char *file; };

static void count_page(struct pages *p, const json_t *o, const char *file)
{
	static const char *const tokens[] = {"skip_token", "$skipToken", "skipToken", "nextLink", "@odata.nextLink", "NextToken"};
	const json_t *total = wh_json_member(o, "totalRecords"), *data = wh_json_member(o, "data");
	total = total ? total : wh_json_member(o, "total_records");
	for (size_t i = 0; i < sizeof tokens / sizeof *tokens; i++)
		if (wh_field_text(o, tokens[i])) {
			p->cut = true;
			p->file = file;
		}
	if (json_is_number(total) && json_number_value(total) > p->total)
		p->total = json_number_value(total);
	p->given += (double)json_array_size(data);
}

/* AWS's interfaces of one page: others may have the same groups, so that none of these is narrowed. Its route tables: others may
 * be those of some subnets. */
static void mark_page(const json_t *o)
{
	static const char *const lists[] = {"NetworkInterfaces", "RouteTables"};
	size_t i;
	json_t *v;
	for (int k = 0; k < 2 && wh_field_text(o, "NextToken"); k++)
		json_array_foreach(json_object_get(o, lists[k]), i, v)
			if (json_is_object(v))
				json_object_set_new(v, WH_AWS_PAGE, json_true());
}

struct walk { struct wh_inventory *inv; size_t document; struct pages *pages; struct wh_error *err; int rc; };

static size_t walk(struct walk *w, const json_t *v, const char *path, unsigned depth);

static size_t walk_rows(struct walk *w, const json_t *columns, const json_t *rows, const char *path)
{
	size_t i, before = w->inv->n;
	json_t *row;
	json_array_foreach((json_t *)(uintptr_t)rows, i, row)
		wh_inventory_take(w->inv, w->document, wh_arena_printf(w->inv->mem, "%s/rows/%zu", path, i),
		                  wh_json_row(columns, row), NULL, NULL);
	return w->inv->n - before;
}

static size_t walk_object(struct walk *w, const json_t *o, const char *path, unsigned depth)
{
	static const char *const lists[] = {"value", "data", "resources", "networkSecurityGroups", "NewNSG", "newVNet",
	                                    "publicIp", "NewNIC", "loadBalancer",
	                                    /* of AWS */
	                                    "Reservations", "Instances", "SecurityGroups", "SecurityGroupRules", "Subnets",
	                                    "Vpcs", "NetworkInterfaces", "NetworkAcls", "PrefixLists", "VpcPeeringConnections",
	                                    "LoadBalancers", "TargetGroups", "RouteTables", "InternetGateways",
	                                    "EgressOnlyInternetGateways", "NatGateways", "LoadBalancerDescriptions",
	                                    "Addresses", "VpcBlockPublicAccessOptions", "VpcBlockPublicAccessExclusions"};
	size_t before = w->inv->n, found = 0;
	const char *sep = *path ? "/" : "";
	if (wh_json_member(o, "effectiveSecurityRules")) {
		wh_inventory_take_effective(w->inv, w->inv->documents[w->document].file, path, o);
		return 1;
	}
	int aws = w->rc ? 0 : wh_aws_take(w->inv, w->document, path, o, w->err);
	w->rc = aws < 0 ? aws : w->rc;
	if (aws || w->rc)
		return 1;
	if (json_is_array(wh_json_member(o, "columns")) && json_is_array(wh_json_member(o, "rows")))
		return walk_rows(w, wh_json_member(o, "columns"), wh_json_member(o, "rows"), path);
	wh_inventory_take(w->inv, w->document, path, json_incref((json_t *)(uintptr_t)o), NULL, NULL);
	if (w->inv->n > before)
		return 1;
	count_page(w->pages, o, w->inv->documents[w->document].file);
	mark_page(o);
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
		const char *key;
		json_t *v;
		json_object_foreach((json_t *)(uintptr_t)o, key, v)
			if (!strcasecmp(key, lists[i]))
				found += walk(w, v, wh_arena_printf(w->inv->mem, "%s%s%s", path, sep, key), depth + 1);
	}
	const char *key;
	json_t *v;
	if (!found && !depth) /* the results of several commands, under names that a person chose */
		json_object_foreach((json_t *)(uintptr_t)o, key, v)
			if (json_is_array(v))
				found += walk(w, v, wh_arena_printf(w->inv->mem, "%s%s%s", path, sep, key), depth + 1);
	return found;
}

static size_t walk(struct walk *w, const json_t *v, const char *path, unsigned depth)
{
	size_t found = 0, i;
	json_t *e;
	if (depth > MAX_NESTED)
		return 0;
	if (json_is_object(v))
		return walk_object(w, v, path, depth);
	json_array_foreach((json_t *)(uintptr_t)v, i, e)
		found += walk(w, e, wh_arena_printf(w->inv->mem, "%s%s%zu", path, *path ? "/" : "", i), depth + 1);
	return found;
}

/* `lenient`: the file was found in a directory, and may be about something else. */
static int add(struct wh_inventory *inv, const char *file, char *text, size_t len, bool lenient, struct pages *pages,
               struct wh_error *err)
{
	json_t *doc;
	inv->documents = wh_arena_grown(inv->mem, inv->documents, inv->n_documents, &inv->room_documents, sizeof *inv->documents);
	size_t at = inv->n_documents++;
	inv->documents[at] = (struct wh_document){.file = wh_arena_strdup(inv->mem, file), .text = text, .len = len};
	int rc = wh_json_parse(file, text, len, &doc, err);
	if (rc)
		return rc;
	if (json_is_array(json_object_get(doc, "values")) &&
	    (json_object_get(doc, "changeNumber") || json_object_get(doc, "cloud"))) {
		json_decref(doc);
		return wh_service_tags_parse(file, text, len, inv->mem, &inv->service, err);
	}
	rc = wh_inventory_terraform(inv, at, doc, err);
	if (rc == 1)
		rc = wh_inventory_template(inv, at, doc, err);
	if (rc == 1) {
		struct walk w = {inv, at, pages, err, 0};
		bool empty = (json_is_array(doc) && !json_array_size(doc)) || wh_aws_answer(doc) ||
		             (json_is_object(doc) && json_is_array(wh_json_member(doc, "value")));
		bool found = walk(&w, doc, "", 0) > 0;
		rc = w.rc;
		if (!found && !empty && lenient)
			wh_inventory_note(inv, "%s: no resource in it (no object with an id and a type): left aside",
			                  file);
		else if (!found && !empty)
			rc = wh_fail_input(err, -EINVAL, "%s:1: there is no resource in it (no object with an id and a type)",
			                   file);
	}
	json_decref(doc);
	return rc;
}

int wh_inventory_add(struct wh_inventory *inv, const char *file, char *text, size_t len, struct wh_error *err)
{
	struct pages pages = {0};
	return add(inv, file, text, len, false, &pages, err);
}

void wh_inventory_forget_text(struct wh_inventory *inv)
{
	struct wh_document *d = inv->n_documents ? &inv->documents[inv->n_documents - 1] : NULL;
	if (!d || d->borrowed)
		return;
	free(d->text);
	d->text = NULL;
	d->len = 0;
}

/* ---- several documents ---- */

static int by_key(const void *a, const void *b)
{
	const struct wh_item *x = a, *y = b;
	int c = strcmp(x->key, y->key);
	return c                            ? c
	       : x->document != y->document ? (x->document > y->document) - (x->document < y->document)
	                                    : strcmp(x->path, y->path);
}

/* All members in one object, without the empty ones. */
static json_t *flat(const json_t *o)
{
	json_t *out = json_object(), *inner = json_object_get(o, "properties"), *v;
	const char *key;
	if (json_is_object(inner))
		json_object_foreach(inner, key, v)
			if (wh_field(o, key))
				json_object_set(out, key, v);
	json_object_foreach((json_t *)(uintptr_t)o, key, v)
		if (v != inner && wh_field(o, key) && !wh_json_member(out, key))
			json_object_set(out, key, v);
	return out;
}

/* Children that one of two documents leaves out, such as subnets of a VNet. */
static void join_lists(json_t *a, const json_t *b)
{
	size_t i, k;
	json_t *x, *y;
	json_array_foreach((json_t *)(uintptr_t)b, i, y) {
		const char *id = wh_field_text(y, "id");
		bool there = !id;
		json_array_foreach(a, k, x) {
			const char *other = wh_field_text(x, "id");
			there |= id && other && !strcasecmp(id, other);
		}
		if (!there)
			json_array_append(a, y);
	}
}

static void join(struct wh_inventory *inv, struct wh_item *into, struct wh_item *from)
{
	json_t *a = flat(into->body), *b = flat(from->body), *v;
	const char *key;
	json_object_foreach(b, key, v) {
		json_t *own = wh_json_member(a, key);
		if (!own) {
			json_object_set(a, key, v);
		} else if (!strcasecmp(key, "securityRules")) {
			if (json_array_size(own) != json_array_size(v))
				wh_inventory_note(inv, "%s: %s has %zu rules here and %zu in %s: those of the latter count",
				                  from->file, from->name, json_array_size(v), json_array_size(own), into->file);
		} else if (json_is_array(own) && json_is_array(v)) {
			own = json_copy(own);
			join_lists(own, v);
			json_object_set_new(a, key, own);
		}
	}
	json_decref(b);
	json_decref(into->body);
	json_decref(from->body);
	into->body = a;
}

static void drop_derived(struct wh_inventory *inv)
{
	size_t n = 0;
	for (size_t i = 0; i < inv->n; i++)
		if (inv->items[i].derived)
			json_decref(inv->items[i].body);
		else
			inv->items[n++] = inv->items[i];
	inv->n = n;
}

void wh_inventory_join(struct wh_inventory *inv)
{
	size_t n = 0;
	drop_derived(inv);
	if (inv->n)
		qsort(inv->items, inv->n, sizeof *inv->items, by_key);
	for (size_t i = 0; i < inv->n; i++)
		if (n && !strcmp(inv->items[n - 1].key, inv->items[i].key))
			join(inv, &inv->items[n - 1], &inv->items[i]);
		else
			inv->items[n++] = inv->items[i];
	inv->n = n;
	wh_aws_derive(inv);
	wh_scale_sets_derive(inv);
	if (inv->n > n)
		qsort(inv->items, inv->n, sizeof *inv->items, by_key);
}

static bool is_document(const char *name)
{
	size_t n = strlen(name);
	return (n > 5 && !strcasecmp(name + n - 5, ".json")) || (n > 8 && !strcasecmp(name + n - 8, ".tfstate"));
}

static int is_wanted(const struct dirent *d)
{
	return *d->d_name != '.' && (d->d_type == DT_DIR || d->d_type == DT_UNKNOWN || is_document(d->d_name));
}

static int read_path(struct wh_inventory *inv, const char *path, unsigned depth, struct pages *pages, struct wh_error *err)
{
	struct stat st = {.st_mode = S_IFREG}; /* what standard input is read as */
	struct dirent **names;
	char *text;
	size_t len;
	int rc = strcmp(path, "-") ? wh_stat_input(path, &st) : 0;
	if (rc)
		return wh_fail_input(err, rc, "%s: %s%s", path, strerror(-rc), wh_as_owner(rc));
	if (!S_ISDIR(st.st_mode)) {
		if (depth && !is_document(path))
			return 0;
		rc = wh_read_file(path, MAX_FILE, &text, &len, err);
		return rc ? rc : add(inv, path, text, len, depth > 0, pages, err);
	}
	if (depth == MAX_DIRECTORIES)
		return wh_fail_input(err, -ELOOP, "%s: the directories are nested too deep", path);
	int n = wh_scan_directory(path, is_wanted, &names);
	if (n < 0)
		return wh_fail_input(err, n, "%s: %s%s", path, strerror(-n), wh_as_owner(n));
	if (!n && !depth)
		rc = wh_fail_input(err, -ENOENT, "%s: there is no .json or .tfstate file in this directory", path);
	for (int i = 0; i < n; i++) {
		if (!rc)
			rc = read_path(inv,
			               wh_arena_printf(inv->mem, "%s%s%s", path, path[strlen(path) - 1] == '/' ? "" : "/",
			                               names[i]->d_name),
			               depth + 1, pages, err);
		free(names[i]);
	}
	free(names);
	return rc;
}

int wh_inventory_read(const char *const *paths, size_t n, struct wh_arena *mem, struct wh_inventory *out, struct wh_error *err)
{
	struct pages pages = {0};
	int rc = 0;
	*out = (struct wh_inventory){.mem = mem};
	for (size_t i = 0; i < n && !rc; i++)
		rc = read_path(out, paths[i], 0, &pages, err);
	if (!rc && pages.cut && pages.given < pages.total)
		wh_inventory_note(
			out,
			"%s: this is a page of an answer with %.0f rows, of which %.0f were given: the rest is taken not to exist (ask for the next page)",
			pages.file, pages.total, pages.given);
	else if (!rc && pages.cut && !pages.total)
		wh_inventory_note(out, "%s: this is a page of a longer answer: what the next pages hold is taken not to exist",
		                  pages.file);
	wh_inventory_join(out);
	return rc;
}

void wh_inventory_free(struct wh_inventory *inv)
{
	for (size_t i = 0; i < inv->n; i++)
		json_decref(inv->items[i].body);
	for (size_t i = 0; i < inv->n_effective; i++)
		json_decref(inv->effective[i].body);
	for (size_t i = 0; i < inv->n_documents; i++)
		if (!inv->documents[i].borrowed)
			free(inv->documents[i].text);
	inv->n = inv->n_documents = inv->n_effective = 0;
}
