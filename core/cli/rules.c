/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <jansson.h>
#include "cli/cli.h"
#include "whittle/review.h"

static const char help[] =
	"usage: whittle rules list [RESOURCE…] [--json]\n"
	"       whittle rules add RESOURCE --port 22/tcp --from PREFIX[,PREFIX…] [--outbound] [--why TEXT]\n"
	"       whittle rules edit RESOURCE RULE --from PREFIX,… | --also PREFIX,… | --not PREFIX,… [--why TEXT]\n"
	"       whittle rules delete RESOURCE RULE [--why TEXT]\n"
	"       whittle rules reset [RESOURCE]\n"
	"       whittle rules undo [RESOURCE]\n"
	"       whittle rules history [RESOURCE] [--json]\n"
	"\n"
	"Reviews what `whittle recommend` proposed, before it is enforced. RULE is a rule's name, or its port: 22 or 22/tcp.\n"
	"Everything is kept with who, when and why; `undo` takes back the last step, `reset` all of them.\n"
	"\n"
	"The guidelines, which a refused change names:\n"
	"  allow-only      only allow rules are added or modified\n"
	"  no-flip         an allow rule never becomes a deny; delete it instead\n"
	"  deny-all-fixed  a deny-all can't be modified, only deleted\n"
	"  session-delete  a deletion lasts until the next calculation, which may propose the rule again\n"
	"  narrow-only     nothing is allowed that the present policy does not allow\n"
	"What is saved here is not yet enforced: `whittle enforce` or `whittle export` takes it from here.\n"
	"\n"
	"Example: whittle rules edit vm1 22 --also 198.51.100.7 --why 'the new backup host'\n";

/* Adds to the *n that *out has: an option may be given several times. */
static int parse_prefixes(const struct cli *c, const char *text, struct wh_arena *mem, struct wh_prefix **out, size_t *n)
{
	size_t max = 1;
	for (const char *p = text; *p; p++)
		max += *p == ',';
	struct wh_prefix *list = wh_arena_array(mem, *n + max, sizeof *list);
	if (*n)
		memcpy(list, *out, *n * sizeof *list);
	*out = list;
	for (const char *p = text; *p;) {
		size_t len = strcspn(p, ", ");
		bool host = false;
		char buf[WH_PREFIX_STRLEN];
		if (len && wh_prefix_parse(p, len, &(*out)[*n], &host))
			return cli_usage(c, "'%.*s' is not an address or prefix", (int)len, p);
		if (len && host)
			fprintf(stderr, "whittle: %.*s read as %s (host bits were set)\n", (int)len, p, wh_prefix_text(&(*out)[*n], buf));
		*n += len > 0;
		p += len + strspn(p + len, ", ");
	}
	return *n ? 0 : cli_usage(c, "no address given");
}

struct ctx {
	struct cli *c;
	struct wh_ledger ledger;
	struct wh_estate *estate;
	struct wh_arena *mem;
};

/* One sentence about what was done. */
static int say(struct ctx *x, const char *said)
{
	if (x->c->json)
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
	for (size_t i = 0; i < r->n_prefixes; i++)
		size += __builtin_ldexp(1, 128 - r->prefixes[i].len);
	printf("  %-9s %-8s %-44s %s\n", wh_direction_text(r->direction), port, r->name, r->n_prefixes ? "allow" : "deny all (System Generated)");
	for (size_t i = 0; i < r->n_prefixes && i < 12; i++)
		printf("  %-18s   %s\n", "", wh_prefix_text(&r->prefixes[i], p));
	if (r->n_prefixes > 12)
		printf("  %-18s   … and %zu more (%s addresses in all)\n", "", r->n_prefixes - 12, space(size, units));
	for (size_t i = 0; i < r->n_except && i < 6; i++)
		printf("  %-18s   except %s\n", "", wh_prefix_text(&r->except[i], p));
	if (*wh_review_mark(r)) {
		printf("  %-18s   %s\n", "", r->note ? r->note : wh_review_mark(r));
	}
}

