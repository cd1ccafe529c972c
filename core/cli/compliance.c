/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>
#include "base/opener.h"
#include "cli/posture.h"
#include "whittle/firewall.h"
#include "whittle/report.h"

static const char help[] =
	"usage: whittle compliance [CONTROL] [--standard ID | --framework ID] [--in PATH]… [--all] [--json | --csv] [--pdf FILE]\n"
	"       whittle compliance --list | --score | --history [--json]\n"
	"\n"
	"Shows how the estate meets the network controls of the Microsoft cloud security benchmark: each control with its assessments and their\n"
	"resources. A control passes if every assessment that could be judged passes. The number of the others is printed with it: Passed (42 of 50\n"
	"not assessed). It is green if all could be judged, and Unsupported if none could. Previews don't count.\n"
	"\n"
	"  CONTROL          shows one control with its resources: NS-3\n"
	"  --standard ID    uses another standard of rules/standards: mcsb-v2 (a preview)\n"
	"  --framework ID   groups the assessments by another framework's controls, as the benchmark maps them: cis-v8, cis-v7.1, nist-800-53-r4, pci-dss-3.2.1\n"
	"  --list           lists the standards and frameworks\n"
	"  --score          prints the secure score by subscription and control\n"
	"  --history        prints the score of each day on which compliance was calculated\n"
	"  --all            with CONTROL, lists healthy resources, too\n"
	"  --pdf FILE       writes a report: summary, controls, assessments, resources, and the date of each input; - writes it to standard output\n"
	"                   and prints nothing else\n"
	"  --in PATH        reads this file or directory instead of the ledger's estate; can be repeated\n"
	"\n"
	"The report's date is that of its newest input, or SOURCE_DATE_EPOCH, so two runs on the same inputs write the same bytes.\n"
	"\n"
	"Example: whittle compliance --pdf network-security.pdf\n";

