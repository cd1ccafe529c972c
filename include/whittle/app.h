/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * app: the use cases of the program, one function each. Each takes its options in a struct and returns a document, or a result
 * that has one (wh_app_…_json). The commands parse words and print; the server answers with the same documents. Nothing here
 * prints, and no decision is made outside this room. The use cases are in app_learning.h, app_rules.h, app_firewall.h, app_jit.h,
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
	const char *state_dir;                                /* base/state_dir.h; "" if not known */
	/* the ledger's directory, where earlier versions kept state; "" likewise */
	const char *beside;
	const struct wh_session *sessions; size_t n_sessions; /* the person's own connections to this machine */
	/* called with a sentence next to the result; NULL: none wanted */
	void (*note)(void *arg, const char *text);
	/* resources done; a negative return ends the work; NULL: none wanted */
	int (*progress)(void *arg, size_t done, size_t total);
	void *arg;
};
/* An error's code if the user's words contradict each other, or name something that does not exist. */
enum { WH_APP_USAGE = -EBADRQC };
void wh_app_note(const struct wh_app *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Writes an entry into the ledger's journal after the reported action was done and printed: no firewall waits for a ledger
 * (journal.c). Drops the reference. Does nothing without a ledger; a note if the entry cannot be written within 3 s. */
void wh_app_journal(const struct wh_app *a, const char *what, json_t *doc);

/* Starts the process that opens the ledger for wh_app_journal() and for the other requests of a command that changes the
 * firewall: `become` changes its rights to those of the ledger's owner. If none was started, each request forks one. *a must last
 * as long as the program, except its `note`. */
int wh_app_ledger_start(const struct wh_app *a, int (*become)(void *arg, struct wh_error *err), void *arg, struct wh_error *err);
