/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/text.h"
#include "base/yaml.h"
#include "cli/cli.h"

static bool progress_shown;

int cli_error(const struct wh_error *err)
{
	cli_progress("%s", "");
	fprintf(stderr, "whittle: %s\n", err->text[0] ? err->text : strerror(err->code ? -err->code : EIO));
	return err->input ? CLI_USAGE : CLI_FAILED;
}

int cli_usage(const struct cli *c, const char *fmt, ...)
{
	va_list ap;

	fputs("whittle: ", stderr);
	if (c && c->command)
		fprintf(stderr, "%s: ", c->command->name);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	if (c && c->command)
		fprintf(stderr, "\nTry 'whittle %s --help'.\n", c->command->name);
	else
		fputs("\nTry 'whittle --help'.\n", stderr);
	return CLI_USAGE;
}

int cli_app_error(const struct cli *c, const struct wh_error *err)
{
	return err->code == WH_APP_USAGE ? cli_usage(c, "%s", err->text) : cli_error(err);
}

/* The long option that the user may have meant by argv's word, without "--". */
static const char *nearest_option(const char *word, const struct option *longs)
{
	static const char *const common[] = {"store", "config", "json", "wide", "long", "help", "version"};
	const char *names[64];
	char bare[64];
	size_t n = 0;

	while (*word == '-')
		word++;
	snprintf(bare, sizeof bare, "%.*s", (int)strcspn(word, "="), word);
	for (; longs && longs->name && n < 57; longs++)
		names[n++] = longs->name;
	for (size_t i = 0; i < sizeof common / sizeof *common; i++)
		names[n++] = common[i];
	names[n] = NULL;
	return wh_nearest(bare, names);
}

int cli_check_text(const struct cli *c, const char *what, const char *text)
{
	return wh_text_is_utf8(text, strlen(text)) ? CLI_OK : cli_usage(c, "%s is not in UTF-8: '%.60s'", what, text);
}

/* The value of an option that is kept as a person's words. */
static int check_words(const struct cli *c, const struct option *longs, int got)
{
	static const char *const words[] = {"why", "reason", "name", "owner", "answer", "evidence", "who", NULL};
	char what[32];
	for (; optarg && longs && longs->name; longs++)
		if (longs->val == got && wh_key_choice(words, longs->name) >= 0) {
			snprintf(what, sizeof what, "--%s", longs->name);
			return cli_check_text(c, what, optarg);
		}
	return CLI_OK;
}

int cli_getopt(const struct cli *c, int argc, char **argv, const char *shorts, const struct option *longs)
{
	char with_colon[64];
	int index = -1;

	if (optind == 0)
		optind = 1;
	int at = optind;
	snprintf(with_colon, sizeof with_colon, ":%s", shorts ? shorts : "");
	opterr = 0;
	int got = getopt_long(argc, argv, with_colon, longs, &index);
	if (got != ':' && got != '?')
		return check_words(c, longs, got) ? '?' : got;
	const char *word = optind > at ? argv[optind - 1] : at < argc ? argv[at] : "";
	if (got == ':') {
		cli_usage(c, "%s needs a value", word);
		return '?';
	}
	if (optopt && strncmp(word, "--", 2)) {
		cli_usage(c, "unknown option '-%c'", optopt);
		return '?';
	}
	if (optopt) { /* a long option that takes no value was given one */
		cli_usage(c, "%.*s takes no value", (int)strcspn(word, "="), word);
		return '?';
	}
	const char *near = nearest_option(word, longs);
	cli_usage(c, "unknown option '%.60s'%s%s%s", word, near ? "; did you mean '--" : "", near ? near : "", near ? "'?" : "");
	return '?';
}

int cli_open_ledger(struct cli *c, int flags, struct wh_ledger *out)
{
	struct wh_error err = {0};
	if (wh_ledger_open(c->store_url, flags, out, &err))
		return cli_error(&err);
	if (c->config)
		wh_store_bound(out->store,
		               &(struct wh_store_bounds){(unsigned)c->config->ledger.port_edges,
		                                         (unsigned)c->config->ledger.edge_days, c->config->ledger.ledger_size});
	return 0;
}

bool cli_progress_wanted(void)
{
	return isatty(STDERR_FILENO) == 1;
}

void cli_progress(const char *fmt, ...)
{
	char line[256];
	va_list ap;

	if (!cli_progress_wanted())
		return;
	va_start(ap, fmt);
	vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	if (!*line && !progress_shown)
		return;
	cli_output_own(stderr, "\r\033[K");
	fputs(line, stderr);
	progress_shown = *line;
}

int cli_print_document(const struct cli *c, json_t *doc, void (*print)(const json_t *doc))
{
	if (c->json)
		return cli_print_json(doc);
	print(doc);
	json_decref(doc);
	return CLI_OK;
}
