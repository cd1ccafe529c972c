/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>
#include <jansson.h>
#include "cli/apply.h"
#include "whittle/app_firewall.h"
#include "whittle/app_rules.h"
#include "whittle/review.h"

static const char help[] =
	"usage: whittle rules list [RESOURCE…] [--json]\n"
	"       whittle rules add RESOURCE --port 22/tcp --from PREFIX[,PREFIX…] [--outbound] [--name NAME] [--why TEXT]\n"
	"       whittle rules edit RESOURCE RULE --from PREFIX,… | --also PREFIX,… | --not PREFIX,… [--why TEXT]\n"
	"       whittle rules delete RESOURCE RULE [--why TEXT]\n"
	"       whittle rules reset [RESOURCE]\n"
	"       whittle rules undo [RESOURCE]\n"
	"       whittle rules history [RESOURCE] [--json]\n"
	"\n"
	"Reviews what `whittle recommend` proposed, before it is enforced; `whittle rules` alone lists it. RULE is a rule's name, or its port: 22 or 22/tcp.\n"
	"Each change is recorded with user, time and reason. `undo` reverts the last one, `reset` all of them.\n"
	"\n"
	"  --from PREFIX,…  the addresses that the rule allows; --to means the same, for an outbound rule\n"
	"  --also PREFIX,…  adds these to the rule's addresses;  --not PREFIX,…  removes them\n"
	"  --name NAME      the new rule's name; without it, one made of protocol, direction and port\n"
	"\n"
	"A refused change names the guideline that it violates:\n"
	"  allow-only      only allow rules are added or modified\n"
	"  no-flip         an allow rule never becomes a deny; delete it instead\n"
	"  deny-all-fixed  a deny-all can't be modified, only deleted\n"
	"  session-delete  a deletion lasts until the next calculation, which may propose the rule again\n"
	"  narrow-only     nothing is allowed that the present policy does not allow\n"
	"A saved change is not yet in force: `whittle enforce` or `whittle export` applies it.\n"
	"\n"
	"Example: whittle rules edit vm1 22 --also 198.51.100.7 --why 'the new backup host'\n";

/* Adds to the *n that *out has: an option may be given several times. */
static int parse_prefixes(const struct cli *c, const char *text, struct wh_arena *mem, struct wh_prefix **out, size_t *n)
{
	size_t max = 1;
	for (const char *p = text; *p; p++)
		max += *p == ',';
	struct wh_prefix *list = wh_arena_array(mem, *n + max, sizeof *list);
	if (*out)
		memcpy(list, *out, *n * sizeof *list);
	*out = list;
	for (const char *p = text; *p;) {
		size_t len = strcspn(p, ", ");
		bool host = false;
		char buf[WH_PREFIX_STRLEN];
		if (len && wh_prefix_parse(p, len, &(*out)[*n], &host))
			return cli_usage(c, "'%.*s' is not an address or prefix", (int)len, p);
		if (len && host)
			fprintf(stderr, "whittle: %.*s read as %s (host bits were set)\n", (int)len, p,
			        wh_prefix_text(&(*out)[*n], buf));
		*n += len > 0;
		p += len + strspn(p + len, ", ");
	}
	return *n ? 0 : cli_usage(c, "no address given");
}

/* Prints one sentence about what was done. */
static int say(const struct cli *c, const char *said)
{
	if (c->json)
		return cli_print_json(json_pack("{s:s}", "said", said));
	puts(said);
	return CLI_OK;
}

static const char *space(double addresses, char buf[static 32])
{
	if (addresses < 1e6)
		snprintf(buf, 32, "%.0f", addresses);
	else
		snprintf(buf, 32, "%.3g", addresses);
	return buf;
}

static void print_rule(const struct wh_recommended_rule *r)
{
	char proto[8], p[WH_PREFIX_STRLEN], port[32], units[32];
	double size = 0;
	snprintf(port, sizeof port, "%u/%s", r->port, wh_proto_text(r->proto, proto));
	for (char *q = port; *q; q++)
		*q = (char)(*q >= 'A' && *q <= 'Z' ? *q + 32 : *q);
	size_t most = cli_lists_are_long() ? SIZE_MAX : 12, most_except = cli_lists_are_long() ? SIZE_MAX : 6;
	for (size_t i = 0; i < r->n_prefixes; i++)
		size += __builtin_ldexp(1, 128 - r->prefixes[i].len);
	printf("  %-9s %-8s %-44s %s\n", wh_direction_text(r->direction), port, r->name,
	       r->n_prefixes ? "allow" : "deny all (System Generated)");
	for (size_t i = 0; i < r->n_prefixes && i < most; i++)
		printf("  %-18s   %s\n", "", wh_prefix_text(&r->prefixes[i], p));
	if (r->n_prefixes > most)
		printf("  %-18s   … and %zu more (%s addresses in all; --long lists them)\n", "", r->n_prefixes - most,
		       space(size, units));
	for (size_t i = 0; i < r->n_except && i < most_except; i++)
		printf("  %-18s   except %s\n", "", wh_prefix_text(&r->except[i], p));
	if (r->n_except > most_except)
		printf("  %-18s   … and %zu more; --long lists them\n", "", r->n_except - most_except);
	if (*wh_review_mark(r)) {
		printf("  %-18s   %s\n", "", r->note ? r->note : wh_review_mark(r));
	}
}

