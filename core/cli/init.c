/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>
#include <unistd.h>
#include "cli/options.h"
#include "whittle/app_init.h"
#include "whittle/key.h"

static const char help[] =
	"usage: whittle init [--as suricata|host|azure] [--logs PATH] [--mode dry-run|audit] [--yes] [--replace]\n"
	"                    [--directory DIR] [--units DIR] [--json]\n"
	"\n"
	"Asks three questions (what this machine is, where its logs are, dry run or audit) and writes whittle.yaml, an estate with this machine's\n"
	"addresses, and a unit that reads the logs. Prints each thing that it did with the command that undoes it, and what to run next. It enables\n"
	"nothing and changes no firewall. A file that exists already is replaced only if you agree.\n"
	"\n"
	"  --as KIND        suricata: it runs Suricata; host: it does not, and whittle learns from the kernel's connections; azure: a VM whose\n"
	"                   flow logs are read. Default: what was detected\n"
	"  --logs PATH      eve.json, or the directory of flow logs\n"
	"  --mode MODE      dry-run: only look, at first; audit: count what would be dropped\n"
	"  --yes            ask nothing: take the options and the detected values as answers, and leave existing files as they are\n"
	"  --replace        replace existing files\n"
	"  --directory DIR  instead of /etc/whittle;  --units DIR  instead of /etc/systemd/system\n"
	"\n"
	"Example: whittle init --as suricata --yes\n";

struct asking { bool yes, replace; };

/* The answer to a question in `buf`, or the default without an answer. NULL: there is no terminal. */
static const char *answer(const struct asking *a, const char *question, const char *otherwise, char *buf, size_t size)
{
	if (a->yes)
		return otherwise;
	fprintf(stderr, "%s [%s]: ", question, otherwise);
	if (!fgets(buf, (int)size, stdin)) {
		fputc('\n', stderr); /* what is said next has a line of its own */
		return NULL;
	}
	buf[strcspn(buf, "\r\n")] = 0;
	return *buf ? buf : otherwise;
}

static bool replace(void *arg, const char *path)
{
	const struct asking *a = arg;
	char buf[16], question[512];
	if (a->replace || a->yes)
		return a->replace;
	snprintf(question, sizeof question, "%s exists with other content. Replace it?", path);
	const char *said = answer(a, question, "no", buf, sizeof buf);
	return said && (*said == 'y' || *said == 'Y');
}

static int nobody(const struct cli *c)
{
	return cli_usage(
		c, "nobody answers on standard input: --yes takes the detected values; --as, --logs and --mode set others");
}

static int ask_all(const struct cli *c, const struct asking *a, const struct wh_app_init_found *found, struct wh_app_init *ask)
{
	static char kind[32], logs[4096], mode[32];
	const char *usual;
	if (!ask->kind && !(ask->kind = answer(a, "What is this machine? suricata, host (without Suricata) or azure", found->kind,
	                                       kind, sizeof kind)))
		return nobody(c);
	if (wh_key_choice(wh_app_init_kinds, ask->kind) < 0)
		return cli_usage(c, "'%s' is not suricata, host or azure", ask->kind);
	usual = wh_app_init_logs(ask->kind);
	if (usual && !ask->logs && !(ask->logs = answer(a, "Where are its logs?", usual, logs, sizeof logs)))
		return nobody(c);
	if (!ask->mode &&
	    !(ask->mode = answer(a, "Begin with a dry run or in audit mode? dry-run or audit", "dry-run", mode, sizeof mode)))
		return nobody(c);
	if (wh_key_choice(wh_app_init_modes, ask->mode) < 0)
		return cli_usage(c, "'%s' is neither dry-run nor audit", ask->mode);
	return 0;
}

static void print(const json_t *doc)
{
	const json_t *x;
	size_t i;
	json_array_foreach(json_object_get(doc, "did"), i, x) {
		const char *undo = json_string_value(json_object_get(x, "undo"));
		printf("%s %s%s%s%s\n", json_string_value(json_object_get(x, "what")),
		       json_string_value(json_object_get(x, "path")), undo ? "  (undo: " : "", undo ? undo : "", undo ? ")" : "");
	}
	if (json_array_size(json_object_get(doc, "next")))
		puts("\nNext:");
	json_array_foreach(json_object_get(doc, "next"), i, x)
		printf("  %s\n      # %s\n", json_string_value(json_object_get(x, "command")),
		       json_string_value(json_object_get(x, "why")));
}

static int read_options(struct cli *c, int argc, char **argv, struct asking *a, struct wh_app_init *ask)
{
	const struct cli_option options[] = {{"as", .text = &ask->kind},
	                                     {"logs", .text = &ask->logs},
	                                     {"mode", .text = &ask->mode},
	                                     {"yes", .flag = &a->yes},
	                                     {"replace", .flag = &a->replace},
	                                     {"directory", .text = &ask->directory},
	                                     {"units", .text = &ask->units},
	                                     {0}};
	int rc = cli_read_options(c, argc, argv, options);
	return rc ? rc : cli_no_word(c, argc, argv);
}

static int run(struct cli *c, int argc, char **argv)
{
	struct asking a = {0};
	struct wh_app_init ask = {.directory = "/etc/whittle", .units = "/etc/systemd/system", .replace = replace, .arg = &a};
	struct wh_app_init_found found;
	struct wh_error err = {0};
	json_t *doc = NULL;
	int rc = read_options(c, argc, argv, &a, &ask);
	if (rc)
		return rc;
	struct wh_arena *mem = wh_arena_new();
	if (wh_app_init_find(mem, &found, &err))
		rc = cli_error(&err);
	rc = rc ? rc : ask_all(c, &a, &found, &ask);
	if (!rc) {
		int failed = wh_app_init(&ask, &found, &doc, &err);
		rc = doc ? cli_print_document(c, doc, print) : CLI_OK;
		rc = failed ? cli_error(&err) : rc;
	}
	wh_arena_free(mem);
	return rc;
}

const struct cli_command cli_init = {
	.name = "init",
	.summary = "ask three questions and write whittle.yaml, the estate and a unit",
	.help = help,
	.run = run,
	.reads_config_itself = true,
	.no_ledger = true,
};
