/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>
#include "base/text.h"
#include "cli/cli.h"
#include "whittle/app_learning.h"
#include "whittle/intel.h"

static const char help[] =
	"usage: whittle intel update [NAME…] [--force] [--dry-run]\n"
	"       whittle intel list [--json]\n"
	"       whittle intel confirm NAME…\n"
	"       whittle intel check ADDRESS… [--json]\n"
	"       whittle intel forget NAME\n"
	"\n"
	"Threat lists hold addresses that a recommendation never allows, whatever they did before. A list never allows anything.\n"
	"whittle.yaml names the lists:\n"
	"\n"
	"  threat-intel:\n"
	"    - drop.txt                                   # a file; its format is recognised by its content\n"
	"    - {name: feodo, file: feodo.csv, column: dst_ip}\n"
	"    - {name: own, command: 'cat /srv/bad.json', format: stix, max-age: 2d}\n"
	"\n"
	"Formats: plain (FireHOL, Spamhaus, ipsum, ipset save), csv (tables: abuse.ch, DShield, AbuseIPDB), jsonl, json, iprep (Suricata), stix\n"
	"(2.1 bundles, TAXII), misp, nft (sets). A line that may mean more than one thing is refused, with the reason.\n"
	"\n"
	"`update` reads each list, removes what it must not contain (the estate's own addresses; trusted, private and reserved ranges), and prints\n"
	"what it removed. Without --force it refuses a list that shrank by half or grew threefold, in entries or in addresses, or that contains a\n"
	"sixteenth of the Internet. A list is held if its new networks contain peers that belong, or blocks of more than 2^20 addresses (IPv6: wider\n"
	"than /24); these are named, and `confirm` puts the list in force. A peer under `trusted:` is never kept out.\n"
	"`list` prints the lists with their ages. A stale list stays in force and is reported; a list that whittle.yaml no longer names stays until\n"
	"`forget`. `check` names the list and the entry that contain an address.\n"
	"\n"
	"Example: whittle intel update && whittle intel check 192.0.2.7\n";

enum { SHOWN = 20 };

struct updating { const struct cli *c; bool dry; int worst; };

/* Why the list is held: the peers that it would cut off, its large blocks. */
static void print_cuts(const struct wh_app_intel_updated *u)
{
	char p[WH_PREFIX_STRLEN], a[WH_ADDR_STRLEN], proto[8];
	if (u->n_cuts)
		printf("%s: held, not in force: it would keep out peers that belong\n", u->name);
	for (size_t i = 0; i < u->n_cuts && i < SHOWN; i++)
		printf("    would cut %-39s %5u/%s%s, in %s\n", wh_addr_text(&u->cuts[i].of.peer, a), u->cuts[i].of.port,
		       wh_proto_text(u->cuts[i].of.proto, proto), u->cuts[i].of.direction == WH_OUTBOUND ? " out" : "",
		       wh_prefix_text(&u->cuts[i].by, p));
	if (u->n_cuts > SHOWN)
		printf("    … and %zu more\n", u->n_cuts - SHOWN);
	if (u->n_large)
		printf("%s: held, not in force: it holds large blocks\n", u->name);
	for (size_t i = 0; i < u->n_large && i < SHOWN; i++)
		printf("    would keep out all of %s\n", wh_prefix_text(&u->large[i], p));
	if (u->n_large > SHOWN)
		printf("    … and %zu more\n", u->n_large - SHOWN);
	if (u->n_cuts || u->n_large)
		printf("    'whittle intel confirm %s' puts it in force%s; until then its former version stays in force\n",
		       wh_shell_word(u->name, (char[WH_SHELL_WORD]){0}),
		       u->n_cuts ? ", `trusted:` in whittle.yaml keeps a peer" : "");
}

static void print_subtracted(const struct wh_intel_list *l)
{
	char buf[WH_PREFIX_STRLEN];
	for (size_t i = 0; i < l->n_subtracted && i < SHOWN; i++)
		printf("    left out %-20s %s\n", wh_prefix_text(&l->subtracted[i].prefix, buf), l->subtracted[i].why);
	if (l->n_subtracted > SHOWN)
		printf("    … and %zu more\n", l->n_subtracted - SHOWN);
}

