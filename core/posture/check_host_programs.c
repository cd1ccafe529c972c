/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Checks of Linux hosts by the settings of their programs, and by the programs that run. Which settings are good or bad is the
 * assessment's: "sshd.ciphers=*3des*|arcfour*" names a setting and patterns for the words of its value.
 */
#include <fnmatch.h>
#include <string.h>
#include <strings.h>
#include "posture/checks.h"

/* Whether the facts are of a version that has settings of programs. */
static bool has_settings(struct wh_run *run, const struct wh_judged_host *h)
{
	if (!h->facts->asked)
		wh_run_add_host(run, h, WH_POSTURE_NO_EVIDENCE,
		                "its facts have no settings of programs: run `whittle estate facts` there again, and "
		                "`whittle estate import` here");
	return h->facts->asked;
}

/* ---- "NAME=PATTERN|PATTERN" ---- */

struct wanted { const char *name, *patterns; };

static struct wanted wanted_of(struct wh_run *run, const char *text)
{
	const char *is = strchr(text, '=');
	size_t n = is ? (size_t)(is - text) : strlen(text);
	return (struct wanted){wh_arena_printf(run->mem, "%.*s", (int)n, text), is ? is + 1 : ""};
}

static bool matches(struct wh_run *run, const char *word, const char *patterns)
{
	char *list = wh_arena_strdup(run->mem, patterns), *save = NULL;
	for (char *p = strtok_r(list, "|", &save); p; p = strtok_r(NULL, "|", &save))
		if (!fnmatch(p, word, FNM_CASEFOLD))
			return true;
	return false;
}

/* Whether a word of the value matches. sshd adds to its defaults behind + or ^, and removes behind -. */
static bool has_word(struct wh_run *run, const char *value, const char *patterns)
{
	char *words = wh_arena_strdup(run->mem, value + (*value == '+' || *value == '^')), *save = NULL;
	for (char *w = *value == '-' ? NULL : strtok_r(words, ",: \t", &save); w; w = strtok_r(NULL, ",: \t", &save))
		if (matches(run, w, patterns))
			return true;
	return false;
}

/* What the host states, else what the program does by itself if the assessment knows. NULL: neither. */
static const char *value_of(struct wh_run *run, const struct wh_judged_host *h, const char *name)
{
	const char **defaults, *stated = wh_host_setting(h->facts, name);
	size_t n = wh_run_texts(run, "defaults", &defaults);
	for (size_t i = 0; i < n && !stated; i++) {
		const struct wanted d = wanted_of(run, defaults[i]);
		stated = strcasecmp(d.name, name) ? NULL : d.patterns;
	}
	return stated;
}

/* ---- settings ---- */

struct found { const char *bad, *missed; bool known, good; };

static struct found look(struct wh_run *run, const struct wh_judged_host *h)
{
	struct found f = {.bad = NULL};
	const char **list;
	size_t n = wh_run_texts(run, "bad", &list);
	for (size_t i = 0; i < n; i++) {
		const struct wanted w = wanted_of(run, list[i]);
		const char *value = value_of(run, h, w.name);
		f.known |= value != NULL;
		if (value && !f.bad && has_word(run, value, w.patterns))
			f.bad = wh_arena_printf(run->mem, "%s is %.120s", w.name, value);
	}
	n = wh_run_texts(run, "good", &list);
	f.good = !n;
	for (size_t i = 0; i < n; i++) {
		const struct wanted w = wanted_of(run, list[i]);
		const char *value = value_of(run, h, w.name);
		f.known |= value != NULL;
		f.good |= value && has_word(run, value, w.patterns);
		if (value && !f.missed)
			f.missed = wh_arena_printf(run->mem, "%s is %.120s", w.name, value);
	}
	return f;
}

static bool is_there(struct wh_run *run, const struct wh_judged_host *h)
{
	const char **list;
	size_t n = wh_run_texts(run, "program", &list);
	for (size_t i = 0; i < n; i++)
		if (wh_host_setting(h->facts, list[i]))
			return true;
	return false;
}

static void judge_settings(struct wh_run *run, const struct wh_judged_host *h)
{
	if (!has_settings(run, h))
		return;
	if (!is_there(run, h)) {
		wh_run_add_host(run, h, WH_POSTURE_NOT_APPLICABLE, "it has no configuration of such a program");
		return;
	}
	const struct found f = look(run, h);
	if (f.bad)
		wh_run_add_host(run, h, WH_POSTURE_UNHEALTHY, "by its configuration %s", f.bad);
	else if (!f.known)
		wh_run_add_host(run, h, WH_POSTURE_NO_EVIDENCE,
		                "its configuration says nothing of it: what the program does by itself depends on its version");
	else if (!f.good)
		wh_run_add_host(run, h, WH_POSTURE_UNHEALTHY, "by its configuration %s", f.missed);
	else
		wh_run_add_sound(run, h, NULL);
}

/* Settings: `program`s of which one must be configured; `bad` and `good` settings, of the latter one is enough; `defaults` of
 * settings that are not stated. */
int wh_check_host_settings(struct wh_run *run, struct wh_error *err)
{
	(void)err;
	wh_run_each_host(run, judge_settings);
	return 0;
}

/* ---- programs ---- */

static void judge_programs(struct wh_run *run, const struct wh_judged_host *h)
{
	const char **list;
	size_t n = wh_run_texts(run, "any", &list);
	if (!has_settings(run, h))
		return;
	for (size_t i = 0; i < h->facts->n_programs; i++)
		if (wh_run_has(list, n, h->facts->programs[i])) {
			wh_run_add_sound(run, h, wh_arena_printf(run->mem, "%s runs", h->facts->programs[i]));
			return;
		}
	wh_run_add_host(run, h, WH_POSTURE_UNHEALTHY, "none of the programs that watch a host runs there");
}

/* Setting `any`: programs of which one must run. */
int wh_check_host_programs(struct wh_run *run, struct wh_error *err)
{
	(void)err;
	wh_run_each_host(run, judge_programs);
	return 0;
}
