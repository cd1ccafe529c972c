/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one place where root becomes the ledger's owner: after whittle.yaml was read, and before the command runs. What only root may read
 * or write, and the person named, stays within reach through the opener (base/opener.h).
 */
#include <limits.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "base/opener.h"
#include "base/owner.h"
#include "cli/cli.h"

struct grants {
	struct wh_grant *list;
	size_t n, room;
	struct wh_arena *mem;
};

static void grant(struct grants *g, enum wh_grant_kind kind, const char *text)
{
	if (text && *text && g->n < g->room)
		g->list[g->n++] = (struct wh_grant){kind, text};
}

static bool is(const char *word, const char *option)
{
	size_t n = strlen(option);
	return !strncmp(word, option, n) && (!word[n] || word[n] == '=');
}

/* What a word means for files: by the option before it, or its own. */
static enum wh_grant_kind kind_of(const char *word)
{
	if (is(word, "--output") || is(word, "-o") || is(word, "--curve"))
		return WH_GRANT_WRITE;
	if (is(word, "--alerts"))
		return WH_GRANT_APPEND;
	return is(word, "--token-command") ? WH_GRANT_RUN : WH_GRANT_READ;
}

static void grant_words(struct grants *g, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		const char *value = strchr(argv[i], '=');
		if (*argv[i] != '-')
			grant(g, kind_of(argv[i - 1]), argv[i]);
		else if (argv[i][1] == '-' && value)
			grant(g, kind_of(argv[i]), value + 1);
		else if (!strncmp(argv[i], "-o", 2) && argv[i][2])
			grant(g, WH_GRANT_WRITE, argv[i] + 2);
	}
	if (argc == 3 && !strcmp(argv[0], "estate") && !strcmp(argv[1], "import")) { /* the groups that it names are in its directory */
		const char *slash = strrchr(argv[2], '/');
		grant(g, WH_GRANT_BESIDE, slash == argv[2] ? "" : slash ? wh_arena_printf(g->mem, "%.*s", (int)(slash - argv[2]), argv[2]) : ".");
	}
}

static void grant_configured(struct grants *g, const struct wh_config *c)
{
	static const char *const rules[] = {"ports.yaml", "evidence.yaml"};
	struct wh_error ignored;
	char path[PATH_MAX];
	for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
		if (!wh_rules_path(c ? c->harden.rules_dir : NULL, rules[i], path, sizeof path, &ignored))
			grant(g, WH_GRANT_READ, wh_arena_strdup(g->mem, path));
	for (size_t i = 0; c && i < c->intel.n_lists; i++) {
		grant(g, WH_GRANT_READ, c->intel.lists[i].file);
		grant(g, WH_GRANT_RUN, c->intel.lists[i].command);
	}
	grant(g, WH_GRANT_APPEND, c ? c->watch.alerts : NULL);
	grant(g, WH_GRANT_RUN, c ? c->azure.token_command : NULL);
}

static bool makes_ledger(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";
	return !strcmp(argv[0], "ingest") || (!strcmp(argv[0], "estate") && !strcmp(verb, "import")) || (!strcmp(argv[0], "intel") && !strcmp(verb, "update"));
}

int cli_become_owner(struct cli *c, int argc, char **argv, struct wh_error *err)
{
	struct grants g = {.mem = wh_arena_new()};
	struct wh_owner owner;
	cli_who();
	if (c->command->before)
		c->command->before(c);
	if (makes_ledger(argc, argv) && !strcmp(c->store_url, WH_DEFAULT_STORE)) /* only our own: in another's path a slip would make directories */
		mkdir(WH_DEFAULT_STORE_DIR, 0750);
	int rc = wh_owner_of(c->store_url, &owner, err);
	if (!rc && owner.other) {
		g.room = 2 * (size_t)argc + 2 * (c->config ? c->config->intel.n_lists : 0) + 8;
		g.list = wh_arena_array(g.mem, g.room, sizeof *g.list);
		if (!cli_held_by_sudo(c))
			grant_words(&g, argc, argv);
		grant_configured(&g, c->config);
		rc = wh_opener_start(g.list, g.n, err);
		rc = rc ? rc : wh_owner_become(&owner, c->command->firewall ? CAP_NET_ADMIN : -1, err);
	}
	wh_arena_free(g.mem);
	return rc;
}
