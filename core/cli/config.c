/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include "cli/cli.h"
#include "whittle/config.h"

static const char help[] =
	"usage: whittle config [--json]\n"
	"\n"
	"Prints a whittle.yaml with every key: its help, its range, and its default or an example. All keys are commented out, so the file sets\n"
	"nothing until a '#' is taken away. The command reads no configuration and no ledger.\n"
	"\n"
	"Example: whittle config > /etc/whittle/whittle.yaml\n";

static int run(struct cli *c, int argc, char **argv)
{
	if (argc > 1)
		return cli_usage(c, "unexpected word '%s'", argv[1]);
	if (c->json)
		return cli_print_json(wh_config_keys_json());
	char *sample = wh_config_sample();
	if (!sample) {
		fputs("whittle: out of memory\n", stderr);
		return CLI_FAILED;
	}
	fputs(sample, stdout);
	free(sample);
	return CLI_OK;
}

const struct cli_command cli_config = {
	.name = "config",
	.summary = "print every key of whittle.yaml, with its default and what it does",
	.help = help,
	.run = run,
	.reads_config_itself = true,
	.no_ledger = true,
};
