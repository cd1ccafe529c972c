/* SPDX-License-Identifier: GPL-2.0-or-later */
/* enforce --to azure and rollback --to azure. */
#include <stdlib.h>
#include <string.h>
#include "base/text.h"
#include "cli/azure.h"
#include "whittle/app_firewall.h"
#include "whittle/azure_groups.h"

struct job {
	struct cli *c;
	struct wh_arm_options arm;
	struct wh_app_azure_ask ask;
	const char **names;
	int printed; /* status of printing JSON */
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
		fprintf(f, "  ! changed by another user or program: %s\n", wh_azure_drift_text(&g->drift[i], mem));
	for (size_t i = 0; i < g->n_changes; i++)
		print_change(f, &g->changes[i], mem);
	if (!g->n_changes && !g->n_drift)
		fputs("  needs no change\n", f);
	print_lines(f, g->notes);
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

/* The last one counts, as with getopt_long(). */
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
	static const struct option opts[] = {{"to", 1, 0, 't'},
	                                     {"nsg", 1, 0, 'g'},
	                                     {"force", 0, 0, 'f'},
	                                     CLI_ARM_OPTIONS,
	                                     {"resource", 1, 0, 'r'},
	                                     {"dry-run", 0, 0, 'n'},
	                                     {"keep-original", 1, 0, 'o'},
	                                     {"nsg-scope", 1, 0, 's'},
	                                     {0}};
	int o;
	while ((o = cli_getopt(j->c, argc, argv, "", opts)) != -1) {
		switch (o) {
		case 't':
			if (strcmp(optarg, "azure"))
				return cli_usage(j->c, "--to is given twice, with two targets");
			break;
		case 'g': j->ask.options.nsg = optarg; break;
		case 'f': j->ask.options.force = true; break;
		case 'e': case 'k': case 'a': case 'w':
			if (cli_arm_option(j->c, o, &j->arm))
				return CLI_USAGE;
			break;
		case 'r': j->names[j->ask.options.n_resources++] = optarg; break;
		case 'n': j->ask.dry = true; break;
		case 's':
			if (cli_nsg_scope(j->c, optarg, &j->ask.options.nsg_scope))
				return CLI_USAGE;
			break;
		case 'o':
			if (cli_check_day(j->c, optarg))
				return CLI_USAGE;
			j->ask.options.keep_until = optarg;
			break;
		default: return CLI_USAGE;
		}
	}
	for (; optind < argc; optind++)
		j->names[j->ask.options.n_resources++] = argv[optind];
	if (rollback && (j->ask.dry || j->ask.options.n_resources || j->ask.options.keep_until))
		return cli_usage(j->c, "rollback --to azure takes --nsg, and neither resources, --dry-run nor --keep-original");
	j->ask.options.resources = j->names;
	cli_fill_arm(j->c, &j->arm);
	return CLI_OK;
}

/* ---- enforce ---- */

static void print_planned(void *arg, const struct wh_app_azure *x)
{
	const struct job *j = arg;
	for (size_t i = 0; i < x->n && !j->c->json; i++)
		if (!x->rc || x->groups[i].n_drift)
			print_plan(x->rc ? stderr : stdout, &x->groups[i], x->mem);
	fflush(stdout);
}

static void print_outcome(const struct wh_azure_group *g, bool replanned_only, struct wh_arena *mem)
{
	if (g->replanned) {
		printf("%s was changed by another user or program between plan and apply; this is the new plan:\n", g->name);
		print_plan(stdout, g, mem);
	}
	if (!replanned_only && g->state == WH_AZURE_APPLIED)
		printf("%s: applied, read back and compared: %zu change%s. `whittle rollback --to azure --nsg %s` puts the former rules back.\n",
		       g->name, g->n_changes, g->n_changes == 1 ? "" : "s", wh_shell_word(g->name, (char[WH_SHELL_WORD]){0}));
	else if (!replanned_only && g->state == WH_AZURE_UNCHANGED)
		printf("%s: nothing to change.\n", g->name);
}

static void print_enforced(void *arg, const struct wh_app_azure *x)
{
	struct job *j = arg;
	if (j->c->json) {
		j->printed = cli_print_json(wh_app_azure_json(x));
		return;
	}
	for (size_t i = 0; i < x->n && x->applied; i++)
		print_outcome(&x->groups[i], x->rc != 0, x->mem);
	if (!x->applied && !x->rc)
		puts("Nothing was written (--dry-run).");
}

/* ---- rollback ---- */

static void print_rolled_back(void *arg, const struct wh_app_azure *x)
{
	const struct job *j = arg;
	if (j->c->json) {
		cli_print_json(wh_app_azure_json(x));
		return;
	}
	for (size_t i = 0; i < x->n; i++) {
		const struct wh_azure_group *g = &x->groups[i];
		if (g->state == WH_AZURE_ROLLED_BACK || g->n_drift)
			print_plan(x->rc ? stderr : stdout, g, x->mem);
		if (g->state == WH_AZURE_ROLLED_BACK)
			printf("%s: the former rules are back, read back and compared.\n", g->name);
		else if (g->state == WH_AZURE_UNCHANGED)
			printf("%s: already had its former rules.\n", g->name);
	}
}

int cli_azure(struct cli *c, int argc, char **argv, bool back)
{
	struct job j = {.c = c, .names = calloc((size_t)argc + 1, sizeof *j.names)};
	const struct wh_app a = cli_app(c);
	struct wh_error err;
	if (!j.names)
		return CLI_FAILED;
	int rc = take_options(&j, argc, argv, back);
	if (!rc) {
		j.ask.arm = &j.arm;
		j.ask.planned = print_planned;
		j.ask.done = back ? print_rolled_back : print_enforced;
		j.ask.arg = &j;
		rc = (back ? wh_app_azure_rollback(&a, &j.ask, &err) : wh_app_azure_enforce(&a, &j.ask, &err)) ? cli_error(&err)
		                                                                                               : j.printed;
	}
	free(j.names);
	return rc;
}
