/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * persist: confirmed rules, in files of the state directory (base/state_dir.h), so that they can be restored after a reboot.
 * Nothing unconfirmed ever comes back. Only root can write there: these files hold what root confirmed, whatever the ledger's
 * owner does. Only the privileged process calls these functions; all others request them through whittle/firewall.h.
 *
 *   enforced.pending   what was applied last, and when it expires; written at each apply
 *   enforced.rules     what was confirmed last, after it was compared with what the kernel holds, and when
 *   enforced.rules.1   what was confirmed before that, and so on to enforced.rules.8
 *   jit.closed         the ports that just-in-time access keeps closed, confirmed; openings end with a reboot
 *
 * A file is one line `whittle-enforced 2 LENGTH CRC32` and bytes of a fixed layout (guard/rules_bytes.h); it is written under a
 * temporary name, synced and renamed, so that it is always the complete old or new one. Damaged, cut or unsorted files are
 * refused, and nothing is restored.
 */
#pragma once
#include "whittle/base.h"
#include "whittle/enforce.h"
#include "whittle/jit.h"

/* Keeps the applied rules until they are confirmed. expires_us: when the kernel drops them, microseconds since 1970. */
int wh_persist_applied(const char *dir, const struct wh_nft_ruleset *rs, int64_t expires_us, struct wh_error *err);
/* The applied rules equal the confirmed ones of the kernel: nothing waits for a confirmation. Stores them as the confirmed rules
 * if the directory keeps others, or none, because it could not be written at that time. */
int wh_persist_unchanged(const char *dir, const struct wh_nft_ruleset *rs, struct wh_error *err);

struct wh_confirmed {
	bool too_late;      /* the applied rules are not in force: their time was up. Then err->text is the complete message */
	int64_t expired_us; /* too_late: when; 0: not known */
	bool earlier;       /* too_late: the rules confirmed earlier are in force, else none are */
	bool again;         /* nothing waited: these rules were confirmed before */
	bool stored;        /* kept in the files, from which a reboot can restore them; else err has the reason */
};
/* Confirms the rules that wait in the kernel, compares them with those applied last, and keeps them. 0: confirmed; also where
 * out->kept is false. */
int wh_persist_confirm(const char *dir, struct wh_confirmed *out, struct wh_error *err);

enum wh_rollback { WH_ROLLBACK_NOTHING, WH_ROLLBACK_PENDING, WH_ROLLBACK_EXPIRED, WH_ROLLBACK_EARLIER, WH_ROLLBACK_REMOVED };
struct wh_rolled_back {
	enum wh_rollback
		how; /* NOTHING: no table was there; PENDING: what waited for its confirmation is gone, what was confirmed holds; EXPIRED: the same,
	                         by itself, before; EARLIER: the rules confirmed before hold again; REMOVED: the table is gone */
	size_t ports, prefixes; /* EARLIER: of the rules in force now */
	int64_t confirmed_us;   /* EARLIER: when it was confirmed; 0: not known */
	/* the files agree; else err has the reason, and a reboot may restore the removed rules */
	bool stored;
};
/* One step back, to the rules confirmed before; `all`: everything. 0 also where out->kept is false. */
int wh_persist_rollback(const char *dir, bool all, struct wh_rolled_back *out, struct wh_error *err);

/*
 * Whether the rules kept in `dir` are restored at boot: the unit whittle-enforce is enabled below `root` ("" on a live system:
 * wanted by a target, existing, and not masked), and no condition of it, or of its drop-ins, names files elsewhere. *why (static
 * text) is the missing part.
 */
bool wh_persist_survives_reboot(const char *root, const char *dir, const char **why);
/* The confirmed rules; -ENOENT if there are none. rs in mem. */
int wh_persist_load(const char *dir, struct wh_arena *mem, struct wh_nft_ruleset **rs, struct wh_error *err);
/* The rules applied last that wait for their confirmation; -ENOENT if there are none. */
int wh_persist_load_applied(const char *dir, struct wh_arena *mem, struct wh_nft_ruleset **rs, struct wh_error *err);
/* When the confirmed rules were confirmed, microseconds since 1970; 0: not known, or there are none. */
int64_t wh_persist_confirmed_us(const char *dir);
/* Keeps the ports that the kernel now has permanently closed. */
int wh_persist_jit(const char *dir, struct wh_error *err);
bool wh_persist_has_jit(const char *dir); /* there is such a file */
/* Whether the ports confirmed as closed still are: 0 they are, or none were; 1 not, with *difference (free() it) in one line, as
 * from wh_jit_nft_differs(); <0 if not known. */
int wh_persist_jit_differs(const char *dir, char **difference, struct wh_error *err);
/* Forgets the rules, and with `jit` the closed ports. *n counts the files that were there. */
int wh_persist_forget(const char *dir, bool rules, bool jit, size_t *n, struct wh_error *err);

struct wh_restored { bool rules, jit; size_t ports, prefixes, closed; };
/* Restores the confirmed rules, read back and compared; 0 also if there were none. Each damaged part is an error, reported after
 * the other was tried. */
int wh_persist_restore(const char *dir, struct wh_restored *out, struct wh_error *err);
/* The same for the closed ports alone. */
int wh_persist_restore_jit(const char *dir, struct wh_restored *out, struct wh_error *err);

/*
 * Removes everything of ours: both tables, and these files. With `verify` every other table is read before and after, element by
 * element, and compared: packet counts, which change by themselves, are left out. differs names the kind that changed ("rules"),
 * or is "".
 */
struct wh_uninstalled { bool rules, jit; size_t files, others; char differs[24]; bool verified; };
int wh_uninstall(const char *dir, bool verify, struct wh_uninstalled *out, struct wh_error *err);
