/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The journal's head: the mark of its last entry, in the state directory, which the ledger's owner can't write. */
#pragma once
#include <limits.h>
#include "whittle/app_journal.h"
#include "whittle/state.h"

/* seq 0: none is kept. */
struct wh_journal_mark wh_app_journal_head(const struct wh_app *a);
struct wh_journal_mark wh_app_journal_head_parse(const char *text); /* of that file's text */
/* Keeps it, whatever was kept before: for a ledger that replaced the former one. */
void wh_app_journal_set_head(const struct wh_app *a, const struct wh_journal_mark *tip);
/* Keeps `tip` as the head, where the one that is kept (`head`) still fits: `at` is the ledger's own mark of that number. Else a
 * note, and the old one stays. */
void wh_app_journal_hold(const struct wh_app *a, const struct wh_journal_mark *head, const struct wh_journal_mark *at,
                         const struct wh_journal_mark *tip);
