/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>
#include "cli/estate.h"
#include "cli/options.h"
#include "whittle/firewall.h"

static const char help[] =
	"usage: whittle estate import FILE|DIRECTORY…\n"
	"       whittle estate sync [--subscription ID]… [--endpoint URL] [--token-command CMD] [--ca-file FILE] [--wait TIME]\n"
	"       whittle estate show [--json]\n"
	"       whittle estate facts [--name NAME]\n"
	"\n"
	"The estate says which hosts are protected, which addresses they have, and which network security groups guard them.\n"
	"`import` reads it, checks everything, and replaces the ledger's estate; if anything is wrong, nothing is changed. `sync` imports all\n"
	"resources that the token may read (or those of the given subscriptions) from Azure's Resource Graph. The token is $WHITTLE_AZURE_TOKEN,\n"
	"or what azure: {token-command: …} of whittle.yaml prints, as for `whittle enforce --to azure`.\n"
	"\n"
	"It reads Azure's inventory from JSON files and directories of them, mixed as they are: what `az vm list`, `az vm list -d`, `az vmss\n"
	"list-instances`, `az vmss nic list` and `az network … list` (nic, vnet, nsg, asg, public-ip, lb, route-table, private-endpoint, …) print,\n"
	"REST and Resource Graph (`az graph query`, all pages), exported ARM templates, Terraform's state (`terraform show -json`) or plan (… PLAN), and\n"
	"Microsoft's ServiceTags file. If the files name a resource but don't contain it, it is printed once. Resources of other types are stored for\n"
	"`assess`.\n"
	"\n"
	"AWS's inventory is read in the same way, also from a directory that holds Azure's: what `aws ec2 describe-instances`, -network-interfaces,\n"
	"-security-groups (or -security-group-rules), -subnets, -vpcs, -network-acls, -vpc-peering-connections and `get-managed-prefix-list-entries` (in a\n"
	"file named pl-….json) print. A group is narrowed only if describe-network-interfaces shows which other interfaces have it. For load balancers:\n"
	"`aws elbv2` describe-load-balancers, -listeners, -target-groups and -target-health (in a file named after the target group), and for classic\n"
	"ones `aws elb` describe-load-balancers. Elastic addresses and VPC Block Public Access: describe-addresses, -vpc-block-public-access-options\n"
	"and -vpc-block-public-access-exclusions.\n"
	"\n"
	"Or it reads your own file, estate.yaml, which names hosts of any kind.\n"
	"\n"
	"`facts` prints facts of the machine that it runs on, as JSON: addresses, what its rulesets (of any program) let in, out and through, settings of\n"
	"the kernel, listening sockets, resolvers, and which protocols and ciphers sshd, Samba, OpenSSL, Kerberos, IPsec and systemd-resolved allow.\n"
	"It needs root. Files with such facts are imported next to the estate, one a host, and `assess` judges\n"
	"that host by them: `whittle estate facts >db-1.json` there, `whittle estate import db-1.json` here. Use --name if the estate has another name for the\n"
	"host.\n"
	"\n"
	"Example, estate.yaml:\n"
	"\n"
	"  resources:\n"
	"    - name: vm1\n"
	"      id: /subscriptions/…/virtualMachines/vm1   # optional\n"
	"      addresses: [10.0.0.4, '2001:db8::4']\n"
	"      internet-facing: true\n"
	"      nsg-scope: nic                     # which of its groups get rules: nic, subnet or both (the default)\n"
	"      nsgs: [web.json]      # as `az network nsg show` or `list` prints them, or ARM resources; in the same directory\n"
	"  vnets: [10.0.0.0/16]      # optional: what the tag VirtualNetwork means\n"
	"\n"
	"A group's file may also be what `az network nsg create` or `az graph query` printed, PowerShell's `Get-AzNetworkSecurityGroup |\n"
	"ConvertTo-Json -Depth 10`, or Terraform's state; in UTF-8 or UTF-16.\n"
	"All groups of a file count; `all.json#web` names one of them.\n"
	"Without an estate, private addresses that answer become resources (`whittle ingest`, --discover).\n"
	"\n"
	"Example: az network nic list >azure/nics.json; …; whittle estate import azure/ && whittle estate show\n";

static int import_facts(const struct cli *c, const struct wh_app *a, const char *const *paths, size_t n, size_t facts)
{
	struct wh_error err;
	if (facts < n)
		return cli_usage(
			c, "import facts of hosts with a separate command: an estate replaces the one before it, facts do not");
	if (wh_app_host_facts_import(a, paths, n, &err))
		return cli_error(&err);
	if (c->json)
		return cli_print_json(json_pack("{s:I}", "hosts", (json_int_t)n));
	printf("Facts of %zu host%s: `whittle assess` judges %s by them\n", n, n == 1 ? "" : "s", n == 1 ? "it" : "them");
	return CLI_OK;
}

