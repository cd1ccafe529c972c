/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * turns: several inputs are read at once and written one after another, as if each had been begun when the one before had ended:
 *
 *   input 0   read read │ commit  commit
 *   input 1   read read   wait           │ commit
 *   input 2        read read   wait               │ commit
 *
 * Each is ingested into a store of its own here, which asks the real one. What an input's reading may know before its turn are
 * the contents, the places and the realms, as they were when it began; its first commit looks whether inputs before it have
 * changed what that reading was made by. If they have, the commit fails with -ESTALE, and the input is to be read again. All else
 * that a reading asks for waits for its turn. So the ledger ends as if there was one reader, with the same tables added in the
 * same order.
 */
#pragma once
#include "whittle/ledger.h"

struct wh_turns;
/* borrows the store, which is not used otherwise meanwhile; NULL: no memory */
struct wh_turns *wh_turns_new(struct wh_store *of);
void wh_turns_free(struct wh_turns *t);             /* NULL is none */
/* The store for wh_ingest() of input number i, from 0; NULL: no memory. free() it. */
struct wh_store *wh_turns_store(struct wh_turns *t, size_t i);
/* Waits until all inputs before i have ended. False: there are no more turns. */
bool wh_turns_wait(struct wh_turns *t, size_t i);
bool wh_turns_at(struct wh_turns *t, size_t i); /* whether it is the turn of input i */
/* The turn of the present input ends; last: there is no other one, and who waits gets -ECANCELED. */
void wh_turns_next(struct wh_turns *t, bool last);
/* Of any store: whether it is one of these, its input was begun before its turn, and no commit was decided by anything but what
 * the inputs before it brought. So what was read is compared with that, and read again where the reading failed. */
bool wh_store_reads_ahead(const struct wh_store *s);
