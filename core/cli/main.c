/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The program: takes the options that every command has out of the arguments, before or after the command's name, finds the
 * command and calls it. Output counts as done only once standard output has accepted it.
 */
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/yaml.h"
#include "cli/azure.h"
#include "cli/cli.h"
#include "ledger/fleet_start.h"
#include "whittle/app_journal.h"
#include "whittle/state.h"

#define MAX_COMMANDS 64

static const struct cli_command *find(const char *name)
{
	for (const struct cli_row *r = cli_rows; r->group; r++)
		if (r->command && !strcmp(r->command->name, name))
			return r->command;
	return NULL;
}

static int unknown_command(const char *name)
{
	const char *names[MAX_COMMANDS + 1];
	size_t n = 0;
	for (const struct cli_row *r = cli_rows; r->group && n < MAX_COMMANDS; r++)
		if (r->command)
			names[n++] = r->command->name;
	names[n++] = "help";
	names[n] = NULL;
	const char *near = wh_nearest(name, names);
	fprintf(stderr, "whittle: unknown command '%.60s'%s%s%s\nTry 'whittle --help'.\n", name, near ? "; did you mean '" : "",
	        near ? near : "", near ? "'?" : "");
	return CLI_USAGE;
}

static void print_help(void)
{
	const char *group = "";

	puts("whittle watches the traffic that a host really gets and whittles its firewall rules down to it.\n\n"
	     "usage: whittle COMMAND [options]\n\n"
	     "The usual path: learn for 30 days, look at what would be narrowed, then apply it.\n\n"
	     "  whittle ingest /var/log/suricata/eve.json     # or let the Suricata plugin fill the ledger\n"
	     "  whittle recommend                             # the narrowed rules; 'explain' says why\n"
	     "  whittle enforce && whittle confirm            # nftables; or 'export --format nsg' for Azure");
	for (const struct cli_row *r = cli_rows; r->group; r++) {
		if (!r->command)
			continue;
		if (strcmp(group, r->group)) {
			group = r->group;
			printf("\n%s\n", group);
		}
		printf("  %-12s %s\n", r->command->name, r->command->summary);
	}
	puts("\nFor every command\n"
	     "  --store URL    the ledger (default: $WHITTLE_STORE, whittle.yaml, " WH_DEFAULT_STORE ")\n"
	     "  --config FILE  whittle.yaml (default: " WH_DEFAULT_CONFIG ", which may be absent)\n"
	     "  --json         print data as JSON\n"
	     "  --wide         print each row of a table on one line, however narrow the terminal is\n"
	     "  --long         print all addresses of a list, one a line\n"
	     "  --help         what the command does, its options and an example\n"
	     "  --version      the program's version\n\n"
	     "Exit status: 0 done, 1 failed, 2 wrong usage or bad input, 3 findings, if --fail-on is given.\n"
	     "'whittle help COMMAND' explains a command; 'whittle doctor' shows what is missing on this machine.");
}

/* The value of option `name` at argv[*i] ("--name V" or "--name=V"); NULL when it is another option or has no value. */
static bool option_with_value(const char *name, int argc, char **argv, int *i, const char **value)
{
	size_t n = strlen(name);
	if (strncmp(argv[*i], name, n) || (argv[*i][n] && argv[*i][n] != '='))
		return false;
	*value = argv[*i][n] == '=' ? argv[*i] + n + 1 : *i + 1 < argc ? argv[++*i] : NULL;
	return true;
}

struct wanted {
	bool help, version;
};

/* Moves everything but common options to rest[]; returns 0 or an exit status. */
static int take_common_options(int argc, char **argv, struct cli *c, struct wanted *w, char **rest, int *n_rest)
{
	int i;
	for (i = 1; i < argc; i++) {
		const char *value;
		if (!strcmp(argv[i], "--"))
			break;
		if (!strcmp(argv[i], "--json")) {
			c->json = true;
		} else if (!strcmp(argv[i], "--wide")) {
			cli_table_wide();
		} else if (!strcmp(argv[i], "--long")) {
			cli_lists_long();
		} else if (!strcmp(argv[i], "--help") || (!strcmp(argv[i], "-h"))) {
			w->help = true;
		} else if (!strcmp(argv[i], "--version")) {
			w->version = true;
		} else if (option_with_value("--store", argc, argv, &i, &value)) {
			if (!value || !*value)
				return cli_usage(NULL, "--store needs a path, e.g. --store %s", WH_DEFAULT_STORE);
			c->store_url = value;
		} else if (option_with_value("--config", argc, argv, &i, &value)) {
			if (!value || !*value)
				return cli_usage(NULL, "--config needs a file, e.g. --config %s", WH_DEFAULT_CONFIG);
			c->config_path = value;
		} else {
			rest[(*n_rest)++] = argv[i];
		}
	}
	for (; i < argc; i++)
		rest[(*n_rest)++] = argv[i];
	return 0;
}

