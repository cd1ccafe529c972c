/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/cli.h"
#include "whittle/firewall.h"
#include "whittle/app_rules.h"

static const char help[] =
	"usage: whittle prove [RESOURCE…] [--rules FILE] [--json]\n"
	"\n"
	"Proves that the proposed rules allow nothing that the present ones deny: for every resource, direction, protocol, port and address,\n"
	"as exact sets. If they allow more, it prints the smallest counter-example and ends with status 1.\n"
	"\n"
	"The proposed rules are those of the last `whittle recommend`, as they were reviewed. The present rules are the imported network\n"
	"security groups. If this machine has none and root runs the command, they are its own firewall rules; otherwise everything counts as\n"
	"allowed. Without RESOURCE, all resources are proved.\n"
	"\n"
	"  --rules FILE   proves these rules instead: a file as `whittle recommend --json` prints it (- for standard input)\n"
	"\n"
	"Example: whittle recommend --json > rules.json; edit it; whittle prove --rules rules.json\n";

static void print_proof(const struct wh_app_proof *p)
{
	const struct wh_counterexample *ce = &p->ce;
	const char *by = p->denied_by;
	char peer[WH_ADDR_STRLEN], proto[8];
	printf("%s: ", p->of->resource->name);
	if (p->holds) {
		cli_print_coloured(CLI_GREEN, "proved");
		printf(": %zu %s, and nothing allowed that is not allowed now\n", p->of->n_rules,
		       p->of->n_rules == 1 ? "rule" : "rules");
		return;
	}
	cli_print_coloured(CLI_RED, "refuted");
	printf(": %s %s port %u %s %s would be allowed, and is not now%s%s%s\n", wh_direction_text(ce->direction),
	       wh_proto_text(ce->proto, proto), ce->port, ce->direction == WH_INBOUND ? "from" : "to",
	       wh_addr_text(&ce->peer, peer), by ? " (denied by " : "", by ? by : "", by ? ")" : "");
}

static int print(const struct cli *c, const struct wh_app_proved *p)
{
	int rc = CLI_OK;
	if (c->json)
		rc = cli_print_json(wh_app_proved_json(p));
	for (size_t i = 0; i < p->n && !c->json; i++)
		print_proof(&p->list[i]);
	if (!p->n && !c->json)
		puts("There is no rule to prove: `whittle recommend` makes rules, or gives the reason why not.");
	return rc ? rc : p->refuted ? CLI_FAILED : CLI_OK;
}

static int run(struct cli *c, int argc, char **argv)
{
	static const struct option longs[] = {{"rules", required_argument, NULL, 'r'}, {0}};
	const struct wh_app a = cli_app(c);
	struct wh_app_prove ask = {.rules = NULL};
	struct wh_app_proved proved;
	struct wh_error err = {0};
	int o;
	while ((o = cli_getopt(c, argc, argv, "r:", longs)) != -1) {
		if (o == '?')
			return CLI_USAGE;
		ask.rules = optarg;
	}
	ask.resources = (const char *const *)argv + optind;
	ask.n_resources = (size_t)(argc - optind);
	struct wh_arena *mem = wh_arena_new();
	int rc = wh_app_prove(&a, &ask, mem, &proved, &err) ? cli_error(&err) : print(c, &proved);
	wh_estate_free(proved.estate);
	wh_arena_free(mem);
	return rc;
}

const struct cli_command cli_prove = {.may = WH_MAY_LOOK,
                                      .confined = true,
                                      .name = "prove",
                                      .only_reads = true,
                                      .summary = "show that the proposed rules only narrow",
                                      .help = help,
                                      .run = run};