/* The journal's last enforcement that held, whether it was taken back, and whether what is saved was changed after it. */
struct last {
	const struct wh_estate *estate;
	const struct wh_resource *resource;
	int64_t enforced_us, changed_us;
	bool taken_back;
	char who[64];
};

/* What was applied to the kernel holds once it was confirmed; what was sent to Azure, once it was read back. */
static bool holds(const char *what, const char *json)
{
	if (strcmp(what, "azure.apply") != 0)
		return !strcmp(what, "enforce.confirm");
	json_t *o = json_loads(json, 0, NULL);
	const char *state = json_string_value(json_object_get(o, "state"));
	bool yes = state && (!strcmp(state, "applied") || !strcmp(state, "unchanged"));
	json_decref(o);
	return yes;
}

static int last_entry(void *arg, int64_t seq, int64_t time_us, const char *who, const char *what, const char *json)
{
	struct last *l = arg;
	(void)seq;
	if (!strcmp(what, "enforce.rollback") || !strcmp(what, "azure.rollback") || !strcmp(what, "enforce.uninstall")) {
		l->taken_back = true;
	} else if (holds(what, json)) {
		l->enforced_us = time_us;
		l->taken_back = false;
		snprintf(l->who, sizeof l->who, "%s", who);
		wh_text_make_printable(l->who); /* it would else be a line of its own */
	} else if (!strncmp(what, "review.", 7)) {
		json_t *o = json_loads(json, 0, NULL);
		const char *name = json_string_value(json_object_get(o, "resource"));
		if (name && wh_estate_find(l->estate, name) == l->resource)
			l->changed_us = time_us;
		json_decref(o);
	}
	return 0;
}

static int print_header(struct ctx *x, const struct wh_resource_result *r)
{
	struct last l = {.estate = x->estate, .resource = r->resource};
	struct wh_error err;
	char t[WH_TIME_STRLEN];
	if (wh_state_log_each(x->ledger.state, NULL, last_entry, &l, &err))
		return cli_error(&err);
	printf("%s: %zu rule%s, saved, ", r->resource->name, r->n_rules, r->n_rules == 1 ? "" : "s");
	if (!l.enforced_us)
		puts("not yet enforced");
	else if (l.changed_us > l.enforced_us)
		printf("changed since, and not yet enforced (%s, by %s, was before that)\n", wh_time_text(l.enforced_us, t), l.who);
	else
		printf("last enforced %s by %s%s\n", wh_time_text(l.enforced_us, t), l.who, l.taken_back ? ", and taken back since" : "");
	return CLI_OK;
}

static int print_kept(struct ctx *x)
{
	const struct wh_app a = cli_app(x->c);
	struct wh_kept *k;
	struct wh_error err;
	size_t n_kept;
	if (wh_app_kept(&a, x->estate, x->mem, &k, &n_kept, &err))
		return cli_error(&err);
	cli_print_kept(k, n_kept);
	return CLI_OK;
}

static int list(struct ctx *x, int n, char **names)
{
	struct wh_recommendation *rec;
	struct wh_error err;
	int rc = wh_review_load(x->ledger.state, x->estate, x->mem, &rec, &err);
	if (rc)
		return cli_error(&err);
	for (int i = 0; i < n; i++)
		if (!wh_estate_find(x->estate, names[i]))
			return cli_usage(x->c, "there is no resource '%s'", names[i]);
	size_t kept = 0;
	for (size_t i = 0; i < rec->n_resources; i++) {
		bool wanted = !n;
		for (int j = 0; j < n; j++)
			wanted |= wh_estate_find(x->estate, names[j]) == rec->resources[i].resource;
		if (wanted)
			rec->resources[kept++] = rec->resources[i];
	}
	rec->n_resources = kept;
	if (x->c->json) {
		char *text = wh_recommendation_json(rec, NULL);
		puts(text ? text : "{}");
		free(text);
		return CLI_OK;
	}
	for (size_t i = 0; i < kept; i++) {
		const struct wh_resource_result *r = &rec->resources[i];
		if (!r->n_rules && !n)
			continue;
		if ((rc = print_header(x, r)))
			return rc;
		for (size_t j = 0; j < r->n_rules; j++)
			print_rule(&r->rules[j]);
	}
	return print_kept(x);
}

