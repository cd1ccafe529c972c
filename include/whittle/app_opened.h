/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A ledger that stays open for several questions: loading the estate of 1,000 machines takes a hundred times as long as reading
 * one machine's rules. Whoever keeps it looks whether the ledger's file has changed, and opens it anew then. */
#pragma once
#include "whittle/app_rules.h"

struct wh_app_opened;
int wh_app_keep_open(const struct wh_app *a, struct wh_app_opened **out, struct wh_error *err);
void wh_app_close_opened(struct wh_app_opened *o); /* NULL is fine */
/* As wh_app_rules_list(), with `estate` NULL: it is the opened ledger's, which must outlive the result. */
int wh_app_rules_of(const struct wh_app *a, const struct wh_app_opened *o, const char *const *names, size_t n,
                    struct wh_arena *mem, struct wh_app_rules *out, struct wh_error *err);
