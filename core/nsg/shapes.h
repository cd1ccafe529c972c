/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The documents in which people have network security groups, each group as `az network nsg show` or ARM has it. */
#pragma once
#include "base/json.h"
#include "whittle/nsg.h"

struct wh_nsg_shape {
	json_t *group;           /* a reference of its own; with az's or ARM's keys, whatever the document had */
	const char *path;        /* of the group in the document, as wh_json_line() takes it */
	const char **rule_paths; /* of each of its securityRules, if they are elsewhere; else NULL */
	bool terraform;          /* out of Terraform's state */
};

/*
 * Finds the groups of a document: one object, a list, {"value"|"data"|"resources"|"NewNSG": …}, Resource Graph's table of columns
 * and rows, PowerShell's ConvertTo-Json (names in capitals, lists in the place of texts), `terraform show -json` and
 * terraform.tfstate. A document that looks like a group but can't be read as one (a page of several, effective rules of an
 * interface, a rule outside its group, a plan) is refused with the command that prints a readable one. *out is in mem, its
 * references are the caller's also when it fails. file and text name the place in errors.
 */
int wh_nsg_shapes(const char *file, const char *text, size_t len, json_t *doc, struct wh_arena *mem, struct wh_nsg_shape **out,
                  size_t *n, struct wh_error *err);

/* ---- inside ---- */
struct wh_nsg_finding {
	const char *file, *text; size_t len;
	struct wh_arena *mem;
	struct wh_error *err;
	struct wh_nsg_shape *out; size_t n, room;
};
int wh_nsg_found(struct wh_nsg_finding *f, json_t *group /* taken over */, const char *path, const char **rule_paths);
/* "FILE:LINE: why", of the value at `path`; -EINVAL. */
#define wh_nsg_refuse(f, path, ...) wh_json_refuse((f)->err, (f)->file, (f)->text, (f)->len, path, __VA_ARGS__)
/* Each returns 1 where the document is none of its kind. */
int wh_nsg_from_terraform(struct wh_nsg_finding *f, const json_t *doc);
json_t *wh_nsg_from_powershell(const json_t *group); /* a new object, with az's keys */
