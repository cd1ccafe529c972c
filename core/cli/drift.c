/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/apply.h"
#include "whittle/app_firewall.h"

static const char drift_help[] =
	"usage: whittle drift [--json]\n"
	"\n"
	"Compares what the kernel holds in whittle's table with what was applied last, rule by rule and address by address, and lists what\n"
	"other programs changed. It compares the ports that just-in-time access keeps closed in the same way. Rules that wait for their\n"
	"confirmation are compared, too, and the seconds left are printed. `whittle enforce --repair` puts back what was applied.\n"
	"\n"
	"Exit status 3 if something was changed.\n"
	"\n"
	"Example: whittle drift || whittle enforce --repair\n";

static void print(const struct cli *c, const struct wh_app_drift *d)
{
	if (!d->n)
		puts("The kernel holds what was applied, rule by rule and address by address.");
	for (size_t i = 0; i < d->n; i++)
		puts(d->lines[i]);
	if (d->state.expires_in_ms)
		printf("It waits for its confirmation (`%s`): %lld seconds are left.\n", cli_confirm_command(c),
		       (long long)(d->state.expires_in_ms + 999) / 1000);
	if (d->n)
		puts("`whittle enforce --repair` puts back what was applied.");
}

static int drift(struct cli *c, int argc, char **argv)
{
	static const struct option opts[] = {{0}};
	const struct wh_app a = cli_app(c);
	struct wh_app_drift d;
	struct wh_error err;
	int status = CLI_OK;
	if (cli_getopt(c, argc, argv, "", opts) != -1)
		return CLI_USAGE;
	if (optind != argc)
		return cli_usage(c, "takes no further words");
	struct wh_arena *mem = wh_arena_new();
	if (wh_app_drift(&a, mem, &d, &err)) {
		status = cli_error(&err);
	} else {
		if (c->json)
			status = cli_print_json(wh_app_drift_json(&d));
		else
			print(c, &d);
		status = status ? status : d.n ? CLI_FINDINGS : CLI_OK;
		if (d.jit_unknown.code) /* the other findings still count */
			status = cli_error(&d.jit_unknown);
	}
	wh_arena_free(mem);
	return status;
}

const struct cli_command cli_drift = {.may = WH_MAY_LOOK,
                                      .keeps_user = cli_always,
                                      .confined = true,
                                      .name = "drift",
                                      .summary = "report what other programs changed in whittle's table",
                                      .help = drift_help,
                                      .run = drift};
