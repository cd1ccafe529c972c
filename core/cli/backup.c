/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ledger and the state directory as one file, and back. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/opener.h"
#include "base/state_dir.h"
#include "cli/backup.h"
#include "cli/options.h"
#include "whittle/app_backup.h"

static const char backup_help[] =
	"usage: whittle backup FILE|DIRECTORY [--json]\n"
	"\n"
	"Writes the ledger (edges, evidence, documents, journal) and the files of the state directory (confirmed rules, policies of just-in-time access,\n"
	"tokens' hashes, former Azure groups) into one tar file of mode 0600, while `watch`, `ingest` and Suricata keep running: the copy is the ledger at\n"
	"one moment. If a directory is given, the file in it is named after the time. The file appears under its name when it is complete, and replaces one\n"
	"of the same name.\n"
	"\n"
	"`tar xf FILE && sha256sum -c MANIFEST` unpacks and checks it; sqlite3 opens ledger.db. whittle.yaml, the server's certificate and your own files of\n"
	"threat lists are not in it. The edges of a cluster are not in it either: back up the cluster itself. Protect the file as root's own: it names your\n"
	"peers, and `whittle restore-backup` trusts its content.\n"
	"\n"
	"Example: whittle backup /var/backups\n";

static const char restore_help[] =
	"usage: whittle restore-backup FILE [--dry-run] [--force] [--json]\n"
	"\n"
	"Restores a backup. First it checks everything: the manifest, every SHA-256, the ledger's schema and all of its pages, the chain of its journal.\n"
	"Then it replaces the ledger in one transaction, while other commands may use it; the ledger's file keeps its owner and mode. Then it replaces the\n"
	"files of the state directory, one after the other. Files that are not in the backup stay, and are listed.\n"
	"\n"
	"It is refused (exit status 1) if the present ledger or state has content that the backup lacks, or if the backup's journal does not fit.\n"
	"\n"
	"  --dry-run  check everything, list what would be restored and what would be lost, and write nothing\n"
	"  --force    restore it nevertheless; a ledger that can't be opened is renamed to NAME.damaged\n"
	"\n"
	"Rules in force in the kernel, or at Azure, are not changed: `whittle drift` lists how they differ from the backup's, and `whittle restore` puts\n"
	"the confirmed rules into force, as a boot does.\n"
	"\n"
	"Example: whittle restore-backup /var/backups/whittle-20261130T015000Z.tar --dry-run\n";

const char *cli_backup_file(const char *word)
{
	static char file[PATH_MAX];
	struct stat st;
	char t[WH_TIME_STRLEN];
	size_t n = 0;
	if (*file)
		return file;
	if (stat(word, &st) || !S_ISDIR(st.st_mode))
		return word;
	wh_time_text(wh_now_us(), t);
	for (const char *p = t; *p; p++)
		if (*p != '-' && *p != ':' && *p != '.')
			t[n++] = *p;
	t[n] = 0;
	size_t len = strlen(word);
	while (len > 1 && word[len - 1] == '/')
		len--;
	return snprintf(file, sizeof file, "%.*s/whittle-%s.tar", (int)len, word, t) < (int)sizeof file ? file : word;
}

static long long number(const json_t *doc, const char *key)
{
	return (long long)json_integer_value(json_object_get(doc, key));
}

static void print_backup(const json_t *doc)
{
	struct cli_table *t = cli_table_new("Member|>Bytes|SHA-256");
	size_t i;
	json_t *m;
	json_array_foreach(json_object_get(doc, "members"), i, m) {
		cli_table_text(t, json_string_value(json_object_get(m, "name")));
		cli_table_number(t, (uint64_t)number(m, "bytes"));
		cli_table_text(t, json_string_value(json_object_get(m, "sha256")));
	}
	cli_table_print(t);
	char bytes[WH_NUMBER_STRLEN], entry[WH_NUMBER_STRLEN];
	printf("%s: %s bytes, the ledger as it was with entry %s of its journal.\n",
	       json_string_value(json_object_get(doc, "file")), wh_number_text((uint64_t)number(doc, "bytes"), bytes),
	       wh_number_text((uint64_t)number(doc, "journal"), entry));
	if (json_is_true(json_object_get(doc, "cluster")))
		puts("The backup does not have the edges of the cluster.");
}

