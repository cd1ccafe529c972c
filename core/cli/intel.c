/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>
#include "cli/cli.h"
#include "whittle/harden.h"
#include "whittle/intel.h"

static const char help[] =
	"usage: whittle intel update [NAME…] [--force] [--dry-run]\n"
	"       whittle intel list [--json]\n"
	"       whittle intel confirm NAME…\n"
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
	"unless --force says so. A list whose new networks hold peers that belong, or blocks of more than 2^20 addresses (IPv6: wider than\n"
	"/24), is held and named with them; `confirm` puts it in force as it was shown, and a peer under `trusted:` is never kept out. `list` shows ages; a stale list stays in force and is only reported, and so does one that whittle.yaml\n"
	"names no more, until `forget`. `check` names the list and entry that hold an address.\n"
	"\n"
	"Example: whittle intel update && whittle intel check 192.0.2.7\n";

struct ctx {
	struct cli *c;
	struct wh_ledger ledger;
	struct wh_arena *mem;
	bool force, dry; /* of update */
};

static bool configured(const struct cli *c, const char *name)
{
	for (size_t i = 0; i < c->config->intel.n_lists; i++)
		if (!strcmp(c->config->intel.lists[i].name, name))
			return true;
	return false;
}

static int protected_ranges(struct ctx *x, struct wh_intel_protected out[3], size_t *n)
{
	struct wh_estate *e;
	struct wh_error err;
	size_t addrs = 0;
	if (wh_estate_load(&x->ledger, x->mem, &e, &err))
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
	out[1] = (struct wh_intel_protected){x->c->config->harden.trusted, x->c->config->harden.n_trusted, "trusted"};
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
	if (!x->c->config->intel.n_lists)
		return cli_usage(x->c, "whittle.yaml names no threat list (threat-intel: […])");
	for (int i = optind; i < argc; i++)
		if (!configured(x->c, argv[i]))
			return cli_usage(x->c, "whittle.yaml names no threat list '%.60s'", argv[i]);
	return 0;
}

/* ---- what a new list would cut ---- */

struct belonging { struct wh_addr peer; uint16_t port; uint8_t proto, direction; };
struct review {
	struct ctx *x;
	bool asked;
	struct belonging *b; size_t n, room;
};

static int collect(void *arg, enum wh_direction d, uint8_t proto, uint16_t port, const struct wh_addr *peer)
{
	struct review *r = arg;
	if (r->n == r->room) {
		size_t room = r->room ? r->room * 2 : 256;
		struct belonging *more = reallocarray(r->b, room, sizeof *more);
		if (!more)
			return -ENOMEM;
		r->b = more;
		r->room = room;
	}
	r->b[r->n++] = (struct belonging){*peer, port, proto, (uint8_t)d};
	return 0;
}

/* Judged once for all lists, by those in force before. */
static int find_belonging(struct review *r, struct wh_error *err)
{
	struct wh_harden_options opt;
	struct wh_estate *e = NULL;
	struct ctx *x = r->x;
	int rc = 0;
	if (r->asked)
		return 0;
	r->asked = true;
	rc = wh_estate_load(&x->ledger, x->mem, &e, err);
	if (!rc && e->n_resources && !(rc = wh_harden_options_load(&x->c->config->harden, x->ledger.state, NULL, x->mem, &opt, err)))
		rc = wh_belonging(x->ledger.store, e, NULL, 0, &opt, collect, r, err);
	wh_estate_free(e);
	return rc;
}

static int review(void *arg, const struct wh_intel_list *l, const struct wh_prefix *fresh, size_t n, struct wh_error *err)
{
	enum { SHOWN = 20 };
	struct review *r = arg;
	char p[WH_PREFIX_STRLEN], a[WH_ADDR_STRLEN], proto[8];
	size_t hits = 0, large = 0;
	int rc = find_belonging(r, err);
	if (rc)
		return rc;
	for (size_t i = 0; i < r->n; i++) {
		const struct wh_prefix *in = wh_prefix_find(fresh, n, &r->b[i].peer);
		if (!in)
			continue;
		if (!hits++)
			printf("%s: held, not in force: it would keep out peers that belong\n", l->name);
		if (hits <= SHOWN)
			printf("    would cut %-39s %5u/%s%s, in %s\n", wh_addr_text(&r->b[i].peer, a), r->b[i].port, wh_proto_text(r->b[i].proto, proto),
			       r->b[i].direction == WH_OUTBOUND ? " out" : "", wh_prefix_text(in, p));
	}
	if (hits > SHOWN)
		printf("    … and %zu more\n", hits - SHOWN);
	for (size_t i = 0; i < n; i++) {
		if (!wh_intel_large(&fresh[i]))
			continue;
		if (!large++)
			printf("%s: held, not in force: it holds large blocks\n", l->name);
		if (large <= SHOWN)
			printf("    would keep out all of %s\n", wh_prefix_text(&fresh[i], p));
	}
	if (large > SHOWN)
		printf("    … and %zu more\n", large - SHOWN);
	if (hits || large)
		printf("    'whittle intel confirm %s' puts it in force%s; what was in force of it stays until then\n", l->name,
		       hits ? ", `trusted:` in whittle.yaml keeps a peer" : "");
	return hits || large;
}

static void print_updated(const struct ctx *x, const struct wh_intel_list *l, bool held)
{
	if (!held)
		printf("%s: %zu %s, %zu network%s after merging%s\n", l->name, l->entries, l->entries == 1 ? "entry" : "entries", l->n_prefixes,
		       l->n_prefixes == 1 ? "" : "s", x->dry ? " (not stored)" : "");
	if (l->skipped)
		printf("    %zu of other kinds, or not in force, %s passed over\n", l->skipped, l->skipped == 1 ? "was" : "were");
	if (l->unreadable)
		printf("    %zu could not be read", l->unreadable);
	if (l->unreadable && l->first_unreadable)
		printf(", the first in line %zu", l->first_unreadable);
	fputs(l->unreadable ? "\n" : "", stdout);
	print_subtracted(l);
}

