/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cli/options.h"
#include "whittle/app_forget.h"

static const char help[] =
	"usage: whittle forget ADDRESS|PREFIX [--dry-run] [--yes] [--json]\n"
	"       whittle forget --before YYYY-MM-DD [--dry-run] [--yes] [--json]\n"
	"\n"
	"Removes peers from the ledger, or data that was last seen before a day: edges, places among the heaviest sources of refused traffic, protocol\n"
	"evidence, alerts, and flows that a log has reported in part. Then it rewrites the ledger's file, so that nothing of them is left in its bytes.\n"
	"\n"
	"It lists what stays: documents that a person decided on (reviewed rules, suppressions, policies) or that a command will write again (`whittle\n"
	"recommend`), and entries of the journal. The journal is chained by hashes and therefore not rewritten. Sums without an address stay, and so do\n"
	"keyed hashes of lines and conversations. An edge that was seen both before the day and later stays as it is. Logs, backups, exports, rules in\n"
	"force, messages that a log system received, and old blocks of the disk are not changed. If a log is ingested again, or the peer sends another\n"
	"packet, the peer is back in the ledger.\n"
	"\n"
	"  --dry-run  print what would be removed and what would stay, and change nothing\n"
	"  --yes      don't ask (needed where standard input is no terminal)\n"
	"\n"
	"With `keep-days` in whittle.yaml old data is removed without this command. In a cluster its administrator deletes edges.\n"
	"\n"
	"Example: whittle forget 203.0.113.7 --dry-run\n";

static long long number(const json_t *doc, const char *key)
{
	return (long long)json_integer_value(json_object_get(doc, key));
}

static void print_removed(const json_t *removed, bool done)
{
	static const struct { const char *key, *one, *many;
	} kinds[] = {{"edges", "edge", "edges"},
	             {"openConnections", "edge of open connections", "edges of open connections"},
	             {"sketches", "summary of refused traffic", "summaries of refused traffic"},
	             {"evidence", "row of protocol evidence", "rows of protocol evidence"},
	             {"alerts", "alert", "alerts"},
	             {"notes", "note of a sighting", "notes of sightings"},
	             {"conversations", "part of a day's conversations", "parts of days' conversations"},
	             {"pages", "page of flows reported in part", "pages of flows reported in part"}};
	const char *between = done ? "Removed: " : "It would remove: ";
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		long long n = number(removed, kinds[i].key);
		if (!n)
			continue;
		printf("%s%lld %s", between, n, n == 1 ? kinds[i].one : kinds[i].many);
		between = ", ";
	}
	puts(*between == ',' ? "." : done ? "Nothing was removed." : "Nothing would be removed.");
}

static void print_stays(const json_t *stays)
{
	const json_t *list = json_object_get(stays, "documents");
	size_t i;
	json_t *d;
	if (number(stays, "edges"))
		printf("%lld edges were seen both before that day and later: they stay.\n", number(stays, "edges"));
	json_array_foreach(list, i, d)
		printf("%s%s %s", i ? ", " : "Documents that name it stay: ", json_string_value(json_object_get(d, "collection")),
		       json_string_value(json_object_get(d, "key")));
	if (json_array_size(list) && number(stays, "documentsMore"))
		printf(", and %lld more", number(stays, "documentsMore"));
	if (json_array_size(list))
		puts(".");
	list = json_object_get(stays, "journal");
	json_array_foreach(list, i, d)
		printf("%s%lld", i ? ", " : "Entries of the journal that name it stay (`whittle journal show NUMBER`): ",
		       (long long)json_integer_value(d));
	if (json_array_size(list) && number(stays, "journalMore"))
		printf(", and %lld more", number(stays, "journalMore"));
	if (json_array_size(list))
		puts(".");
}

static void print(const json_t *doc)
{
	const bool done = json_is_true(json_object_get(doc, "done"));
	print_removed(json_object_get(doc, "removed"), done);
	print_stays(json_object_get(doc, "stays"));
	if (json_is_true(json_object_get(doc, "busy")))
		puts("Another program reads the ledger: its log (the file that ends in -wal) still holds what was removed. Run the same command again later.");
}

/* Whether the person agrees. */
static bool agreed(const struct wh_app_forget *ask)
{
	char answer[16] = "";
	if (!isatty(0))
		return false;
	fprintf(stderr, "Remove %s%s from the ledger? It can't be taken back. [y/N] ",
	        ask->peers ? "" : "what was last seen before ", ask->peers ? ask->peers : ask->before);
	return fgets(answer, sizeof answer, stdin) && (*answer == 'y' || *answer == 'Y');
}

static int run(struct cli *c, int argc, char **argv)
{
	struct wh_app_forget ask = {.peers = NULL};
	bool yes = false;
	const struct cli_option options[] = {
		{"before", .text = &ask.before}, {"dry-run", .flag = &ask.dry_run}, {"yes", .flag = &yes}, {0}};
	const struct wh_app a = cli_app(c);
	struct wh_error err;
	json_t *doc;
	if (cli_read_options(c, argc, argv, options))
		return CLI_USAGE;
	ask.peers = optind < argc ? argv[optind] : NULL;
	if (argc - optind > 1 || !ask.peers == !ask.before)
		return cli_usage(c, "name one address or prefix, or give --before and a day");
	if (wh_app_forget_check(&ask, &err))
		return cli_app_error(c, &err);
	if (!yes && !ask.dry_run && !agreed(&ask))
		return cli_usage(c, "nothing was removed: %s",
		                 isatty(0) ? "cancelled: the answer was not y" : "without a terminal it needs --yes");
	return wh_app_forget(&a, &ask, &doc, &err) ? cli_app_error(c, &err) : cli_print_document(c, doc, print);
}

const struct cli_command cli_forget = {
	.name = "forget", .summary = "remove peers, or old data, from the ledger", .help = help, .run = run, .confined = true};
