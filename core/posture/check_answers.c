/* SPDX-License-Identifier: GPL-2.0-or-later */
/* People's answers against what the traffic showed. */
#include <string.h>
#include "posture/checks.h"

/* The verdicts so far on one assessment: how many of a status, and one of these. */
static size_t count(const struct wh_posture *p, const char *key, size_t len, enum wh_posture_status status, const char **example)
{
	size_t n = 0;
	for (size_t i = 0; i < p->n; i++)
		if (strlen(p->list[i].of->key) == len && !strncmp(p->list[i].of->key, key, len) && p->list[i].status == status) {
			*example = n++ ? *example : p->list[i].resource;
		}
	return n;
}

/* Setting `pairs`: "QUESTION=ASSESSMENT": both come earlier in the pack. An answer of Healthy must not meet an Unhealthy. */
int wh_check_answers(struct wh_run *run, struct wh_error *err)
{
	static const char who[] = "the organisation";
	const char **pairs, *example = NULL, *none;
	size_t n = wh_run_texts(run, "pairs", &pairs), said = 0, seen = 0, wrong = 0;
	(void)err;
	for (size_t i = 0; i < n; i++) {
		const char *is = strchr(pairs[i], '=');
		size_t len = is ? (size_t)(is - pairs[i]) : 0;
		if (!is || !count(run->out, pairs[i], len, WH_POSTURE_HEALTHY, &none))
			continue;
		said++;
		size_t bad = count(run->out, is + 1, strlen(is + 1), WH_POSTURE_UNHEALTHY, &example);
		seen += count(run->out, is + 1, strlen(is + 1), WH_POSTURE_HEALTHY, &none) > 0;
		wrong += bad;
		if (bad)
			wh_run_add(run, pairs[i], NULL, WH_POSTURE_UNHEALTHY,
			           "%.*s is answered with Healthy, and %s fails for %zu machine%s, such as %s", (int)len,
			           pairs[i], is + 1, bad, bad == 1 ? "" : "s", wh_posture_name(example));
	}
	if (!wrong)
		wh_run_add(run, who, NULL, seen ? WH_POSTURE_HEALTHY : WH_POSTURE_NO_EVIDENCE, "%s",
		           seen    ? "what was seen agrees with the answers"
		           : !said ? "nobody has answered these questions with Healthy"
		                   : "no traffic of these protocols was judged");
	return 0;
}