int cli_print_imported(const struct cli *c, struct wh_estate_summary *sum)
{
	int rc = CLI_OK;
	if (c->json) {
		rc = cli_print_json(wh_app_estate_imported_json(sum));
	} else {
		printf("%zu resource%s with %zu address%s; %zu network security group%s with %zu rule%s\n", sum->resources,
		       sum->resources == 1 ? "" : "s", sum->addresses, sum->addresses == 1 ? "" : "es", sum->nsgs,
		       sum->nsgs == 1 ? "" : "s", sum->rules, sum->rules == 1 ? "" : "s");
		if (sum->notes)
			printf("Read with a note:\n%s", sum->note_texts);
	}
	free(sum->note_texts);
	return rc;
}

static int import(struct cli *c, const char *const *paths, size_t n)
{
	const struct wh_app a = cli_app(c);
	struct wh_estate_summary sum;
	struct wh_error err;
	size_t facts = 0;
	for (size_t i = 0; i < n; i++)
		facts += wh_app_is_host_facts(paths[i]);
	if (facts)
		return import_facts(c, &a, paths, n, facts);
	return wh_app_estate_import(&a, paths, n, &sum, &err) ? cli_error(&err) : cli_print_imported(c, &sum);
}

static void row(struct cli_table *t, const struct wh_resource *r)
{
	char buf[WH_ADDR_STRLEN], addrs[512] = "", nsgs[256] = "";
	size_t rules = 0;
	for (size_t j = 0; j < r->n_addrs && strlen(addrs) + WH_ADDR_STRLEN + 4 < sizeof addrs; j++)
		snprintf(addrs + strlen(addrs), sizeof addrs - strlen(addrs), "%s%s", j ? ", " : "",
		         wh_addr_text(&r->addrs[j], buf));
	for (size_t j = 0; j < r->n_nsgs; j++) {
		snprintf(nsgs + strlen(nsgs), sizeof nsgs - strlen(nsgs), "%s%s", j ? ", " : "", r->nsgs[j]->name);
		for (size_t k = 0; k < r->nsgs[j]->n_rules; k++)
			rules += !r->nsgs[j]->rules[k].is_default;
	}
	cli_table_text(t, r->name);
	cli_table_list(t, addrs);
	cli_table_text(t, r->internet_facing ? "yes" : r->discovered ? "" : "no");
	cli_table_list(t, nsgs);
	cli_table_number(t, rules);
	cli_table_text(t, r->discovered ? "its traffic" : "the estate");
}

static int print(const struct cli *c, const struct wh_estate *e)
{
	if (c->json)
		return cli_print_json(wh_app_estate_json(e));
	if (!e->n_resources) {
		puts(CLI_NO_RESOURCE);
		return CLI_OK;
	}
	struct cli_table *t = cli_table_new("Resource|Addresses|Faces the Internet|NSGs|>Rules|Known from");
	for (size_t i = 0; i < e->n_resources; i++)
		row(t, &e->resources[i]);
	cli_table_print(t);
	return CLI_OK;
}

static int facts(struct cli *c, int argc, char **argv)
{
	const char *name = NULL;
	const struct cli_option rows[] = {{"name", .text = &name}, {0}};
	struct wh_error err;
	json_t *doc;
	if (cli_read_options(c, argc, argv, rows) || cli_no_word(c, argc, argv))
		return CLI_USAGE;
	if (name && (!*name || strlen(name) > 255))
		return cli_usage(c, "--name takes the host's name, of 1 to 255 bytes");
	return wh_app_host_facts(name, &doc, &err) ? cli_error(&err) : cli_print_json(doc);
}

static bool wants_facts(int argc, char **argv)
{
	return argc > 1 && !strcmp(argv[1], "facts");
}

static unsigned may_now(const struct cli *c, int argc, char **argv)
{
	(void)c;
	return wants_facts(argc, argv) ? WH_MAY_LOOK : 0;
}

static int run(struct cli *c, int argc, char **argv)
{
	if (wants_facts(argc, argv))
		return facts(c, argc - 1, argv + 1);
	if (argc >= 3 && !strcmp(argv[1], "import"))
		return import(c, (const char *const *)argv + 2, (size_t)argc - 2);
	if (cli_is_sync(argc, argv))
		return cli_estate_sync(c, argc - 1, argv + 1);
	if (argc != 2 || strcmp(argv[1], "show"))
		return cli_usage(c, argc > 1 && !strcmp(argv[1], "import")
		                            ? "name a file or directory to import"
		                            : "name a subcommand: import FILE, sync, show or facts");
	const struct wh_app a = cli_app(c);
	struct wh_estate *e = NULL;
	struct wh_error err;
	struct wh_arena *mem = wh_arena_new();
	cli_output_only_prints();
	int rc = wh_app_estate(&a, mem, &e, &err) ? cli_error(&err) : print(c, e);
	wh_estate_free(e);
	wh_arena_free(mem);
	return rc;
}

const struct cli_command cli_estate = {.confined = true,
                                       .name = "estate",
                                       .summary = "import and show the inventory of protected hosts",
                                       .help = help,
                                       .may = WH_MAY_LOOK,
                                       .may_now = may_now,
                                       .run = run};
