/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Confirming and rolling back, in the kernel and in the files.
 *
 * A confirmation that comes too late no longer finds a timed element. The rules in force then were confirmed earlier, so they are
 * compared with those applied last: if equal, a confirm was killed between the kernel and the file, and is finished here;
 * otherwise the time was up.
 *
 * Each confirmation moves the rules confirmed before into enforced.rules.1, which a rollback restores. A rollback changes the
 * files first: if it is killed in between, the next boot restores the requested rules.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "guard/known_file.h"
#include "guard/persist_file.h"

/* ---- confirm ---- */

/* "23:04 UTC", with the day if it is another. */
static const char *clock_text(int64_t us, char buf[static WH_TIME_STRLEN + 8])
{
	char t[WH_TIME_STRLEN], now[WH_TIME_STRLEN];
	wh_time_text(us, t);
	wh_time_text(wh_now_us(), now);
	if (strncmp(t, now, 10))
		snprintf(buf, WH_TIME_STRLEN + 8, "%.5s UTC on %.10s", t + 11, t);
	else
		snprintf(buf, WH_TIME_STRLEN + 8, "%.5s UTC", t + 11);
	return buf;
}

/* 0: the kernel holds these rules; 1: it does not, and `what` describes the difference. `sets`: see nft/known.h; NULL: all are
 * read. */
static int held(const struct wh_nft_ruleset *rs, struct wh_nft_known *sets, char what[static 320], struct wh_error *err)
{
	char *difference = NULL;
	int rc = wh_nft_compare_known(rs, sets, &difference, err);
	snprintf(what, 320, "%s", difference ? difference : "");
	free(difference);
	return rc;
}

static int too_late(const char *dir, struct wh_confirmed *out, struct wh_arena *mem, struct wh_error *err)
{
	char when[WH_TIME_STRLEN + 8], what[320];
	struct wh_nft_ruleset *rs;
	struct wh_error ignored;
	const char *now = "No rules were confirmed earlier: nothing is narrowed here. `whittle enforce` applies them again.";
	out->too_late = true;
	int rc = wh_persist_load(dir, mem, &rs, &ignored);
	if (!rc) {
		out->earlier = held(rs, NULL, what, &ignored) == 0;
		now = out->earlier
		              ? "The rules confirmed earlier are in force."
		              : "The kernel does not hold the rules confirmed earlier either: `whittle drift` lists the differences.";
	} else if (rc != -ENOENT) {
		now = "The file of the rules confirmed earlier can't be read: see `whittle drift`.";
	}
	if (out->expired_us)
		return wh_fail(err, -ETIME, "Too late: the new rules expired at %s. %s", clock_text(out->expired_us, when), now);
	return wh_fail(err, -ETIME, "Too late: the new rules have expired. %s", now);
}

/* The rules confirmed before move one place down, and the confirmed ones take their place. */
static int store(const char *dir, const struct wh_nft_ruleset *rs, struct wh_arena *mem, struct wh_error *err)
{
	struct wh_persist_times times = {.confirmed_us = wh_now_us()}, old_times = {0};
	struct wh_nft_ruleset *old;
	char from[32], to[32];
	size_t n = 0;
	int rc = wh_persist_read_rules(dir, WH_PERSIST_RULES, mem, &old, &old_times, err);
	if (!rc && !wh_persist_same_rules(old, rs)) {
		for (int i = WH_PERSIST_EARLIER_MAX - 1; i > 0; i--) {
			snprintf(from, sizeof from, WH_PERSIST_EARLIER "%d", i);
			snprintf(to, sizeof to, WH_PERSIST_EARLIER "%d", i + 1);
			wh_persist_rename(dir, from, to, NULL); /* it may not exist */
		}
		rc = wh_persist_write_rules(dir, WH_PERSIST_EARLIER "1", old, &old_times, err);
	}
	if (rc && rc != -ENOENT && rc != -EBADMSG)
		return rc;
	rc = wh_persist_write_rules(dir, WH_PERSIST_RULES, rs, &times, err);
	return rc ? rc : wh_persist_remove(dir, WH_PERSIST_PENDING, &n, err);
}

int wh_persist_unchanged(const char *dir, const struct wh_nft_ruleset *rs, struct wh_error *err)
{
	struct wh_arena *mem = wh_arena_new();
	struct wh_nft_ruleset *stored;
	struct wh_error why;
	char what[320];
	int rc = wh_persist_load(dir, mem, &stored, &why);
	bool there = !rc && (wh_persist_same_rules(stored, rs) || held(stored, NULL, what, &why) == 0);
	/* else they could not be stored when they were confirmed: the disk was full, say */
	rc = there ? wh_persist_remove(dir, WH_PERSIST_PENDING, &(size_t){0}, err) : store(dir, rs, mem, err);
	wh_arena_free(mem);
	return rc;
}

static int not_stored(struct wh_confirmed *out, const struct wh_error *why, struct wh_error *err)
{
	out->stored = false;
	wh_fail(err, why->code, "a reboot will not bring these rules back until `whittle enforce` has stored them: %.420s",
	        why->text);
	return 0;
}

