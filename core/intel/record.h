/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Entries with named fields: rows of tables, objects of JSON. */
#pragma once
#include <jansson.h>
#include "intel/lines.h"

enum wh_intel_role {
	WH_INTEL_OTHER,
	WH_INTEL_ADDRESS,
	WH_INTEL_START,
	WH_INTEL_END,
	WH_INTEL_LENGTH,
	WH_INTEL_MARKED /* for detection: 0 or 1 */
};
enum wh_intel_role wh_intel_role(const char *name, size_t len); /* by its usual names: "ip", "Start", "netmask" … */
struct wh_intel_field { enum wh_intel_role role; const char *text; size_t len; };
/* Takes the address, network or range that the fields describe together. 0: taken; 1: it is of another kind, in *why ("domain
 * names"); -EINVAL: *why is the reason; else the result of `each`. */
int wh_intel_record(const struct wh_intel_field *f, size_t n, wh_intel_sink each, void *arg, const char **why);
/* The same for an object: its texts and whole numbers are the fields. column (or NULL) names the one that holds the address. */
int wh_intel_object(const json_t *o, const char *column, wh_intel_sink each, void *arg, const char **why);
