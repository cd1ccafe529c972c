/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Peers that a person wants to be gone, or what is older than a day. */
#pragma once
#include "whittle/app.h"

struct wh_app_forget {
	const char *peers;   /* an address or a prefix; NULL: by day */
	const char *before;  /* a day, YYYY-MM-DD; NULL: by peers */
	bool dry_run;
};
/*
 * Removes them from the ledger, and has its file written anew. *out: {"peers" or "before", "done", "removed": {"edges",
 * "openConnections", "sketches", "evidence", "pages", "conversations", "alerts", "notes"}, "stays": {"edges", "documents":
 * [{"collection", "key"}…], "documentsMore", "journal": [numbers…], "journalMore"}, "busy"}. WH_APP_USAGE for words that are
 * wrong.
 */
int wh_app_forget(const struct wh_app *a, const struct wh_app_forget *ask, json_t **out, struct wh_error *err);
/* Whether the words of `ask` can be read, without opening the ledger: 0 or WH_APP_USAGE. */
int wh_app_forget_check(const struct wh_app_forget *ask, struct wh_error *err);
