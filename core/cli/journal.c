/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>
#include "cli/options.h"
#include "whittle/app_journal.h"

static const char help[] =
	"usage: whittle journal list [--what WHAT] [--last N] [--json]\n"
	"       whittle journal show NUMBER [--json]\n"
	"       whittle journal verify [--json]\n"
	"\n"
	"Shows the journal in the ledger: who enforced, confirmed, rolled back, edited, imported, opened or decided what, and when. whittle never removes\n"
	"an entry. Each entry holds a hash (SHA-256) of its own content and of the entry before it.\n"
	"\n"
	"`verify` checks all entries. If one was changed, inserted, moved or removed, it names the first that does not fit (exit status 3).\n"
	"A user who can write the ledger's file could compute all hashes again, or cut off the journal's end. Therefore root's commands also store the\n"
	"hash of the last entry in the state directory (journal.head), where only root and the services' user can write. Entries that other users\n"
	"added later are in the chain, but not yet covered by that hash. Entries of versions without a chain come before it: `verify` shows that they\n"
	"have not changed since the chain began.\n"
	"\n"
	"  --what WHAT  lists one kind only: enforce.apply, enforce.confirm, estate.import, …\n"
	"  --last N     lists the last N entries (50; 0: all)\n"
	"\n"
	"Example: whittle journal verify && whittle journal list --what enforce.confirm\n";

/* A whole number of at least `min`; -1: it is none. */
static int64_t number_of(const char *text, int64_t min)
{
	char *end;
	errno = 0;
	long long n = strtoll(text, &end, 10);
	return errno || *text < '0' || *text > '9' || *end || n < min ? -1 : n;
}

static void print_list(const json_t *doc)
{
	if (!json_array_size(json_object_get(doc, "entries"))) {
		puts("The journal has no such entry.");
		return;
	}
	struct cli_table *t = cli_table_new(">Number|Time|Who|What|Data");
	size_t i;
	json_t *e;
	json_array_foreach(json_object_get(doc, "entries"), i, e) {
		char *data = json_dumps(json_object_get(e, "data"), JSON_COMPACT | JSON_ENCODE_ANY);
		cli_table_cell(t, "%lld", (long long)json_integer_value(json_object_get(e, "number")));
		cli_table_text(t, json_string_value(json_object_get(e, "time")));
		cli_table_text(t, json_string_value(json_object_get(e, "who")));
		cli_table_text(t, json_string_value(json_object_get(e, "what")));
		cli_table_cell(t, "%.100s%s", data ? data : "", data && strlen(data) > 100 ? "…" : "");
		free(data);
	}
	cli_table_print(t);
}

static int list(const struct cli *c, int argc, char **argv)
{
	const char *what = NULL, *last = "50";
	const struct cli_option options[] = {{"what", .text = &what}, {"last", .text = &last}, {0}};
	const struct wh_app a = cli_app(c);
	struct wh_error err;
	json_t *doc;
	if (cli_read_options(c, argc, argv, options) || cli_no_word(c, argc, argv))
		return CLI_USAGE;
	int64_t n = number_of(last, 0);
	if (n < 0)
		return cli_usage(c, "'%s' is not a number", last);
	return wh_app_journal_list(&a, what, (size_t)n, &doc, &err) ? cli_error(&err) : cli_print_document(c, doc, print_list);
}

static void print_entry(const json_t *e)
{
	char *data = json_dumps(json_object_get(e, "data"), JSON_INDENT(2) | JSON_ENCODE_ANY);
	const char *hash = json_string_value(json_object_get(e, "hash"));
	printf("%lld  %s  %s  %s\n%s\n", (long long)json_integer_value(json_object_get(e, "number")),
	       json_string_value(json_object_get(e, "time")), json_string_value(json_object_get(e, "who")),
	       json_string_value(json_object_get(e, "what")), data ? data : "");
	printf(hash ? "Hash: %s\n" : "It is from before the chain, and has no hash.\n", hash);
	free(data);
}

static int show(const struct cli *c, int argc, char **argv)
{
	const struct wh_app a = cli_app(c);
	struct wh_error err;
	json_t *doc;
	int64_t n = argc == 2 ? number_of(argv[1], 1) : -1;
	if (n < 0)
		return cli_usage(c, "show takes the number of an entry");
	return wh_app_journal_show(&a, n, &doc, &err) ? cli_error(&err) : cli_print_document(c, doc, print_entry);
}

static long long number(const json_t *doc, const char *key)
{
	return (long long)json_integer_value(json_object_get(doc, key));
}

static void print_proof(const json_t *doc)
{
	const char *head = json_string_value(json_object_get(doc, "head"));
	long long before = number(doc, "beforeTheChain"), last = number(doc, "last"), held = number(doc, "held");
	if (!json_is_true(json_object_get(doc, "fits"))) {
		printf("The journal does not fit at entry %lld: %s.\n", number(doc, "entry"),
		       json_string_value(json_object_get(doc, "why")));
		return;
	}
	if (last)
		printf("The journal fits: entries %lld to %lld are chained, each to the one before it.\n", number(doc, "first"),
		       last);
	else
		puts("The journal has no chain yet: the next entry begins it.");
	if (before)
		printf("%lld entr%s from before the chain.\n", before, before == 1 ? "y is" : "ies are");
	if (!head)
		puts("The state directory has no head: entries removed at the end would not be noticed.");
	else if (held == last)
		printf("%s holds the last one: none is missing at the end.\n", head);
	else
		printf("%s holds entry %lld: some of the entries after it may have been removed at the end.\n", head, held);
}

static int verify(const struct cli *c, int argc, char **argv)
{
	const struct wh_app a = cli_app(c);
	struct wh_error err;
	json_t *doc;
	if (cli_read_options(c, argc, argv, (const struct cli_option[]){{0}}) || cli_no_word(c, argc, argv))
		return CLI_USAGE;
	if (wh_app_journal_verify(&a, &doc, &err))
		return cli_error(&err);
	bool fits = json_is_true(json_object_get(doc, "fits"));
	int status = cli_print_document(c, doc, print_proof);
	return status ? status : fits ? CLI_OK : CLI_FINDINGS;
}

static int run(struct cli *c, int argc, char **argv)
{
	const char *verb = argc > 1 && argv[1][0] != '-' ? argv[1] : NULL;
	if (!verb || !strcmp(verb, "list"))
		return list(c, argc - (verb != NULL), argv + (verb != NULL));
	if (!strcmp(verb, "show"))
		return show(c, argc - 1, argv + 1);
	if (!strcmp(verb, "verify"))
		return verify(c, argc - 1, argv + 1);
	return cli_usage(c, "name a subcommand: list, show or verify");
}

const struct cli_command cli_journal = {.name = "journal",
                                        .summary = "list what was done and by whom, and check that nobody changed the record",
                                        .help = help,
                                        .run = run,
                                        .only_reads = true,
                                        .confined = true};
