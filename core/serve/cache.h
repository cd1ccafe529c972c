/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A worker's cache while the ledger's files do not change: see cache.c. */
#pragma once
#include "serve/frame.h"
#include "serve/pack.h"
#include "whittle/app_opened.h"

struct wh_cached { struct wh_packed body; const char *etag; };
/* What an answer is made of: everything in the ledger, or its documents and journal alone, which ingest does not write. */
enum wh_cached_until { WH_NOT_CACHED, WH_UNTIL_LEDGER, WH_UNTIL_DOCUMENTS };
/* The answer for this target, which names the host too (its links do); NULL. Borrowed until the next call. */
const struct wh_cached *wh_cache_get(const char *store_url, const char *target);
/* Takes the body, and returns it as wh_cache_get() does; NULL where it is not kept: it is the caller's then. Only after a
 * wh_cache_get() that found none. */
const struct wh_cached *wh_cache_put(const char *target, const struct wh_packed *body, enum wh_cached_until until);
/* The ledger with its estate, opened at first use. Borrowed until the next call. */
int wh_cache_open(const struct wh_app *a, struct wh_app_opened **out, struct wh_error *err);
/* What an answer that is valid until then is made of, as a text that another state of the ledger does not have; "": not known.
 * The same in each worker. As of the last wh_cache_get(). */
void wh_cache_made_of(enum wh_cached_until until, char out[static WH_MADE_OF_STRLEN]);
void wh_cache_close(void); /* gives its memory back */
