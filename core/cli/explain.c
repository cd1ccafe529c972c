/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include "cli/cli.h"
#include "whittle/firewall.h"
#include "whittle/app_rules.h"

static int run(struct cli *c, int argc, char **argv)
{
	static const struct option longs[] = {{0}};
	const struct wh_app a = cli_app(c);
	struct wh_error err = {0};
	char *text;

	if (cli_getopt(c, argc, argv, "", longs) != -1)
		return CLI_USAGE;
	if (argc - optind != 2)
		return cli_usage(c, "name a resource and a rule, as in 'whittle explain vm1 22'");
	if (wh_app_explain(&a, argv[optind], argv[optind + 1], c->json, &text, &err))
		return cli_error(&err);
	printf("%s%s", text, c->json ? "\n" : "");
	free(text);
	return CLI_OK;
}

const struct cli_command cli_explain = {
	.may = WH_MAY_LOOK,
	.confined = true,
	.name = "explain",
	.only_reads = true,
	.summary = "explain a rule: its peers and their evidence, the peers left out, what other choices cost",
	.help = "usage: whittle explain RESOURCE RULE [--json]\n\n"
		"Derives one rule again and shows how: the peers behind it with the evidence for each, the peers that were left out with\n"
		"the reason, and for each prefix what the next wider and the next narrower choice would have cost. RULE is a port (22, 22/udp,\n"
		"'443/tcp out') or a rule's name. The options of the last 'whittle recommend', such as --lines, are used here too. If no rule\n"
		"is offered, the reason is printed.\n\n"
		"  --json  all prefixes and peers with every feature's value and weight\n\n"
		"example:\n"
		"  whittle explain vm1 22/tcp\n",
	.run = run,
};
