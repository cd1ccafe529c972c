/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The only place where root, or a service, becomes the ledger's owner: after whittle.yaml was read, and before the command runs.
 * Files that the person named and only root may read or write stay accessible through the opener (base/opener.h); the firewall
 * and the files that survive a reboot through the process that whittle/firewall.h describes.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/opener.h"
#include "base/owner.h"
#include "base/service_user.h"
#include "base/state_dir.h"
#include "base/store_url.h"
#include "cli/alerts.h"
#include "cli/azure.h"
#include "cli/backup.h"
#include "cli/estate.h"
#include "ledger/fleet_start.h"
#include "net/https.h"
#include "whittle/app_backup.h"
#include "whittle/app_journal.h"
#include "whittle/azure_groups.h"
#include "whittle/firewall.h"

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

/* What a word means for files: by the option before it, or by itself. */
static enum wh_grant_kind kind_of(const char *word)
{
	if (is(word, "--output") || is(word, "-o") || is(word, "--curve") || is(word, "--svg") || is(word, "--html") ||
	    is(word, "--pdf"))
		return WH_GRANT_WRITE;
	if (is(word, "--alerts"))
		return WH_GRANT_APPEND;
	return is(word, "--token-command") ? WH_GRANT_RUN : WH_GRANT_READ;
}

/* A directory is granted with everything below it, a pattern with everything below the directory before its first wildcard. */
static void grant_read(struct grants *g, const char *word)
{
	struct stat st;
	const char *sign = strpbrk(word, "*?["), *end = sign;
	grant(g, WH_GRANT_READ, word);
	if (!stat(word, &st)) {
		if (S_ISDIR(st.st_mode))
			grant(g, WH_GRANT_BELOW, word);
		return;
	}
	while (end && end > word && *end != '/')
		end--;
	if (sign)
		grant(g, WH_GRANT_BELOW,
		      end > word     ? wh_arena_printf(g->mem, "%.*s", (int)(end - word), word)
		      : *word == '/' ? "/"
		                     : ".");
}

static void grant_word(struct grants *g, enum wh_grant_kind kind, const char *word)
{
	if (kind == WH_GRANT_READ)
		grant_read(g, word);
	else
		grant(g, kind, word);
}

static void grant_words(struct grants *g, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		const char *value = strchr(argv[i], '=');
		if (*argv[i] != '-')
			grant_word(g, kind_of(argv[i - 1]), argv[i]);
		else if (argv[i][1] == '-' && value)
			grant_word(g, kind_of(argv[i]), value + 1);
		else if (!strncmp(argv[i], "-o", 2) && argv[i][2])
			grant(g, WH_GRANT_WRITE, argv[i] + 2);
	}
	/* the groups that it names are files in its directory */
	if (argc == 3 && !strcmp(argv[0], "estate") && !strcmp(argv[1], "import")) {
		const char *slash = strrchr(argv[2], '/');
		grant(g, WH_GRANT_BESIDE,
		      slash == argv[2] ? ""
		      : slash          ? wh_arena_printf(g->mem, "%.*s", (int)(slash - argv[2]), argv[2])
		                       : ".");
	}
}

static void grant_configured(struct grants *g, const struct wh_config *c, const char *store_url)
{
	static const char *const rules[] = {"ports.yaml", "evidence.yaml", "alerts.yaml", "domains.yaml", "score.yaml"},
				 *const directories[] = {"assessments", "standards"};
	struct wh_error ignored;
	char path[PATH_MAX];
	for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
		if (!wh_rules_path(c ? c->harden.rules_dir : NULL, rules[i], path, sizeof path, &ignored))
			grant(g, WH_GRANT_READ, wh_arena_strdup(g->mem, path));
	for (size_t i = 0; i < sizeof directories / sizeof *directories; i++)
		if (!wh_rules_path(c ? c->harden.rules_dir : NULL, directories[i], path, sizeof path, &ignored))
			grant(g, WH_GRANT_BELOW, wh_arena_strdup(g->mem, path));
	for (size_t i = 0; c && i < c->intel.n_lists; i++) {
		grant(g, WH_GRANT_READ, c->intel.lists[i].file);
		grant(g, WH_GRANT_RUN, c->intel.lists[i].command);
	}
	grant(g, WH_GRANT_READ, c ? c->alerts.ca_file : NULL);
	char *ca_file = wh_fleet_ca_file(store_url);
	grant(g, WH_GRANT_READ, ca_file ? wh_arena_strdup(g->mem, ca_file) : NULL);
	free(ca_file);
	grant(g, WH_GRANT_APPEND, c ? c->watch.alerts : NULL);
	grant(g, WH_GRANT_RUN, c ? c->azure.token_command : NULL);
}

static bool makes_ledger(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";
	return !strcmp(argv[0], "ingest") || !strcmp(argv[0], "restore-backup") ||
	       (!strcmp(argv[0], "estate") && (!strcmp(verb, "import") || !strcmp(verb, "sync"))) ||
	       (!strcmp(argv[0], "intel") && !strcmp(verb, "update"));
}

