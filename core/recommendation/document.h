/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the ledger keeps the last recommendation: document.c writes it, document_read.c reads it. */
#pragma once
#include <jansson.h>
#include "recommendation/prefix_lists.h"

#define COLLECTION "recommendation"
#define KEY "latest"
#define REASONS "reasons" /* {"serial": of the calculation, "resources": {name: [reasons]}} */

/* The number of the last calculation; 0 where there is none. */
int wh_recommendation_serial(struct wh_state *s, int64_t *out, struct wh_error *err);