struct history_ctx {
	json_t *array;           /* or … */
	struct cli_table *table; /* … for people */
	size_t n;
};

static int history_line(void *arg, int64_t time_us, const char *by, const char *what, const char *resource, const char *rule,
                        const char *why, const char *detail)
{
	struct history_ctx *h = arg;
	char t[WH_TIME_STRLEN];
	h->n++;
	wh_time_text(time_us, t);
	if (h->array) {
		json_array_append_new(h->array, json_pack("{s:s,s:s,s:s,s:s,s:s*,s:s*,s:s}", "time", t, "who", by, "what", what, "resource", resource,
		                                          "rule", rule, "why", why, "prefixes", detail));
		return 0;
	}
	if (!h->table)
		h->table = cli_table_new("When|Who|What|Resource|Rule|Addresses|Why");
	const char *cells[] = {t, by, what, resource, rule, detail, why};
	for (size_t i = 0; i < sizeof cells / sizeof *cells; i++)
		cli_table_text(h->table, cells[i]);
	return 0;
}

static int history(struct ctx *x, const char *resource)
{
	struct history_ctx h = {.array = x->c->json ? json_array() : NULL};
	struct wh_error err;
	const struct wh_resource *known = resource ? wh_estate_find(x->estate, resource) : NULL;
	int rc = wh_review_history(x->ledger.state, known ? known->name : resource, history_line, &h, &err);
	if (!rc && !h.n && resource && !known) { /* what is no longer in the estate has its history all the same */
		json_decref(h.array);
		return cli_usage(x->c, "there is no resource '%s'", resource);
	}
	if (!rc && h.array)
		json_dumpf(h.array, stdout, JSON_INDENT(2)), putchar('\n');
	else if (!rc && !h.n)
		puts("Nothing was changed yet.");
	else if (!rc)
		cli_table_print(h.table);
	json_decref(h.array);
	return rc ? cli_error(&err) : CLI_OK;
}

static int parse_port(const struct cli *c, char *text, struct wh_review_change *ch)
{
	char *end;
	unsigned long port = strtoul(text, &end, 10);
	ch->proto = WH_PROTO_TCP;
	if (*text < '0' || *text > '9' || port > 65535 || (*end && *end != '/') || (*end == '/' && wh_proto_parse(end + 1, &ch->proto)))
		return cli_usage(c, "'%s' is not a port: write 22 or 53/udp", text);
	ch->port = (uint16_t)port;
	return 0;
}