/* A backup's file, and the files that it contains. */
static void grant_backup(struct grants *g, const struct cli *c, int argc, char **argv)
{
	const bool out = !strcmp(argv[0], "backup") || !strcmp(argv[0], "export-evidence");
	char path[PATH_MAX];
	for (int i = 1; out && i < argc; i++)
		if (*argv[i] != '-')
			grant(g, WH_GRANT_NEW, wh_arena_strdup(g->mem, cli_backup_file(argv[i])));
	for (size_t i = 0; *c->state_dir && wh_backup_state_files[i]; i++)
		if (snprintf(path, sizeof path, "%s/%s", c->state_dir, wh_backup_state_files[i]) < (int)sizeof path) {
			grant(g, WH_GRANT_READ, wh_arena_strdup(g->mem, path));
			grant(g, out ? WH_GRANT_READ : WH_GRANT_WRITE, wh_arena_strdup(g->mem, path));
		}
}

/* The journal's head; and the earlier state of Azure's groups: many commands read it, and those that change groups write
 * it. */
static void grant_state(struct grants *g, const struct cli *c, bool azure)
{
	char path[PATH_MAX];
	struct wh_error ignored;
	if (!wh_app_journal_head_path(c->state_dir, path, sizeof path)) {
		grant(g, WH_GRANT_READ, wh_arena_strdup(g->mem, path));
		grant(g, WH_GRANT_WRITE, wh_arena_strdup(g->mem, path));
	}
	if (!*c->state_dir || wh_azure_steps_path(c->state_dir, path, &ignored))
		return;
	grant(g, WH_GRANT_READ, wh_arena_strdup(g->mem, path));
	if (azure) {
		grant(g, WH_GRANT_WRITE, wh_arena_strdup(g->mem, path));
		grant(g, WH_GRANT_APPEND, wh_arena_printf(g->mem, "%s.lock", path));
	}
}

bool cli_has_option(int argc, char **argv, const char *option)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strlen(argv[i]) > 2 && !strncmp(argv[i], option, strlen(argv[i])))
			return true;
	return false;
}

const char *cli_option_value(int argc, char **argv, const char *option)
{
	size_t n = strlen(option);
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (strncmp(argv[i], option, n))
			continue;
		if (argv[i][n] == '=')
			return argv[i] + n + 1;
		if (!argv[i][n])
			return i + 1 < argc ? argv[i + 1] : NULL;
	}
	return NULL;
}

int cli_find_state(struct cli *c, unsigned may, bool azure, struct wh_error *err)
{
	const char *env = getenv("WHITTLE_STATE"), *configured = env && *env ? env : c->config ? c->config->ledger.state : NULL;
	struct wh_error why;
	int rc = wh_state_dir(configured, c->store_url, c->state_dir, &why);
	int proved = rc ? rc : wh_state_dir_check(c->state_dir, azure, &why);
	if (azure && proved) { /* nothing is begun that can't be kept */
		*err = why;
		return proved;
	}
	if (rc)
		*c->state_dir = 0;
	if (wh_state_dir_beside(c->store_url, c->beside, &(struct wh_error){0}) || !strcmp(c->beside, c->state_dir))
		*c->beside = 0;
	if (!rc || !(may & ~(unsigned)WH_MAY_LOOK))
		return 0;
	*err = why;
	return rc;
}

static int start_firewall(struct cli *c, unsigned may, int argc, char **argv, struct wh_error *err)
{
	const struct wh_firewall_grants g = {.may = may,
	                                     .force = cli_has_option(argc, argv, "--force"),
	                                     .state_dir = c->state_dir,
	                                     .sessions = c->sessions,
	                                     .n_sessions = c->n_sessions,
	                                     .jit = c->config ? &c->config->jit : NULL,
	                                     .who = cli_who(),
	                                     .nflog_group = WH_NFLOG_GROUP};
	const char *service = !strcmp(argv[0], "watch") ? cli_option_value(argc, argv, "--firewall") : NULL;
	return !may ? 0 : service ? wh_firewall_connect(service, err) : wh_firewall_start(&g, err);
}

static int start_https(const struct cli *c, int argc, char **argv, struct wh_error *err)
{
	char endpoint[1024];
	int n = snprintf(endpoint, sizeof endpoint, "%s", cli_endpoint(c, argc, argv));
	while (n > 0 && n < (int)sizeof endpoint && endpoint[n - 1] == '/')
		endpoint[--n] = 0;
	return n < (int)sizeof endpoint ? wh_https_start(endpoint, err)
	                                : wh_fail_input(err, -ENAMETOOLONG, "--endpoint is too long");
}

static int start_fleet(const struct cli *c, char **argv, struct wh_error *err)
{
	enum { READERS = 2 }; /* threads that read at the same time */
	return wh_fleet_start(c->store_url, c->config ? c->config->ledger.password_file : NULL,
	                      strcmp(argv[0], "ingest") ? READERS : 1, err);
}

