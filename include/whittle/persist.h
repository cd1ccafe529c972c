/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * persist: what was confirmed, in files of the state directory (base/state_dir.h), so that it can be put back after a reboot.
 * Nothing unconfirmed ever comes back. Only root can write there: what these files say is what root confirmed, whatever the
 * ledger's owner does. These functions are the privileged process's own; everybody else asks for them by whittle/firewall.h.
 *
 *   enforced.pending   what was applied last, and when it expires; written at each apply
 *   enforced.rules     what was confirmed last, after it was compared with what the kernel holds, and when
 *   enforced.rules.1   what was confirmed before that, and so on to enforced.rules.8
 *   jit.closed         the ports that just-in-time access keeps closed, confirmed; openings end with a reboot
 *
 * A file is one line `whittle-enforced 2 LENGTH CRC32` and bytes of a fixed layout (guard/rules_bytes.h); it is written beside,
 * synced and renamed, so that it is always the old or the new one, whole. Damaged, cut or unsorted: refused, and nothing is put
 * back.
 */
#pragma once
#include "whittle/base.h"
#include "whittle/enforce.h"
#include "whittle/jit.h"

/* Keeps what was applied last until it is confirmed. expires_us: when the kernel takes it back, microseconds since 1970. */
int wh_persist_applied(const char *dir, const struct wh_nft_ruleset *rs, int64_t expires_us, struct wh_error *err);
/* What was applied last is what was confirmed: nothing waits for a confirmation. */
int wh_persist_unchanged(const char *dir, struct wh_error *err);

struct wh_confirmed {
	bool too_late;      /* what was applied last is not in force: its time was up. Then err->text is the whole story */
	int64_t expired_us; /* too_late: when; 0: not known */
	bool earlier;       /* too_late: the rules confirmed earlier are in force, else none are */
	bool again;         /* nothing waited: these rules were confirmed before */
	bool stored;        /* in the files, from which a reboot can bring them back; else err says why not */
};
/* Confirms what waits in the kernel, compares it with what was applied last, and keeps it. 0: confirmed; also where out->kept is
 * false. */
int wh_persist_confirm(const char *dir, struct wh_confirmed *out, struct wh_error *err);

enum wh_rollback { WH_ROLLBACK_NOTHING, WH_ROLLBACK_PENDING, WH_ROLLBACK_EXPIRED, WH_ROLLBACK_EARLIER, WH_ROLLBACK_REMOVED };
struct wh_rolled_back {
	enum wh_rollback
		how; /* NOTHING: no table was there; PENDING: what waited for its confirmation is gone, what was confirmed holds; EXPIRED: the same,
	                         by itself, before; EARLIER: the rules confirmed before hold again; REMOVED: the table is gone */
	size_t ports, prefixes; /* EARLIER: of what holds now */
	int64_t confirmed_us;   /* EARLIER: when it was confirmed; 0: not known */
	/* the files say the same; else err says why not, and a reboot may bring back what was taken away */
	bool stored;
};
/* One step back, to the rules confirmed before; `all`: everything. 0 also where out->kept is false. */
int wh_persist_rollback(const char *dir, bool all, struct wh_rolled_back *out, struct wh_error *err);

/*
 * Whether what is kept in `dir` comes back at boot: the unit whittle-enforce is enabled below `root` ("" on a live system: wanted
 * by a target, there, and not masked), and no condition of it, or of its drop-ins, asks for the files elsewhere. *why (static
 * text) says what is missing.
 */
bool wh_persist_survives_reboot(const char *root, const char *dir, const char **why);
/* Of the confirmed rules; -ENOENT when there are none. rs in mem. */
int wh_persist_load(const char *dir, struct wh_arena *mem, struct wh_nft_ruleset **rs, struct wh_error *err);
/* Of what was applied last and waits for its confirmation; -ENOENT when nothing does. */
int wh_persist_load_applied(const char *dir, struct wh_arena *mem, struct wh_nft_ruleset **rs, struct wh_error *err);
/* When the confirmed rules were confirmed, microseconds since 1970; 0: not known, or there are none. */
int64_t wh_persist_confirmed_us(const char *dir);
/* Keeps the ports that the kernel has closed for good now. */
int wh_persist_jit(const char *dir, struct wh_error *err);
bool wh_persist_has_jit(const char *dir); /* there is such a file */
/* Whether the ports that were confirmed closed still are: 0 they are, or none were; 1 not, with *difference (free() it) in one
 * line, as wh_jit_nft_differs() says it; <0 where that can't be said. */
int wh_persist_jit_differs(const char *dir, char **difference, struct wh_error *err);
/* Forgets the rules, and with `jit` the closed ports. *n counts the files that were there. */
int wh_persist_forget(const char *dir, bool rules, bool jit, size_t *n, struct wh_error *err);

struct wh_restored { bool rules, jit; size_t ports, prefixes, closed; };
/* Puts back what was confirmed, read back and compared; 0 also when nothing was. Each part that is damaged is an error, after the
 * other was tried. */
int wh_persist_restore(const char *dir, struct wh_restored *out, struct wh_error *err);
/* The same for the closed ports alone. */
int wh_persist_restore_jit(const char *dir, struct wh_restored *out, struct wh_error *err);

/*
 * Takes everything of ours away: both tables, and these files. With `verify` every other table is read before and
 * after, element by element, and compared: counts of packets, which move by themselves, are left out. differs names what is not
 * as it was ("rules"), or is "".
 */
struct wh_uninstalled { bool rules, jit; size_t files, others; char differs[24]; bool verified; };
int wh_uninstall(const char *dir, bool verify, struct wh_uninstalled *out, struct wh_error *err);
