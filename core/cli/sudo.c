/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A line of sudoers that lets a user run `whittle jit` is meant to let it open ports, not to become root. So options that choose
 * the trusted configuration, a file to write, a program to run or the receiver of a token are refused to that user, unless root's
 * own configuration allows them.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cli/cli.h"

/* sudo, pkexec and doas set these variables; setting one by hand only takes rights away. */
static bool by_another(void)
{
	const char *sudo = getenv("SUDO_UID"), *polkit = getenv("PKEXEC_UID"), *doas = getenv("DOAS_USER");
	return geteuid() == 0 &&
	       ((sudo && strcmp(sudo, "0") != 0) || (polkit && strcmp(polkit, "0") != 0) || (doas && strcmp(doas, "root") != 0));
}

bool cli_held_by_sudo(const struct cli *c)
{
	return c->command->sudo_opens && c->by_sudo && !(c->config && c->config->jit.sudo_options);
}

int cli_refuse_held(const struct cli *c, const char *option)
{
	if (!cli_held_by_sudo(c))
		return CLI_OK;
	fprintf(stderr,
	        "whittle: refused (%s): %s runs `whittle %s` by way of sudo, and this option could make that user root. Root may run it so, or allow it by "
	        "`jit-sudo-options: yes` in " WH_DEFAULT_CONFIG "\n",
	        option, cli_who(), c->command->name);
	return CLI_USAGE;
}

int cli_check_sudo(struct cli *c)
{
	struct cli plain = *c;
	const char *store = getenv("WHITTLE_STORE"), *state = getenv("WHITTLE_STATE");
	const char *option = c->config_path    ? "--config"
	                     : c->store_url    ? "--store"
	                     : store && *store ? "$WHITTLE_STORE"
	                     : state && *state ? "$WHITTLE_STATE"
	                                       : NULL;
	c->by_sudo = by_another();
	if (!c->command->sudo_opens || !c->by_sudo || !option)
		return CLI_OK;
	plain.by_sudo = true;
	if (wh_config_load_apart(NULL, &plain.config, &plain.bad_config))
		return cli_error(&plain.bad_config);
	int rc = cli_refuse_held(&plain, option);
	wh_config_free(plain.config);
	return rc;
}
