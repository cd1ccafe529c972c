/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * inventory: the resources of an estate, from documents.
 *
 * A document is the output of `az … list`, REST's {"value":[…]}, an answer of Resource Graph (an array, {"data":[…]}, its table
 * of columns and rows, a page of several), an exported ARM template, Terraform's state, the output of `aws ec2 describe-…`, or
 * several of these in a directory. Every
 * resource is kept with its JSON, also of types that no code here reads. Ids, types and the names of members are compared without
 * case.
 */
#pragma once
#include <jansson.h>
#include "whittle/base.h"
#include "whittle/nsg.h"

struct wh_item {
	const char *id;    /* as written; built from type and name if the document has none (a template) */
	const char *key;   /* the same in lower case */
	const char *type;  /* in lower case: "microsoft.network/networkinterfaces" */
	const char *name;
	json_t *body;      /* a reference of the inventory's */
	const char *file, *path; /* its place: "nics.json", "value/3" */
	size_t document;
	bool derived;      /* made of other items when the inventory was joined: not stored */
};
struct wh_document { const char *file; char *text; size_t len; bool borrowed; /* the text is another inventory's */ };
/* One group of an answer of `az network nic list-effective-nsg`, and its place: answers have one file each. */
struct wh_effective_item { const char *file, *path; json_t *body; /* a reference of the inventory's */ };
struct wh_inventory {
	struct wh_item *items; size_t n; /* by key; each id once */
	struct wh_document *documents; size_t n_documents; /* their texts, for the lines of errors */
	const char **notes; size_t n_notes; /* missing or skipped parts: sentences with the file */
	struct wh_service_tags service; /* of a ServiceTags file among the documents */
	struct wh_effective_item *effective; size_t n_effective;
	struct wh_arena *mem;
	size_t room_effective, room_items, room_documents, room_notes;
};

/*
 * Reads files and directories (their .json and .tfstate files, with those of their subdirectories). An id in several documents is
 * one item: the first document that has a member provides it. *out is the caller's also after an error, for wh_inventory_free().
 * Time is n log n in the resources.
 */
int wh_inventory_read(const char *const *paths, size_t n, struct wh_arena *mem, struct wh_inventory *out, struct wh_error *err);
/* The same for a text in memory; `text` is taken over. Call wh_inventory_join() after the last one. */
int wh_inventory_add(struct wh_inventory *inv, const char *file, char *text, size_t len, struct wh_error *err);
/* Frees the text of the document that was added last: later errors about it give no line but the first. */
void wh_inventory_forget_text(struct wh_inventory *inv);
void wh_inventory_join(struct wh_inventory *inv);
/* `base` with the resources of `over` in place of those with the same ids, or in addition. Both must outlive it; it is freed by
 * itself. */
void wh_inventory_overlay(const struct wh_inventory *base, const struct wh_inventory *over, struct wh_arena *mem,
                          struct wh_inventory *out);
void wh_inventory_free(struct wh_inventory *inv); /* drops references and texts; the rest is the arena's */

const struct wh_item *wh_inventory_find(const struct wh_inventory *inv, const char *id); /* NULL: no such item */
/* The items of one type (in lower case), as [*from, the returned end) of a list in `mem`. */
size_t wh_inventory_of_type(const struct wh_inventory *inv, const char *type, const struct wh_item ***out);
void wh_inventory_note(struct wh_inventory *inv, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* "FILE:LINE: why", of a value below the item; -EINVAL. `member` may be NULL. */
int wh_item_refuse(const struct wh_inventory *inv, const struct wh_item *it, const char *member, struct wh_error *err,
                   const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* A member, whatever the case of its name, in `properties` or next to it; NULL if it is absent, null, "", [] or {}.
 * Borrowed. */
json_t *wh_field(const json_t *object, const char *name);
const char *wh_field_text(const json_t *object, const char *name); /* NULL where there is no text */
/* The id in {"name":{"id":…}}, or in a text of that name. NULL: none. */
const char *wh_field_ref(const json_t *object, const char *name);
bool wh_field_bool(const json_t *object, const char *name, bool otherwise); /* true, "true", "Enabled" */
/* "microsoft.network/virtualnetworks/subnets" from an id; NULL where it names no provider. In mem. */
const char *wh_type_of_id(const char *id, struct wh_arena *mem);
char *wh_lower(const char *s, struct wh_arena *mem);
