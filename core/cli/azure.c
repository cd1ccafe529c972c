/* SPDX-License-Identifier: GPL-2.0-or-later */
/* enforce --to azure and rollback --to azure. */
#include <stdlib.h>
#include <string.h>
#include "cli/azure.h"
#include "whittle/azure_groups.h"
#include "whittle/review.h"

struct job {
	struct cli *c;
	struct wh_arena *mem;
	struct wh_arm_options arm;
	struct wh_azure_options opt;
	const char **names;
	bool dry;
	char today[WH_APP_DAY_STRLEN];
};

static void say(void *arg, const char *sentence)
{
	(void)arg;
	fprintf(stderr, "whittle: %s\n", sentence);
}

/* ---- printing ---- */

static void print_change(FILE *f, const struct wh_nsg_change *c, struct wh_arena *mem)
{
	if (c->kind == WH_NSG_MOVED) {
		fprintf(f, "  ~ %s moves from priority %u to %u\n", c->now->name, c->was->priority, c->now->priority);
		return;
	}
	if (c->was)
		fprintf(f, "  - %s\n", wh_rule_sentence(c->was, mem));
	if (c->now)
		fprintf(f, "  + %s\n", wh_rule_sentence(c->now, mem));
}

static void print_lines(FILE *f, const char *text)
{
	while (*text) {
		size_t n = strcspn(text, "\n");
		fprintf(f, "    %.*s\n", (int)n, text);
		text += n + (text[n] == '\n');
	}
}

static void print_plan(FILE *f, const struct wh_azure_group *g, struct wh_arena *mem)
{
	fprintf(f, "%s (%s)\n", g->name, g->id);
	for (size_t i = 0; i < g->n_drift; i++)
		fprintf(f, "  ! changed by somebody else: %s\n", wh_azure_drift_text(&g->drift[i], mem));
	for (size_t i = 0; i < g->n_changes; i++)
		print_change(f, &g->changes[i], mem);
	if (!g->n_changes && !g->n_drift)
		fputs("  is as it should be\n", f);
	print_lines(f, g->notes);
}

static json_t *rule_json(const struct wh_rule *r, struct wh_arena *mem)
{
	return r ? json_pack("{s:s,s:i,s:s}", "name", r->name, "priority", (int)r->priority, "text", wh_rule_sentence(r, mem)) : json_null();
}

static json_t *changes_json(const struct wh_nsg_change *c, size_t n, struct wh_arena *mem)
{
	static const char *const kinds[] = {[WH_NSG_ADDED] = "added", [WH_NSG_REMOVED] = "removed", [WH_NSG_MOVED] = "moved", [WH_NSG_ALTERED] = "altered"};
	json_t *list = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_pack("{s:s,s:o,s:o}", "change", kinds[c[i].kind], "was", rule_json(c[i].was, mem), "now", rule_json(c[i].now, mem)));
	return list;
}

static int print_json(const struct wh_azure_group *g, size_t n, bool dry, const struct wh_error *err, struct wh_arena *mem)
{
	json_t *list = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_pack("{s:s,s:s,s:s,s:b,s:o,s:o,s:s}", "name", g[i].name, "id", g[i].id, "state", wh_azure_state_text(g[i].state), "replanned",
		                                      g[i].replanned, "drift", changes_json(g[i].drift, g[i].n_drift, mem), "changes",
		                                      changes_json(g[i].changes, g[i].n_changes, mem), "notes", g[i].notes));
	return cli_print_json(json_pack("{s:b,s:o,s:s*}", "dryRun", dry, "groups", list, "error", err && err->text[0] ? err->text : NULL));
}

/* ---- options ---- */

bool cli_is_azure(int argc, char **argv)
{
	bool is = false;
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (!strcmp(argv[i], "--to=azure") || (!strcmp(argv[i], "--to") && i + 1 < argc && !strcmp(argv[i + 1], "azure")))
			is = true;
	return is;
}

char *cli_take_token(void)
{
	char *token = getenv("WHITTLE_AZURE_TOKEN"), *copy = token && *token ? strdup(token) : NULL;
	if (token)
		explicit_bzero(token, strlen(token));
	unsetenv("WHITTLE_AZURE_TOKEN");
	return copy;
}

/* The last one counts, as getopt_long() has it. */
const char *cli_endpoint(const struct cli *c, int argc, char **argv)
{
	const char *endpoint = c->config ? c->config->azure.endpoint : NULL;
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		const char *value = strchr(argv[i], '=');
		size_t n = value ? (size_t)(value - argv[i]) : strlen(argv[i]);
		if (n > 2 && !strncmp(argv[i], "--endpoint", n))
			endpoint = value ? value + 1 : i + 1 < argc ? argv[++i] : endpoint;
	}
	return endpoint ? endpoint : WH_AZURE_ENDPOINT;
}

