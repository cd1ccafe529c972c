/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Out of the machine's firewall, and back into it after a reboot. */
#include "cli/apply.h"

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
	if (wh_firewall_ready(&err) || wh_firewall_uninstall(verify, &u, &err))
		return cli_error(&err);
	const struct wh_app a = cli_app(c);
	wh_app_journal(&a, "enforce.uninstall", json_object());
	if (c->json)
		return cli_print_json(json_pack("{s:b,s:b,s:i,s:b,s:i,s:s?}", "rules", u.rules, "jit", u.jit, "files", (int)u.files, "verified", u.verified && !*u.differs,
		                                "otherTables", (int)u.others, "differs", *u.differs ? u.differs : NULL)) || *u.differs ? CLI_FAILED : CLI_OK;
	printf("The narrowed rules %s; just-in-time access %s; %zu file%s that would have brought them back %s removed.\n", u.rules ? "are gone" : "were not there",
	       u.jit ? "is gone" : "was not there", u.files, u.files == 1 ? "" : "s", u.files == 1 ? "was" : "were");
	puts("The ledger, with all that was learned, stays.");
	if (*u.differs)
		fprintf(stderr, "whittle: the %s of other tables are not as they were a moment ago: somebody else changed them meanwhile\n", u.differs);
	else if (u.verified)
		printf("Verified: the %zu other table%s hold what they held before, rule by rule and element by element.\n", u.others, u.others == 1 ? "" : "s");
	return *u.differs ? CLI_FAILED : CLI_OK;
}

static int restore(struct cli *c, int argc, char **argv)
{
	struct wh_restored r;
	struct wh_error err;
	(void)argv;
	if (argc != 1)
		return cli_usage(c, "takes no further words");
	int rc = wh_firewall_ready(&err);
	if (rc)
		return cli_error(&err);
	struct wh_error earlier;
	const struct wh_app a = cli_app(c);
	int adopted = wh_app_adopt_earlier(&a, &earlier);
	rc = wh_firewall_restore(&r, &err);
	if (!rc && !r.rules && adopted < 0) {
		rc = adopted;
		err = earlier;
	}
	if (!rc || r.rules || r.jit) {
		if (r.rules)
			printf("Restored what was confirmed: %zu port%s narrowed to %zu prefix%s, read back and compared.\n", r.ports, r.ports == 1 ? "" : "s", r.prefixes,
			       r.prefixes == 1 ? "" : "es");
		if (r.jit)
			printf("%zu port%s closed again but for just-in-time access; what was open has ended.\n", r.closed, r.closed == 1 ? " is" : "s are");
		if (!r.rules && !r.jit)
			puts("Nothing was confirmed: nothing is restored.");
		wh_app_journal(&a, "enforce.restore", json_pack("{s:I,s:I,s:I}", "ports", (json_int_t)r.ports, "prefixes", (json_int_t)r.prefixes, "closed", (json_int_t)r.closed));
	}
	return rc ? cli_error(&err) : CLI_OK;
}

const struct cli_command cli_uninstall = {.may = WH_MAY_LOOK | WH_MAY_UNINSTALL, .confined = true, .name = "uninstall", .summary = "take everything of whittle's out of this machine's firewall",
	.help = "usage: whittle uninstall [--verify] [--json]\n\n"
	        "Deletes whittle's own tables, confirmed or not, and the files from which a reboot would bring them back. The firewall is then as if\n"
	        "whittle had never been there. The ledger stays; delete it yourself when you no longer want what was learned.\n\n"
	        "  --verify  read every other table before and after and compare them; exit status 1 when one is not as it was\n"
	        "\nExample: whittle uninstall --verify\n", .run = uninstall};
const struct cli_command cli_restore = {.may = WH_MAY_LOOK | WH_MAY_PUT_BACK | WH_MAY_ADOPT, .confined = true, .name = "restore", .summary = "put back what was confirmed, after a reboot",
	.help = "usage: whittle restore\n\n"
	        "Puts back the rules that were confirmed, and the ports that just-in-time access keeps closed, from the files of the state\n"
	        "directory (/var/lib/whittle-state), which only root can write.\n"
	        "What nobody confirmed does not come back, and a damaged file is refused whole. The service whittle-enforce runs it at boot, after\n"
	        "nftables.service.\n"
	        "\nExample: whittle restore\n", .run = restore};
