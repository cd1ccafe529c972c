/* SPDX-License-Identifier: GPL-2.0-or-later */
/* assess exempt, answer and their lists: people's decisions about assessments. */
#include <string.h>
#include "cli/posture.h"

static const char *const verbs[] = {"exempt", "unexempt", "exemptions", "answer", "unanswer", "answers", NULL};
enum { EXEMPT, UNEXEMPT, EXEMPTIONS, ANSWER, UNANSWER, ANSWERS };

bool cli_assess_decides(const char *verb)
{
	return wh_key_choice(verbs, verb) >= 0;
}

struct asked {
	const char *assessment, *resource, *owner, *text, *evidence, *file;
	enum wh_posture_status status;
	bool has_status;
	int64_t until_us;
};

static int status_of(const struct cli *c, const char *text, struct asked *ask)
{
	if (!strcmp(text, "not-applicable"))
		text = "NotApplicable";
	ask->has_status = true;
	if (wh_posture_parse(text, &ask->status) || ask->status == WH_POSTURE_NO_EVIDENCE)
		return cli_usage(c, "--status takes healthy, unhealthy or not-applicable, not '%s'", text);
	return 0;
}

static int options(struct cli *c, int argc, char **argv, struct asked *ask)
{
	const char *expires = NULL, *status = NULL;
	const struct cli_option rows[] = {{"resource", .text = &ask->resource},
	                                  {"owner", .text = &ask->owner},
	                                  {"reason", .text = &ask->text},
	                                  {"answer", .text = &ask->text},
	                                  {"expires", .text = &expires},
	                                  {"status", .text = &status},
	                                  {"evidence", .text = &ask->evidence},
	                                  {"evidence-file", .text = &ask->file},
	                                  {0}};
	int rc = cli_read_options(c, argc, argv, rows);
	rc = rc || !expires ? rc : cli_until(c, expires, &ask->until_us);
	rc = rc || !status ? rc : status_of(c, status, ask);
	if (!rc && optind < argc)
		ask->assessment = argv[optind++];
	return rc ? rc : optind < argc ? cli_usage(c, "what is '%s'?", argv[optind]) : 0;
}

static void print_list(const json_t *list)
{
	static const char *const keys[] = {"assessment", "resource", "status",   "owner",
	                                   "reason",     "answer",   "evidence", "expires"};
	struct cli_table *t = cli_table_new("Assessment|Resource|Status|Owner|Reason|Answer|Evidence|Expires");
	json_t *v;
	size_t i;
	json_array_foreach((json_t *)list, i, v)
		for (size_t k = 0; k < sizeof keys / sizeof *keys; k++)
			cli_table_text(t, json_string_value(json_object_get(v, keys[k])));
	cli_table_print(t);
}

static int change(const struct wh_app *a, int verb, const struct asked *ask, struct wh_error *err)
{
	const struct wh_exemption e = {ask->assessment, ask->resource, ask->owner, ask->text, ask->until_us};
	const struct wh_answer_given g = {.assessment = ask->assessment,
	                                  .status = ask->status,
	                                  .owner = ask->owner,
	                                  .answer = ask->text,
	                                  .evidence = ask->evidence,
	                                  .expires_us = ask->until_us};
	switch (verb) {
	case EXEMPT: return wh_app_exempt(a, &e, err);
	case UNEXEMPT: return wh_app_unexempt(a, ask->assessment, ask->resource, err);
	case ANSWER: return wh_app_answer(a, &g, ask->file, err);
	default: return wh_app_unanswer(a, ask->assessment, err);
	}
}

int cli_assess_decide(struct cli *c, int argc, char **argv)
{
	static const char *const done[] = {
		[EXEMPT] = "exempted", [UNEXEMPT] = "exempted no longer", [ANSWER] = "answered", [UNANSWER] = "open again"};
	const struct wh_app a = cli_app(c);
	int verb = wh_key_choice(verbs, argv[0]);
	struct asked ask = {.assessment = NULL};
	struct wh_error err;
	json_t *list;
	int rc = options(c, argc, argv, &ask);
	if (rc)
		return rc;
	if (verb == EXEMPTIONS || verb == ANSWERS) {
		rc = verb == EXEMPTIONS ? wh_app_exemptions(&a, &list, &err) : wh_app_answers(&a, &list, &err);
		return rc ? cli_error(&err) : cli_print_document(c, list, print_list);
	}
	if (!ask.assessment)
		return cli_usage(c, "name the assessment; `whittle assess list` lists them");
	if (verb == ANSWER && !ask.has_status)
		return cli_usage(c, "give --status healthy, unhealthy or not-applicable");
	if (change(&a, verb, &ask, &err))
		return cli_error(&err);
	printf("%s is %s.\n", ask.assessment, done[verb]);
	return CLI_OK;
}
