/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/options.h"
#include "whittle/app_backup.h"

static const char help[] =
	"usage: whittle export-evidence FILE [--json]\n"
	"\n"
	"Writes a new ledger FILE (mode 0600) that holds the evidence under pseudonyms, to be shared: `whittle --store FILE recommend` derives the same rules\n"
	"from it, for other addresses. The key of the pseudonyms is drawn at random for this one file and never stored: nobody can reverse them, and two\n"
	"exports can't be joined.\n"
	"\n"
	"It replaces all addresses, names and ids of resources, groups and rules, and names of domains. Two addresses have as many first bits in common as\n"
	"before, and an address of a private, link-local, shared or multicast range gets a pseudonym in the same range. It leaves out the journal, reviewed\n"
	"rules, threat lists, alerts, tags, descriptions, the prefixes of service tags, open connections, and names of logs.\n"
	"\n"
	"It does not hide: times, days and amounts of traffic; ports and protocols; how many hosts and peers there are, and which addresses are neighbours;\n"
	"the first bits of addresses in a private or special range; which rules a group has; numbers of signatures. A person who knows some of the traffic,\n"
	"or can send some, can find those peers again by times and amounts, and learns the first bits of their neighbours. Share the file as you would share\n"
	"statistics about named people.\n"
	"\n"
	"Example: whittle export-evidence /tmp/shared.db && whittle --store /tmp/shared.db recommend\n";

static void print(const json_t *doc)
{
	printf("%s: %lld bytes. `whittle export-evidence --help` lists what it does not hide.\n",
	       json_string_value(json_object_get(doc, "file")), (long long)json_integer_value(json_object_get(doc, "bytes")));
}

static int run(struct cli *c, int argc, char **argv)
{
	const struct wh_app a = cli_app(c);
	struct wh_error err;
	json_t *doc;
	if (cli_read_options(c, argc, argv, (const struct cli_option[]){{0}}))
		return CLI_USAGE;
	if (optind != argc - 1)
		return cli_usage(c, "name the file to write");
	return wh_app_export_evidence(&a, argv[optind], &doc, &err) ? cli_error(&err) : cli_print_document(c, doc, print);
}

const struct cli_command cli_export_evidence = {.name = "export-evidence",
                                                .summary = "write the evidence under pseudonyms, to be shared",
                                                .help = help,
                                                .run = run,
                                                .keeps_user = cli_always,
                                                .needs_opener = true,
                                                .confined = true};
