/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>
#include "base/opener.h"
#include "base/yaml.h"
#include "cli/cli.h"
#include "whittle/render.h"
#include "whittle/review.h"

static const char help[] =
	"usage: whittle export --format FORMAT [--resource NAME]… [--nsg NAME] [--keep-original DAY] [--nsg-scope SCOPE] [-o FILE]\n"
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
	"  --format nft     what `whittle enforce` would apply, in nft's own language\n"
	"  --resource NAME  only this resource (a name, an id or an address); may be given several times\n"
	"  --nsg NAME       with all but nft: only this group\n"
	"  --keep-original DAY   with all but nft: the rule that is narrowed stays below, disabled by the deny, until that day (2027-01-31, UTC). The\n"
	"                   deny's description carries it, `whittle status` tells it, and an export after it removes the rule, once nothing hangs\n"
	"                   on it for any resource that the group is known to guard\n"
	"  --nsg-scope nic|subnet|both   with all but nft: only the groups at network interfaces, or at subnets; else what the estate and\n"
	"                   whittle.yaml say, and both where they say nothing\n"
	"  -o FILE          writes the file at once when it is complete; without it, standard output\n"
	"\n"
	"What was added, moved or replaced is said on standard error.\n"
	"\n"
	"Example:\n"
	"  whittle export --format nsg --nsg web -o web-narrowed.json && diff web.json web-narrowed.json\n";

static int unknown_format(const struct cli *c, const char *format)
{
	const char *names[16], *near;
	char list[256] = "";
	size_t n = 0;
	for (size_t i = 0; wh_renderers[i] && n < 15; i++) {
		snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s", n ? ", " : "", wh_renderers[i]->name);
		names[n++] = wh_renderers[i]->name;
	}
	names[n] = NULL;
	if (!format)
		return cli_usage(c, "say which --format: %s", list);
	near = wh_nearest(format, names);
	return cli_usage(c, "unknown format '%s'%s%s%s; there are %s", format, near ? " (did you mean '" : "", near ? near : "", near ? "'?)" : "", list);
}

/* Names of resources as the estate has them. */
static int find_resources(const struct cli *c, const struct wh_estate *e, const char **names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct wh_resource *r = wh_estate_find(e, names[i]);
		if (!r)
			return cli_usage(c, "there is no resource '%s'; `whittle estate show` lists them", names[i]);
		names[i] = r->name;
	}
	return CLI_OK;
}

static int find_nsg(const struct cli *c, const struct wh_estate *e, const char *name)
{
	for (size_t i = 0; name && i < e->n_nsgs; i++)
		if (!strcasecmp(e->nsgs[i].name, name) || (e->nsgs[i].id && !strcasecmp(e->nsgs[i].id, name)))
			return CLI_OK;
	return name ? cli_usage(c, "there is no network security group '%s' in the estate", name) : CLI_OK;
}

static int write_out(const struct wh_renderer *r, const struct wh_recommendation *rec, const struct wh_estate *e, const struct wh_render_options *opt,
                     const char *path)
{
	struct wh_error err = {0};
	char *text = NULL, *notes = NULL;
	struct wh_render_options with_notes = *opt;
	with_notes.notes = &notes;
	int rc = r->render(rec, e, &with_notes, &text, &err);
	if (!rc && path)
		rc = wh_write_file(path, text, strlen(text), &err);
	if (!rc && !path && (fputs(text, stdout) < 0 || fflush(stdout)))
		rc = wh_fail(&err, -errno, "standard output: cannot be written: %s", strerror(errno));
	if (!rc && notes)
		fputs(notes, stderr);
	free(text);
	free(notes);
	return rc ? cli_error(&err) : CLI_OK;
}

static int export(struct cli *c, const struct wh_renderer *r, struct wh_render_options *opt, const char **names, const char *path)
{
	struct wh_arena *mem = wh_arena_new();
	struct wh_recommendation *rec = NULL;
	struct wh_estate *e = NULL;
	struct wh_error err = {0};
	struct wh_ledger ledger = {NULL, NULL};
	struct wh_heard heard = {0};
	int rc = cli_open_ledger(c, WH_STATE_READ, &ledger);
	if (rc)
		goto out;
	if (wh_estate_load(&ledger, mem, &e, &err)) {
		rc = cli_error(&err);
		goto out;
	}
	cli_platform(c, e);
	rc = find_resources(c, e, names, opt->n_resources);
	if (!rc)
		rc = find_nsg(c, e, opt->nsg);
	if (!rc && !strcmp(r->name, "nft") && wh_estate_heard(ledger.store, e, mem, &heard, &err))
		rc = cli_error(&err);
	opt->heard = &heard;
	if (!rc)
		rc = wh_review_load(ledger.state, e, mem, &rec, &err) ? cli_error(&err) : write_out(r, rec, e, opt, path);
out:
	opt->heard = NULL;
	wh_estate_free(e);
	wh_ledger_close(&ledger);
	wh_arena_free(mem);
	return rc;
}

static int run(struct cli *c, int argc, char **argv)
{
	static const struct option longs[] = {{"format", required_argument, NULL, 'f'}, {"resource", required_argument, NULL, 'r'},
	                                      {"nsg", required_argument, NULL, 'n'}, {"output", required_argument, NULL, 'o'},
	                                      {"keep-original", required_argument, NULL, 'k'}, {"nsg-scope", required_argument, NULL, 's'}, {0}};
	struct wh_render_options opt = {.today = cli_today(), .nsg_scope_default = c->config->estate.nsg_scope};
	const char *format = NULL, *path = NULL, **names = calloc((size_t)argc + 1, sizeof *names);
	const struct wh_renderer *r;
	int o, rc = CLI_OK;
	if (!names)
		return CLI_FAILED;
	while (!rc && (o = cli_getopt(c, argc, argv, "f:r:n:o:", longs)) != -1) {
		if (o == '?')
			rc = CLI_USAGE;
		else if (o == 'f')
			format = optarg;
		else if (o == 'r')
			names[opt.n_resources++] = optarg;
		else if (o == 'n')
			opt.nsg = optarg;
		else if (o == 'k')
			rc = cli_check_day(c, opt.keep_until = optarg);
		else if (o == 's')
			rc = cli_nsg_scope(c, optarg, &opt.nsg_scope);
		else
			path = optarg;
	}
	if (!rc && optind < argc)
		rc = cli_usage(c, "'%s' is not an option; name a resource with --resource", argv[optind]);
	r = format ? wh_renderer_find(format) : NULL;
	if (!rc && !r)
		rc = unknown_format(c, format);
	if (!rc && r && (opt.keep_until || opt.nsg_scope) && !strcmp(r->name, "nft"))
		rc = cli_usage(c, "--keep-original and --nsg-scope go with the formats of Azure, not with nft");
	if (!rc && r && opt.nsg && !strcmp(r->name, "nft"))
		rc = cli_usage(c, "--nsg goes with the formats of Azure, not with nft");
	opt.resources = names;
	if (!rc && r)
		rc = export(c, r, &opt, names, path && strcmp(path, "-") ? path : NULL);
	free(names);
	return rc;
}

const struct cli_command cli_export = {.confined = true, .name = "export", .summary = "write the narrowed rules in a firewall's format", .help = help, .run = run};