static void print_updated(void *arg, const struct wh_app_intel_updated *x)
{
	struct updating *u = arg;
	const struct wh_intel_list *l = x->list;
	print_cuts(x);
	if (x->failed.code) {
		int rc = cli_error(&x->failed); /* the other lists are still read; the old version of this one stays */
		u->worst = rc > u->worst ? rc : u->worst;
		return;
	}
	if (x->held && u->worst < CLI_FAILED)
		u->worst = CLI_FAILED;
	if (!x->held)
		printf("%s: %zu %s, %zu network%s after merging%s\n", l->name, l->entries, l->entries == 1 ? "entry" : "entries",
		       l->n_prefixes, l->n_prefixes == 1 ? "" : "s", u->dry ? " (not stored)" : "");
	if (l->skipped)
		printf("    %zu of other kinds, or not in force, %s skipped\n", l->skipped, l->skipped == 1 ? "was" : "were");
	if (l->unreadable)
		printf("    %zu could not be read", l->unreadable);
	if (l->unreadable && l->first_unreadable)
		printf(", the first in line %zu", l->first_unreadable);
	fputs(l->unreadable ? "\n" : "", stdout);
	print_subtracted(l);
}

static int update(struct cli *c, int argc, char **argv)
{
	static const struct option opts[] = {{"force", 0, 0, 'f'}, {"dry-run", 0, 0, 'n'}, {0}};
	struct updating u = {.c = c};
	struct wh_app_intel_update ask = {.each = print_updated, .arg = &u};
	const struct wh_app a = cli_app(c);
	struct wh_error err;
	int o;
	while ((o = cli_getopt(c, argc, argv, "", opts)) != -1) {
		if (o == '?')
			return CLI_USAGE;
		ask.force |= o == 'f';
		ask.dry |= o == 'n';
	}
	u.dry = ask.dry;
	ask.names = (const char *const *)argv + optind;
	ask.n_names = (size_t)(argc - optind);
	if (wh_app_intel_update_check(&a, &ask, &err))
		return cli_usage(c, "%s", err.text);
	return wh_app_intel_update(&a, &ask, &err) ? cli_error(&err) : u.worst;
}

static int confirm(struct cli *c, int argc, char **argv)
{
	const struct wh_app a = cli_app(c);
	struct wh_arena *mem = wh_arena_new();
	struct wh_intel_list *l;
	struct wh_error err;
	int rc = argc < 2 ? cli_usage(c, "confirm takes the names of the lists that are held") : CLI_OK;
	for (int i = 1; i < argc && !rc; i++) {
		if (wh_app_intel_confirm(&a, argv[i], mem, &l, &err))
			rc = cli_error(&err);
		else
			printf("%s: in force, %zu network%s\n", l->name, l->n_prefixes, l->n_prefixes == 1 ? "" : "s");
	}
	wh_arena_free(mem);
	return rc;
}

