/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the ledger keeps the last recommendation: document_write.c writes it, document_read.c reads it. Each resource is a
 * document of its own, so that one is read without all others, and none becomes larger than the ledger takes.
 */
#pragma once
#include <jansson.h>
#include "recommendation/prefix_lists.h"
#include "whittle/recommended.h"

#define COLLECTION "recommendation"
/* The document without resources, and "names": those that are kept. Earlier versions kept "resources" here. */
#define KEY "latest"
#define SERIAL "serial"
#define STANDING "standing" /* standing.c */
/* By name: the resource as it is printed, with "serial", the number of its calculation, and "reasons". */
#define RESOURCES "recommended"
/* Of earlier versions: {"serial": of the calculation, "resources": {name: [reasons]}} */
#define REASONS "reasons"

/* The number of the last calculation; 0 if there is none. */
int wh_recommendation_serial(struct wh_state *s, int64_t *out, struct wh_error *err);

/* The rules that are in a document, in its order: their prefixes are written when the rest is text. */
struct wh_written_rules { const struct wh_recommended_rule **rules; size_t n; };
/* A resource; its rules are appended to `written`, which has room for them. NULL when out of memory. */
json_t *wh_recommendation_resource_json(const struct wh_resource_result *res, struct wh_written_rules *written);
/* What is about no resource, and last `list` (taken) as `key`. */
json_t *wh_recommendation_document(const struct wh_recommendation *r, const char *key, json_t *list);

/* standing_rows.c: rows of the short form, from behind the brace that begins them to the end of the text, for exactly the
 * resources of `rec` in their order. False: they are written otherwise, and `rec` is to be filled by another reader. */
enum { WH_STANDING_LAST_DAY = 2932896 /* of the year 9999 */ };
bool wh_standing_rows(const char *text, struct wh_recommendation *rec, struct wh_arena *mem);