int wh_persist_confirm(const char *dir, struct wh_confirmed *out, struct wh_error *err)
{
	struct wh_arena *mem = wh_arena_new();
	struct wh_persist_times times = {0};
	struct wh_nft_ruleset *rs;
	struct wh_error why = {.text = ""};
	char what[320] = "";
	bool moved = false;
	memset(out, 0, sizeof *out);
	int known = wh_persist_read_rules(dir, WH_PERSIST_PENDING, mem, &rs, &times, &why);
	struct wh_nft_known sets;
	wh_known_load(dir, &sets);
	int rc = wh_nft_confirm(&moved, &sets, err);
	out->expired_us = times.expires_us;
	if (rc == -ETIME && !known)
		rc = too_late(dir, out, mem, err);
	if (rc)
		goto out;
	out->again = !moved && known == -ENOENT;
	if (out->again) /* confirmed before: the kernel must hold the same */
		known = wh_persist_read_rules(dir, WH_PERSIST_RULES, mem, &rs, NULL, &why);
	known = known ? known : held(rs, &sets, what, &why);
	if (!moved && !out->again && (known == 1 || known == -EBADMSG)) {
		rc = too_late(dir, out, mem, err);
		goto out;
	}
	if (known == 1)
		known = wh_fail(&why, -ESTALE, "the kernel holds other rules than were applied last: %.300s", what);
	if (!known && !out->again)
		known = store(dir, rs, mem, &why);
	out->stored = !known;
	rc = known ? not_stored(out, &why, err) : 0;
out:
	wh_known_save(dir, &sets);
	wh_nft_known_free(&sets);
	wh_arena_free(mem);
	return rc;
}

/* ---- rollback ---- */

static int remove_all(const char *dir, const struct wh_nft_state *state, struct wh_rolled_back *out, struct wh_error *err)
{
	struct wh_error why;
	size_t n;
	out->how = state->present ? WH_ROLLBACK_REMOVED : WH_ROLLBACK_NOTHING;
	out->stored = !wh_persist_forget(dir, true, false, &n, &why);
	int rc = wh_nft_rollback(err);
	if (!rc && !out->stored && err)
		*err = why;
	return rc;
}

static int drop_pending(const char *dir, const struct wh_nft_state *state, struct wh_rolled_back *out, struct wh_error *err)
{
	struct wh_error why;
	size_t n = 0;
	out->how = state->expires_in_ms ? WH_ROLLBACK_PENDING : WH_ROLLBACK_EXPIRED;
	out->stored = !wh_persist_remove(dir, WH_PERSIST_PENDING, &n, &why);
	int rc = state->expires_in_ms ? wh_nft_drop_pending(err) : 0;
	if (!rc && !out->stored && err)
		*err = why;
	return rc;
}

/* Moves the files one step back. */
static int step_back(const char *dir, struct wh_error *err)
{
	char from[32], to[32];
	size_t n = 0;
	int rc = wh_persist_rename(dir, WH_PERSIST_EARLIER "1", WH_PERSIST_RULES, err);
	for (int i = 2; i <= WH_PERSIST_EARLIER_MAX && !rc; i++) {
		snprintf(from, sizeof from, WH_PERSIST_EARLIER "%d", i);
		snprintf(to, sizeof to, WH_PERSIST_EARLIER "%d", i - 1);
		if (wh_persist_rename(dir, from, to, NULL))
			break; /* that was the last */
	}
	return rc ? rc : wh_persist_remove(dir, WH_PERSIST_PENDING, &n, err);
}

/* `step`: the files go back too; otherwise they already hold these rules. */
static int to_earlier(const char *dir, const struct wh_nft_ruleset *rs, bool step, struct wh_rolled_back *out,
                      struct wh_error *err)
{
	struct wh_enforce_options opt = {.confirm_within_s = 0, .audit = rs->audit};
	struct wh_enforce_result res;
	struct wh_error why;
	size_t n = 0;
	out->how = WH_ROLLBACK_EARLIER;
	out->stored = step ? !step_back(dir, &why) : !wh_persist_remove(dir, WH_PERSIST_PENDING, &n, &why);
	int rc = wh_nft_apply(rs, &opt, &res, err); /* reads back and compares */
	if (rc)
		return rc;
	out->ports = res.ports;
	out->prefixes = res.prefixes;
	if (!out->stored && err)
		*err = why;
	return 0;
}

/* Whether confirmed rules are in the kernel, but not those applied last: their time was up. */
static bool expired(const char *dir, const struct wh_nft_state *state, struct wh_arena *mem)
{
	struct wh_nft_ruleset *applied, *confirmed;
	struct wh_error ignored;
	char what[320];
	return state->confirmed && !wh_persist_load_applied(dir, mem, &applied, &ignored) &&
	       held(applied, NULL, what, &ignored) == 1 && !wh_persist_load(dir, mem, &confirmed, &ignored) &&
	       held(confirmed, NULL, what, &ignored) == 0;
}

int wh_persist_rollback(const char *dir, bool all, struct wh_rolled_back *out, struct wh_error *err)
{
	struct wh_arena *mem = wh_arena_new();
	struct wh_persist_times times = {0};
	struct wh_nft_state state;
	struct wh_nft_ruleset *rs;
	memset(out, 0, sizeof *out);
	int rc = wh_nft_state(&state, err);
	if (rc)
		goto out;
	if (all) {
		rc = remove_all(dir, &state, out, err);
	} else if ((state.expires_in_ms && state.lasting) || expired(dir, &state, mem)) {
		rc = drop_pending(dir, &state, out, err);
	} else {
		bool step = !state.expires_in_ms; /* else the kernel no longer holds the rules confirmed last: put back */
		struct wh_error why = {.text = ""};
		rc = wh_persist_read_rules(dir, step ? WH_PERSIST_EARLIER "1" : WH_PERSIST_RULES, mem, &rs, &times, &why);
		out->confirmed_us = times.confirmed_us;
		if (!rc)
			rc = to_earlier(dir, rs, step, out, err);
		else if (rc == -ENOENT)
			rc = remove_all(dir, &state, out, err);
		else
			rc = wh_fail(err, rc, "nothing was changed: %.300s; `whittle rollback --all` removes everything",
			             why.text);
	}
out:
	wh_arena_free(mem);
	return rc;
}
