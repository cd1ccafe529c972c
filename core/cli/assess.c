/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include "cli/posture.h"
#include "whittle/firewall.h"
#include "whittle/report.h"

static const char help[] =
	"usage: whittle assess [ASSESSMENT] [--resource NAME] [--control ID] [--severity LEAST] [--all] [--in PATH]…\n"
	"                      [--json | --csv | --sarif | --junit] [--fail-on LEAST]\n"
	"       whittle assess list [--json]\n"
	"       whittle assess exempt ASSESSMENT --owner NAME --reason TEXT --expires DAY [--resource ID]\n"
	"       whittle assess unexempt ASSESSMENT [--resource ID]\n"
	"       whittle assess answer ASSESSMENT --status healthy|unhealthy|not-applicable --owner NAME --answer TEXT --expires DAY\n"
	"                      [--evidence TEXT] [--evidence-file FILE]\n"
	"       whittle assess unanswer ASSESSMENT\n"
	"       whittle assess exemptions | answers [--json]\n"
	"       whittle assess --policy FILE|DIR… [--parameters FILE] [--all] [--json] [--fail-on unhealthy] INVENTORY…\n"
	"\n"
	"Judges the estate's resources by the assessments in rules/assessments: what the Internet can reach, how services are configured, which\n"
	"protocols were spoken, and whether the sensor sees the traffic. An assessment of traffic needs evidence. If no such traffic was seen, or\n"
	"the sensor lost packets, its result is NoEvidence, and the resource does not count as healthy.\n"
	"\n"
	"  ASSESSMENT           a key, a policy definition's GUID, or a name: shows only that one, why it matters and what to do\n"
	"  --resource NAME      judges only this resource\n"
	"  --control ID         judges only one control of the benchmark: NS-8\n"
	"  --severity LEAST     judges only this severity and above: Informational, Low, Medium or High\n"
	"  --all                also lists healthy resources and those without evidence\n"
	"  --in PATH            reads the inventory from this file or directory, without a ledger; can be repeated\n"
	"  --csv, --sarif, --junit  for spreadsheets, code scanning and pipelines\n"
	"  --fail-on LEAST      exit status 3 if a resource is unhealthy in an assessment of this severity or above; `unhealthy`: of any\n"
	"\n"
	"`exempt` takes one resource, or all of them, out of an assessment until a day. `answer` answers a question that no data can decide. Both\n"
	"need an owner, are written to the journal, and appear in the report. --expires is a day (2027-01-31) or a time from now (90d).\n"
	"\n"
	"With --policy an inventory is judged by definitions in the language of Azure Policy, Microsoft's or your own. A keyword, operator or\n"
	"function that is not known is refused with its file and place, and nothing is judged.\n"
	"\n"
	"Example: whittle assess --severity High --fail-on High --sarif >findings.sarif\n";

/* ---- shared with inventory and compliance ---- */

int cli_severity(const struct cli *c, const char *option, const char *text, enum wh_severity *out)
{
	for (int i = 0; wh_severity_words[i]; i++)
		if (!strcasecmp(wh_severity_words[i], text)) {
			*out = (enum wh_severity)i;
			return 0;
		}
	return cli_usage(c, "%s takes Informational, Low, Medium or High, not '%s'", option, text);
}

int cli_until(const struct cli *c, const char *text, int64_t *out)
{
	int64_t seconds;
	char day[64];
	if (!wh_duration_parse(text, &seconds)) {
		*out = wh_now_us() + seconds * 1000000;
		return 0;
	}
	snprintf(day, sizeof day, strlen(text) == 10 ? "%.10sT23:59:59Z" : "%.60s", text);
	return wh_time_parse(day, strlen(day), out)
	               ? cli_usage(c, "--expires takes a day (2027-01-31) or a time from now on (90d), not '%s'", text)
	               : 0;
}

enum cli_colour cli_status_colour(const char *status)
{
	return !strcmp(status, "Unhealthy") || !strcmp(status, "Failed") ? CLI_RED
	       : !strcmp(status, "Healthy") || !strcmp(status, "Passed") ? CLI_GREEN
	                                                                 : CLI_DIM;
}

int cli_print_text(char *text)
{
	if (!text)
		return CLI_FAILED;
	fputs(text, stdout);
	free(text);
	return CLI_OK;
}

/* ---- printing ---- */

