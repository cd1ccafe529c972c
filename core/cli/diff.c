/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>
#include "cli/network.h"

enum { SHOWN = 3 };

static const char help[] =
	"usage: whittle diff AFTER [--fail-on any|opened] [--json]\n"
	"       whittle diff BEFORE AFTER [--fail-on any|opened] [--json]\n"
	"       whittle diff --proposed [--fail-on any|opened] [--json]\n"
	"\n"
	"Lists the connections that a change of rules opens and closes. BEFORE and AFTER are files or directories, as `whittle estate import` reads\n"
	"them. With AFTER alone, its resources replace those with the same ids in the ledger's estate: give a changed group to see what the\n"
	"change does. If BEFORE and AFTER hold groups without machines, both replace groups of the ledger's estate; else they are compared alone.\n"
	"\n"
	"If a connection is decided before the change but not after it, it is listed with the missing input.\n"
	"\n"
	"  --proposed        compares with the groups as `whittle export --format nsg` would write them\n"
	"  --fail-on any     ends with status 3 when something is listed; opened: when something is opened or undecided\n"
	"\n"
	"Example: whittle diff web-narrowed.json\n";

static void print_names(struct cli_table *t, const json_t *list, const json_t *addresses)
{
	char *text;
	size_t len, i, n = json_array_size(list), m = json_array_size(addresses);
	json_t *v;
	FILE *f = open_memstream(&text, &len);
	if (!f)
		return;
	json_array_foreach((json_t *)(uintptr_t)list, i, v) {
		if (i < SHOWN)
			fprintf(f, "%s%s", i ? ", " : "", cli_name_of(json_string_value(v)));
	}
	if (n > SHOWN)
		fprintf(f, " and %zu more", n - SHOWN);
	if (m && n == 1 && !strcmp(json_string_value(json_array_get(list, 0)), "Internet"))
		fprintf(f, m > 1 ? " (%s and %zu more)" : " (%s)", json_string_value(json_array_get(addresses, 0)), m - 1);
	fclose(f);
	cli_table_text(t, text);
	free(text);
}

static size_t print_list(struct cli_table **t, const json_t *doc, const char *key, enum cli_colour colour)
{
	size_t i;
	json_t *c;
	json_array_foreach(json_object_get(doc, key), i, c) {
		const char *tcp = json_string_value(json_object_get(c, "tcpPorts")),
			   *udp = json_string_value(json_object_get(c, "udpPorts"));
		bool icmp = json_is_true(json_object_get(c, "icmp")), other = json_is_true(json_object_get(c, "otherProtocols"));
		if (!*t)
			*t = cli_table_new("Change|From|To|TCP|UDP|Other|Needs");
		cli_table_coloured(*t, colour, key);
		print_names(*t, json_object_get(c, "from"), json_object_get(c, "addresses"));
		print_names(*t, json_object_get(c, "to"), json_object_get(c, "addresses"));
		cli_table_text(*t, strcmp(tcp, "[]") ? tcp : NULL);
		cli_table_text(*t, strcmp(udp, "[]") ? udp : NULL);
		cli_table_text(*t, icmp && other ? "ICMP, others" : icmp ? "ICMP" : other ? "others" : NULL);
		cli_table_text(*t, json_string_value(json_object_get(c, "missing")));
	}
	return i;
}

static void print(const json_t *doc)
{
	struct cli_table *t = NULL;
	print_list(&t, doc, "opened", CLI_RED);
	print_list(&t, doc, "closed", CLI_GREEN);
	print_list(&t, doc, "undecided", CLI_YELLOW);
	if (t)
		cli_table_print(t);
	else
		printf("No connection is opened or closed.\n");
}

static int run(struct cli *c, int argc, char **argv)
{
	struct wh_app_diff ask = {0};
	const char *fail_on = NULL;
	const struct cli_option options[] = {
		{"proposed", .flag = &ask.proposed},
		{"fail-on", .text = &fail_on, .one_of = (const char *const[]){"any", "opened", NULL}},
		{0}};
	const struct wh_app a = cli_app(c);
	struct wh_error err;
	json_t *doc;
	cli_output_only_prints();
	if (cli_read_options(c, argc, argv, options))
		return CLI_USAGE;
	int words = argc - optind;
	if (ask.proposed ? words : words < 1 || words > 2)
		return cli_usage(c, ask.proposed ? "--proposed compares with the recommendation, so it takes no file"
		                                 : "give one file or directory, or two, or --proposed");
	ask.before = words == 2 ? argv[optind] : NULL;
	ask.after = words ? argv[argc - 1] : NULL;
	if (wh_app_diff(&a, &ask, &doc, &err))
		return cli_error(&err);
	size_t worse = json_array_size(json_object_get(doc, "opened")) + json_array_size(json_object_get(doc, "undecided"));
	size_t all = worse + json_array_size(json_object_get(doc, "closed"));
	int rc = cli_print_document(c, doc, print);
	if (rc || !fail_on)
		return rc;
	return (!strcmp(fail_on, "any") ? all : worse) ? CLI_FINDINGS : CLI_OK;
}

const struct cli_command cli_diff = {.confined = true,
                                     .name = "diff",
                                     .summary = "list the connections that a change opens and closes",
                                     .help = help,
                                     .run = run,
                                     .only_reads = true};