/* For a process that becomes another user: its rights over files. For others: runs commands, as a confined process may not. */
static int start_opener(const struct cli *c, bool becomes, int argc, char **argv, struct wh_error *err)
{
	struct grants g = {.mem = wh_arena_new()};
	g.room = 3 * (size_t)argc + 2 * (c->config ? c->config->intel.n_lists : 0) + 23 + 32;
	g.list = wh_arena_array(g.mem, g.room, sizeof *g.list);
	if (!cli_held_by_sudo(c) && strcmp(argv[0], "serve")) /* the server's files are a secret, and are read before */
		grant_words(&g, argc, argv);
	grant_configured(&g, c->config, c->store_url);
	grant_state(&g, c, cli_is_azure(argc, argv));
	if (c->command->needs_opener)
		grant_backup(&g, c, argc, argv);
	bool runs = c->command->needs_opener;
	for (size_t i = 0; i < g.n; i++)
		runs |= g.list[i].kind == WH_GRANT_RUN;
	int rc = becomes || runs ? wh_opener_start(g.list, g.n, err) : 0;
	wh_arena_free(g.mem);
	return rc;
}

static int become(const struct wh_owner *owner, struct wh_error *err)
{
	return owner->other ? wh_owner_become(owner, err) : wh_give_up_privileges(err);
}

bool cli_always(int argc, char **argv)
{
	return (void)argc, (void)argv, true;
}

/* Becomes the owner and is confined, here or in the process that opens the ledger for a command that keeps its user. */
struct becoming {
	struct cli *c;
	const struct wh_owner *owner;
	int argc;
	char **argv;
};

static int become_reader(void *arg, struct wh_error *err)
{
	const struct becoming *b = arg;
	int rc = become(b->owner, err);
	return rc ? rc : cli_confine_reader(b->c, wh_is_root_or_service(geteuid()), b->argc, b->argv, err);
}

static int keep_user(struct becoming *b, struct wh_error *err)
{
	static struct wh_app app; /* for that process */
	app = cli_app(b->c);
	int rc = wh_app_ledger_start(&app, become_reader, b, err);
	rc = rc ? rc : wh_keep_user(err);
	return rc ? rc : cli_confine_kept(b->c, b->argc, b->argv, err);
}

/* The last step: gives up the rights, in this process, or in one that this one oversees. */
static int give_up_rights(struct becoming *b, struct wh_error *err)
{
	const struct cli_command *command = b->c->command;
	const bool other = b->owner->other;
	if (command->keeps_user && command->keeps_user(b->argc, b->argv))
		return keep_user(b, err);
	const bool overseen = other && !(command->lasts && command->lasts(b->argc, b->argv));
	int rc = overseen ? cli_oversee(b->c, b->owner->name, err) : 0;
	if (!rc && command->confined)
		rc = become_reader(b, err);
	else if (!rc && other)
		rc = become(b->owner, err);
	return !rc && overseen ? cli_overseen(err) : rc;
}

/* Policies of just-in-time access that commands made. Only `jit` fails if they can't be read. */
static int add_kept_policies(struct cli *c, struct wh_error *err)
{
	struct wh_error ignored;
	bool jit = !strcmp(c->command->name, "jit");
	if (!c->config || !*c->state_dir)
		return 0;
	int rc = wh_jit_kept_load(c->state_dir, c->config->mem, &c->config->jit, jit ? err : &ignored);
	return jit && rc != -EACCES ? rc : 0; /* a user who may not read them may not open any port either */
}

int cli_become_owner(struct cli *c, int argc, char **argv, struct wh_error *err)
{
	const struct cli_command *command = c->command;
	bool azure = cli_is_azure(argc, argv), confined = command->confined, becomes = geteuid() == 0 || wh_may_change_user();
	unsigned may = azure ? 0 : command->may_now ? command->may_now(c, argc, argv) & command->may : command->may;
	struct wh_owner owner;
	cli_who();
	if (command->no_ledger || (command->no_ledger_now && command->no_ledger_now(argc, argv)))
		return 0;
	if (command->before)
		command->before(c);
	if ((makes_ledger(argc, argv) || wh_store_is_fleet(c->store_url)) &&
	    !strcmp(wh_store_path(c->store_url),
	            WH_DEFAULT_STORE)) /* only the default path: in another path a typo would create directories */
		mkdir(WH_DEFAULT_STORE_DIR, 0750);
	int rc = wh_owner_of(c->store_url, &owner, err);
	rc = rc ? rc : cli_find_state(c, may, azure && !cli_has_option(argc, argv, "--dry-run"), err);
	rc = rc ? rc : add_kept_policies(c, err);
	if (!rc && (owner.other || confined))
		rc = start_opener(c, becomes, argc, argv, err);
	rc = rc ? rc : start_firewall(c, may, argc, argv, err);
	rc = rc ? rc : start_fleet(c, argv, err);
	if (!rc && (azure || cli_is_sync(argc, argv)))
		rc = start_https(c, argc, argv, err);
	if (!rc && command->prepare)
		rc = command->prepare(c, argc, argv, owner.other ? owner.uid : geteuid(), owner.other ? owner.gid : getegid(),
		                      err);
	if (!rc && c->config)
		rc = cli_start_responders(c, argc, argv, err);
	rc = rc ? rc : cli_start_metrics(argc, argv, err);
	return rc ? rc : give_up_rights(&(struct becoming){c, &owner, argc, argv}, err);
}
