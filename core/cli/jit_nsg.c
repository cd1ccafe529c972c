/* SPDX-License-Identifier: GPL-2.0-or-later */
/* jit nsg: a network security group as it should be now, printed, written to a file, or at Azure itself. */
#include <stdlib.h>
#include <string.h>
#include "base/opener.h"
#include "cli/azure.h"
#include "cli/jit.h"
#include "whittle/app_jit.h"

/* The options of a group's command. */
struct wanted {
	struct wh_arm_options arm;
	bool azure, until_closed;
	const char *path;
};

static int take_options(struct cli *c, int argc, char **argv, struct wanted *w)
{
	static const struct option opts[] = {
		{"output", 1, 0, 'o'}, {"to", 1, 0, 't'}, {"until-closed", 0, 0, 'u'}, CLI_ARM_OPTIONS, {0}};
	bool arm_given = false;
	int o;
	while ((o = cli_getopt(c, argc, argv, "o:", opts)) != -1) {
		switch (o) {
		case 'o':
			if (cli_refuse_held(c, "-o"))
				return CLI_USAGE;
			w->path = optarg;
			break;
		case 'u': w->until_closed = true; break;
		case 't':
			if (strcmp(optarg, "azure"))
				return cli_usage(c, "unknown target '%s'; use azure", optarg);
			w->azure = true;
			break;
		case 'e': case 'k': case 'a': case 'w':
			if ((o != 'w' && cli_refuse_held(c, o == 'e'   ? "--endpoint"
			                                    : o == 'k' ? "--token-command"
			                                               : "--ca-file")) ||
			    cli_arm_option(c, o, &w->arm))
				return CLI_USAGE;
			arm_given = true;
			break;
		default: return CLI_USAGE;
		}
	}
	if (!w->azure && (w->until_closed || arm_given))
		return cli_usage(c, "--until-closed and the options of Azure go with --to azure");
	if (w->azure && w->path)
		return cli_usage(c, "-o writes a file, --to azure changes the group itself: one of them");
	if (argc - optind > 1 || (!w->azure && argc - optind != 1))
		return cli_usage(c, "nsg takes the name of one network security group");
	return CLI_OK;
}

/* Prints the group as it should be now, or writes it to the file. */
static int write_group(struct cli *c, const char *name, const char *path)
{
	const struct wh_app a = cli_app(c);
	struct wh_error err;
	char *notes;
	json_t *doc;
	if (wh_app_jit_nsg(&a, name, &doc, &notes, &err))
		return cli_app_error(c, &err);
	fputs(notes ? notes : "", stderr);
	free(notes);
	if (!path)
		return cli_print_json(doc);
	char *text = json_dumps(doc, JSON_INDENT(2));
	int rc = text ? wh_write_file(path, text, strlen(text), &err) : wh_fail(&err, -ENOMEM, "out of memory");
	free(text);
	json_decref(doc);
	return rc ? cli_error(&err) : CLI_OK;
}

int cli_jit_nsg(struct cli *c, int argc, char **argv)
{
	struct wanted w = {0};
	if (take_options(c, argc, argv, &w))
		return CLI_USAGE;
	const char *name = optind < argc ? argv[optind] : NULL;
	return w.azure ? cli_jit_azure(c, &w.arm, name, w.until_closed) : write_group(c, name, w.path);
}
