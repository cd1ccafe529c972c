/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Copies of the ledger between its owner's process (ledger_apart.h) and the command, which stays the user who started it: the
 * process opens the ledger and makes or proves the copy, the command sees bytes alone. Each request is one short step, so that an
 * owner who stops that process blocks nothing else.
 */
#pragma once
#include "base/bytes.h"
#include "whittle/app.h"
#include "whittle/state.h"

/* ---- the command's side ---- */

/* Makes a copy of the ledger in that process. *bytes: its length; *tip: its journal's last entry, seq 0: none. */
int wh_ledger_copy_make(const struct wh_app *a, uint64_t *bytes, struct wh_journal_mark *tip, struct wh_error *err);
/* The same of a ledger that holds its evidence and estate under pseudonyms (pseudonym.h), under a key that is drawn for it. */
int wh_ledger_copy_pseudonyms(const struct wh_app *a, uint64_t *bytes, struct wh_error *err);
/* Up to 1 MiB of it: *part (free() it), *n. */
int wh_ledger_copy_read(const struct wh_app *a, uint64_t at, uint8_t **part, size_t *n, struct wh_error *err);
enum { WH_LEDGER_COPY_PART = 1 << 20 };

/* The other way: the parts in turn, then it is proved, then it takes the ledger's place. */
int wh_ledger_copy_write(const struct wh_app *a, const uint8_t *part, size_t n, bool first, struct wh_error *err);
struct wh_ledger_copy_proof {
	uint8_t fault;           /* of the copy's journal: enum wh_journal_fault, at entry `entry` */
	int64_t entry;
	struct wh_journal_mark tip;
	uint64_t records;        /* that the copy has counted */
	bool there;              /* there is a ledger now, which can be opened; else `damaged` or there is none */
	bool damaged;
	int64_t now_entries;     /* the present journal's last entry */
	bool now_other;          /* it has entries that the copy lacks, other than those about backups */
	uint64_t now_records;
};
/* `head`: the mark that was kept with the copy. */
int wh_ledger_copy_prove(const struct wh_app *a, const struct wh_journal_mark *head, struct wh_ledger_copy_proof *out,
                         struct wh_error *err);
/* A ledger that can't be opened is renamed to NAME.damaged first. */
int wh_ledger_copy_replace(const struct wh_app *a, struct wh_error *err);
void wh_ledger_copy_forget(const struct wh_app *a); /* removes the copy; the end of each of both ways */

/* ---- that process's side ---- */

/* Answers a question; *t holds it without its kind. -EBADMSG: it is none. */
int wh_ledger_copy_answer(const struct wh_app *a, struct wh_taking *t, struct wh_bytes *b, struct wh_error *err);
void wh_ledger_copy_drop(void); /* at its end: removes its files */
