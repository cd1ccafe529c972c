/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The journal: actions, their users, and whether the entries are unchanged. */
#pragma once
#include "whittle/app.h"

/* The file's path in the state directory; -ENOENT if no directory is known. */
int wh_app_journal_head_path(const char *state_dir, char *out, size_t size);
/* At the end of a command that itself wrote to the journal: keeps the last entry's mark in the state directory, if there is
 * one. */
void wh_app_journal_seal(const struct wh_app *a);

/* {"entries": [{"number", "time", "who", "what", "data"}…]}, oldest first: the last `last` (0: all), of this kind (NULL: any). */
int wh_app_journal_list(const struct wh_app *a, const char *what, size_t last, json_t **out, struct wh_error *err);
/* One entry; with "hash" if it is chained. -ENOENT. */
int wh_app_journal_show(const struct wh_app *a, int64_t number, json_t **out, struct wh_error *err);
/* {"fits", "entries", "beforeTheChain", "first", "last", "held", "head", and where it does not fit "entry", "why"}. */
int wh_app_journal_verify(const struct wh_app *a, json_t **out, struct wh_error *err);
