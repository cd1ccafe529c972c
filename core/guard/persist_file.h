/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The files of rules: their names, and reading and writing one of them whole. */
#pragma once
#include "whittle/persist.h"

#define WH_PERSIST_PENDING "enforced.pending"
#define WH_PERSIST_RULES "enforced.rules"
#define WH_PERSIST_EARLIER "enforced.rules." /* and a digit: 1 is the latest */
enum { WH_PERSIST_PATH = 4096, WH_PERSIST_EARLIER_MAX = 8 };

/* Microseconds since 1970 UTC; 0: not known. */
struct wh_persist_times { int64_t expires_us, confirmed_us; };
/* rs in mem; times may be NULL. -ENOENT when there is no such file, -EBADMSG when it is damaged. */
int wh_persist_read_rules(const char *dir, const char *name, struct wh_arena *mem, struct wh_nft_ruleset **rs,
                          struct wh_persist_times *times, struct wh_error *err);
int wh_persist_write_rules(const char *dir, const char *name, const struct wh_nft_ruleset *rs,
                           const struct wh_persist_times *times, struct wh_error *err);
bool wh_persist_same_rules(const struct wh_nft_ruleset *a, const struct wh_nft_ruleset *b);
/* Removes a file; 0 also when there is none. *n counts those that were there. */
int wh_persist_remove(const char *dir, const char *name, size_t *n, struct wh_error *err);
/* The file `from` takes the place of `to`. */
int wh_persist_rename(const char *dir, const char *from, const char *to, struct wh_error *err);
