/* SPDX-License-Identifier: GPL-2.0-or-later */
/* After an enforce: keeps what it applied, or removes it. */
#include <string.h>
#include "cli/apply.h"
#include "cli/azure.h"
#include "whittle/app_firewall.h"

struct outcome { const struct cli *c; int status; };

static void print_late(struct outcome *o, const struct wh_app_confirmed *c)
{
	o->status = CLI_FAILED;
	if (o->c->json)
		cli_print_json(wh_app_confirmed_json(c));
	else
		o->status = cli_error(&c->unstored);
}

static void print_confirmed(void *arg, const struct wh_app_confirmed *c)
{
	struct outcome *o = arg;
	if (c->is.too_late) {
		print_late(o, c);
		return;
	}
	o->status = c->is.stored ? CLI_OK : CLI_FAILED;
	if (!c->is.stored)
		cli_error(&c->unstored);
	if (o->c->json) {
		o->status = cli_print_json(wh_app_confirmed_json(c)) ? CLI_FAILED : o->status;
		return;
	}
	puts(c->is.again ? "Nothing was waiting: these rules were confirmed before, and stay." : "Confirmed: the rules stay.");
	puts("`whittle rollback` goes back to the rules confirmed before them; if there were none, it removes them.");
	if (c->is.stored && !c->survives_reboot)
		printf("They do not come back after a reboot: %s.\n", c->survives_not);
}

static int confirm(struct cli *c, int argc, char **argv)
{
	static const struct option none[] = {{0}};
	const struct wh_app a = cli_app(c);
	struct outcome o = {.c = c};
	struct wh_error err;
	if (cli_getopt(c, argc, argv, "", none) != -1)
		return CLI_USAGE;
	if (optind != argc)
		return cli_usage(c, "takes no further words");
	return wh_app_confirm(&a, print_confirmed, &o, &err) ? cli_error(&err) : o.status;
}

static void print_rollback(const struct wh_rolled_back *r)
{
	char t[WH_TIME_STRLEN];
	switch (r->how) {
	case WH_ROLLBACK_NOTHING: puts("There was nothing to remove: whittle's table is not there."); break;
	case WH_ROLLBACK_REMOVED:
		puts("No rules were confirmed before: whittle's table is gone; nothing else was touched.");
		break;
	case WH_ROLLBACK_PENDING:
		puts("The unconfirmed rules are removed. The rules confirmed before are in force. `whittle rollback --all` removes all.");
		break;
	case WH_ROLLBACK_EXPIRED:
		puts("The rules applied last had expired already, and the rules confirmed before them are in force. `whittle rollback` once more goes back to\n"
		     "those before these; `whittle rollback --all` removes everything.");
		break;
	case WH_ROLLBACK_EARLIER:
		printf("Back to the rules that were confirmed before%s%s: %zu port%s narrowed to %zu prefix%s, read back and compared. `whittle rollback --all`\n"
		       "takes everything away.\n",
		       r->confirmed_us ? ", at " : "", r->confirmed_us ? wh_time_text(r->confirmed_us, t) : "", r->ports,
		       r->ports == 1 ? "" : "s", r->prefixes, r->prefixes == 1 ? "" : "es");
		break;
	}
}

static void print_rolled_back(void *arg, const struct wh_app_rolled_back *r)
{
	struct outcome *o = arg;
	o->status = r->is.stored ? CLI_OK : CLI_FAILED;
	if (!r->is.stored)
		cli_error(&r->unstored);
	if (o->c->json)
		o->status = cli_print_json(wh_app_rolled_back_json(r)) ? CLI_FAILED : o->status;
	else if (r->all && r->is.how == WH_ROLLBACK_REMOVED)
		puts("whittle's table is gone; nothing else was touched.");
	else
		print_rollback(&r->is);
}

static int roll_back(struct cli *c, bool all)
{
	const struct wh_app a = cli_app(c);
	struct outcome o = {.c = c};
	struct wh_error err;
	return wh_app_rollback(&a, all, print_rolled_back, &o, &err) ? cli_error(&err) : o.status;
}

static int rollback(struct cli *c, int argc, char **argv)
{
	static const struct option opts[] = {{"to", 1, 0, 't'}, {"all", 0, 0, 'a'}, {0}};
	bool all = false;
	int o;
	if (cli_is_azure(argc, argv))
		return cli_azure(c, argc, argv, true);
	while ((o = cli_getopt(c, argc, argv, "", opts)) != -1) {
		if (o == '?')
			return CLI_USAGE;
		if (o == 'a')
			all = true;
		else if (strcmp(optarg, "nft"))
			return cli_usage(c, "unknown target '%s'; use nft or azure", optarg);
	}
	if (optind != argc)
		return cli_usage(c, "takes no further words");
	return roll_back(c, all);
}

const struct cli_command cli_confirm = {
	.keeps_user = cli_always,
	.may = WH_MAY_LOOK | WH_MAY_CONFIRM | WH_MAY_ADOPT,
	.confined = true,
	.name = "confirm",
	.summary = "keep what enforce applied",
	.help = "usage: whittle confirm [--json]\n\nKeeps the rules that `whittle enforce` applied, in one transaction. It works from any terminal, also after reconnecting.\n"
		"If the rules have expired, it prints which rules are in force instead (exit status 1). --json says whether the rules survive a\n"
		"reboot: they do if the service whittle-enforce is enabled.\n"
		"\nExample: whittle enforce && ssh -o ConnectTimeout=5 thishost true && whittle confirm\n",
	.run = confirm};
static unsigned rollback_may(const struct cli *c, int argc, char **argv)
{
	(void)c;
	return cli_has_option(argc, argv, "--all") ? WH_MAY_LOOK | WH_MAY_REMOVE : WH_MAY_LOOK | WH_MAY_ROLL_BACK;
}

static bool is_local(int argc, char **argv)
{
	return !cli_is_azure(argc, argv);
}

const struct cli_command cli_rollback = {
	.keeps_user = is_local,
	.may = WH_MAY_LOOK | WH_MAY_ROLL_BACK | WH_MAY_REMOVE,
	.may_now = rollback_may,
	.confined = true,
	.name = "rollback",
	.summary = "go back to the rules confirmed before, or remove all",
	.help = "usage: whittle rollback [--all] [--json]\n       whittle rollback --to azure [--nsg NAME|ID] [--force] [--token-command COMMAND] [--json]\n"
		"\nGoes one step back. Rules that wait for their confirmation are removed. If none wait, the rules that were confirmed before the\n"
		"present ones are put back, up to eight steps. If none were confirmed before, whittle's own table is deleted, and nothing else.\n"
		"\n  --all  delete whittle's own table at once, confirmed or not, and forget all confirmed rules\n"
		"\nWith --to azure, puts back the rules that each network security group (or one, --nsg) had before `whittle enforce --to azure`\n"
		"changed it last, unless somebody else changed them since (--force). Rules of just-in-time access stay as they are. The other options\n"
		"(--endpoint, --ca-file, --wait) are those of enforce.\n"
		"\nExample: whittle rollback\n",
	.run = rollback};