static const char *text_of(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

static long long number_of(const json_t *o, const char *key)
{
	return (long long)json_integer_value(json_object_get(o, key));
}

/* `one`: all are of one assessment, which was named above them. */
static void print_verdicts(const json_t *doc, bool all, bool one)
{
	struct cli_table *t = NULL;
	const json_t *counts = json_object_get(doc, "counts");
	json_t *v;
	size_t i;
	json_array_foreach(json_object_get(doc, "assessments"), i, v) {
		const char *status = text_of(v, "status"), *exempt = text_of(v, "exempt");
		if (!all && (exempt || strcmp(status, "Unhealthy")))
			continue;
		if (!t)
			t = cli_table_new(one ? "Status|Resource|Cause" : "Status|Severity|Assessment|Resource|Cause");
		cli_table_coloured(t, exempt ? CLI_DIM : cli_status_colour(status), exempt ? "exempt" : status);
		if (!one) {
			cli_table_text(t, text_of(v, "severity"));
			cli_table_text(t, text_of(v, "displayName"));
		}
		cli_table_text(t, text_of(v, "resourceName"));
		cli_table_text(t, exempt ? exempt : text_of(v, "cause"));
	}
	if (t)
		cli_table_print(t);
	printf("%lld unhealthy, %lld healthy, %lld without evidence, %lld exempt%s\n", number_of(counts, "Unhealthy"),
	       number_of(counts, "Healthy"), number_of(counts, "NoEvidence"), number_of(counts, "exempt"),
	       all ? "" : " (--all lists all)");
}

static void print_one(const struct wh_assessment *a)
{
	cli_print_coloured(CLI_BOLD, a->name);
	printf(" (%s", wh_severity_words[a->severity]);
	for (size_t i = 0; i < a->n_controls; i++)
		printf(", %s", a->controls[i]);
	printf(")\n%s\nWhat to do: %s\n", a->why, a->fix);
	if (a->question)
		printf("Question: %s\nAnswer it: whittle assess answer %s --status healthy --owner … --answer … --expires …\n",
		       a->question, a->key);
	printf("\n");
}

static void print_list(const json_t *list)
{
	struct cli_table *t = cli_table_new("Controls|Severity|State|>Unhealthy|Assessment|Key");
	char buf[64];
	json_t *v;
	size_t i;
	json_array_foreach((json_t *)list, i, v) {
		const char *state = text_of(v, "state");
		const json_t *controls = json_object_get(v, "controls");
		snprintf(buf, sizeof buf, "%s%s%s", json_string_value(json_array_get(controls, 0)),
		         json_array_size(controls) > 1 ? ", " : "",
		         json_array_size(controls) > 1 ? json_string_value(json_array_get(controls, 1)) : "");
		cli_table_text(t, buf);
		cli_table_text(t, text_of(v, "severity"));
		cli_table_coloured(t, cli_status_colour(state),
		                   text_of(v, "question") && !strcmp(state, "Unsupported") ? "asks" : state);
		cli_table_number(t, (uint64_t)number_of(json_object_get(v, "counts"), "Unhealthy"));
		cli_table_text(t, text_of(v, "displayName"));
		cli_table_text(t, text_of(v, "name"));
	}
	cli_table_print(t);
}

/* ---- the command ---- */

struct asked { struct wh_app_assessments is; struct cli_paths in; bool list, csv, sarif, junit, fail; enum wh_severity fail_on; };

static int options(struct cli *c, int argc, char **argv, struct asked *ask)
{
	const char *severity = NULL, *fail_on = NULL;
	const struct cli_option rows[] = {{"resource", .text = &ask->is.resource},
	                                  {"control", .text = &ask->is.control},
	                                  {"severity", .text = &severity},
	                                  {"fail-on", .text = &fail_on},
	                                  {"all", .flag = &ask->is.all},
	                                  {"csv", .flag = &ask->csv},
	                                  {"sarif", .flag = &ask->sarif},
	                                  {"junit", .flag = &ask->junit},
	                                  {"in", .paths = &ask->in},
	                                  {0}};
	int rc = cli_read_options(c, argc, argv, rows);
	rc = rc || !severity ? rc : cli_severity(c, "--severity", severity, &ask->is.least);
	ask->fail = fail_on;
	return rc || !fail_on || !strcmp(fail_on, "unhealthy") ? rc : cli_severity(c, "--fail-on", fail_on, &ask->fail_on);
}

/* Words are an assessment, or files of an inventory. */
static int words(struct cli *c, int argc, char **argv, struct asked *ask)
{
	struct stat st;
	for (int i = optind; i < argc; i++) {
		if (!strcmp(argv[i], "list") && i == optind)
			ask->list = true;
		else if (!stat(argv[i], &st) && ask->in.n < sizeof ask->in.path / sizeof *ask->in.path)
			ask->in.path[ask->in.n++] = argv[i];
		else if (!ask->is.assessment)
			ask->is.assessment = argv[i];
		else
			return cli_usage(c, "only one assessment at a time, not also '%s'", argv[i]);
	}
	if (ask->csv + ask->sarif + ask->junit + c->json > 1)
		return cli_usage(c, "only one of --json, --csv, --sarif and --junit");
	return 0;
}

/* A large estate has 100,000 verdicts: as JSON they are printed one by one. */
struct printing { struct cli_json_list list; const struct asked *ask; bool bad; };

static void print_verdict(void *arg, json_t *verdict)
{
	struct printing *p = arg;
	p->bad |= p->ask->fail && wh_app_assessment_worse(verdict, p->ask->fail_on);
	cli_json_element(&p->list, verdict);
}

static int print_documents(struct asked *ask, const struct wh_app_posture *p)
{
	struct printing to = {.list = {.name = "assessments"}, .ask = ask};
	struct wh_error err;
	json_t *doc;
	ask->is.each = print_verdict;
	ask->is.arg = &to;
	if (wh_app_assessments(p, &ask->is, &doc, &err))
		return cli_error(&err);
	json_object_del(doc, "version");
	json_object_del(doc, "assessments");
	int rc = cli_json_end(&to.list, doc);
	return rc ? rc : to.bad ? CLI_FINDINGS : CLI_OK;
}

static int print_as(const struct asked *ask, const struct wh_app_posture *p, json_t *doc)
{
	const struct wh_assessment *one = ask->is.assessment ? wh_pack_find(wh_app_posture_pack(p), ask->is.assessment) : NULL;
	json_t *list = ask->sarif ? wh_app_assessment_list(p) : NULL;
	int rc = CLI_OK;
	if (ask->sarif)
		rc = cli_print_json(wh_report_sarif(doc, list));
	else if (ask->csv)
		rc = cli_print_text(wh_report_csv_assessments(doc));
	else if (ask->junit)
		rc = cli_print_text(wh_report_junit(doc));
	else {
		if (one)
			print_one(one);
		print_verdicts(doc, ask->is.all || one, one);
	}
	json_decref(list);
	return rc;
}

static int run(struct cli *c, int argc, char **argv)
{
	const struct wh_app a = cli_app(c);
	struct asked ask = {.in = {.n = 0}};
	struct wh_app_posture *p;
	struct wh_error err;
	json_t *doc = NULL;
	if (cli_has_option(argc, argv, "--policy"))
		return cli_assess_policies(c, argc, argv);
	if (argc > 1 && cli_assess_decides(argv[1]))
		return cli_assess_decide(c, argc - 1, argv + 1);
	int rc = options(c, argc, argv, &ask);
	rc = rc ? rc : words(c, argc, argv, &ask);
	if (rc)
		return rc;
	ask.is.all |= c->json || ask.junit;
	if (wh_app_posture_open(&a, ask.in.path, ask.in.n, &p, &err))
		return cli_error(&err);
	if (ask.list) {
		rc = cli_print_document(c, wh_app_assessment_list(p), print_list);
	} else if (c->json) {
		rc = print_documents(&ask, p);
	} else if (wh_app_assessments(p, &ask.is, &doc, &err)) {
		rc = cli_error(&err);
	} else {
		bool bad = ask.fail && wh_app_assessments_worse(doc, ask.fail_on);
		rc = print_as(&ask, p, doc);
		rc = rc ? rc : bad ? CLI_FINDINGS : CLI_OK;
	}
	json_decref(doc);
	wh_app_posture_free(p);
	return rc;
}

static bool without_ledger(int argc, char **argv)
{
	return cli_has_option(argc, argv, "--policy");
}

const struct cli_command cli_assess = {.name = "assess",
                                       .summary = "assess the estate by recommendations, or by policy definitions",
                                       .help = help,
                                       .run = run,
                                       .no_ledger_now = without_ledger,
                                       .may = WH_MAY_LOOK,
                                       .confined = true};
