/* SPDX-License-Identifier: GPL-2.0-or-later */
/* jit nsg --to azure: openings take effect, and end, in the groups at Azure. */
#include "cli/azure.h"
#include "cli/jit.h"
#include "whittle/app_jit.h"

static void print_group(void *arg, const struct wh_app_jit_group *g)
{
	const struct cli *c = arg;
	if (c->json || g->rc)
		return;
	fputs(g->notes ? g->notes : "", stderr);
	printf("%s: %s\n", g->nsg->name, g->result->changed ? "applied, read back and compared." : "is as it should be.");
	fflush(stdout);
}

int cli_jit_azure(struct cli *c, struct wh_arm_options *opt, const char *name, bool until_closed)
{
	const struct wh_app a = cli_app(c);
	const struct wh_app_jit_azure ask = {.nsg = name, .until_closed = until_closed, .each = print_group, .arg = c};
	struct wh_error err;
	json_t *doc;
	bool ends_later;
	cli_fill_arm(c, opt);
	int rc = wh_app_jit_azure(&a, &ask, opt, &doc, &ends_later, &err) ? cli_app_error(c, &err) : CLI_OK;
	if (ends_later && !c->json)
		fprintf(stderr,
		        "whittle: an opening ends at Azure when this command runs again after its time: from a timer, or with --until-closed\n");
	if (!doc || !c->json) {
		json_decref(doc);
		return rc;
	}
	int printed = cli_print_json(doc);
	return rc ? rc : printed;
}
