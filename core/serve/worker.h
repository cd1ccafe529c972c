/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
#include "serve/call.h"

/* Answers requests that come by `web` until it ends. */
void wh_worker(const struct wh_app *a, int web, int gate);
/* One request: authenticated, routed, run; the reply's frame in *out. Of a request that is none of ours, nothing is known but its
 * bytes. */
void wh_worker_answer(const struct wh_app *a, int gate, const struct wh_frame_request *r, int peer, struct wh_bytes *out);

/* ---- documents that follow from the ledger's files (cache.c) ---- */
/* The text for this target, while the ledger's files are as they were when it was put; NULL. Borrowed until the next call. */
const char *wh_cache_get(const char *store_url, const char *target, size_t *n, const char **etag);
/* Takes the text, always. Returns it as wh_cache_get() does. */
const char *wh_cache_put(const char *target, char *text, size_t n, const char **etag);
