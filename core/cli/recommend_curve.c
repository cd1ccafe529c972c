/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The curve of lines against address space and breakage: as a table, as JSON, and drawn into a file. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "base/opener.h"
#include "cli/recommend.h"

/* A number that is too long to read is put into words: "131 billion billion". */
static const char *large_text(double n, char buf[static WH_NUMBER_STRLEN])
{
	static const struct {
		double of;
		const char *words;
	} units[] = {{1e27, "billion billion billion"}, {1e18, "billion billion"}, {1e9, "billion"}};
	for (size_t i = 0; n >= 1e15 && i < sizeof units / sizeof *units; i++)
		if (n >= units[i].of) {
			snprintf(buf, WH_NUMBER_STRLEN, "%.0f %s", n / units[i].of, units[i].words);
			return buf;
		}
	return wh_count_text(n, buf);
}

static void print_curve(const struct wh_curve *k)
{
	struct cli_table *t = cli_table_new(
		">Permissiveness|>Lines|>Addresses|>IPv6 /64s|>Not seen|>Would break|>At most|Choice");
	char a[32], b[32], n[WH_NUMBER_STRLEN], n6[WH_NUMBER_STRLEN], most[WH_PERCENT_STRLEN];

	for (size_t i = 0; i < k->n; i++) {
		const struct wh_curve_point *p = &k->points[i];
		if (p->permissiveness >= 1)
			cli_table_cell(t, "%g", p->permissiveness);
		else
			cli_table_cell(t, "1/%g", 1 / p->permissiveness);
		cli_table_number(t, p->lines);
		cli_table_text(t, large_text(p->addresses, n));
		cli_table_text(t, large_text(floor(p->nets6), n));
		cli_table_text(t, large_text(floor(p->unseen), n));
		if (p->expected.of) {
			cli_table_cell(t, "%s of %s", wh_number_text(p->expected.flows, a), wh_number_text(p->expected.of, b));
			cli_table_cell(t, "%s %%", wh_percent(p->expected.upper, most));
		} else {
			cli_table_text(t, "?");
			cli_table_text(t, "");
		}
		cli_table_text(t, p->is_default ? "the default" : "");
	}
	cli_table_print(t);
	printf("\n%zu rule%s of %zu resource%s; today's rules let in %s IPv4 addresses and %s IPv6 /64s on the same ports.\n",
	       k->n_rules, k->n_rules == 1 ? "" : "s", k->n_resources, k->n_resources == 1 ? "" : "s",
	       large_text(k->today_addresses, n), large_text(floor(k->today_nets6), n6));
	if (k->n == 1)
		puts("The curve has one point: every permissiveness gives these rules.");
	else
		puts("'whittle recommend --permissiveness X' or '--lines N' chooses another point.");
}

static int write_svg(const struct wh_curve *k, const char *path)
{
	struct wh_error err = {0};
	char *text = wh_curve_svg(k);
	int rc = text ? wh_write_file(path, text, strlen(text), &err) : wh_fail(&err, -ENOMEM, "out of memory");

	err.input = true;
	free(text);
	return rc ? cli_error(&err) : 0;
}

int cli_show_curve(struct cli *c, const struct wh_app *a, const struct wh_app_recommend *ask, const char *svg,
                      struct wh_arena *mem)
{
	struct wh_error err = {0};
	struct wh_curve *k;
	int rc;

	if (wh_app_curve(a, ask, mem, &k, &err))
		return cli_error(&err);
	cli_progress("%s", "");
	if (svg && (rc = write_svg(k, svg)))
		return rc;
	if (!c->json) {
		if (k->n_rules)
			print_curve(k);
		else
			puts("There is no rule to recommend, so there is no curve: 'whittle status' gives the reason.");
		return CLI_OK;
	}
	char *text = wh_curve_json(k);
	rc = text ? (puts(text), CLI_OK) : CLI_FAILED;
	free(text);
	return rc;
}
