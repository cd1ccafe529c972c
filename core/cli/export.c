/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "cli/cli.h"
#include "whittle/render.h"
#include "whittle/review.h"

static const char help[] =
	"Usage: whittle export --format nsg|nft [--resource NAME]… [--nsg NAME] [-o FILE]\n"
	"\n"
	"Writes the recommended rules, as they were reviewed, in a firewall's own format. Nothing is applied.\n"
	"\n"
	"  --format nsg     the network security groups that were imported, with allow and deny rules put before the rule that they\n"
	"                   narrow; everything else untouched. A host without a group gets a complete new one.\n"
	"  --format nft     what `whittle enforce` would apply, in nft's language\n"
	"  --resource NAME  only this host; may be repeated\n"
	"  --nsg NAME       only this group\n"
	"  -o FILE          write there, whole or not at all; by default to standard output\n"
	"\n"
	"Example: whittle export --format nsg -o web.narrowed.json\n";

static int write_file(const char *path, const char *text, struct wh_error *err)
{
	char temp[4096];
	size_t len = strlen(text);
	if ((size_t)snprintf(temp, sizeof temp, "%s.XXXXXX", path) >= sizeof temp)
		return wh_fail_input(err, -ENAMETOOLONG, "%s: the name is too long", path);
	int fd = mkstemp(temp);
	if (fd < 0)
		return wh_fail(err, -errno, "%s: can't be written: %s", path, strerror(errno));
	mode_t mask = umask(0);
	umask(mask);
	bool ok = fchmod(fd, 0666 & ~mask) == 0;
	for (size_t at = 0; ok && at < len;) {
		ssize_t n = write(fd, text + at, len - at);
		ok = n > 0;
		at += ok ? (size_t)n : 0;
	}
	ok = ok && fsync(fd) == 0;
	ok = close(fd) == 0 && ok && rename(temp, path) == 0;
	if (ok)
		return 0;
	int code = errno;
	unlink(temp);
	return wh_fail(err, -code, "%s: can't be written: %s", path, strerror(code));
}

static int unknown_format(const struct cli *c, const char *name)
{
	char known[128] = "";
	for (size_t i = 0; wh_renderers[i]; i++)
		snprintf(known + strlen(known), sizeof known - strlen(known), "%s%s", i ? ", " : "", wh_renderers[i]->name);
	return cli_usage(c, "unknown format '%s'; there are %s", name, known);
}

static int run(struct cli *c, int argc, char **argv)
{
	static const struct option opts[] = {{"format", 1, 0, 'f'}, {"resource", 1, 0, 'r'}, {"nsg", 1, 0, 'n'}, {"output", 1, 0, 'o'}, {0}};
	const struct wh_renderer *format = NULL;
	const char *resources[256], *path = NULL;
	struct wh_render_options opt = {.resources = resources};
	int o;
	while ((o = cli_getopt(c, argc, argv, "o:", opts)) != -1) {
		switch (o) {
		case 'f':
			if (!(format = wh_renderer_find(optarg)))
				return unknown_format(c, optarg);
			break;
		case 'r':
			if (opt.n_resources == sizeof resources / sizeof *resources)
				return cli_usage(c, "too many resources");
			resources[opt.n_resources++] = optarg;
			break;
		case 'n': opt.nsg = optarg; break;
		case 'o': path = optarg; break;
		default: return CLI_USAGE;
		}
	}
	if (!format || optind != argc)
		return cli_usage(c, format ? "takes no further words" : "name a format: --format nsg or nft");
	struct wh_store *s;
	struct wh_estate *e = NULL;
	struct wh_recommendation *r;
	struct wh_error err;
	struct wh_arena *mem = wh_arena_new();
	char *text = NULL;
	int rc = cli_open_store(c, WH_STORE_READ, &s);
	if (rc) {
		wh_arena_free(mem);
		return rc;
	}
	rc = wh_estate_load(s, mem, &e, &err);
	for (size_t i = 0; !rc && i < opt.n_resources; i++)
		if (!wh_estate_find(e, resources[i]))
			rc = wh_fail_input(&err, -ENOENT, "there is no resource '%s'", resources[i]);
	if (!rc)
		rc = wh_review_load(s, e, mem, &r, &err);
	if (!rc)
		rc = format->render(r, e, &opt, &text, &err);
	if (!rc && path)
		rc = write_file(path, text, &err);
	else if (!rc)
		fputs(text, stdout);
	free(text);
	wh_estate_free(e);
	wh_arena_free(mem);
	wh_store_close(s);
	return rc ? cli_error(&err) : CLI_OK;
}

const struct cli_command cli_export = {.name = "export", .summary = "write the rules as NSG JSON or nft", .help = help, .run = run};