static const char *text_of(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

static long long number_of(const json_t *o, const char *key)
{
	return (long long)json_integer_value(json_object_get(o, key));
}

/* ---- printing ---- */

static void print_score_line(const json_t *score)
{
	const json_t *percent = json_object_get(score, "percent");
	if (json_is_real(percent))
		printf("Secure score: %.0f %%\n", json_real_value(percent));
	else
		printf("Secure score: nothing to judge yet\n");
}

/* "Passed (42 of 50 not assessed)": a control passes by the assessments that could be judged, so the number of the others is
 * appended. */
static const char *state_words(const json_t *control, char *buf, size_t size)
{
	const char *state = text_of(control, "state");
	long long unseen = number_of(control, "unsupportedAssessments"),
		  all = unseen + number_of(control, "passedAssessments") + number_of(control, "failedAssessments") +
			number_of(control, "skippedAssessments");
	if (strcmp(state, "Passed") || !unseen)
		return state;
	snprintf(buf, size, "%s (%lld of %lld not assessed)", state, unseen, all);
	return buf;
}

/* Green only where all was assessed: the rest may fail. */
static enum cli_colour state_colour(const json_t *control)
{
	const char *state = text_of(control, "state");
	return !strcmp(state, "Passed") && number_of(control, "unsupportedAssessments") ? CLI_PLAIN : cli_status_colour(state);
}

static void print(const json_t *doc)
{
	char state[64];
	const json_t *standard = json_object_get(doc, "standard");
	struct cli_table *t = cli_table_new("Control|State|>Passed|>Failed|>Not assessed|Name");
	json_t *c;
	size_t i;
	printf("%s%s\n", text_of(standard, "name"), json_is_true(json_object_get(standard, "preview")) ? " (preview)" : "");
	json_array_foreach(json_object_get(doc, "controls"), i, c) {
		cli_table_text(t, text_of(c, "id"));
		cli_table_coloured(t, state_colour(c), state_words(c, state, sizeof state));
		cli_table_number(t, (uint64_t)number_of(c, "passedAssessments"));
		cli_table_number(t, (uint64_t)number_of(c, "failedAssessments"));
		cli_table_number(t, (uint64_t)number_of(c, "unsupportedAssessments"));
		cli_table_text(t, text_of(c, "name"));
	}
	cli_table_print(t);
	long long partly = number_of(doc, "partlyPassedControls");
	printf("%lld of %lld controls passed", number_of(doc, "passedControls"),
	       number_of(doc, "passedControls") + number_of(doc, "failedControls"));
	if (partly)
		printf(" (%lld of these in part: some of their assessments had no evidence)", partly);
	printf(", %lld could not be assessed.\n", number_of(doc, "unsupportedControls"));
	print_score_line(json_object_get(doc, "score"));
}

static void print_resources(struct cli_table *t, const json_t *a, bool all)
{
	json_t *r;
	size_t i;
	json_array_foreach(json_object_get(a, "resources"), i, r) {
		const char *exempt = text_of(r, "exempt");
		if (!all &&
		    (exempt || !strcmp(text_of(r, "status"), "Healthy") || !strcmp(text_of(r, "status"), "NotApplicable")))
			continue;
		cli_table_coloured(t, exempt ? CLI_DIM : cli_status_colour(text_of(r, "status")),
		                   exempt ? "exempt" : text_of(r, "status"));
		cli_table_text(t, text_of(a, "severity"));
		cli_table_text(t, text_of(a, "displayName"));
		cli_table_text(t, text_of(r, "name"));
		cli_table_text(t, exempt ? exempt : text_of(r, "cause"));
	}
}

static int print_control(const json_t *doc, const char *id, bool all)
{
	char state[64];
	json_t *c, *a;
	size_t i, k;
	json_array_foreach(json_object_get(doc, "controls"), i, c) {
		if (strcasecmp(text_of(c, "id"), id))
			continue;
		struct cli_table *t = cli_table_new("Status|Severity|Assessment|Resource|Cause");
		printf("%s %s: %s\n", text_of(c, "id"), text_of(c, "name"), state_words(c, state, sizeof state));
		json_array_foreach(json_object_get(c, "assessments"), k, a)
			print_resources(t, a, all);
		cli_table_print(t);
		return CLI_OK;
	}
	fprintf(stderr, "whittle: this standard has no control '%s'\n", id);
	return CLI_USAGE;
}

static void print_score(const json_t *score)
{
	struct cli_table *t = cli_table_new("Subscription|Control|>Points|>Of|>Healthy|>Unhealthy");
	json_t *s, *c;
	size_t i, k;
	json_array_foreach(json_object_get(score, "subscriptions"), i, s)
		json_array_foreach(json_object_get(s, "controls"), k, c) {
			cli_table_text(t, *text_of(s, "id") ? text_of(s, "id") : "without a subscription");
			cli_table_text(t, text_of(c, "name"));
			cli_table_cell(t, "%.2f", json_real_value(json_object_get(c, "current")));
			cli_table_cell(t, "%.0f", json_real_value(json_object_get(c, "max")));
			cli_table_number(t, (uint64_t)number_of(c, "healthy"));
			cli_table_number(t, (uint64_t)number_of(c, "unhealthy"));
		}
	cli_table_print(t);
	print_score_line(score);
}

static void print_history(const json_t *list)
{
	struct cli_table *t = cli_table_new("Day|>Score|>Controls passed|>failed|>Assessments passed|>failed");
	json_t *v;
	size_t i;
	json_array_foreach((json_t *)list, i, v) {
		const json_t *score = json_object_get(v, "score");
		cli_table_text(t, text_of(v, "day"));
		if (json_is_real(score))
			cli_table_cell(t, "%.0f %%", json_real_value(score));
		else
			cli_table_text(t, NULL);
		cli_table_number(t, (uint64_t)number_of(v, "passedControls"));
		cli_table_number(t, (uint64_t)number_of(v, "failedControls"));
		cli_table_number(t, (uint64_t)number_of(v, "passedAssessments"));
		cli_table_number(t, (uint64_t)number_of(v, "failedAssessments"));
	}
	cli_table_print(t);
}

static void print_standards(const json_t *list)
{
	struct cli_table *t = cli_table_new("Id|Name|Version");
	json_t *v;
	size_t i;
	json_array_foreach((json_t *)list, i, v) {
		cli_table_text(t, text_of(v, "id"));
		cli_table_text(t, text_of(v, "name"));
		cli_table_cell(t, "%s%s", text_of(v, "version"), json_is_true(json_object_get(v, "preview")) ? " (preview)" : "");
	}
	cli_table_print(t);
}

/* ---- the command ---- */

struct asked { const char *standard, *control, *pdf; struct cli_paths in; bool list, score, history, csv, all; };

static int read_words(struct cli *c, int argc, char **argv, struct asked *ask)
{
	const struct cli_option options[] = {{"standard", .text = &ask->standard},
	                                     {"framework", .text = &ask->standard},
	                                     {"pdf", .text = &ask->pdf},
	                                     {"list", .flag = &ask->list},
	                                     {"score", .flag = &ask->score},
	                                     {"history", .flag = &ask->history},
	                                     {"csv", .flag = &ask->csv},
	                                     {"all", .flag = &ask->all},
	                                     {"in", .paths = &ask->in},
	                                     {0}};
	if (cli_read_options(c, argc, argv, options))
		return CLI_USAGE;
	if (optind < argc)
		ask->control = argv[optind++];
	return optind < argc ? cli_usage(c, "only one control at a time, not also '%s'", argv[optind]) : 0;
}

/* The date of the newest input; SOURCE_DATE_EPOCH overrides it. */
static int64_t date_of(const json_t *doc)
{
	const char *epoch = getenv("SOURCE_DATE_EPOCH"), *at = text_of(doc, "at");
	int64_t us = 0;
	if (epoch && *epoch)
		return (int64_t)strtoll(epoch, NULL, 10) * 1000000;
	return at && !wh_time_parse(at, strlen(at), &us) ? us : 0;
}

static int write_pdf(const json_t *doc, const char *path)
{
	struct wh_error err;
	char *pdf = NULL;
	size_t len;
	int rc = wh_report_pdf(doc, date_of(doc), &pdf, &len, &err);
	bool out = !strcmp(path, "-");
	if (!rc && out && (fwrite(pdf, 1, len, stdout) != len || fflush(stdout)))
		rc = wh_fail(&err, -EIO, "standard output: %s", strerror(errno));
	rc = rc || out ? rc : wh_write_file(path, pdf, len, &err);
	free(pdf);
	return rc ? cli_error(&err) : CLI_OK;
}

static int print_as(const struct cli *c, const struct asked *ask, json_t *doc)
{
	int rc = ask->pdf ? write_pdf(doc, ask->pdf) : CLI_OK;
	if (rc || (ask->pdf && !strcmp(ask->pdf, "-")))
		return rc;
	if (ask->csv)
		return cli_print_text(wh_report_csv_compliance(doc));
	if (c->json)
		return cli_print_json(json_incref(doc));
	if (ask->control)
		return print_control(doc, ask->control, ask->all);
	print(doc);
	return CLI_OK;
}

static int run(struct cli *c, int argc, char **argv)
{
	const struct wh_app a = cli_app(c);
	struct asked ask = {.in = {.n = 0}};
	struct wh_app_posture *p;
	struct wh_error err;
	json_t *doc;
	int rc = read_words(c, argc, argv, &ask);
	if (rc)
		return rc;
	if (ask.list || ask.history) {
		rc = ask.list ? wh_app_standards(&a, &doc, &err) : wh_app_score_history(&a, &doc, &err);
		return rc ? cli_error(&err) : cli_print_document(c, doc, ask.list ? print_standards : print_history);
	}
	if (wh_app_posture_open(&a, ask.in.path, ask.in.n, &p, &err))
		return cli_error(&err);
	if (ask.score) {
		rc = cli_print_document(c, wh_app_score(p), print_score);
	} else if (wh_app_compliance(p, ask.standard, &doc, &err)) {
		rc = cli_error(&err);
	} else {
		if (!ask.standard && wh_app_posture_keep(&a, p, doc, &err))
			fprintf(stderr, "whittle: today's score was not stored: %s\n", err.text);
		rc = print_as(c, &ask, doc);
		json_decref(doc);
	}
	wh_app_posture_free(p);
	return rc;
}

const struct cli_command cli_compliance = {.name = "compliance",
                                           .summary = "compare the estate with the controls of a standard, with score and report",
                                           .help = help,
                                           .may = WH_MAY_LOOK,
                                           .run = run,
                                           .confined = true};
