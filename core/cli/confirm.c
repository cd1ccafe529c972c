/* SPDX-License-Identifier: GPL-2.0-or-later */
/* After an enforce: keep what it applied, or take it away. */
#include <string.h>
#include "cli/apply.h"
#include "cli/azure.h"
#include "whittle/persist.h"

/* Keeps for a reboot what the kernel holds for good now. */
static int keep(const struct cli *c)
{
	struct wh_error err;
	char dir[4096];
	int rc = wh_persist_dir(c->store_url, dir, sizeof dir, &err);
	rc = rc ? rc : wh_persist_confirmed(dir, &err);
	return rc ? cli_error(&err) : CLI_OK;
}

static int confirm(struct cli *c, int argc, char **argv)
{
	static const struct option none[] = {{0}};
	struct wh_store *journal = NULL;
	struct wh_nft_state state = {0};
	struct wh_error err;
	if (cli_getopt(c, argc, argv, "", none) != -1)
		return CLI_USAGE;
	if (optind != argc)
		return cli_usage(c, "takes no further words");
	int rc = cli_firewall_alone(c, &journal, &err);
	rc = rc ? rc : wh_nft_confirm(&err);
	if (!rc)
		cli_journal(journal, "enforce.confirm", json_object());
	wh_store_close(journal);
	if (rc)
		return cli_error(&err);
	int kept = keep(c);
	wh_nft_state(&state, &err);
	if (c->json)
		return cli_print_json(json_pack("{s:b,s:I,s:b}", "confirmed", 1, "ports", (json_int_t)state.ports, "survivesReboot", kept == CLI_OK)) || kept ? CLI_FAILED : CLI_OK;
	puts("Confirmed: the rules stay. `whittle rollback` takes them away.");
	return kept ? CLI_FAILED : CLI_OK;
}

static int forget(const struct cli *c)
{
	struct wh_error err;
	char dir[4096];
	size_t n;
	int rc = wh_persist_dir(c->store_url, dir, sizeof dir, &err);
	rc = rc ? rc : wh_persist_forget(dir, true, false, &n, &err);
	return rc ? cli_error(&err) : CLI_OK;
}

static int rollback(struct cli *c, int argc, char **argv)
{
	static const struct option opts[] = {{"to", 1, 0, 't'}, {0}};
	struct wh_store *journal = NULL;
	struct wh_nft_state before = {0};
	struct wh_error err;
	int o;
	if (cli_is_azure(argc, argv))
		return cli_azure(c, argc, argv, true);
	while ((o = cli_getopt(c, argc, argv, "", opts)) != -1)
		if (o == '?' || strcmp(optarg, "nft") != 0)
			return o == '?' ? CLI_USAGE : cli_usage(c, "unknown target '%s'; there are nft and azure", optarg);
	if (optind != argc)
		return cli_usage(c, "takes no further words");
	int kept = forget(c); /* first: what is killed here must not come back with the next start */
	int rc = cli_firewall_alone(c, &journal, &err);
	rc = rc ? rc : wh_nft_state(&before, &err);
	rc = rc ? rc : wh_nft_rollback(&err);
	if (!rc)
		cli_journal(journal, "enforce.rollback", json_object());
	wh_store_close(journal);
	if (rc)
		return cli_error(&err);
	if (c->json)
		return cli_print_json(json_pack("{s:b,s:b}", "wasThere", before.present, "forgotten", kept == CLI_OK)) || kept ? CLI_FAILED : CLI_OK;
	puts(before.present ? "whittle's table is gone; nothing else was touched." : "There was nothing to take away: whittle's table is gone already.");
	return kept;
}

const struct cli_command cli_confirm = {.name = "confirm", .summary = "keep what enforce applied",
	.help = "usage: whittle confirm [--json]\n\nKeeps the rules that `whittle enforce` applied, in one transaction. From any terminal, also after reconnecting.\n"
	        "When their time was up it says so (exit status 1): then the machine is as it was before.\n"
	        "\nExample: whittle enforce && ssh -o ConnectTimeout=5 thishost true && whittle confirm\n", .run = confirm};
const struct cli_command cli_rollback = {.name = "rollback", .summary = "take the rules away, now",
	.help = "usage: whittle rollback [--json]\n       whittle rollback --to azure [--nsg NAME|ID] [--force] [--token-command COMMAND] [--json]\n"
	        "\nDeletes whittle's own table, confirmed or not, and nothing else.\n"
	        "\nWith --to azure, puts back the rules that each network security group (or one, --nsg) had before `whittle enforce --to azure`\n"
	        "changed it last, unless somebody else changed them since (--force). Rules of just-in-time access stay as they are. The other options\n"
	        "(--endpoint, --ca-file, --wait) are those of enforce.\n"
	        "\nExample: whittle rollback\n", .run = rollback};
