/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>
#include "cli/cli.h"
#include "whittle/intel.h"

static const char help[] =
	"usage: whittle intel update [NAME…] [--force] [--dry-run]\n"
	"       whittle intel list [--json]\n"
	"       whittle intel check ADDRESS… [--json]\n"
	"       whittle intel forget NAME\n"
	"\n"
	"Threat lists: addresses that a recommendation never allows, whatever they did before. A list never allows anything.\n"
	"They are named in whittle.yaml:\n"
	"\n"
	"  threat-intel:\n"
	"    - drop.txt                                   # a file; its format is told from its content\n"
	"    - {name: feodo, file: feodo.csv, column: dst_ip}\n"
	"    - {name: own, command: 'cat /srv/bad.json', format: stix, max-age: 2d}\n"
	"\n"
	"Formats: plain (FireHOL, Spamhaus, ipsum, ipset save), csv (tables: abuse.ch, DShield, AbuseIPDB), jsonl, json, iprep (Suricata), stix\n"
	"(2.1 bundles, TAXII), misp, nft (sets). A line that may mean more than one thing is refused, with the reason. `update` merges a list,\n"
	"takes out what it must not name (the estate's own addresses, trusted, private and reserved ranges), shows what it took\n"
	"out, and refuses one that halved or grew threefold, in entries or in addresses, or that keeps out a sixteenth of the Internet,\n"
	"unless --force says so. `list` shows ages; a stale list stays in force and is only reported, and so does one that whittle.yaml\n"
	"names no more, until `forget`. `check` names the list and entry that hold an address.\n"
	"\n"
	"Example: whittle intel update && whittle intel check 192.0.2.7\n";

struct ctx {
	struct cli *c;
	struct wh_store *store;
	struct wh_arena *mem;
	bool force, dry; /* of update */
};

static bool configured(const struct cli *c, const char *name)
{
	for (size_t i = 0; i < c->config->n_threat_intel; i++)
		if (!strcmp(c->config->threat_intel[i].name, name))
			return true;
	return false;
}

static int protected_ranges(struct ctx *x, struct wh_intel_protected out[3], size_t *n)
{
	struct wh_estate *e;
	struct wh_error err;
	size_t addrs = 0;
	if (wh_estate_load(x->store, x->mem, &e, &err))
		return cli_error(&err);
	for (size_t i = 0; i < e->n_resources; i++)
		addrs += e->resources[i].n_addrs;
	struct wh_prefix *own = wh_arena_array(x->mem, addrs, sizeof *own);
	addrs = 0;
	for (size_t i = 0; i < e->n_resources; i++)
		for (size_t j = 0; j < e->resources[i].n_addrs; j++)
			own[addrs++] = wh_prefix_of(&e->resources[i].addrs[j], 128);
	struct wh_prefix *vnets = wh_arena_array(x->mem, e->n_vnets, sizeof *vnets);
	if (e->n_vnets)
		memcpy(vnets, e->vnets, e->n_vnets * sizeof *vnets);
	out[0] = (struct wh_intel_protected){own, addrs, "the estate's own"};
	out[1] = (struct wh_intel_protected){x->c->config->trusted, x->c->config->n_trusted, "trusted"};
	out[2] = (struct wh_intel_protected){vnets, e->n_vnets, "the estate's networks"};
	*n = 3;
	wh_estate_free(e);
	return 0;
}

static void print_subtracted(const struct wh_intel_list *l)
{
	char buf[WH_PREFIX_STRLEN];
	for (size_t i = 0; i < l->n_subtracted && i < 20; i++)
		printf("    left out %-20s %s\n", wh_prefix_text(&l->subtracted[i].prefix, buf), l->subtracted[i].why);
	if (l->n_subtracted > 20)
		printf("    … and %zu more\n", l->n_subtracted - 20);
}

