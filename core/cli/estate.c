/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include "base/heap.h"
#include "base/json.h"
#include "cli/cli.h"
#include "whittle/topology.h"

enum { HEAP = 384 << 20 }; /* bytes: what a large estate needs */

static const char help[] =
	"usage: whittle estate import FILE|DIRECTORY…\n"
	"       whittle estate show [--json]\n"
	"\n"
	"The estate says which hosts are protected, which addresses they have, and which network security groups guard them.\n"
	"`import` reads it, checks everything, and replaces what the ledger had; when anything is wrong, nothing is changed.\n"
	"\n"
	"It reads Azure's inventory from JSON files and directories of them, mixed as they are: what `az vm list`, `az vm list -d`, `az vmss\n"
	"list-instances`, `az vmss nic list` and `az network … list` (nic, vnet, nsg, asg, public-ip, lb, route-table, private-endpoint, …) print,\n"
	"REST and Resource Graph (`az graph query`, all pages), exported ARM templates, Terraform's state (`terraform show -json`), and\n"
	"Microsoft's ServiceTags file. What they name and don't hold is printed once. Other resources are kept for `assess`.\n"
	"\n"
	"Or it reads a file of your own, estate.yaml, which names hosts of any kind.\n"
	"\n"
	"Example, estate.yaml:\n"
	"\n"
	"  resources:\n"
	"    - name: vm1\n"
	"      id: /subscriptions/…/virtualMachines/vm1   # optional\n"
	"      addresses: [10.0.0.4, '2001:db8::4']\n"
	"      internet-facing: true\n"
	"      nsg-scope: nic                     # which of its groups get rules: nic, subnet or both (the default)\n"
	"      nsgs: [web.json]      # as `az network nsg show` or `list` prints them, or ARM resources; beside this file\n"
	"  vnets: [10.0.0.0/16]      # optional: what the tag VirtualNetwork means\n"
	"\n"
	"A group's file may also be what `az network nsg create` or `az graph query` printed, PowerShell's `Get-AzNetworkSecurityGroup |\n"
	"ConvertTo-Json -Depth 10`, or Terraform's state; in UTF-8 or UTF-16.\n"
	"Of a file with several groups all count; `all.json#web` takes one of them.\n"
	"Without an estate, private addresses that answer become resources by themselves (`whittle ingest --discover`).\n"
	"\n"
	"Example: az network nic list >azure/nics.json; …; whittle estate import azure/ && whittle estate show\n";

/* An estate of one's own is YAML, or JSON that has a list of resources without types. */
static bool is_inventory(const char *path)
{
	struct stat st;
	char *text;
	size_t len;
	const char *dot = strrchr(path, '.');
	if (!stat(path, &st) && S_ISDIR(st.st_mode))
		return true;
	if (!dot || (strcasecmp(dot, ".json") && strcasecmp(dot, ".tfstate")))
		return false;
	if (wh_read_file(path, 512 << 20, &text, &len, NULL))
		return true;
	json_t *doc = wh_json_load(text, len, 0, NULL, NULL), *first = json_array_get(json_object_get(doc, "resources"), 0);
	bool own = first && !json_object_get(first, "type") && json_object_get(first, "addresses");
	json_decref(doc);
	free(text);
	return !own;
}

static int import(struct cli *c, const char *const *paths, size_t n)
{
	struct wh_ledger ledger = {NULL, NULL};
	struct wh_estate_summary sum;
	struct wh_error err;
	int rc = cli_open_ledger(c, WH_STATE_CREATE, &ledger);
	if (rc)
		return rc;
	wh_heap_in_large_pages(HEAP);
	if (n > 1 || is_inventory(paths[0]))
		rc = wh_inventory_import(ledger.state, paths, n, &sum, &err);
	else
		rc = wh_estate_import(ledger.state, paths[0], &sum, &err);
	wh_ledger_close(&ledger);
	if (rc)
		return cli_error(&err);
	if (c->json) {
		rc = cli_print_json(json_pack("{s:I,s:I,s:I,s:I,s:s}", "resources", (json_int_t)sum.resources, "addresses", (json_int_t)sum.addresses, "nsgs",
		                              (json_int_t)sum.nsgs, "rules", (json_int_t)sum.rules, "notes", sum.note_texts ? sum.note_texts : ""));
	} else {
		printf("%zu resource%s with %zu address%s; %zu network security group%s with %zu rule%s\n", sum.resources, sum.resources == 1 ? "" : "s",
		       sum.addresses, sum.addresses == 1 ? "" : "es", sum.nsgs, sum.nsgs == 1 ? "" : "s", sum.rules, sum.rules == 1 ? "" : "s");
		if (sum.notes)
			printf("Read with a note:\n%s", sum.note_texts);
	}
	free(sum.note_texts);
	return rc;
}

