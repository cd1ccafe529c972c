/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cli/apply.h"
#include "cli/azure.h"
#include "cli/cli.h"
#include "whittle/app_firewall.h"

static const char enforce_help[] =
	"usage: whittle enforce [--resource NAME]… [--confirm-within 60s] [--audit] [--dry-run] [--force] [--force-all-addresses]\n"
	"                       [--reject all|no|PREFIX,…] [--only PORT,…] [--reviewed DIGEST] [--json]\n"
	"       whittle enforce --repair [--json]\n"
	"       whittle enforce --to azure [RESOURCE…] [--nsg NAME|ID] [--dry-run] [--force] [--token-command COMMAND] [--json]\n"
	"\n"
	"Applies the recommended rules, as they were reviewed, to this machine's firewall: in a table of whittle's own, in one transaction.\n"
	"Before that, it proves again that they only narrow, and replays past traffic: each peer that belongs and would be cut off is listed,\n"
	"with its last day and flows. A packet that whittle does not drop goes on to the rules that you already have. Established\n"
	"connections, loopback and ICMP are never touched.\n"
	"\n"
	"A rule judges packets to those addresses of its resource about which something was learned; an outbound rule judges packets from\n"
	"them. A port that this machine publishes or redirects (Docker, Podman, DNAT) is judged by the address and port that the peer\n"
	"connected to. Other addresses, such as a VPN's, a bridge's or the other family's, stay as they are and are listed as not covered.\n"
	"Forwarded packets are not judged.\n"
	"\n"
	"The rules expire unless you run `whittle confirm` in time. The kernel itself removes them then, even if whittle, your shell or your\n"
	"connection is gone. The rules confirmed before are in force again.\n"
	"\n"
	"  --resource NAME        the resource that this machine is; may be given several times. Default: those that have its addresses\n"
	"  --confirm-within TIME  how long the rules stay without a confirmation (60s)\n"
	"  --audit                count and log what would be dropped; drop nothing\n"
	"  --dry-run              print a summary of what would be applied, and, if the output is not a terminal, the rules in nft's language;\n"
	"                         apply nothing\n"
	"  --force                apply even if you could not connect again by SSH; if an open connection that is older than the ledger's memory, or\n"
	"                         has moved 16 MiB, could not be opened again; or if rules are less than 50 % sure or would have broken more than 1 %\n"
	"                         of past flows. Your address is read from $SSH_CONNECTION, also behind sudo, and from the sockets of your SSH\n"
	"                         sessions\n"
	"  --force-all-addresses  each rule judges packets to all addresses of this machine, also those about which nothing was learned\n"
	"  --reject all|no|PREFIX,…  answer refused connections of these peers (a reset for TCP, else ICMP port unreachable) instead of dropping\n"
	"                         them. Their programs fail at once, but a scan sees the machine. Default: `reject` in whittle.yaml\n"
	"  --only PORT,…          apply only the rules of these ports, such as 22/tcp or out:443/tcp; rules that are in force stay\n"
	"  --reviewed DIGEST      apply only if the rules of the one --resource still have this digest, which the API gives with them\n"
	"  --repair               put back what `whittle drift` reports as changed. Confirmed rules stay confirmed; rules that wait for their\n"
	"                         confirmation expire at the same time as before\n"
	"\n"
	"--to azure writes the rules into the network security groups that protect the resources, through Azure Resource Manager. Each group is\n"
	"read first. It must be as it was imported, or as whittle wrote it last. The plan is proved, checked against Azure's limits, and printed as\n"
	"rules added (+), removed (-) and moved (~). One PUT writes it; the PUT fails if somebody else changed the group meanwhile. whittle waits for\n"
	"Azure, reads the group back and compares. If anything fails, it restores this group and those that it changed before. There is no\n"
	"confirmation: `whittle rollback --to azure` undoes the change.\n"
	"\n"
	"  RESOURCE               only these resources (names, ids or addresses). Default: all of the estate\n"
	"  --nsg NAME|ID          only this group\n"
	"  --dry-run              read, plan and show; write nothing\n"
	"  --force                change a group even if somebody else changed it since its import\n"
	"  --keep-original DAY    keep the narrowed rule below until that day, as `whittle export --help` says; after it, remove it\n"
	"  --nsg-scope SCOPE      nic, subnet or both: which groups of a resource, as `whittle export --help` says\n"
	"  --token-command CMD    prints a bearer token (azure: {token-command: …} in whittle.yaml); else it is in $WHITTLE_AZURE_TOKEN\n"
	"  --endpoint URL         https://management.azure.com, or another cloud's; --ca-file FILE where its certificate needs it\n"
	"  --wait TIME            how long to wait for Azure in all (5m)\n"
	"\n"
	"Example: whittle enforce --confirm-within 2m, try a new connection, whittle confirm\n"
	"         whittle enforce --to azure vm1 --dry-run --token-command 'az account get-access-token --query accessToken -o tsv'\n";

