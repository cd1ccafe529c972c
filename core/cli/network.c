/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>
#include "cli/network.h"

int cli_open_network(struct cli *c, const struct cli_paths *in, struct wh_app_network **out)
{
	struct wh_ledger ledger = {NULL, NULL};
	struct wh_error err;
	int rc = in->n ? 0 : cli_open_ledger(c, WH_STATE_READ, &ledger);
	if (!rc && wh_app_network_open(ledger.state, in->path, in->n, out, &err))
		rc = cli_error(&err);
	wh_ledger_close(&ledger);
	return rc;
}

const char *cli_name_of(const char *id)
{
	static const char sets[] = "/virtualMachineScaleSets/";
	const char *slash = strrchr(id, '/'), *set = strcasestr(id, sets);
	if (set)
		return set + sizeof sets - 1;
	return slash ? slash + 1 : id;
}