/* Options and names of `update`, before anything is opened. */
static int read_update(struct ctx *x, int argc, char **argv)
{
	static const struct option opts[] = {{"force", 0, 0, 'f'}, {"dry-run", 0, 0, 'n'}, {0}};
	int o;
	while ((o = cli_getopt(x->c, argc, argv, "", opts)) != -1) {
		if (o == '?')
			return CLI_USAGE;
		x->force |= o == 'f';
		x->dry |= o == 'n';
	}
	if (!x->c->config->n_threat_intel)
		return cli_usage(x->c, "whittle.yaml names no threat list (threat-intel: […])");
	for (int i = optind; i < argc; i++)
		if (!configured(x->c, argv[i]))
			return cli_usage(x->c, "whittle.yaml names no threat list '%.60s'", argv[i]);
	return 0;
}

static int update(struct ctx *x, int argc, char **argv)
{
	int worst = 0;
	struct wh_intel_protected prot[3];
	size_t n_prot = 0;
	int rc = protected_ranges(x, prot, &n_prot);
	if (rc)
		return rc;
	for (size_t i = 0; i < x->c->config->n_threat_intel; i++) {
		const struct wh_intel_source *s = &x->c->config->threat_intel[i];
		bool wanted = optind == argc;
		for (int j = optind; j < argc; j++)
			wanted |= !strcmp(argv[j], s->name);
		if (!wanted)
			continue;
		struct wh_intel_list *l = NULL;
		struct wh_error err = {0};
		if (wh_intel_update(x->store, s, prot, n_prot, wh_now_us(), x->force, x->dry, x->mem, &l, &err)) {
			rc = cli_error(&err); /* the other lists are still read; what was there of this one stays */
			worst = rc > worst ? rc : worst;
			continue;
		}
		printf("%s: %zu %s, %zu network%s after merging%s\n", s->name, l->entries, l->entries == 1 ? "entry" : "entries", l->n_prefixes,
		       l->n_prefixes == 1 ? "" : "s", x->dry ? " (not stored)" : "");
		if (l->unreadable)
			printf("    %zu could not be read", l->unreadable);
		if (l->unreadable && l->first_unreadable)
			printf(", the first in line %zu", l->first_unreadable);
		fputs(l->unreadable ? "\n" : "", stdout);
		print_subtracted(l);
	}
	return worst;
}

static const char *age(int64_t us, char buf[static 32])
{
	int64_t s = us / 1000000;
	if (s < 7200)
		snprintf(buf, 32, "%lld min", (long long)(s / 60));
	else if (s < 172800)
		snprintf(buf, 32, "%lld h", (long long)(s / 3600));
	else
		snprintf(buf, 32, "%lld days", (long long)(s / 86400));
	return buf;
}

static int list(struct ctx *x, struct wh_intel_list *l, size_t n)
{
	char t[WH_TIME_STRLEN], buf[32];
	int64_t now = wh_now_us();
	if (x->c->json) {
		json_t *a = json_array();
		for (size_t i = 0; i < n; i++)
			json_array_append_new(a, json_pack("{s:s,s:s,s:s,s:I,s:I,s:I,s:b,s:b}", "name", l[i].name, "origin", l[i].origin, "updated",
			                                   wh_time_text(l[i].updated_us, t), "entries", (json_int_t)l[i].entries, "networks",
			                                   (json_int_t)l[i].n_prefixes, "subtracted", (json_int_t)l[i].n_subtracted, "stale",
			                                   wh_intel_stale(&l[i], now), "configured", configured(x->c, l[i].name)));
		return cli_print_json(json_pack("{s:o}", "lists", a));
	}
	if (!n) {
		puts("No threat list yet: name them in whittle.yaml and run `whittle intel update`.");
		return CLI_OK;
	}
	struct cli_table *table = cli_table_new("List|>Entries|>Networks|>Left out|>Age|State|From");
	for (size_t i = 0; i < n; i++) {
		bool stale = wh_intel_stale(&l[i], now);
		cli_table_text(table, l[i].name);
		cli_table_number(table, l[i].entries);
		cli_table_number(table, l[i].n_prefixes);
		cli_table_number(table, l[i].n_subtracted);
		cli_table_text(table, age(now - l[i].updated_us, buf));
		bool named = configured(x->c, l[i].name);
		cli_table_coloured(table, stale || !named ? CLI_YELLOW : CLI_GREEN, !named ? "not in whittle.yaml any more" : stale ? "stale" : "fresh");
		cli_table_text(table, l[i].origin);
	}
	cli_table_print(table);
	return CLI_OK;
}