static int run(struct cli *c, int argc, char **argv)
{
	c->azure_token = cli_take_token();
	wh_fleet_take_password();
	int rc = cli_check_sudo(c);
	if (rc)
		return rc;
	rc = wh_config_load_apart(c->config_path, &c->config, &c->bad_config);
	if (rc && !c->command->reads_config_itself)
		return cli_error(&c->bad_config);
	const char *env = getenv("WHITTLE_STORE");
	if (!c->store_url && env && *env)
		c->store_url = env;
	if (!c->store_url && c->config && c->config->ledger.store)
		c->store_url = c->config->ledger.store;
	if (!c->store_url)
		c->store_url = WH_DEFAULT_STORE;
	rc = cli_become_owner(c, argc, argv, &c->no_store);
	if (rc && !c->command->reads_config_itself) {
		rc = cli_error(&c->no_store);
		wh_config_free(c->config);
		return rc;
	}
	if (c->command->only_reads)
		cli_output_only_prints();
	optind = 0;
	opterr = 0;
	rc = c->command->run(c, argc, argv);
	if (wh_state_logged()) {
		const struct wh_app a = cli_app(c);
		wh_app_journal_seal(&a);
	}
	if (c->azure_token)
		explicit_bzero(c->azure_token, strlen(c->azure_token));
	free(c->azure_token);
	wh_config_free(c->config);
	return rc;
}

static int dispatch(struct cli *c, struct wanted *w, int argc, char **argv)
{
	if (w->version && argc == 0) {
		puts("whittle " WH_VERSION);
		return CLI_OK;
	}
	for (; argc > 0 && !strcmp(argv[0], "help"); argc--, argv++) /* also of `help help` */
		w->help = true;
	if (argc == 0 && w->help) {
		print_help();
		return CLI_OK;
	}
	if (argc == 0) {
		fputs("whittle: no command was given\nTry 'whittle --help'.\n", stderr);
		return CLI_USAGE;
	}
	if (argv[0][0] == '-')
		return cli_usage(NULL, "unknown option '%.60s'", argv[0]);
	if (!(c->command = find(argv[0])))
		return unknown_command(argv[0]);
	if (w->help) {
		fputs(c->command->help, stdout);
		return CLI_OK;
	}
	if (w->version) {
		puts("whittle " WH_VERSION);
		return CLI_OK;
	}
	return run(c, argc, argv);
}

/* Standard output must have accepted everything: a full disk is a failure, a reader that closed the pipe is not. */
static int close_output(int status)
{
	bool failed = ferror(stdout) != 0;
	errno = 0;
	if (fclose(stdout) == 0 && !failed)
		return status;
	if (errno == EPIPE)
		return status;
	fprintf(stderr, "whittle: standard output: %s\n", errno ? strerror(errno) : "the output could not be written completely");
	return status ? status : CLI_FAILED;
}

/* SQLite maps the ledger's -shm: any process that can write it can truncate it during a read. */
static void on_bus_error(int sig)
{
	static const char why[] =
		"whittle: a file became shorter while it was read, probably the ledger's -shm. Run the command again\n";
	(void)sig;
	ssize_t n = write(STDERR_FILENO, why, sizeof why - 1);
	(void)n;
	_exit(CLI_FAILED);
}

int main(int argc, char **argv)
{
	struct cli c = {0};
	struct wanted w = {0};
	int n_rest = 0, status;
	char **rest = calloc((size_t)argc + 1, sizeof *rest);

	if (!rest) {
		fputs("whittle: out of memory\n", stderr);
		return CLI_FAILED;
	}
	signal(SIGBUS, on_bus_error);
	/* a closed pipe must not kill a command between two steps of its work */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a write beyond `ulimit -f` fails with a reason, and is not the end without a word */
	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		setlocale(LC_CTYPE, "");
	if (!cli_output_open()) {
		free(rest);
		return CLI_FAILED;
	}
	status = take_common_options(argc, argv, &c, &w, rest, &n_rest);
	if (!status)
		status = dispatch(&c, &w, n_rest, rest);
	free(rest);
	return close_output(status);
}