void cli_fill_arm(const struct cli *c, struct wh_arm_options *arm)
{
	const struct wh_azure_config *cfg = &c->config->azure;
	const char *token = c->azure_token;
	arm->say = say;
	if (!arm->endpoint)
		arm->endpoint = cfg->endpoint;
	if (!arm->ca_file)
		arm->ca_file = cfg->ca_file;
	if (!arm->max_wait_ms)
		arm->max_wait_ms = cfg->wait_s * 1000;
	if (!arm->token_command && !token)
		arm->token_command = cfg->token_command;
	if (!arm->token_command)
		arm->token = token;
}

int cli_arm_option(const struct cli *c, int o, struct wh_arm_options *arm)
{
	int64_t seconds;
	switch (o) {
	case 'e': arm->endpoint = optarg; return CLI_OK;
	case 'k': arm->token_command = optarg; return CLI_OK;
	case 'a': arm->ca_file = optarg; return CLI_OK;
	default:
		if (wh_duration_parse(optarg, &seconds) || seconds < 1 || seconds > 86400)
			return cli_usage(c, "'%s' is not a time from 1s to 24h", optarg);
		arm->max_wait_ms = seconds * 1000;
		return CLI_OK;
	}
}

static int take_options(struct job *j, int argc, char **argv, bool rollback)
{
	static const struct option opts[] = {{"to", 1, 0, 't'}, {"nsg", 1, 0, 'g'}, {"force", 0, 0, 'f'}, CLI_ARM_OPTIONS, {"resource", 1, 0, 'r'}, {"dry-run", 0, 0, 'n'},
	                                     {"keep-original", 1, 0, 'o'}, {"nsg-scope", 1, 0, 's'}, {0}};
	int o;
	while ((o = cli_getopt(j->c, argc, argv, "", opts)) != -1) {
		switch (o) {
		case 't':
			if (strcmp(optarg, "azure"))
				return cli_usage(j->c, "--to is given twice, and not for the same");
			break;
		case 'g': j->opt.nsg = optarg; break;
		case 'f': j->opt.force = true; break;
		case 'e': case 'k': case 'a': case 'w':
			if (cli_arm_option(j->c, o, &j->arm))
				return CLI_USAGE;
			break;
		case 'r': j->names[j->opt.n_resources++] = optarg; break;
		case 'n': j->dry = true; break;
		case 's':
			if (cli_nsg_scope(j->c, optarg, &j->opt.nsg_scope))
				return CLI_USAGE;
			break;
		case 'o':
			if (cli_check_day(j->c, optarg))
				return CLI_USAGE;
			j->opt.keep_until = optarg;
			break;
		default: return CLI_USAGE;
		}
	}
	for (; optind < argc; optind++)
		j->names[j->opt.n_resources++] = argv[optind];
	if (rollback && (j->dry || j->opt.n_resources || j->opt.keep_until))
		return cli_usage(j->c, "rollback --to azure takes --nsg, and neither resources, --dry-run nor --keep-original");
	j->opt.today = wh_app_today(j->today);
	j->opt.nsg_scope_default = j->c->config->estate.nsg_scope;
	j->opt.resources = j->names;
	j->opt.who = cli_who();
	cli_fill_arm(j->c, &j->arm);
	return CLI_OK;
}

static int find_resources(const struct job *j, const struct wh_estate *e)
{
	for (size_t i = 0; i < j->opt.n_resources; i++) {
		const struct wh_resource *r = wh_estate_find(e, j->names[i]);
		if (!r)
			return cli_usage(j->c, "there is no resource '%s'; `whittle estate show` lists them", j->names[i]);
		j->names[i] = r->name;
	}
	return CLI_OK;
}

/* ---- enforce ---- */

static void log_groups(struct wh_state *s, const char *what, const struct wh_azure_group *g, size_t n)
{
	struct wh_error err;
	for (size_t i = 0; i < n; i++) {
		json_t *doc = json_pack("{s:s,s:s,s:i}", "nsg", g[i].id, "state", wh_azure_state_text(g[i].state), "changes", (int)g[i].n_changes);
		char *text = json_dumps(doc, JSON_COMPACT);
		if (text && wh_state_log(s, cli_who(), what, text, &err))
			cli_error(&err);
		free(text);
		json_decref(doc);
	}
}

