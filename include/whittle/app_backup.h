/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A backup is one tar file of three kinds of members: MANIFEST, ledger.db, and the state directory's files as state/NAME.
 * MANIFEST is in the format of `sha256sum -c`, so that a person can inspect and check a backup with ordinary tools.
 */
#pragma once
#include "whittle/app.h"

/* The files of the state directory that a backup holds, in the order of their names; ends with NULL. */
extern const char *const wh_backup_state_files[];

/* Writes `file`, which the opener was granted (WH_GRANT_NEW), from the ledger, by the process that wh_app_ledger_start() started,
 * and the state directory. *out: {"file", "bytes", "members": [{"name", "bytes", "sha256"}…], "journal", "cluster"}. */
int wh_app_backup(const struct wh_app *a, const char *file, json_t **out, struct wh_error *err);

/* Writes a ledger with the evidence under pseudonyms into `file`, likewise. *out: {"file", "bytes"}. */
int wh_app_export_evidence(const struct wh_app *a, const char *file, json_t **out, struct wh_error *err);

struct wh_app_restore_backup_options {
	const char *file;
	bool force;   /* also over newer data, or a journal that does not fit */
	bool dry_run; /* everything is checked, and nothing written */
};
/* *out: {"file", "time", "release", "records", "journal", "state": [names], "stays": [names],
 * "newer": [what is lost], "done"}. */
int wh_app_restore_backup(const struct wh_app *a, const struct wh_app_restore_backup_options *opt, json_t **out,
                          struct wh_error *err);
