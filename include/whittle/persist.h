/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * persist: what was confirmed, in files beside the ledger, so that it can be put back after a reboot. Nothing unconfirmed ever comes back.
 *
 *   enforced.pending   what was applied last; written at each apply
 *   enforced.rules     what was confirmed last, after it was compared with what the kernel holds
 *   jit.closed         the ports that just-in-time access keeps closed, confirmed; openings end with a reboot
 *
 * A file is one line `whittle-enforced 1 LENGTH CRC32` and a JSON document; it is written beside, synced and renamed, so that it is
 * always the old or the new one, whole. Damaged, cut or unsorted: refused, and nothing is put back.
 */
#pragma once
#include "whittle/base.h"
#include "whittle/enforce.h"
#include "whittle/jit.h"

/* The directory of a ledger's URL: where these files are. */
int wh_persist_dir(const char *store_url, char *buf, size_t size, struct wh_error *err);

int wh_persist_applied(const char *dir, const struct wh_nft_ruleset *rs, struct wh_error *err);
/* After a confirm in the kernel: compares what was applied last with what the kernel holds, and keeps it. */
int wh_persist_confirmed(const char *dir, struct wh_error *err);
/* Of the confirmed rules; -ENOENT when there are none. rs in mem. */
int wh_persist_load(const char *dir, struct wh_arena *mem, struct wh_nft_ruleset **rs, struct wh_error *err);
/* Of what was applied last and waits for its confirmation; -ENOENT when nothing does. */
int wh_persist_load_applied(const char *dir, struct wh_arena *mem, struct wh_nft_ruleset **rs, struct wh_error *err);
/* Keeps the ports that the kernel has closed for good now. */
int wh_persist_jit(const char *dir, struct wh_error *err);
/* How many ports that should be closed for good are not; 0 also where nothing is kept or can be read. */
size_t wh_persist_jit_lost(const char *dir);
/* Forgets the rules, and with `jit` the closed ports. *n counts the files that were there. */
int wh_persist_forget(const char *dir, bool rules, bool jit, size_t *n, struct wh_error *err);

struct wh_restored { bool rules, jit; size_t ports, prefixes, closed; };
/* Puts back what was confirmed, read back and compared; 0 also when nothing was. Each part that is damaged is an error, after the other
 * was tried. */
int wh_persist_restore(const char *dir, struct wh_restored *out, struct wh_error *err);

/*
 * Takes everything of ours away: both tables, and these files. With `verify` every other table is read before and
 * after, element by element, and compared: counts of packets, which move by themselves, are left out. differs names what is not as it
 * was ("rules"), or is NULL.
 */
struct wh_uninstalled { bool rules, jit; size_t files, others; const char *differs; bool verified; };
int wh_uninstall(const char *dir, bool verify, struct wh_uninstalled *out, struct wh_error *err);