static int progress(void *arg, size_t done, size_t total)
{
	(void)arg;
	if (done < total)
		cli_progress("%zu of %zu pages", done, total);
	else
		cli_progress("%s", "");
	return 0;
}

static int run_backup(struct cli *c, int argc, char **argv)
{
	struct wh_app a = cli_app(c);
	struct wh_error err;
	json_t *doc;
	if (cli_read_options(c, argc, argv, (const struct cli_option[]){{0}}))
		return CLI_USAGE;
	if (optind != argc - 1)
		return cli_usage(c, "name a file or directory to write to");
	a.progress = progress;
	return wh_app_backup(&a, cli_backup_file(argv[optind]), &doc, &err) ? cli_error(&err)
	                                                                    : cli_print_document(c, doc, print_backup);
}

static void print_names(const json_t *list, const char *before)
{
	size_t i;
	json_t *name;
	json_array_foreach(list, i, name)
		printf("%s%s", i ? ", " : before, json_string_value(name));
	if (json_array_size(list))
		puts(".");
}

static void print_restored(const json_t *doc)
{
	const bool done = json_is_true(json_object_get(doc, "done")), loses = json_array_size(json_object_get(doc, "newer"));
	char records[WH_NUMBER_STRLEN], entries[WH_NUMBER_STRLEN];
	const long long n = number(doc, "records"), of = number(doc, "journal");
	size_t i;
	json_t *why;
	printf("%s: the ledger of %s, %s record%s, %s %s in its journal%s\n", json_string_value(json_object_get(doc, "file")),
	       json_string_value(json_object_get(doc, "time")), wh_number_text((uint64_t)n, records), n == 1 ? "" : "s",
	       wh_number_text((uint64_t)of, entries), of == 1 ? "entry" : "entries",
	       done    ? ", was put back."
	       : loses ? ". It can be restored only with --force: newer content would be lost."
	               : ". It can be restored.");
	json_array_foreach(json_object_get(doc, "newer"), i, why)
		printf("%s: %s.\n", done ? "Lost" : "Newer", json_string_value(why));
	print_names(json_object_get(doc, "state"),
	            done ? "Restored in the state directory: " : "Would change in the state directory: ");
	print_names(json_object_get(doc, "stays"), "Not in the backup, so left unchanged: ");
	if (done)
		puts("The rules in the kernel were not changed: `whittle drift` compares them, `whittle restore` puts the confirmed ones into force.");
}

static int run_restore(struct cli *c, int argc, char **argv)
{
	struct wh_app_restore_backup_options opt = {.file = NULL};
	const struct cli_option options[] = {{"dry-run", .flag = &opt.dry_run}, {"force", .flag = &opt.force}, {0}};
	struct wh_app a = cli_app(c);
	struct wh_error err;
	json_t *doc;
	if (cli_read_options(c, argc, argv, options))
		return CLI_USAGE;
	if (optind != argc - 1)
		return cli_usage(c, "name the backup to restore");
	opt.file = argv[optind];
	a.progress = progress;
	return wh_app_restore_backup(&a, &opt, &doc, &err) ? cli_error(&err) : cli_print_document(c, doc, print_restored);
}

/* The state directory is created while the rights for it exist; the services' user can read files that are put there. */
static int prepare_restore(struct cli *c, int argc, char **argv, uid_t uid, gid_t gid, struct wh_error *err)
{
	(void)uid, (void)gid;
	return !*c->state_dir || cli_has_option(argc, argv, "--dry-run") ? 0 : wh_state_dir_check(c->state_dir, true, err);
}

const struct cli_command cli_backup = {.name = "backup",
                                       .summary = "write the ledger and the state into one file",
                                       .help = backup_help,
                                       .run = run_backup,
                                       .keeps_user = cli_always,
                                       .needs_opener = true,
                                       .confined = true};
const struct cli_command cli_restore_backup = {.name = "restore-backup",
                                               .summary = "restore from such a file",
                                               .help = restore_help,
                                               .run = run_restore,
                                               .keeps_user = cli_always,
                                               .needs_opener = true,
                                               .prepare = prepare_restore,
                                               .confined = true};
