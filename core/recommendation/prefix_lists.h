/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * prefix_lists: nearly all of a recommendation's text is lists of prefixes, a quarter of a million lines of it. They are written
 * into the text, and cut out of it, without a JSON value for each; see prefix_lists.c.
 */
#pragma once
#include <jansson.h>
#include "whittle/recommendation.h"

/* `doc` as json_dumps() writes it, with JSON_COMPACT or indented by two (flags), with the lists of rules[i] in place of the empty
 * lists "ipAddresses" and "except" of the document's i-th rule. NULL when out of memory, or if the document has another number of
 * rules; free() it. Indented, rules are as deep as in a recommendation. */
char *wh_prefix_lists_dump(const json_t *doc, const struct wh_recommended_rule *const *rules, size_t n, bool compact);

struct wh_prefix_lists {
	struct wh_prefix_list { struct wh_prefix *p; size_t n; } *list; size_t n; /* in the arena */
};
/* Cuts the lists out of a text written with JSON_COMPACT, and leaves their numbers in their places. A list that is not written
 * exactly as here stays, as do empty lists. */
void wh_prefix_lists_cut(char *text, struct wh_arena *mem, struct wh_prefix_lists *out);
