/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The process that changes the firewall as a service, so that the service that reads the ledger and sends it requests has no
 * right over the firewall at all. */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "cli/cli.h"
#include "whittle/config.h"
#include "whittle/firewall.h"

static const char help[] =
	"usage: whittle firewall [--revert]\n"
	"\n"
	"The process that may change the firewall. systemd starts it for whittle-watch.service, with the connection as its standard input; a person has no\n"
	"reason to run it. It accepts messages of a fixed layout, only from root and the services' user, and does only what `whittle watch` may ask for: read\n"
	"the rules, receive dropped packets, put back confirmed rules. It keeps only CAP_NET_ADMIN, and ends when the watcher ends.\n"
	"\n"
	"  --revert  it may also go back to the rules confirmed before; the same as watch: {revert: yes} in whittle.yaml\n"
	"\n"
	"Example: systemctl start whittle-firewall.socket\n";

static int run(struct cli *c, int argc, char **argv)
{
	static const struct option opts[] = {{"revert", 0, 0, 'r'}, {0}};
	struct wh_firewall_grants g = {.may = WH_MAY_LOOK | WH_MAY_HEAR | WH_MAY_ADOPT | WH_MAY_PUT_BACK,
	                               .who = "whittle-watch",
	                               .nflog_group = WH_NFLOG_GROUP};
	struct wh_error err;
	int o;
	if (c->config->watch.revert)
		g.may |= WH_MAY_ROLL_BACK;
	while ((o = cli_getopt(c, argc, argv, "", opts)) != -1) {
		if (o != 'r')
			return CLI_USAGE;
		g.may |= WH_MAY_ROLL_BACK;
	}
	if (optind != argc)
		return cli_usage(c, "takes no further words");
	struct stat st;
	if (fstat(STDIN_FILENO, &st) || !S_ISSOCK(st.st_mode))
		return cli_usage(c, "standard input is not a socket: systemd starts this command, by whittle-firewall.socket");
	int rc = cli_find_state(c, g.may, false, &err);
	g.state_dir = c->state_dir;
	rc = rc ? rc : wh_firewall_serve(&g, STDIN_FILENO, &err);
	return rc ? cli_error(&err) : CLI_OK;
}

const struct cli_command cli_firewall = {.name = "firewall",
                                         .summary = "change the firewall for whittle-watch.service",
                                         .help = help,
                                         .run = run,
                                         .no_ledger = true};
