/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The name of the user who runs the command. */
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/text.h"
#include "cli/cli.h"

const char *cli_who(void)
{
	static char who[256];
	const char *sudo = getenv("SUDO_USER"); /* anybody can set it, but it is trusted only for root */
	struct passwd *pw = *who ? NULL : getpwuid(getuid());
	if (!*who)
		snprintf(who, sizeof who, "%s", sudo && *sudo && geteuid() == 0 ? sudo : pw ? pw->pw_name : "unknown");
	if (!wh_text_is_utf8(who, strlen(who))) /* the journal and the policies have no such name */
		snprintf(who, sizeof who, "unknown");
	return who;
}

static void note(void *arg, const char *text)
{
	(void)arg;
	fprintf(stderr, "whittle: %s\n", text);
}

struct wh_app cli_app(const struct cli *c)
{
	return (struct wh_app){.store_url = c->store_url,
	                       .config = c->config,
	                       .who = cli_who(),
	                       .state_dir = c->state_dir,
	                       .beside = c->beside,
	                       .sessions = c->sessions,
	                       .n_sessions = c->n_sessions,
	                       .note = note};
}
