/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The journal's line of a command that changed something: it follows what was done, and does not hold it up (ledger_apart.h). */
#include <stdio.h>
#include <stdlib.h>
#include "app/app.h"
#include "app/ledger_apart.h"

void wh_app_journal(const struct wh_app *a, const char *what, json_t *doc)
{
	char *text = doc ? json_dumps(doc, JSON_COMPACT) : NULL;
	struct wh_error err;
	fflush(NULL); /* the result is printed before waiting for the ledger */
	if (wh_app_ledger_log(a, what, text ? text : "{}", &err))
		wh_app_note(a, "done, but not in the journal: %s", err.text);
	free(text);
	json_decref(doc);
}
