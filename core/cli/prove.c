/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "cli/cli.h"
#include "whittle/harden.h"
#include "whittle/review.h"

static const char help[] =
	"usage: whittle prove [RESOURCE…] [--rules FILE] [--json]\n"
	"\n"
	"Shows that the proposed rules allow nothing that the present ones deny: for every resource, direction, protocol, port and address,\n"
	"as exact sets. Where they would, prints the smallest counter-example and ends with status 1.\n"
	"\n"
	"The proposed rules are those of the last `whittle recommend`, as they were reviewed; the present ones are the imported network\n"
	"security groups, or everything where a resource has none. Without RESOURCE: all.\n"
	"\n"
	"  --rules FILE   proves these rules instead: a file as `whittle recommend --json` prints it (- for standard input)\n"
	"\n"
	"Example: whittle recommend --json > rules.json; edit it; whittle prove --rules rules.json\n";

enum { MAX_RULES_FILE = 64 << 20 };

struct totals { size_t resources, rules, failed; };

/* The present rule that denies the counter-example: "web: deny-bad". */
static const char *denied_by(const struct wh_estate *e, const struct wh_resource *r, const struct wh_counterexample *ce, struct wh_arena *mem)
{
	const struct wh_tag_context tags = wh_estate_tags(e);
	for (size_t i = 0; i < r->n_nsgs; i++)
		for (size_t j = 0; j < r->n_addrs; j++) {
			const struct wh_rule *d = NULL;
			if (wh_addr_is_v4(&r->addrs[j]) == wh_addr_is_v4(&ce->peer))
				d = wh_nsg_decide(r->nsgs[i], &tags, ce->direction, ce->proto, &r->addrs[j], ce->port, &ce->peer);
			if (d && !d->allow)
				return wh_arena_printf(mem, "%s: %s", r->nsgs[i]->name, d->name);
		}
	return NULL;
}

static json_t *result_json(const struct wh_resource_result *res, const struct wh_counterexample *ce, const char *by)
{
	char peer[WH_ADDR_STRLEN], proto[8];
	json_t *o = json_pack("{s:s,s:s,s:I,s:b}", "id", res->resource->id ? res->resource->id : res->resource->name, "name", res->resource->name, "rules",
	                      (json_int_t)res->n_rules, "holds", !ce);
	if (ce)
		json_object_set_new(o, "counterExample", json_pack("{s:s,s:s,s:i,s:s,s:s?}", "direction", wh_direction_text(ce->direction), "protocol",
		                    wh_proto_text(ce->proto, proto), "port", (int)ce->port, "peer", wh_addr_text(&ce->peer, peer), "deniedBy", by));
	return o;
}

static void print_result(const struct wh_resource_result *res, const struct wh_counterexample *ce, const char *by)
{
	char peer[WH_ADDR_STRLEN], proto[8];
	printf("%s: ", res->resource->name);
	if (!ce) {
		cli_print_coloured(CLI_GREEN, "proved");
		printf(": %zu %s, and nothing allowed that is not allowed now\n", res->n_rules, res->n_rules == 1 ? "rule" : "rules");
		return;
	}
	cli_print_coloured(CLI_RED, "refuted");
	printf(": %s %s port %u %s %s would be allowed, and is not now%s%s%s\n", wh_direction_text(ce->direction), wh_proto_text(ce->proto, proto), ce->port,
	       ce->direction == WH_INBOUND ? "from" : "to", wh_addr_text(&ce->peer, peer), by ? " (denied by " : "", by ? by : "", by ? ")" : "");
}

static bool asked(const struct wh_estate *e, const struct wh_resource *r, char **names, int n)
{
	bool in = n == 0;
	for (int i = 0; i < n; i++)
		in |= wh_estate_find(e, names[i]) == r;
	return in;
}

static int prove(struct cli *c, const struct wh_estate *e, const struct wh_recommendation *rec, char **names, int n, struct wh_arena *mem)
{
	json_t *list = json_array();
	struct totals t = {0};
	struct wh_error err;
	for (size_t i = 0; i < rec->n_resources; i++) {
		const struct wh_resource_result *res = &rec->resources[i];
		struct wh_counterexample ce;
		if (!asked(e, res->resource, names, n) || (!res->n_rules && !n))
			continue;
		int rc = wh_prove(e, res->resource, res->rules, res->n_rules, mem, &ce, &err);
		if (rc < 0) {
			json_decref(list);
			return cli_error(&err);
		}
		const char *by = rc ? denied_by(e, res->resource, &ce, mem) : NULL;
		t.resources++;
		t.rules += res->n_rules;
		t.failed += rc == 1;
		if (c->json)
			json_array_append_new(list, result_json(res, rc ? &ce : NULL, by));
		else
			print_result(res, rc ? &ce : NULL, by);
	}
	if (c->json) {
		int rc = cli_print_json(json_pack("{s:b,s:O}", "holds", !t.failed, "resources", list));
		json_decref(list);
		return rc ? rc : t.failed ? CLI_FAILED : CLI_OK;
	}
	json_decref(list);
	if (!t.resources)
		puts("There is no rule to prove.");
	return t.failed ? CLI_FAILED : CLI_OK;
}

static int read_rules(const char *path, const struct wh_estate *e, struct wh_arena *mem, struct wh_recommendation **out, struct wh_error *err)
{
	char *text;
	size_t len;
	int rc = wh_read_file(path, MAX_RULES_FILE, &text, &len, err);
	if (rc)
		return rc;
	rc = wh_rules_parse(strcmp(path, "-") ? path : "standard input", text, len, e, mem, out, err);
	free(text);
	return rc;
}

static int run(struct cli *c, int argc, char **argv)
{
	static const struct option longs[] = {{"rules", required_argument, NULL, 'r'}, {0}};
	struct wh_recommendation *rec = NULL;
	struct wh_estate *e = NULL;
	const char *file = NULL;
	struct wh_error err = {0};
	struct wh_ledger ledger = {NULL, NULL};
	int o, rc;
	while ((o = cli_getopt(c, argc, argv, "r:", longs)) != -1) {
		if (o == '?')
			return CLI_USAGE;
		file = optarg;
	}
	struct wh_arena *mem = wh_arena_new();
	if ((rc = cli_open_ledger(c, WH_STATE_READ, &ledger)))
		goto out;
	if (wh_estate_load(&ledger, mem, &e, &err)) {
		rc = cli_error(&err);
		goto out;
	}
	for (int i = optind; i < argc && !rc; i++)
		if (!wh_estate_find(e, argv[i]))
			rc = cli_usage(c, "there is no resource '%s'; `whittle estate show` lists them", argv[i]);
	if (!rc && (file ? read_rules(file, e, mem, &rec, &err) : wh_review_load(ledger.state, e, mem, &rec, &err)))
		rc = cli_error(&err);
	if (!rc && rec)
		rc = prove(c, e, rec, argv + optind, argc - optind, mem);
out:
	wh_estate_free(e);
	wh_ledger_close(&ledger);
	wh_arena_free(mem);
	return rc;
}

const struct cli_command cli_prove = {.confined = true, .name = "prove", .only_reads = true, .summary = "show that the proposed rules only narrow", .help = help, .run = run};