static void print_header(const struct wh_resource_result *r, const struct wh_app_last_enforced *l)
{
	char t[WH_TIME_STRLEN];
	printf("%s: %zu rule%s, saved, ", r->resource->name, r->n_rules, r->n_rules == 1 ? "" : "s");
	if (!l->time_us)
		puts("not yet enforced");
	else if (l->changed_us > l->time_us)
		printf("changed later, and not yet enforced (the last enforce was at %s, by %s)\n", wh_time_text(l->time_us, t),
		       l->who);
	else
		printf("last enforced %s by %s%s\n", wh_time_text(l->time_us, t), l->who,
		       l->taken_back ? ", and rolled back since" : "");
	if (l->applied_us && l->until_us <= wh_now_us())
		printf("  the rules that %s applied at %s were not confirmed in time: the kernel removed them\n", l->applied_by,
		       wh_time_text(l->applied_us, t));
}

static int print_rules(const struct cli *c, const struct wh_app_rules *x, bool named)
{
	if (c->json) {
		char *text = wh_recommendation_json(x->recommendation,
		                                    json_pack("{s:o}", "reject", wh_app_reject_json(&x->reject)));
		puts(text ? text : "{}");
		free(text);
		return CLI_OK;
	}
	bool any = named;
	for (size_t i = 0; i < x->recommendation->n_resources; i++) {
		const struct wh_resource_result *r = &x->recommendation->resources[i];
		if (!r->n_rules && !named)
			continue;
		any = true;
		if (x->last_unknown.code)
			return cli_error(&x->last_unknown);
		print_header(r, &x->last[i]);
		for (size_t j = 0; j < r->n_rules; j++)
			print_rule(&r->rules[j]);
	}
	if (!any)
		puts("There is no rule to review: `whittle recommend` makes rules, or gives the reason why not.");
	cli_print_reject("", &x->reject);
	if (x->kept_unknown.code)
		return cli_error(&x->kept_unknown);
	cli_print_kept(x->kept, x->n_kept);
	return CLI_OK;
}

static int list(struct cli *c, struct wh_arena *mem, int argc, char **argv)
{
	const struct wh_app a = cli_app(c);
	struct wh_app_rules x;
	struct wh_error err;
	if (wh_app_rules_list(&a, (const char *const *)argv + 1, (size_t)argc - 1, mem, &x, &err))
		return cli_error(&err);
	int rc = print_rules(c, &x, argc > 1);
	wh_estate_free(x.estate);
	return rc;
}

static int history(struct cli *c, struct wh_arena *mem, int argc, char **argv)
{
	const struct wh_app a = cli_app(c);
	struct wh_app_steps h;
	struct wh_error err;
	char t[WH_TIME_STRLEN];
	if (wh_app_rules_history(&a, argc > 1 ? argv[1] : NULL, mem, &h, &err))
		return cli_error(&err);
	if (c->json)
		return cli_print_json(wh_app_history_json(&h));
	if (!h.n) {
		puts("Nothing was changed yet.");
		return CLI_OK;
	}
	struct cli_table *table = cli_table_new("When|Who|What|Resource|Rule|Addresses|Why");
	for (size_t i = 0; i < h.n; i++) {
		const struct wh_app_step *s = &h.list[i];
		const char *cells[] = {wh_time_text(s->time_us, t), s->who, s->what, s->resource, s->rule};
		for (size_t k = 0; k < sizeof cells / sizeof *cells; k++)
			cli_table_text(table, cells[k]);
		cli_table_list(table, s->prefixes);
		cli_table_text(table, s->why);
	}
	cli_table_print(table);
	return CLI_OK;
}

static int parse_port(const struct cli *c, char *text, struct wh_review_change *ch)
{
	char *end;
	unsigned long port = strtoul(text, &end, 10);
	ch->proto = WH_PROTO_TCP;
	if (*text < '0' || *text > '9' || port > 65535 || (*end && *end != '/') ||
	    (*end == '/' && wh_proto_parse(end + 1, &ch->proto)))
		return cli_usage(c, "'%s' is not a port: write 22 or 53/udp", text);
	ch->port = (uint16_t)port;
	return 0;
}

