/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Options that need no code of their own: each is a row that says where its value goes. */
#include "cli/options.h"
#include "whittle/key.h"

enum { MOST_OPTIONS = 16, FIRST = 256 /* past every character: '?' is an answer of cli_getopt() */ };

/* "any", "any or opened" */
static void join_words(const char *const *words, char *buf, size_t size)
{
	size_t n = 0;
	for (const char *const *w = words; *w && n < size; w++)
		n += (size_t)snprintf(buf + n, size - n, "%s%s", w == words ? "" : w[1] ? ", " : " or ", *w);
}

static int take(const struct cli *c, const struct cli_option *o)
{
	char allowed[128];
	if (o->flag) {
		*o->flag = true;
	} else if (o->paths) {
		if (o->paths->n == sizeof o->paths->path / sizeof *o->paths->path)
			return cli_usage(c, "--%s can be given %zu times at most: name a directory", o->name, o->paths->n);
		o->paths->path[o->paths->n++] = optarg;
	} else if (o->one_of && wh_key_choice(o->one_of, optarg) < 0) {
		join_words(o->one_of, allowed, sizeof allowed);
		return cli_usage(c, "--%s takes %s, not '%s'", o->name, allowed, optarg);
	} else {
		*o->text = optarg;
	}
	return CLI_OK;
}

int cli_read_options(const struct cli *c, int argc, char **argv, const struct cli_option *options)
{
	struct option longs[MOST_OPTIONS + 1] = {{0}};
	int o, rc = CLI_OK;
	for (int i = 0; i < MOST_OPTIONS && options[i].name; i++)
		longs[i] = (struct option){options[i].name, options[i].flag ? no_argument : required_argument, NULL, FIRST + i};
	while (!rc && (o = cli_getopt(c, argc, argv, "", longs)) != -1)
		rc = o < FIRST ? CLI_USAGE : take(c, &options[o - FIRST]);
	return rc;
}

int cli_no_word(const struct cli *c, int argc, char **argv)
{
	return argc == optind ? CLI_OK : cli_usage(c, "unexpected word '%s'", argv[optind]);
}
