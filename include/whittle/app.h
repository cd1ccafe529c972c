/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * app: what a person can ask for, one function a use case. Each takes its options in a struct and returns a document, or a result
 * that has one (wh_app_…_json). The commands parse words and print; the server answers with the same documents. Nothing here
 * prints, and nothing outside this room decides. The use cases are in app_learning.h, app_rules.h, app_firewall.h, app_jit.h,
 * app_network.h, app_alerts.h and app_health.h.
 */
#pragma once
#include <jansson.h>
#include "whittle/base.h"
#include "whittle/config.h"

struct wh_session;
struct wh_app {
	const char *store_url;
	const struct wh_config *config;
	const char *who;                                      /* the person's name, for the journal */
	const char *state_dir;                                /* base/state_dir.h; "" where it is not known */
	/* the ledger's directory, where earlier versions kept state; "" likewise */
	const char *beside;
	const struct wh_session *sessions; size_t n_sessions; /* the person's own connections to this machine */
	/* a sentence next to the result, as it comes up; NULL: nobody wants them */
	void (*note)(void *arg, const char *text);
	/* of resources; a negative return ends the work; NULL: nobody wants it */
	int (*progress)(void *arg, size_t done, size_t total);
	void *arg;
};
/* An error's code where the words that a person gave don't go together, or name what is not there. */
enum { WH_APP_USAGE = -EBADRQC };
void wh_app_note(const struct wh_app *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Writes a line into the ledger's journal, once what it reports was done and printed: no firewall waits for a ledger (journal.c).
 * Drops the reference. Nothing where there is no ledger; a note where the line cannot be written within 3 s. */
void wh_app_journal(const struct wh_app *a, const char *what, json_t *doc);

/* Starts the process that opens the ledger for wh_app_journal() and for what else a command that changes the firewall asks of it:
 * `become` gives its rights up there, for those of the ledger's owner. Where none was started, one is forked with each question.
 * *a must last as long as the program, but for its `note`. */
int wh_app_ledger_start(const struct wh_app *a, int (*become)(void *arg, struct wh_error *err), void *arg, struct wh_error *err);