/* Reads the change from the words. 0 or CLI_USAGE. */
static int read_change(const struct cli *c, int argc, char **argv, struct wh_arena *mem, struct wh_review_change *ch)
{
	static const struct option opts[] = {
		{"port", 1, 0, 'p'},     {"from", 1, 0, 'f'}, {"to", 1, 0, 'f'},   {"also", 1, 0, 'a'}, {"not", 1, 0, 'n'},
		{"outbound", 0, 0, 'o'}, {"why", 1, 0, 'w'},  {"deny", 0, 0, 'd'}, {"name", 1, 0, 'N'}, {0}};
	struct wh_prefix *p = NULL;
	bool port = false;
	int o, kind = 0, rc = 0;
	optind = 1;
	while (!rc && (o = cli_getopt(c, argc, argv, "", opts)) != -1) {
		switch (o) {
		case 'p': rc = parse_port(c, optarg, ch); port = true; break;
		case 'f': case 'a': case 'n':
			if (kind && kind != o) /* the order of the options would decide */
				return cli_usage(c, "give only one of --from, --also and --not");
			kind = o;
			ch->adding = o == 'a';
			ch->removing = o == 'n';
			rc = parse_prefixes(c, optarg, mem, &p, &ch->n_prefixes);
			break;
		case 'o': ch->direction = WH_OUTBOUND; break;
		case 'w': ch->why = optarg; break;
		case 'd': ch->deny = true; break;
		case 'N': ch->rule = optarg; break;
		default: return CLI_USAGE;
		}
	}
	if (rc)
		return rc;
	ch->prefixes = p;
	int want = ch->op == WH_REVIEW_ADD ? 1 : 2;
	if (argc - optind != want)
		return cli_usage(c,
		                 want == 1 ? "rules add takes one resource" : "rules edit and delete take a resource and a rule");
	ch->resource = argv[optind];
	if (want == 2)
		ch->rule = argv[optind + 1];
	if (ch->op == WH_REVIEW_ADD && !port)
		return cli_usage(c, "rules add needs --port");
	if (ch->op == WH_REVIEW_EDIT && !p && !ch->deny)
		return cli_usage(c, "rules edit needs --from, --also or --not");
	return 0;
}

static int change(struct cli *c, struct wh_arena *mem, enum wh_review_op op, int argc, char **argv)
{
	struct wh_review_change ch = {.op = op, .who = cli_who()};
	const struct wh_app a = cli_app(c);
	const char *said;
	struct wh_error err;
	if (read_change(c, argc, argv, mem, &ch))
		return CLI_USAGE;
	return wh_app_rules_change(&a, &ch, mem, &said, &err) ? cli_error(&err) : say(c, said);
}

static int add(struct cli *c, struct wh_arena *mem, int argc, char **argv)
{
	return change(c, mem, WH_REVIEW_ADD, argc, argv);
}

static int edit(struct cli *c, struct wh_arena *mem, int argc, char **argv)
{
	return change(c, mem, WH_REVIEW_EDIT, argc, argv);
}

static int delete(struct cli *c, struct wh_arena *mem, int argc, char **argv)
{
	return change(c, mem, WH_REVIEW_DELETE, argc, argv);
}

static int undo(struct cli *c, struct wh_arena *mem, int argc, char **argv)
{
	const struct wh_app a = cli_app(c);
	const char *said;
	struct wh_error err;
	return wh_app_rules_undo(&a, argc > 1 ? argv[1] : NULL, mem, &said, &err) ? cli_error(&err) : say(c, said);
}

static int reset(struct cli *c, struct wh_arena *mem, int argc, char **argv)
{
	const struct wh_app a = cli_app(c);
	const char *said;
	struct wh_error err;
	return wh_app_rules_reset(&a, argc > 1 ? argv[1] : NULL, mem, &said, &err) ? cli_error(&err) : say(c, said);
}

static const struct verb {
	const char *name;
	int (*run)(struct cli *c, struct wh_arena *mem, int argc, char **argv);
	bool reads;
} verbs[] = {{"list", list, true},       {"add", add, false},   {"edit", edit, false},   {"delete", delete, false},
             {"history", history, true}, {"undo", undo, false}, {"reset", reset, false}, {0}};

static int run(struct cli *c, int argc, char **argv)
{
	const struct verb *v = verbs;
	const char *word = argc < 2 ? "list" : argv[1];
	while (v->name && strcmp(v->name, word) != 0)
		v++;
	if (!v->name)
		return cli_usage(c, "'%s' is not one of list, add, edit, delete, reset, undo, history", word);
	if (v->reads)
		cli_output_only_prints();
	struct wh_arena *mem = wh_arena_new();
	int rc = argc < 2 ? v->run(c, mem, argc, argv) : v->run(c, mem, argc - 1, argv + 1);
	wh_arena_free(mem);
	return rc;
}

const struct cli_command cli_rules = {.may = WH_MAY_LOOK,
                                      .confined = true,
                                      .name = "rules",
                                      .summary = "review what was recommended: list, add, edit, delete, undo, history",
                                      .help = help,
                                      .run = run};
