/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two commands: one removes whittle's rules from the firewall, one restores them after a reboot. */
#include "cli/apply.h"
#include "whittle/app_firewall.h"

static int uninstall(struct cli *c, int argc, char **argv)
{
	static const struct option opts[] = {{"verify", 0, 0, 'v'}, {0}};
	struct wh_uninstalled u;
	struct wh_error err;
	bool verify = false;
	int o;
	while ((o = cli_getopt(c, argc, argv, "", opts)) != -1) {
		if (o != 'v')
			return CLI_USAGE;
		verify = true;
	}
	if (optind != argc)
		return cli_usage(c, "takes no further words");
	const struct wh_app a = cli_app(c);
	if (wh_app_uninstall(&a, verify, &u, &err))
		return cli_error(&err);
	if (c->json)
		return cli_print_json(wh_app_uninstalled_json(&u)) || *u.differs ? CLI_FAILED : CLI_OK;
	printf("The narrowed rules %s; just-in-time access %s; %zu file%s that would have brought them back %s removed.\n",
	       u.rules ? "are gone" : "were not there", u.jit ? "is gone" : "was not there", u.files, u.files == 1 ? "" : "s",
	       u.files == 1 ? "was" : "were");
	puts("The ledger, with all that was learned, stays.");
	if (*u.differs)
		fprintf(stderr,
		        "whittle: the %s of other tables have changed: another program changed them meanwhile\n",
		        u.differs);
	else if (u.verified && !u.others)
		puts("Verified: this machine has no other tables.");
	else if (u.verified)
		printf("Verified: the %zu other table%s as before, rule by rule and element by element.\n", u.others,
		       u.others == 1 ? " is" : "s are");
	return *u.differs ? CLI_FAILED : CLI_OK;
}

static void print_restored(void *arg, const struct wh_restored *r)
{
	(void)arg;
	if (r->rules)
		printf("Restored the confirmed rules: %zu port%s narrowed to %zu prefix%s, read back and compared.\n", r->ports,
		       r->ports == 1 ? "" : "s", r->prefixes, r->prefixes == 1 ? "" : "es");
	if (r->jit)
		printf("%zu port%s closed again, except for just-in-time access; earlier openings have ended.\n", r->closed,
		       r->closed == 1 ? " is" : "s are");
	if (!r->rules && !r->jit)
		puts("No rules were confirmed, so none are restored.");
}

static int restore(struct cli *c, int argc, char **argv)
{
	const struct wh_app a = cli_app(c);
	struct wh_error err;
	(void)argv;
	if (argc != 1)
		return cli_usage(c, "takes no further words");
	return wh_app_restore(&a, print_restored, NULL, &err) ? cli_error(&err) : CLI_OK;
}

const struct cli_command cli_uninstall = {
	.keeps_user = cli_always,
	.may = WH_MAY_LOOK | WH_MAY_UNINSTALL,
	.confined = true,
	.name = "uninstall",
	.summary = "remove everything of whittle's from this machine's firewall",
	.help = "usage: whittle uninstall [--verify] [--json]\n\n"
		"Deletes whittle's own tables, confirmed or not, and the files from which a reboot would restore them. The firewall is then as it was\n"
		"without whittle. The ledger stays: delete it yourself if you no longer need what was learned.\n\n"
		"  --verify  read every other table before and after, and compare; exit status 1 if one has changed\n"
		"\nExample: whittle uninstall --verify\n",
	.run = uninstall};
const struct cli_command cli_restore = {
	.keeps_user = cli_always,
	.may = WH_MAY_LOOK | WH_MAY_PUT_BACK | WH_MAY_ADOPT,
	.confined = true,
	.name = "restore",
	.summary = "put back the confirmed rules, after a reboot",
	.help = "usage: whittle restore\n\n"
		"Puts back the rules that were confirmed, and the ports that just-in-time access keeps closed, from the files of the state\n"
		"directory (/var/lib/whittle-state), which only root and the services' user can write. Rules that were not confirmed do not come back.\n"
		"A damaged file is refused as a whole. The service whittle-enforce runs this command at boot, after nftables.service.\n"
		"\nExample: whittle restore\n",
	.run = restore};