/* Only root can see other processes' sockets. */
static void find_sessions(struct cli *c)
{
	c->n_sessions = wh_sessions("/proc", getpid(), wh_operator_uid("/proc"), c->sessions,
	                            sizeof c->sessions / sizeof *c->sessions);
}

struct job {
	struct cli *c;
	int status;
};

static void print_repair(void *arg, const char *was)
{
	struct job *j = arg;
	if (j->c->json)
		j->status = cli_print_json(json_pack("{s:b,s:s}", "repaired", was != NULL, "was", was ? was : ""));
	else if (was)
		printf("Put back and read back. These were the changes:\n%s\n", was);
	else
		puts("There is nothing to repair: the kernel holds what was applied.");
}

static void print_dry(const struct wh_app_enforced *e, struct wh_arena *mem)
{
	char *text = wh_nft_text(e->own.rs, e->confirm_within_s);
	printf("# Nothing was applied. `whittle enforce%s` would narrow %zu port%s:\n", e->audit ? " --audit" : "",
	       e->own.rs->n_ports, e->own.rs->n_ports == 1 ? "" : "s");
	cli_print_summary(e->own.rs, e->replay);
	if (!e->audit)
		cli_print_reject("# ", &e->own.rs->reject);
	if (isatty(STDOUT_FILENO) == 1) /* there the summary would scroll away */
		puts("# To see them in nft's own language too: whittle enforce --dry-run | less");
	else
		printf("# As nft's own language:\n%s", text ? text : "");
	fprintf(stderr, "%s\n", wh_app_coverage_line(e->own.covered, e->own.n_covered, mem));
	free(text);
}

static void print_applied(const struct cli *c, const struct wh_app_enforced *e, struct wh_arena *mem)
{
	const struct wh_enforce_result *res = &e->result;
	char until[WH_TIME_STRLEN];
	printf("Applied and read back: %zu port%s narrowed to %zu prefix%s%s.\n", res->ports, res->ports == 1 ? "" : "s",
	       res->prefixes, res->prefixes == 1 ? "" : "es", e->audit ? " (audit: nothing is dropped)" : "");
	cli_print_rules(e->own.rs);
	if (!e->audit)
		cli_print_reject("", &e->own.rs->reject);
	printf("%s.\n", wh_app_coverage_line(e->own.covered, e->own.n_covered, mem));
	if (res->unchanged)
		puts("These rules were confirmed before: nothing has changed, and nothing is to be confirmed.");
	else
		printf("Now try a new connection, then keep the rules, from any terminal:\n    %s\nWithout that, the kernel removes them in %lld seconds, at %s. `whittle rollback` removes them at once.\n",
		       cli_confirm_command(c), (long long)e->confirm_within_s, wh_time_text(e->expires_us, until));
}

static void print(void *arg, const struct wh_app_enforced *e)
{
	struct job *j = arg;
	struct wh_arena *mem = wh_arena_new();
	if (j->c->json)
		j->status = cli_print_json(wh_app_enforced_json(e, cli_confirm_command(j->c)));
	else if (e->applied)
		print_applied(j->c, e, mem);
	else
		print_dry(e, mem);
	wh_arena_free(mem);
}

