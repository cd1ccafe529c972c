/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Options that need no code of their own: each is a row that says where its value goes. */
#pragma once
#include "cli/cli.h"

/* Paths of an option that can be given again. */
struct cli_paths { const char *path[64]; size_t n; };

/* One of the first three members is set. */
struct cli_option {
	const char *name;
	bool *flag;                /* it has no value, and is true when it was given */
	const char **text;         /* its value; the last one if repeated */
	struct cli_paths *paths;   /* its values */
	const char *const *one_of; /* the values that `text` may have, until a NULL; NULL: any */
};
/* Takes the options out of the words; a row without a name ends `options`. The remaining words begin at optind. Prints the
 * sentence if one is wrong; returns CLI_OK or CLI_USAGE. */
int cli_read_options(const struct cli *c, int argc, char **argv, const struct cli_option *options);
/* For a command that takes no words. Prints the sentence if a word is left; returns CLI_OK or CLI_USAGE. */
int cli_no_word(const struct cli *c, int argc, char **argv);