static void print_outcome(const struct wh_azure_group *g, size_t n, bool replanned_only, struct wh_arena *mem)
{
	for (size_t i = 0; i < n; i++) {
		if (g[i].replanned) {
			printf("%s was changed by somebody else between plan and apply; this was planned upon it:\n", g[i].name);
			print_plan(stdout, &g[i], mem);
		}
		if (!replanned_only && g[i].state == WH_AZURE_APPLIED)
			printf("%s: applied, read back and compared: %zu change%s. `whittle rollback --to azure --nsg %s` puts the former rules back.\n", g[i].name,
			       g[i].n_changes, g[i].n_changes == 1 ? "" : "s", g[i].name);
		else if (!replanned_only && g[i].state == WH_AZURE_UNCHANGED)
			printf("%s: nothing to change.\n", g[i].name);
	}
}

static int planned(struct job *j, struct wh_azure *a, struct wh_state *s, int rc, struct wh_error *err)
{
	size_t n;
	const struct wh_azure_group *g = wh_azure_groups(a, &n);
	bool applied = !rc && !j->dry;
	for (size_t i = 0; i < n && !j->c->json; i++)
		if (!rc || g[i].n_drift)
			print_plan(rc ? stderr : stdout, &g[i], j->mem);
	if (applied) {
		fflush(stdout);
		rc = wh_azure_apply(a, err);
		log_groups(s, "azure.apply", g, n);
	}
	if (j->c->json) {
		int printed = print_json(g, n, j->dry, rc ? err : NULL, j->mem);
		return rc ? cli_error(err) : printed;
	}
	if (applied)
		print_outcome(g, n, rc != 0, j->mem);
	else if (!rc)
		puts("Nothing was written (--dry-run).");
	return rc ? cli_error(err) : CLI_OK;
}

static int enforce(struct job *j)
{
	struct wh_recommendation *rec = NULL;
	struct wh_estate *e = NULL;
	struct wh_ledger ledger = {NULL, NULL};
	struct wh_azure *a = NULL;
	struct wh_arm *arm = NULL;
	struct wh_error err = {0};
	int rc = cli_open_ledger(j->c, j->dry ? WH_STATE_READ : WH_STATE_WRITE, &ledger);
	if (rc)
		return rc;
	if (wh_estate_load(&ledger, j->mem, &e, &err))
		rc = cli_error(&err);
	if (!rc)
		rc = find_resources(j, e);
	if (!rc && (wh_review_load(ledger.state, e, j->mem, &rec, &err) || wh_arm_open(&j->arm, &arm, &err)))
		rc = cli_error(&err);
	if (!rc) {
		rc = wh_azure_plan(arm, j->c->state_dir, e, rec, &j->opt, j->mem, &a, &err);
		rc = planned(j, a, ledger.state, rc, &err);
	}
	wh_azure_free(a);
	wh_arm_close(arm);
	wh_estate_free(e);
	wh_ledger_close(&ledger);
	return rc;
}

/* ---- rollback ---- */

static int rollback(struct job *j)
{
	struct wh_azure_group *g = NULL;
	struct wh_ledger ledger = {NULL, NULL};
	struct wh_arm *arm = NULL;
	struct wh_error err = {0};
	size_t n = 0;
	int rc = cli_open_ledger(j->c, WH_STATE_WRITE, &ledger);
	if (rc)
		return rc;
	rc = wh_arm_open(&j->arm, &arm, &err);
	rc = rc ? rc : wh_azure_rollback(arm, j->c->state_dir, j->opt.nsg, j->opt.force, j->mem, &g, &n, &err);
	log_groups(ledger.state, "azure.rollback", g, n);
	if (j->c->json)
		print_json(g, n, false, rc ? &err : NULL, j->mem);
	for (size_t i = 0; i < n && !j->c->json; i++) {
		if (g[i].state == WH_AZURE_ROLLED_BACK || g[i].n_drift)
			print_plan(rc ? stderr : stdout, &g[i], j->mem);
		if (g[i].state == WH_AZURE_ROLLED_BACK)
			printf("%s: the former rules are back, read back and compared.\n", g[i].name);
		else if (g[i].state == WH_AZURE_UNCHANGED)
			printf("%s: already had its former rules.\n", g[i].name);
	}
	wh_arm_close(arm);
	wh_ledger_close(&ledger);
	return rc ? cli_error(&err) : CLI_OK;
}

int cli_azure(struct cli *c, int argc, char **argv, bool back)
{
	struct job j = {.c = c, .mem = wh_arena_new()};
	j.names = wh_arena_array(j.mem, (size_t)argc + 1, sizeof *j.names);
	int rc = take_options(&j, argc, argv, back);
	if (!rc)
		rc = back ? rollback(&j) : enforce(&j);
	wh_arena_free(j.mem);
	return rc;
}
