/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the commands for network security groups share: original rules that are kept for a time, and which groups get rules. */
#include <string.h>
#include "cli/cli.h"
#include "whittle/azure_groups.h"

const char *cli_today(void)
{
	static char day[WH_TIME_STRLEN];
	wh_time_text(wh_now_us(), day);
	day[10] = 0;
	return day;
}

int cli_check_day(const struct cli *c, const char *day)
{
	char whole[WH_TIME_STRLEN], again[WH_TIME_STRLEN];
	int64_t us;
	snprintf(whole, sizeof whole, "%.20sT00:00:00Z", day);
	if (strlen(day) != 10 || wh_time_parse(whole, strlen(whole), &us) || strcmp(wh_time_text(us, again), whole) != 0)
		return cli_usage(c, "'%s' is not a day: write it as 2027-01-31", day);
	if (strcmp(day, cli_today()) < 0)
		return cli_usage(c, "%s is over: name the last day on which the original rule is to be kept", day);
	return CLI_OK;
}

int cli_nsg_scope(const struct cli *c, const char *text, enum wh_nsg_scope *out)
{
	return wh_nsg_scope_parse(text, out) ? cli_usage(c, "'%s' is not a scope: there are nic, subnet and both", text) : CLI_OK;
}

int cli_kept(const struct cli *c, const struct wh_estate *e, json_t *doc, const char *key)
{
	struct wh_arena *mem = wh_arena_new();
	struct wh_kept *k;
	struct wh_error err;
	size_t n;
	int rc = wh_azure_kept(c->state_dir, e, mem, &k, &n, &err) ? cli_error(&err) : CLI_OK;
	for (size_t i = 0; !rc && i < n; i++) {
		bool over = strcmp(k[i].until, cli_today()) < 0;
		if (doc && !json_object_get(doc, key))
			json_object_set_new(doc, key, json_array());
		if (doc)
			json_array_append_new(json_object_get(doc, key), json_pack("{s:s,s:s,s:s,s:b}", "nsg", k[i].nsg, "rule", k[i].rule, "until", k[i].until, "over", over));
		else if (over)
			printf("%s: the original rule %s was kept until %s: the next export or enforce --to azure removes it.\n", k[i].nsg, k[i].rule, k[i].until);
		else
			printf("%s: the original rule %s is kept below the narrowed ones, disabled, until %s.\n", k[i].nsg, k[i].rule, k[i].until);
	}
	wh_arena_free(mem);
	return rc;
}
