/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An answer's body, written piece by piece and compressed (gzip) on the way if it is long: the list of all allowed connections of
 * 1,000 machines has 100 MB as text and 2 MB like this, which is cached and sent to the web side.
 */
#pragma once
#include "base/bytes.h"

struct wh_packed { char *bytes; size_t n; size_t n_plain; /* of a compressed one, its length as text; 0: it is text */ };
struct wh_pack;
struct wh_pack *wh_pack_begin(void); /* NULL when out of memory */
/* 0, or -1 when out of memory; as json_dump_callback() calls it. */
int wh_pack_put(const char *text, size_t n, void *pack);
/* Ends it. False: it was out of memory, and *out is empty. Else free(out->bytes). */
bool wh_pack_end(struct wh_pack *p, struct wh_packed *out);
