/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The shared parts of the commands for network security groups: original rules kept for a time, and the choice of groups. */
#include <string.h>
#include "cli/cli.h"
#include "whittle/app_rules.h"

int cli_check_day(const struct cli *c, const char *day)
{
	char whole[WH_TIME_STRLEN], again[WH_TIME_STRLEN];
	char today[WH_APP_DAY_STRLEN];
	int64_t us;
	snprintf(whole, sizeof whole, "%.20sT00:00:00Z", day);
	if (strlen(day) != 10 || wh_time_parse(whole, strlen(whole), &us) || strcmp(wh_time_text(us, again), whole) != 0)
		return cli_usage(c, "'%s' is not a day: write it as 2027-01-31", day);
	if (strcmp(day, wh_app_today(today)) < 0)
		return cli_usage(c, "%s is over: name a future day until which the original rule is to stay", day);
	return CLI_OK;
}

int cli_nsg_scope(const struct cli *c, const char *text, enum wh_nsg_scope *out)
{
	return wh_nsg_scope_parse(text, out) ? cli_usage(c, "'%s' is not a scope; use nic, subnet or both", text) : CLI_OK;
}

void cli_print_kept(const struct wh_kept *k, size_t n)
{
	for (size_t i = 0; i < n; i++)
		printf(wh_app_kept_over(&k[i])
		               ? "%s: the original rule %s was kept until %s: the next export or enforce --to azure removes it.\n"
		               : "%s: the original rule %s is kept below the narrowed ones, disabled, until %s.\n",
		       k[i].nsg, k[i].rule, k[i].until);
}
