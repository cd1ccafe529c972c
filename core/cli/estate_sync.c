/* SPDX-License-Identifier: GPL-2.0-or-later */
/* estate sync: the inventory, queried from Azure's Resource Graph. */
#include <stdlib.h>
#include <string.h>
#include "cli/estate.h"

bool cli_is_sync(int argc, char **argv)
{
	return argc > 1 && !strcmp(argv[0], "estate") && !strcmp(argv[1], "sync");
}

int cli_estate_sync(struct cli *c, int argc, char **argv)
{
	static const struct option opts[] = {{"subscription", 1, 0, 's'}, CLI_ARM_OPTIONS, {0}};
	const char **subscriptions = calloc((size_t)argc + 1, sizeof *subscriptions);
	const struct wh_app a = cli_app(c);
	struct wh_arm_options arm = {.endpoint = NULL};
	struct wh_app_sync ask = {.arm = &arm, .subscriptions = subscriptions};
	struct wh_estate_summary sum;
	struct wh_error err;
	int o, rc = subscriptions ? CLI_OK : CLI_FAILED;
	while (!rc && (o = cli_getopt(c, argc, argv, "", opts)) != -1) {
		if (o == 's')
			subscriptions[ask.n_subscriptions++] = optarg;
		else
			rc = o == '?' || cli_arm_option(c, o, &arm) ? CLI_USAGE : CLI_OK;
	}
	if (!rc && optind != argc)
		rc = cli_usage(c, "sync takes only options");
	if (!rc) {
		cli_fill_arm(c, &arm);
		rc = wh_app_estate_sync(&a, &ask, &sum, &err) ? cli_error(&err) : cli_print_imported(c, &sum);
	}
	free(subscriptions);
	return rc;
}
