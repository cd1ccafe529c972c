/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
#include "whittle/jit.h"

/* A grant as a document, which has its id, too. NULL: no memory. */
json_t *wh_jit_grant_json(const struct wh_jit_grant *g);
bool wh_jit_grant_read(const char *id, const char *text, struct wh_arena *mem, struct wh_jit_grant *g); /* false: damaged */
/* Whether its time has begun and not ended. A grant of the future, by more than WH_JIT_SLACK_S, was made before the clock was set
 * back: it has ended, since nobody knows when it would. */
enum { WH_JIT_SLACK_S = 300 };
bool wh_jit_in_time(const struct wh_jit_grant *g, int64_t now_us);

struct wh_jit_grants { struct wh_arena *mem; struct wh_jit_grant *g; size_t n, room; };
struct wh_jit_grant *wh_jit_grants_add(struct wh_jit_grants *c); /* a zeroed one */
/* Adds those of a collection, "jit" or "jit.request", to the list. */
int wh_jit_grants_of(struct wh_state *s, const char *collection, struct wh_jit_grants *out, struct wh_error *err);

/* An entry {"opening": …, "why": …}; `why` may be NULL. */
int wh_jit_journal(struct wh_state *s, const char *what, const char *who, const char *why, const struct wh_jit_grant *g,
                   struct wh_error *err);
/* its number; 0: there is none */
int wh_jit_last_entry(struct wh_state *s, const char *what, int64_t *out, struct wh_error *err);
