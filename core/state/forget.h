/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For what a person wants to be gone from the ledger's file. */
#pragma once
#include "whittle/state.h"

/* All documents, by collection and key. A negative return of `each` ends the walk with that code. */
typedef int (*wh_any_doc_cb)(void *arg, const char *collection, const char *key, const char *json);
int wh_state_all(struct wh_state *s, wh_any_doc_cb each, void *arg, struct wh_error *err);
/*
 * Writes the file anew from what is in it, so that nothing that was deleted is left in its pages, and empties its log. Takes a
 * second for some hundred megabytes, and as much room again in the temporary directory and in the log. *busy: another process
 * reads the ledger for so long that the log still holds old pages.
 */
int wh_state_overwrite(struct wh_state *s, bool *busy, struct wh_error *err);
