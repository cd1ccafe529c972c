/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The shared parts of the files that read and evaluate Azure Policy's language. */
#pragma once
#include "base/json.h"
#include "whittle/assess.h"

/* The current element of a count: [*] of this alias, or the name of a value's count, means this element and no other. */
struct wh_scope {
	const char *name;          /* the alias up to and with "[*]", or the count's name */
	json_t *element;           /* borrowed */
	const struct wh_scope *outer;
};

struct wh_eval {
	const struct wh_assets *all;
	const struct wh_asset *asset;  /* whose fields conditions read; NULL while a definition is only checked */
	/* whose fields expressions read: the assessed one also if `asset` is a related resource */
	const struct wh_asset *operand_asset;
	const struct wh_definition *def;
	const json_t *assigned;
	const struct wh_scope *scope;
	json_t *owned;                  /* an array that owns the intermediate values: they are borrowed from it */
	struct wh_arena *mem;
	const char *place;             /* "policyRule.if.allOf[1]", for errors */
	struct wh_error *err;
	unsigned depth;
};
enum { WH_POLICY_DEPTH = 64 };

json_t *wh_eval_own(struct wh_eval *e, json_t *fresh); /* owned by e->owned from now on; returns it, borrowed */

/* ---- policy_field.c ---- */
/* An object's member, ignoring case, searched in `properties` too; NULL if it is absent or null. */
json_t *wh_policy_member(const json_t *object, const char *key, size_t len);
/* The values of a field. Without a free "[*]" there is one, NULL if it is absent; with one
 * (*multi) as many as elements, absent ones as JSON null. *out: a new array of
 * e->owned. */
void wh_policy_field(struct wh_eval *e, const char *field, json_t **out, bool *multi);

/* ---- policy_functions.c ---- */
enum { WH_POLICY_ARGUMENTS = 16 };
struct wh_call { struct wh_eval *e; json_t *arg[WH_POLICY_ARGUMENTS]; size_t n; };
struct wh_policy_function {
	const char *name;
	unsigned least, most;  /* arguments */
	bool text_first;       /* the first argument is a required text */
	int (*run)(struct wh_call *c, json_t **out);
	bool names_parameter;  /* the first argument is the name of a declared parameter */
};
const struct wh_policy_function *wh_policy_function(const char *name, size_t len); /* ignoring its case; NULL: not known */

/* ---- policy_expression.c ---- */
bool wh_policy_is_expression(const char *text);
/* The value of "[…]"; for any other text the text itself. Borrowed; NULL for an absent value. Negative: *err has the reason and
 * the place. */
int wh_policy_value(struct wh_eval *e, const json_t *operand, json_t **out);

/* ---- policy_condition.c ---- */
enum wh_three { WH_NO, WH_YES, WH_PERHAPS };
/* Whether a condition holds. `only_kind`: conditions on anything but type, kind, name, fullName and location are WH_PERHAPS. */
int wh_policy_holds(struct wh_eval *e, const json_t *condition, bool only_kind, enum wh_three *out);