static int change(struct ctx *x, enum wh_review_op op, int argc, char **argv)
{
	static const struct option opts[] = {{"port", 1, 0, 'p'}, {"from", 1, 0, 'f'}, {"to", 1, 0, 'f'}, {"also", 1, 0, 'a'}, {"not", 1, 0, 'n'},
	                                     {"outbound", 0, 0, 'o'}, {"why", 1, 0, 'w'}, {"deny", 0, 0, 'd'}, {"name", 1, 0, 'N'}, {0}};
	struct wh_review_change ch = {.op = op, .who = cli_who()};
	struct wh_prefix *p = NULL;
	bool port = false;
	int o, kind = 0, rc = 0;
	optind = 1;
	while (!rc && (o = cli_getopt(x->c, argc, argv, "", opts)) != -1) {
		switch (o) {
		case 'p': rc = parse_port(x->c, optarg, &ch); port = true; break;
		case 'f': case 'a': case 'n':
			if (kind && kind != o) /* which of them goes first would decide */
				return cli_usage(x->c, "--from, --also and --not don't go together: one after the other");
			kind = o;
			ch.adding = o == 'a';
			ch.removing = o == 'n';
			rc = parse_prefixes(x->c, optarg, x->mem, &p, &ch.n_prefixes);
			break;
		case 'o': ch.direction = WH_OUTBOUND; break;
		case 'w': ch.why = optarg; break;
		case 'd': ch.deny = true; break;
		case 'N': ch.rule = optarg; break;
		default: return CLI_USAGE;
		}
	}
	if (rc)
		return rc;
	int want = op == WH_REVIEW_ADD ? 1 : 2;
	if (argc - optind != want)
		return cli_usage(x->c, op == WH_REVIEW_ADD ? "rules add takes one resource" : "rules edit and delete take a resource and a rule");
	ch.resource = argv[optind];
	ch.prefixes = p;
	if (want == 2)
		ch.rule = argv[optind + 1];
	if (op == WH_REVIEW_ADD && !port)
		return cli_usage(x->c, "rules add needs --port");
	if (op == WH_REVIEW_EDIT && !p && !ch.deny)
		return cli_usage(x->c, "rules edit needs --from, --also or --not");
	const char *said;
	struct wh_error err;
	if (wh_review_change(x->ledger.state, x->estate, &ch, x->mem, &said, &err))
		return cli_error(&err);
	return say(x, said);
}

static int dispatch(struct ctx *x, const char *verb, int argc, char **argv)
{
	const char *resource = argc > 1 ? argv[1] : NULL, *said;
	struct wh_error err;
	size_t n;
	if (!strcmp(verb, "list"))
		return list(x, argc - 1, argv + 1);
	if (!strcmp(verb, "add"))
		return change(x, WH_REVIEW_ADD, argc, argv);
	if (!strcmp(verb, "edit"))
		return change(x, WH_REVIEW_EDIT, argc, argv);
	if (!strcmp(verb, "delete"))
		return change(x, WH_REVIEW_DELETE, argc, argv);
	if (!strcmp(verb, "history"))
		return history(x, resource);
	if (!strcmp(verb, "undo")) {
		if (wh_review_undo(x->ledger.state, x->estate, resource, cli_who(), x->mem, &said, &err))
			return cli_error(&err);
		return say(x, said);
	}
	if (!strcmp(verb, "reset")) {
		if (wh_review_reset(x->ledger.state, x->estate, resource, cli_who(), &n, &err))
			return cli_error(&err);
		return say(x, wh_arena_printf(x->mem, "%zu change%s forgotten; `whittle rules undo` brings them back", n, n == 1 ? "" : "s"));
	}
	return CLI_USAGE;
}

static int run(struct cli *c, int argc, char **argv)
{
	struct ctx x = {.c = c};
	struct wh_error err;
	if (argc < 2)
		return cli_usage(c, "say what to do: list, add, edit, delete, reset, undo or history");
	static const char *const verbs[] = {"list", "add", "edit", "delete", "history", "undo", "reset", NULL};
	size_t v = 0;
	while (verbs[v] && strcmp(verbs[v], argv[1]) != 0)
		v++;
	if (!verbs[v])
		return cli_usage(c, "'%s' is not one of list, add, edit, delete, reset, undo, history", argv[1]);
	bool reads = !strcmp(argv[1], "list") || !strcmp(argv[1], "history");
	if (reads)
		cli_output_only_prints();
	int rc = cli_open_ledger(c, reads ? WH_STATE_READ : WH_STATE_WRITE, &x.ledger);
	if (rc)
		return rc;
	x.mem = wh_arena_new();
	rc = wh_estate_load(&x.ledger, x.mem, &x.estate, &err) ? cli_error(&err) : dispatch(&x, argv[1], argc - 1, argv + 1);
	if (x.estate)
		wh_estate_free(x.estate);
	wh_arena_free(x.mem);
	wh_ledger_close(&x.ledger);
	return rc;
}

const struct cli_command cli_rules = {.confined = true, .name = "rules", .summary = "review what was recommended: list, add, edit, delete, undo, history",
	.help = help, .run = run};
