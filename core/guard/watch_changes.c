/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Changes of our tables: who made them, what differs, and the repair. */
#include <stdlib.h>
#include <string.h>
#include "guard/watch_inside.h"
#include "whittle/firewall.h"

enum { DEBOUNCE_MS = 500, CONFIRM_MS = 3000 };

/* The end of a transaction names the program that made it. */
static void blame(struct wh_watcher *w, const struct wh_nf_event *e)
{
	char name[32];
	size_t used = strlen(w->by);
	snprintf(name, sizeof name, "%s", e->program);
	if (!strncmp(name, "whittle", 7)) /* also the process that changes the firewall */
		name[7] = 0;
	if (!used || strcmp(name, "whittle"))
		w->pid = e->pid;
	if (!strcmp(w->by, "whittle")) /* if another program changed it too, that one made the difference */
		used = 0;
	if (*name && (!used || strcmp(name, "whittle")) && (!used || !strstr(w->by, name)) &&
	    used + strlen(name) + 3 < sizeof w->by)
		snprintf(w->by + used, sizeof w->by - used, "%s%s", used ? ", " : "", name);
}

void wh_watch_look_soon(struct wh_watcher *w)
{
	int64_t at = wh_now_us() + DEBOUNCE_MS * 1000;
	/* never later, however many events follow: otherwise continuous changes would delay it for ever */
	if (!w->look_at_us || w->look_at_us > at)
		w->look_at_us = at;
}

void wh_watch_event(void *watcher, const struct wh_nf_event *e)
{
	struct wh_watcher *w = watcher;
	if (!e->table) {
		if (w->ours_touched)
			blame(w, e);
		w->ours_touched = 0;
		return;
	}
	unsigned which = !strcmp(e->table, WH_NFT_TABLE)   ? WH_TOUCHED_RULES
	                 : !strcmp(e->table, WH_JIT_TABLE) ? WH_TOUCHED_JIT
	                                                   : 0;
	if (which)
		wh_watch_look_soon(w);
	w->ours_touched |= which;
	w->touched |= which;
}

/* Restores the confirmed rules, if that is configured. */
static bool repair(struct wh_watcher *w)
{
	struct wh_watch_alert a = {.kind = "repaired"};
	struct wh_restored r;
	struct wh_error err;
	if (!w->opt->config->repair)
		return false;
	int rc = wh_firewall_restore(&r, &err);
	if (rc)
		wh_watch_tell(w, &a, "the confirmed rules could not be put back: %.300s", err.text);
	else
		wh_watch_tell(w, &a, "the confirmed rules were put back: %zu ports narrowed, %zu kept closed", r.ports, r.closed);
	return !rc;
}

/*
 * Whether a difference is worth an alert: a new one is, and so is the same one after a further change of the tables (one more
 * range than the one that is named, say). An event alone is not, since our own programs cause events too.
 */
static bool is_news(const char *told, const char *difference, bool touched)
{
	return difference && (!told || touched || strcmp(told, difference));
}

/* Remembers the difference as the last one told. True if it is news; the memory is *told's from then on. */
static bool news(char **told, char *difference, bool touched)
{
	bool is = is_news(*told, difference, touched);
	free(*told);
	*told = difference;
	return is;
}

/* The kernel shows a change before it names who made it: where nobody is named yet, the look is put off once. */
static bool waits_for_a_name(struct wh_watcher *w, bool found)
{
	w->waits_for_a_name = found && !*w->by && !w->waits_for_a_name;
	if (w->waits_for_a_name)
		wh_watch_look_soon(w);
	return w->waits_for_a_name;
}

/* Joins the lines; in the same memory, or in new memory. */
static char *one_line(char *text)
{
	size_t n = 0, lines = 0;
	for (const char *p = text; p && *p; p++)
		lines += *p == '\n';
	char *out = lines ? malloc(strlen(text) + lines + 1) : NULL;
	if (!out)
		return text;
	for (const char *p = text; *p; p++) {
		out[n++] = *p == '\n' ? ';' : *p;
		if (*p == '\n' && p[1])
			out[n++] = ' ';
	}
	out[n] = 0;
	free(text);
	return out;
}

/* Whether the kernel holds the rules applied last: they are confirmed there, and the file is about to be written. */
static bool being_confirmed(void)
{
	struct wh_error err;
	char *difference = NULL;
	bool is = !wh_firewall_compare(WH_STORED_APPLIED, NULL, &difference, &err);
	free(difference);
	return is;
}

/* The difference between the rules' table and the wanted one; NULL if there is none, or it can't be judged now. */
static char *rules_differ(struct wh_watcher *w, bool *flushed, bool *judged)
{
	struct wh_nft_state st = {0};
	struct wh_error err;
	char *difference = NULL;
	*judged = wh_firewall_compare(WH_STORED_CONFIRMED, &st, &difference, &err) >= 0 && !st.expires_in_ms;
	*flushed = !st.present;
	if (st.expires_in_ms) /* rules that wait for confirmation are not judged; those in force when their time is up are */
		w->look_at_us = wh_now_us() + (st.expires_in_ms + DEBOUNCE_MS) * 1000;
	if (*judged && difference && st.lasting && being_confirmed()) {
		*judged = false;
		w->look_at_us = wh_now_us() + CONFIRM_MS * 1000;
	}
	if (*judged)
		return difference;
	free(difference);
	return NULL;
}

void wh_watch_look(struct wh_watcher *w)
{
	struct wh_watch_alert a = {.by = *w->by ? w->by : NULL, .pid = w->pid};
	char who[200] = "somebody";
	bool flushed, judged, again, mend = false;
	struct wh_error err;
	char *difference = one_line(rules_differ(w, &flushed, &judged)), *open;
	wh_firewall_jit_differs(&open, &err);
	if (waits_for_a_name(w, is_news(w->told, difference, w->touched & WH_TOUCHED_RULES) ||
	                                is_news(w->told_jit, open, w->touched & WH_TOUCHED_JIT))) {
		free(difference);
		free(open);
		return;
	}
	if (*w->by)
		snprintf(who, sizeof who, "%s (process %u)", w->by, w->pid);
	again = w->told != NULL;
	if (judged && news(&w->told, difference, w->touched & WH_TOUCHED_RULES)) {
		a.kind = flushed ? "flushed" : "changed";
		if (flushed)
			wh_watch_tell(w, &a,
			              "%s deleted whittle's table, as `flush ruleset` does: nothing is narrowed any more%s", who,
			              w->opt->config->repair ? "" : "; `whittle restore` puts back the confirmed rules");
		else
			wh_watch_tell(w, &a, "%s changed whittle's table%s: %.300s", who, again ? " further" : "", difference);
		mend = true;
	}
	again = w->told_jit != NULL;
	if (news(&w->told_jit, open, w->touched & WH_TOUCHED_JIT)) {
		a.kind = again ? "changed" : "flushed";
		wh_watch_tell(w, &a, "%s changed what just-in-time access keeps closed%s: %.250s%s", who,
		              again ? ", further" : "", open,
		              w->opt->config->repair ? "" : "; `whittle restore` closes it again");
		mend = true;
	}
	if (mend && repair(w)) {
		news(&w->told, NULL, false);
		news(&w->told_jit, NULL, false);
	} else if (judged && !w->told) {
		wh_watch_read_ledger(w, &err);
	}
	*w->by = 0;
	w->pid = 0;
	w->touched = 0;
}