static int update(struct ctx *x, int argc, char **argv)
{
	int worst = 0;
	struct wh_intel_protected prot[3];
	struct review r = {.x = x};
	size_t n_prot = 0;
	int rc = protected_ranges(x, prot, &n_prot);
	if (rc)
		return rc;
	for (size_t i = 0; i < x->c->config->intel.n_lists; i++) {
		const struct wh_intel_source *s = &x->c->config->intel.lists[i];
		bool wanted = optind == argc;
		for (int j = optind; j < argc; j++)
			wanted |= !strcmp(argv[j], s->name);
		if (!wanted)
			continue;
		struct wh_intel_list *l = NULL;
		struct wh_error err = {0};
		int did = wh_intel_update(x->ledger.state, s, prot, n_prot, wh_now_us(), x->force, x->dry, review, &r, x->mem, &l, &err);
		if (did < 0) {
			rc = cli_error(&err); /* the other lists are still read; what was there of this one stays */
			worst = rc > worst ? rc : worst;
			continue;
		}
		if (did == 1 && worst < CLI_FAILED)
			worst = CLI_FAILED;
		print_updated(x, l, did == 1);
	}
	free(r.b);
	return worst;
}

static int confirm(struct ctx *x, int argc, char **argv)
{
	struct wh_intel_list *l;
	struct wh_error err;
	if (argc < 2)
		return cli_usage(x->c, "confirm takes the names of the lists that are held");
	for (int i = 1; i < argc; i++) {
		if (wh_intel_confirm(x->ledger.state, argv[i], x->mem, &l, &err))
			return cli_error(&err);
		printf("%s: in force, %zu network%s\n", l->name, l->n_prefixes, l->n_prefixes == 1 ? "" : "s");
	}
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

static int list(struct ctx *x, struct wh_intel_list *l, size_t n, const struct wh_intel_list *held, size_t n_held)
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
		json_t *h = json_array();
		for (size_t i = 0; i < n_held; i++)
			json_array_append_new(h, json_pack("{s:s,s:s,s:s,s:I,s:I}", "name", held[i].name, "origin", held[i].origin, "updated", wh_time_text(held[i].updated_us, t),
			                                   "entries", (json_int_t)held[i].entries, "networks", (json_int_t)held[i].n_prefixes));
		return cli_print_json(json_pack("{s:o,s:o}", "lists", a, "held", h));
	}
	if (!n && !n_held) {
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
	for (size_t i = 0; i < n_held; i++) {
		cli_table_text(table, held[i].name);
		cli_table_number(table, held[i].entries);
		cli_table_number(table, held[i].n_prefixes);
		cli_table_number(table, held[i].n_subtracted);
		cli_table_text(table, age(now - held[i].updated_us, buf));
		cli_table_coloured(table, CLI_YELLOW, "held until it is confirmed");
		cli_table_text(table, held[i].origin);
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
	struct wh_intel_list *l, *held;
	struct wh_error err;
	size_t n, n_held;
	if (!strcmp(argv[0], "update"))
		return update(x, argc, argv);
	if (!strcmp(argv[0], "confirm"))
		return confirm(x, argc, argv);
	if (!strcmp(argv[0], "forget")) {
		if (argc != 2)
			return cli_usage(x->c, "forget takes one list's name");
		if (wh_intel_forget(x->ledger.state, argv[1], &err))
			return cli_error(&err);
		printf("%s: forgotten\n", argv[1]);
		return CLI_OK;
	}
	if (!strcmp(argv[0], "list") && argc > 1)
		return cli_usage(x->c, "list takes nothing more, not '%.60s'", argv[1]);
	if (wh_intel_lists(x->ledger.state, x->mem, &l, &n, &err) || wh_intel_held(x->ledger.state, x->mem, &held, &n_held, &err))
		return cli_error(&err);
	if (!strcmp(argv[0], "list"))
		return list(x, l, n, held, n_held);
	return check(x, l, n, argc, argv);
}

static int run(struct cli *c, int argc, char **argv)
{
	struct ctx x = {.c = c};
	int rc;
	if (argc < 2)
		return cli_usage(c, "say what to do: update, list, confirm, check or forget");
	if (strcmp(argv[1], "update") && strcmp(argv[1], "list") && strcmp(argv[1], "confirm") && strcmp(argv[1], "check") && strcmp(argv[1], "forget"))
		return cli_usage(c, "'%s' is not one of update, list, confirm, check, forget", argv[1]);
	if (!strcmp(argv[1], "update") && (rc = read_update(&x, argc - 1, argv + 1)))
		return rc;
	bool writes = !strcmp(argv[1], "update") || !strcmp(argv[1], "forget") || !strcmp(argv[1], "confirm");
	if (!writes)
		cli_output_only_prints();
	rc = cli_open_ledger(c, writes ? WH_STATE_CREATE : WH_STATE_READ, &x.ledger);
	if (rc)
		return rc;
	x.mem = wh_arena_new();
	rc = dispatch(&x, argc - 1, argv + 1);
	wh_arena_free(x.mem);
	wh_ledger_close(&x.ledger);
	return rc;
}

const struct cli_command cli_intel = {.confined = true, .name = "intel", .summary = "threat lists: update, list, confirm, check, forget", .help = help, .run = run};