static json_t *resource_json(const struct wh_resource *r)
{
	char buf[WH_ADDR_STRLEN];
	json_t *addrs = json_array(), *nsgs = json_array();
	for (size_t i = 0; i < r->n_addrs; i++)
		json_array_append_new(addrs, json_string(wh_addr_text(&r->addrs[i], buf)));
	for (size_t i = 0; i < r->n_nsgs; i++)
		json_array_append_new(nsgs, json_string(r->nsgs[i]->name));
	return json_pack("{s:s,s:s*,s:o,s:b,s:b,s:o}", "name", r->name, "id", r->id, "addresses", addrs, "internetFacing", r->internet_facing,
	                 "discovered", r->discovered, "networkSecurityGroups", nsgs);
}

static int show(struct cli *c, const struct wh_estate *e)
{
	char buf[WH_ADDR_STRLEN];
	if (c->json) {
		json_t *a = json_array();
		for (size_t i = 0; i < e->n_resources; i++)
			json_array_append_new(a, resource_json(&e->resources[i]));
		return cli_print_json(json_pack("{s:o}", "resources", a));
	}
	if (!e->n_resources) {
		puts(CLI_NO_RESOURCE);
		return CLI_OK;
	}
	struct cli_table *t = cli_table_new("Resource|Addresses|Faces the Internet|NSGs|>Rules|Known from");
	for (size_t i = 0; i < e->n_resources; i++) {
		const struct wh_resource *r = &e->resources[i];
		char addrs[512] = "", nsgs[256] = "";
		size_t rules = 0;
		for (size_t j = 0; j < r->n_addrs && strlen(addrs) + WH_ADDR_STRLEN + 4 < sizeof addrs; j++)
			snprintf(addrs + strlen(addrs), sizeof addrs - strlen(addrs), "%s%s", j ? ", " : "", wh_addr_text(&r->addrs[j], buf));
		for (size_t j = 0; j < r->n_nsgs; j++) {
			snprintf(nsgs + strlen(nsgs), sizeof nsgs - strlen(nsgs), "%s%s", j ? ", " : "", r->nsgs[j]->name);
			for (size_t k = 0; k < r->nsgs[j]->n_rules; k++)
				rules += !r->nsgs[j]->rules[k].is_default;
		}
		cli_table_text(t, r->name);
		cli_table_text(t, addrs);
		cli_table_text(t, r->internet_facing ? "yes" : r->discovered ? "" : "no");
		cli_table_text(t, nsgs);
		cli_table_number(t, rules);
		cli_table_text(t, r->discovered ? "its traffic" : "the estate");
	}
	cli_table_print(t);
	return CLI_OK;
}

static int run(struct cli *c, int argc, char **argv)
{
	if (argc >= 3 && !strcmp(argv[1], "import"))
		return import(c, (const char *const *)argv + 2, (size_t)argc - 2);
	if (argc != 2 || strcmp(argv[1], "show"))
		return cli_usage(c, argc > 1 && !strcmp(argv[1], "import") ? "import takes a file or a directory" : "say `import FILE` or `show`");
	struct wh_ledger ledger = {NULL, NULL};
	struct wh_estate *e = NULL;
	struct wh_error err;
	struct wh_arena *mem = wh_arena_new();
	cli_output_only_prints();
	int rc = cli_open_ledger(c, WH_STATE_READ, &ledger);
	if (!rc) {
		rc = wh_estate_load(&ledger, mem, &e, &err) ? cli_error(&err) : show(c, e);
		wh_estate_free(e);
		wh_ledger_close(&ledger);
	}
	wh_arena_free(mem);
	return rc;
}

const struct cli_command cli_estate = {.confined = true, .name = "estate", .summary = "import and show the inventory of protected hosts", .help = help, .run = run};