static int check(struct ctx *x, struct wh_intel_list *l, size_t n, int argc, char **argv)
{
	char buf[WH_PREFIX_STRLEN];
	json_t *out = json_object();
	if (argc < 2)
		return cli_usage(x->c, "check takes one or more addresses");
	for (int i = 1; i < argc; i++) {
		struct wh_addr a;
		json_t *hits = json_array();
		if (wh_addr_parse(argv[i], strlen(argv[i]), &a)) {
			json_decref(hits);
			json_decref(out);
			return cli_usage(x->c, "'%s' is not an address", argv[i]);
		}
		for (size_t j = 0; j < n; j++) {
			const struct wh_prefix *p = wh_intel_lookup(&l[j], &a);
			if (p)
				json_array_append_new(hits, json_pack("{s:s,s:s}", "list", l[j].name, "entry", wh_prefix_text(p, buf)));
			if (p && !x->c->json)
				printf("%s: on %s, in %s\n", argv[i], l[j].name, buf);
		}
		if (!x->c->json && !json_array_size(hits))
			printf("%s: on no list\n", argv[i]);
		json_object_set_new(out, argv[i], hits);
	}
	if (x->c->json)
		return cli_print_json(out);
	json_decref(out);
	return CLI_OK;
}

static int dispatch(struct ctx *x, int argc, char **argv)
{
	struct wh_intel_list *l;
	struct wh_error err;
	size_t n;
	if (!strcmp(argv[0], "update"))
		return update(x, argc, argv);
	if (!strcmp(argv[0], "forget")) {
		if (argc != 2)
			return cli_usage(x->c, "forget takes one list's name");
		if (wh_intel_forget(x->store, argv[1], &err))
			return cli_error(&err);
		printf("%s: forgotten\n", argv[1]);
		return CLI_OK;
	}
	if (!strcmp(argv[0], "list") && argc > 1)
		return cli_usage(x->c, "list takes nothing more, not '%.60s'", argv[1]);
	if (wh_intel_lists(x->store, x->mem, &l, &n, &err))
		return cli_error(&err);
	if (!strcmp(argv[0], "list"))
		return list(x, l, n);
	return check(x, l, n, argc, argv);
}

static int run(struct cli *c, int argc, char **argv)
{
	struct ctx x = {.c = c};
	int rc;
	if (argc < 2)
		return cli_usage(c, "say what to do: update, list, check or forget");
	if (strcmp(argv[1], "update") && strcmp(argv[1], "list") && strcmp(argv[1], "check") && strcmp(argv[1], "forget"))
		return cli_usage(c, "'%s' is not one of update, list, check, forget", argv[1]);
	if (!strcmp(argv[1], "update") && (rc = read_update(&x, argc - 1, argv + 1)))
		return rc;
	bool writes = !strcmp(argv[1], "update") || !strcmp(argv[1], "forget");
	if (!writes)
		cli_output_only_prints();
	rc = cli_open_store(c, writes ? WH_STORE_CREATE : WH_STORE_READ, &x.store);
	if (rc)
		return rc;
	x.mem = wh_arena_new();
	rc = dispatch(&x, argc - 1, argv + 1);
	wh_arena_free(x.mem);
	wh_store_close(x.store);
	return rc;
}

const struct cli_command cli_intel = {.name = "intel", .summary = "threat lists: update, list, check, forget", .help = help, .run = run};
