/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>
#include "base/opener.h"
#include "cli/cli.h"
#include "whittle/app_rules.h"

static const char help[] =
	"usage: whittle export --format FORMAT [--resource NAME]… [--nsg NAME] [--keep-original DAY] [--nsg-scope SCOPE] [--aws-rules N] [-o FILE]\n"
	"\n"
	"Writes the recommended rules, as they were reviewed, in a firewall's own format. Nothing is applied.\n"
	"\n"
	"  --format nsg     network security groups as JSON: the narrowed rules are merged into each group that was imported, before the\n"
	"                   rule that they narrow, and every other decision and field stays as it was. A host without a group gets\n"
	"                   a complete new one\n"
	"  --format arm     the same groups as a template for `az deployment group create`\n"
	"  --format bicep   the same in Bicep\n"
	"  --format terraform   the new rules as azurerm_network_security_rule, for a pull request\n"
	"  --format az      a script of az commands, to be read and then run: allows come before denies\n"
	"  --format aws     the calls that narrow security groups of AWS, as JSON: for each `aws ec2 OPERATION --cli-input-json INPUT`,\n"
	"                   authorize before revoke. A port stays as it is if something else with the group may need it; `leftAlone`\n"
	"                   gives the reason\n"
	"  --format aws-sh  the same as a script of aws commands\n"
	"  --format nft     what `whittle enforce` would apply, in nft's own language\n"
	"  --resource NAME  only this resource (a name, an id or an address); may be given several times\n"
	"  --nsg NAME       only this group; not with nft\n"
	"  --aws-rules N    with aws and aws-sh: AWS's quota of rules in one group (60, unless AWS raised it)\n"
	"  --keep-original DAY   with Azure's formats: the rule that is narrowed stays below, disabled by the deny, until that day (2027-01-31, UTC). The\n"
	"                   deny's description has the day, and `whittle status` shows it. An export after that day removes the rule, unless a\n"
	"                   resource that the group is known to guard depends on it\n"
	"  --nsg-scope nic|subnet|both   with Azure's formats: only the groups at network interfaces, or at subnets. Default: as set in the estate or\n"
	"                   in whittle.yaml, else both\n"
	"  -o, --output FILE   replaces the file in one step, when the output is complete. Default: standard output\n"
	"\n"
	"Rules that were added, moved or replaced are reported on standard error.\n"
	"\n"
	"Example:\n"
	"  whittle export --format nsg --nsg web -o web-narrowed.json && diff web.json web-narrowed.json\n";

static int write_out(const char *text, const char *notes, const char *path)
{
	struct wh_error err = {0};
	int rc = 0;
	if (path)
		rc = wh_write_file(path, text, strlen(text), &err);
	else if (fputs(text, stdout) < 0 || fflush(stdout))
		rc = wh_fail(&err, -errno, "standard output: cannot be written: %s", strerror(errno));
	if (!rc && notes)
		fputs(notes, stderr);
	return rc ? cli_error(&err) : CLI_OK;
}

static int export(struct cli *c, const struct wh_app_export *ask, const char *path)
{
	const struct wh_app a = cli_app(c);
	struct wh_error err = {0};
	char *text, *notes;
	int rc = wh_app_export(&a, ask, &text, &notes, &err);
	if (rc)
		rc = cli_error(&err);
	else
		rc = write_out(text, notes, path);
	free(text);
	free(notes);
	return rc;
}

static int read_rules(struct cli *c, const char *text, size_t *out)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);
	if (*text < '1' || *text > '9' || *end || n > 1000)
		return cli_usage(c, "--aws-rules: '%s' is not a number from 1 to 1000", text);
	*out = n;
	return CLI_OK;
}

static int run(struct cli *c, int argc, char **argv)
{
	static const struct option longs[] = {{"format", required_argument, NULL, 'f'},
	                                      {"resource", required_argument, NULL, 'r'},
	                                      {"nsg", required_argument, NULL, 'n'},
	                                      {"output", required_argument, NULL, 'o'},
	                                      {"keep-original", required_argument, NULL, 'k'},
	                                      {"nsg-scope", required_argument, NULL, 's'},
	                                      {"aws-rules", required_argument, NULL, 'q'},
	                                      {0}};
	const char *path = NULL, **names = calloc((size_t)argc + 1, sizeof *names);
	struct wh_app_export ask = {.resources = names};
	struct wh_error err;
	int o, rc = CLI_OK;
	if (!names)
		return CLI_FAILED;
	while (!rc && (o = cli_getopt(c, argc, argv, "f:r:n:o:", longs)) != -1) {
		if (o == '?')
			rc = CLI_USAGE;
		else if (o == 'f')
			ask.format = optarg;
		else if (o == 'r')
			names[ask.n_resources++] = optarg;
		else if (o == 'n')
			ask.nsg = optarg;
		else if (o == 'k')
			rc = cli_check_day(c, ask.keep_until = optarg);
		else if (o == 'q')
			rc = read_rules(c, optarg, &ask.aws_rules);
		else if (o == 's')
			rc = cli_nsg_scope(c, optarg, &ask.nsg_scope);
		else
			path = optarg;
	}
	if (!rc && optind < argc)
		rc = cli_usage(c, "'%s' is not an option; name a resource with --resource", argv[optind]);
	if (!rc && wh_app_export_check(&ask, &err))
		rc = cli_usage(c, "%s", err.text);
	if (!rc)
		rc = export(c, &ask, path && strcmp(path, "-") ? path : NULL);
	free(names);
	return rc;
}

const struct cli_command cli_export = {.confined = true,
                                       .name = "export",
                                       .summary = "write the narrowed rules in a firewall's format",
                                       .help = help,
                                       .run = run};