static int forget(struct cli *c, int argc, char **argv)
{
	const struct wh_app a = cli_app(c);
	struct wh_error err;
	if (argc != 2)
		return cli_usage(c, "forget takes one list's name");
	if (wh_app_intel_forget(&a, argv[1], &err))
		return cli_error(&err);
	printf("%s: forgotten\n", argv[1]);
	return CLI_OK;
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

static void list_row(struct cli_table *table, const struct wh_intel_list *l, int64_t now_us, enum cli_colour colour,
                     const char *state)
{
	char buf[32];
	cli_table_text(table, l->name);
	cli_table_number(table, l->entries);
	cli_table_number(table, l->n_prefixes);
	cli_table_number(table, l->n_subtracted);
	cli_table_text(table, age(now_us - l->updated_us, buf));
	cli_table_coloured(table, colour, state);
	cli_table_text(table, l->origin);
}

static int print_lists(const struct cli *c, const struct wh_app *a, const struct wh_app_intel *x)
{
	if (c->json)
		return cli_print_json(wh_app_intel_json(a, x));
	if (!x->n && !x->n_held) {
		puts("No threat list yet: name them in whittle.yaml and run `whittle intel update`.");
		return CLI_OK;
	}
	struct cli_table *table = cli_table_new("List|>Entries|>Networks|>Left out|>Age|State|From");
	for (size_t i = 0; i < x->n; i++) {
		bool stale = wh_intel_stale(&x->lists[i], x->now_us), named = wh_app_intel_configured(a, x->lists[i].name);
		list_row(table, &x->lists[i], x->now_us, stale || !named ? CLI_YELLOW : CLI_GREEN,
		         !named  ? "not in whittle.yaml any more"
		         : stale ? "stale"
		                 : "fresh");
	}
	for (size_t i = 0; i < x->n_held; i++)
		list_row(table, &x->held[i], x->now_us, CLI_YELLOW, "held until it is confirmed");
	cli_table_print(table);
	return CLI_OK;
}

static int list(struct cli *c, int argc, char **argv)
{
	const struct wh_app a = cli_app(c);
	struct wh_app_intel x;
	struct wh_error err;
	if (argc > 1)
		return cli_usage(c, "list takes no further words, not '%.60s'", argv[1]);
	struct wh_arena *mem = wh_arena_new();
	int rc = wh_app_intel(&a, mem, &x, &err) ? cli_error(&err) : print_lists(c, &a, &x);
	wh_arena_free(mem);
	return rc;
}

static void print_hits(const char *address, const json_t *hits)
{
	size_t i;
	const json_t *hit;
	json_array_foreach((json_t *)hits, i, hit)
		printf("%s: on %s, in %s\n", address, json_string_value(json_object_get(hit, "list")),
		       json_string_value(json_object_get(hit, "entry")));
	if (!json_array_size(hits))
		printf("%s: on no list\n", address);
}

static int check_all(const struct cli *c, const struct wh_app_intel *x, int argc, char **argv)
{
	json_t *out = json_object();
	for (int i = 1; i < argc; i++) {
		struct wh_addr addr;
		if (wh_addr_parse(argv[i], strlen(argv[i]), &addr)) {
			json_decref(out);
			return cli_usage(c, "'%s' is not an address", argv[i]);
		}
		json_t *hits = wh_app_intel_holding(x, &addr);
		if (!c->json)
			print_hits(argv[i], hits);
		json_object_set_new(out, argv[i], hits);
	}
	if (c->json)
		return cli_print_json(out);
	json_decref(out);
	return CLI_OK;
}

static int check(struct cli *c, int argc, char **argv)
{
	const struct wh_app a = cli_app(c);
	struct wh_app_intel x;
	struct wh_error err;
	if (argc < 2)
		return cli_usage(c, "check takes one or more addresses");
	struct wh_arena *mem = wh_arena_new();
	int rc = wh_app_intel(&a, mem, &x, &err) ? cli_error(&err) : check_all(c, &x, argc, argv);
	wh_arena_free(mem);
	return rc;
}

static const struct verb {
	const char *name;
	int (*run)(struct cli *c, int argc, char **argv);
	bool reads;
} verbs[] = {{"update", update, false}, {"list", list, true},      {"confirm", confirm, false},
             {"check", check, true},    {"forget", forget, false}, {0}};

static int run(struct cli *c, int argc, char **argv)
{
	const struct verb *v = verbs;
	if (argc < 2)
		return cli_usage(c, "name a subcommand: update, list, confirm, check or forget");
	while (v->name && strcmp(v->name, argv[1]))
		v++;
	if (!v->name)
		return cli_usage(c, "'%s' is not one of update, list, confirm, check, forget", argv[1]);
	if (v->reads)
		cli_output_only_prints();
	return v->run(c, argc - 1, argv + 1);
}

const struct cli_command cli_intel = {.confined = true,
                                      .name = "intel",
                                      .summary = "update, list, confirm, check or forget threat lists",
                                      .help = help,
                                      .run = run};
