/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * assess: whether resources comply with a definition. Definitions are in the language of Azure Policy, so that Microsoft's
 * published ones can be read, and ours can add what those lack.
 *
 * Source: Azure Policy's documentation, "definition structure: policy rule", "author policies for array properties",
 * "applicability".
 */
#pragma once
#include <jansson.h>
#include "whittle/base.h"

/* The existing resources, as ARM writes them (or az, which flattens `properties`). Objects are borrowed; ids and types are
 * compared without case. */
struct wh_asset {
	const char *id, *type, *name;  /* type "Microsoft.Network/virtualNetworks/subnets" */
	const json_t *body;            /* the object, with `properties` or flattened */
	const struct wh_asset *parent; /* for a child inside its parent's object; NULL: none, or not given */
};
struct wh_assets {
	struct wh_asset *list; size_t n;
	/* Set by wh_assets_index(). */
	size_t *by_type; size_t *by_id;
	const json_t *groups;          /* id of a resource group → its object (managedBy …); may be NULL */
};
/* Sorts the indexes, and sets each asset's parent if that is in the list. In `mem`. */
void wh_assets_index(struct wh_assets *a, struct wh_arena *mem);
/* The assets of one type, as places in a->by_type: [*from, the returned end). */
size_t wh_assets_of_type(const struct wh_assets *a, const char *type, size_t *from);
/* Children inside their parents' objects (privateEndpointConnections, subnets, siteConfig as config "web") become assets of their
 * own. Returns the new list, which holds the old entries first; in `mem`. */
struct wh_assets wh_assets_expand(const struct wh_asset *list, size_t n, struct wh_arena *mem);

/* ---- definitions ---- */
struct wh_definition {
	const char *name;              /* the policy definition's name, a GUID, or an assessment's key */
	const char *id;                /* NULL: none */
	const char *display_name, *category, *file;
	const json_t *parameters;      /* declared: name → {type, defaultValue, allowedValues}; may be NULL */
	const json_t *condition;       /* policyRule.if */
	const json_t *details;         /* policyRule.then.details of an AuditIfNotExists; NULL: an audit */
};
/*
 * Reads one definition: {properties:{policyRule:{if, then}, …}}, or without `properties`. Every keyword, operator, function and
 * parameter is checked here: unknown ones are refused with name and place ("policyRule.if.allOf[1].equalz"). `doc` is borrowed
 * and must outlive *out; texts in `mem`.
 */
int wh_definition_read(const char *file, const json_t *doc, struct wh_arena *mem, struct wh_definition *out,
                       struct wh_error *err);

/* NOT_JUDGED: the inventory lacks what the verdict depends on, and a missing value is no verdict. Azure's word for both of the
 * last two is NotApplicable. */
enum wh_assessed { WH_ASSESSED_HEALTHY, WH_ASSESSED_UNHEALTHY, WH_ASSESSED_NOT_JUDGED, WH_ASSESSED_NOT_APPLICABLE };
const char *wh_assessed_text(enum wh_assessed s); /* "Healthy", "Unhealthy", "NotApplicable" */
struct wh_assessed_as {
	enum wh_assessed status;
	/* NOT_JUDGED, NOT_APPLICABLE: why; UNHEALTHY: what is missing, if there is a sentence for it; else NULL */
	const char *cause;
};
/*
 * One definition on one asset. `assigned`: name → value of parameters, over the defaults; NULL: none. Audit: Unhealthy where `if`
 * holds. AuditIfNotExists: where `if` holds, Healthy when a related resource meets the existence condition. NotApplicable if the
 * conditions on type, kind, name and location can't hold, whatever the other conditions are. A fault in the data (an address that
 * is none in ipRangeContains) is -EINVAL with the place.
 */
int wh_definition_assess(const struct wh_definition *d, const struct wh_assets *all, const struct wh_asset *asset,
                         const json_t *assigned, struct wh_arena *mem, struct wh_assessed_as *out, struct wh_error *err);
/* The types that a definition's conditions name, so that the others need not be queried. *out in `mem`; 0: any. */
size_t wh_definition_types(const struct wh_definition *d, struct wh_arena *mem, const char ***out);