static int read_options(struct cli *c, int argc, char **argv, struct wh_app_enforce *ask, const char **names, bool *mend)
{
	static const struct option opts[] = {{"resource", 1, 0, 'r'}, {"confirm-within", 1, 0, 'c'},
	                                     {"audit", 0, 0, 'a'},    {"dry-run", 0, 0, 'n'},
	                                     {"force", 0, 0, 'f'},    {"force-all-addresses", 0, 0, 'A'},
	                                     {"repair", 0, 0, 'm'},   {"to", 1, 0, 't'},
	                                     {"reviewed", 1, 0, 'v'}, {"reject", 1, 0, 'j'},
	                                     {"only", 1, 0, 'o'},
	                                     {0}};
	int o;
	while ((o = cli_getopt(c, argc, argv, "", opts)) != -1) {
		switch (o) {
		case 'v': ask->reviewed = optarg; break;
		case 'o': ask->only = optarg; break;
		case 'j': ask->reject = optarg; break;
		case 'r':
			if (ask->n_resources == WH_APP_OWN)
				return cli_usage(c, "too many resources");
			names[ask->n_resources++] = optarg;
			break;
		case 'c':
			if (wh_duration_parse(optarg, &ask->confirm_within_s) || ask->confirm_within_s < 1 ||
			    ask->confirm_within_s > 86400)
				return cli_usage(c, "'%s' is not a time from 1s to 24h", optarg);
			break;
		case 'a': ask->audit = true; break;
		case 'n': ask->dry = true; break;
		case 'f': ask->force = true; break;
		case 'A': ask->all_addresses = true; break;
		case 'm': *mend = true; break;
		case 't':
			if (strcmp(optarg, "nft"))
				return cli_usage(c, "unknown target '%s'; use nft or azure", optarg);
			break;
		default: return CLI_USAGE;
		}
	}
	if (ask->reviewed && ask->n_resources != 1)
		return cli_usage(c, "--reviewed needs exactly one --resource");
	return optind != argc ? cli_usage(c, "takes no further words") : 0;
}

static int enforce(struct cli *c, int argc, char **argv)
{
	const char *names[WH_APP_OWN];
	struct job j = {.c = c};
	struct wh_app_enforce ask = {.resources = names, .confirm_within_s = 60, .done = print, .arg = &j};
	struct wh_error err;
	bool mend = false;
	if (cli_is_azure(argc, argv))
		return cli_azure(c, argc, argv, false);
	int rc = read_options(c, argc, argv, &ask, names, &mend);
	if (rc)
		return rc;
	const struct wh_app a = cli_app(c);
	rc = mend ? wh_app_repair(&a, print_repair, &j, &err) : wh_app_enforce(&a, &ask, &err);
	return rc ? cli_error(&err) : j.status;
}

static unsigned may_now(const struct cli *c, int argc, char **argv)
{
	(void)c;
	if (cli_has_option(argc, argv, "--repair"))
		return WH_MAY_LOOK | WH_MAY_PUT_BACK | WH_MAY_ADOPT;
	return cli_has_option(argc, argv, "--dry-run") ? WH_MAY_LOOK : WH_MAY_LOOK | WH_MAY_APPLY;
}

static bool only_repairs(int argc, char **argv)
{
	return !cli_is_azure(argc, argv) && cli_has_option(argc, argv, "--repair");
}

const struct cli_command cli_enforce = {.keeps_user = only_repairs,
                                        .may = WH_MAY_LOOK | WH_MAY_APPLY | WH_MAY_PUT_BACK | WH_MAY_ADOPT,
                                        .may_now = may_now,
                                        .confined = true,
                                        .name = "enforce",
                                        .summary = "apply the rules for 60 seconds; `confirm` makes them permanent",
                                        .help = enforce_help,
                                        .run = enforce,
                                        .before = find_sessions};
