/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/options.h"
#include "whittle/app_backup.h"

static const char help[] =
	"usage: whittle export-evidence FILE [--json]\n"
	"\n"
	"Writes a new ledger FILE (mode 0600) that holds the evidence under pseudonyms, to be shared: `whittle --store FILE recommend` derives the same rules\n"
	"from it, for other addresses. The key of the pseudonyms is drawn for this one file and never written down: nobody can turn them back, and two exports\n"
	"can't be joined.\n"
	"\n"
	"Replaced are all addresses (two have as many first bits in common as before; private, link-local, shared and multicast ranges stay in themselves),\n"
	"names and ids of resources, groups and rules, and names of domains. Left out are the journal, reviewed rules, threat lists, alerts, tags,\n"
	"descriptions, the prefixes of service tags, open connections, and names of logs.\n"
	"\n"
	"It does not hide: times, days and amounts of traffic; ports and protocols; how many hosts and peers there are, and how they lie next to each other; the\n"
	"first bits of addresses, as far as they lead to a private or special range; which rules a group has; numbers of signatures. A person who knows some of the\n"
	"traffic, or can send some, can find those peers again by times and amounts, and learns the first bits of their neighbours. Share it as you would share\n"
	"statistics about named people.\n"
	"\n"
	"Example: whittle export-evidence /tmp/shared.db && whittle --store /tmp/shared.db recommend\n";

static void print(const json_t *doc)
{
	printf("%s: %lld bytes. `whittle export-evidence --help` says what it does not hide.\n",
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
		return cli_usage(c, "say which file to write");
	return wh_app_export_evidence(&a, argv[optind], &doc, &err) ? cli_error(&err) : cli_print_document(c, doc, print);
}

const struct cli_command cli_export_evidence = {.name = "export-evidence",
                                                .summary = "write the evidence under pseudonyms, to be shared",
                                                .help = help,
                                                .run = run,
                                                .keeps_user = cli_always,
                                                .needs_opener = true,
                                                .confined = true};
