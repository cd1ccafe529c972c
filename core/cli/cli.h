/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cli: one row in the command table (commands.c) is one command; one file a command. A command parses its options, calls
 * one function of the core, prints what it returns, and returns the exit status.
 */
#pragma once
#include <getopt.h>
#include <jansson.h>
#include <limits.h>
#include "whittle/app.h"
#include "whittle/enforce.h"

enum { CLI_OK = 0, CLI_FAILED = 1, CLI_USAGE = 2, CLI_FINDINGS = 3, CLI_INTERRUPTED = 130 /* as a shell reports SIGINT */ };

/* Options of every command, already taken out of argv when the command is called. */
struct cli {
	const struct cli_command *command;
	bool json;
	const char *store_url;    /* --store, $WHITTLE_STORE, whittle.yaml, or the default; never NULL */
	const char *config_path;  /* --config; NULL: the default file, which may be absent */
	struct wh_config *config; /* NULL only for a command with `reads_config_itself` */
	struct wh_error bad_config; /* code 0, or why whittle.yaml could not be read; for the same */
	char *azure_token;        /* from $WHITTLE_AZURE_TOKEN, which is removed from the environment at once; NULL: none */
	bool by_sudo;             /* another user than root runs this as root: see cli_check_sudo() */
	struct wh_error no_store; /* code 0, or why the ledger must not be opened; for a command with `reads_config_itself` */
	char state_dir[PATH_MAX]; /* base/state_dir.h; "" if not known */
	char beside[PATH_MAX];    /* the ledger's directory, where earlier versions kept state; "" likewise */
	struct wh_session sessions[32]; size_t n_sessions; /* the operator's own, if the command asked for them */
};
struct cli_command {
	const char *name;
	const char *summary;  /* one line for `whittle --help` */
	const char *help;     /* the text of `whittle NAME --help`: usage, what it does, options, an example */
	int (*run)(struct cli *c, int argc, char **argv); /* argv[0] is the command's name */
	bool only_reads;          /* it may be killed at any point: nothing is left half done */
	bool reads_config_itself; /* a bad whittle.yaml must not stop it (doctor) */
	bool no_ledger;       /* it reads only files that its words name: the ledger's owner does not matter */
	bool (*no_ledger_now)(int argc, char **argv); /* the same for these words; NULL: as no_ledger says */
	bool sudo_opens;      /* users get it by a line of sudoers: options that could make them root are refused */
	unsigned may;         /* of enum wh_firewall_may: the most that it may ask of the firewall; 0: nothing */
	unsigned (*may_now)(const struct cli *c, int argc, char **argv); /* less than that, by its words; NULL: all of it */
	/* it needs no program, network or privilege of its own: other processes have those */
	bool confined;
	/* For these words it works without the ledger: it keeps the user who started it, and asks a process of the ledger's owner
	 * for the rest (wh_app_ledger_start()); NULL: never. */
	bool (*keeps_user)(int argc, char **argv);
	/* Whether it runs until it is told to end, for these words. If not, another process watches it, and ends it with a
	 * message if the ledger's owner stops it. NULL: it does not. */
	bool (*lasts)(int argc, char **argv);
	bool needs_opener;    /* it opens files that its words name, even if it needs no other user's rights for that */
	bool probes;          /* but it opens connections over the network */
	bool loads;           /* files that its words name are loaded as libraries */
	/* Prepares what the words ask for and what needs the rights that are about to be given up, for the user to be; NULL:
	 * nothing. */
	int (*prepare)(struct cli *c, int argc, char **argv, uid_t uid, gid_t gid, struct wh_error *err);
	void (*before)(struct cli *c); /* performs what needs all of root's rights, before they are given up; NULL: nothing */
};

/* The command table: rows of one group are adjacent. Ends with a row without a group. */
struct cli_row {
	const char *group;
	const struct cli_command *command;
};
extern const struct cli_row cli_rows[];

/* Prints "whittle: text" to standard error and returns CLI_USAGE for bad input, else CLI_FAILED. */
int cli_error(const struct wh_error *err);
/* For getopt_long's '?' and wrong arguments: prints the sentence and the hint to the help; returns CLI_USAGE. */
int cli_usage(const struct cli *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* For a use case: wrong words (WH_APP_USAGE) as cli_usage(), else as cli_error(). */
int cli_app_error(const struct cli *c, const struct wh_error *err);
/* Words that are kept (a reason, a name) must be UTF-8: CLI_OK, or CLI_USAGE after a sentence about `what`. */
int cli_check_text(const struct cli *c, const char *what, const char *text);
/* getopt_long with our messages: for an unknown option it prints the nearest right one, for a missing argument the option's name,
 * for --why, --name and other words that are kept that they are not in UTF-8.
 * Returns the option's value, -1 at the end, or '?' when the sentence was printed (return CLI_USAGE). */
int cli_getopt(const struct cli *c, int argc, char **argv, const char *shorts, const struct option *longs);
/* Root becomes the ledger's owner, irrevocably, if that is another user; from now on a process of its own changes the firewall.
 * Called once, before the command runs; argv[0] is the command's name. */
int cli_become_owner(struct cli *c, int argc, char **argv, struct wh_error *err);
/* The last step of that, for a `confined` command: from now on few system calls and, if it keeps root's uid, few files. */
int cli_confine_reader(const struct cli *c, bool trusted, int argc, char **argv, struct wh_error *err);
bool cli_always(int argc, char **argv); /* true: for `keeps_user` */
/* The same for a command that keeps its user: it may not access the ledger's directory. */
int cli_confine_kept(const struct cli *c, int argc, char **argv, struct wh_error *err);
int cli_confine_overseer(struct wh_error *err); /* it opens no file at all */
/* Forks. In the new process: 0, and the command goes on there, which becomes the ledger's owner. This one stays, and ends with
 * the other's status. */
int cli_oversee(const struct cli *c, const char *owner, struct wh_error *err);
int cli_overseen(struct wh_error *err); /* in the new process, after it became the owner: it ends when this one does */
/* Sets by_sudo, before the configuration is read. Refuses --config, --store and $WHITTLE_STORE to a user who may only run a
 * command with `sudo_opens`: prints the sentence; returns 0 or CLI_USAGE. */
int cli_check_sudo(struct cli *c);
bool cli_held_by_sudo(const struct cli *c); /* such a user, unless root's configuration allows more */
int cli_refuse_held(const struct cli *c, const char *option); /* the same for an option of the command itself */
/* Finds the directory for files that survive a reboot (c->state_dir), for a command with these rights over the firewall. */
int cli_find_state(struct cli *c, unsigned may, bool azure, struct wh_error *err);
/* The value of that option among the words, or NULL: for steps before the command reads them. */
const char *cli_option_value(int argc, char **argv, const char *option);
/* Whether one of the words is that option, or an abbreviation of it. */
bool cli_has_option(int argc, char **argv, const char *option);
int cli_open_ledger(struct cli *c, int flags, struct wh_ledger *out); /* prints on failure; returns 0 or an exit status */
bool cli_progress_wanted(void); /* standard error is a terminal */
void cli_progress(const char *fmt, ...) __attribute__((format(printf, 1, 2))); /* rewrites one line; "" ends it */
/* Prints a document, indented, with a newline, and drops the reference. Returns CLI_OK, or CLI_FAILED when out of memory. */
int cli_print_json(json_t *doc);
/* A document whose list `name` would take much memory, as cli_print_json() prints it: the version, the list, then the members
 * of `rest`. Both take their reference. */
struct cli_json_list { const char *name; size_t n; bool failed; };
void cli_json_element(struct cli_json_list *l, json_t *element);
int cli_json_end(struct cli_json_list *l, json_t *rest);
/* Prints a document: with --json as JSON, else by `print`. Drops the reference. Returns CLI_OK, or CLI_FAILED when out of
 * memory. */
int cli_print_document(const struct cli *c, json_t *doc, void (*print)(const json_t *doc));

/* The user behind sudo, else the user who started the program, also after cli_become_owner(). */
const char *cli_who(void);
/* The user on whose behalf use cases run; their notes go to standard error. */
struct wh_app cli_app(const struct cli *c);

/* ---- rules that are kept for a time (wh_kept) ---- */
/* Checks the value of --keep-original: a day, not before today. Prints the sentence; returns 0 or CLI_USAGE. */
int cli_check_day(const struct cli *c, const char *day);
/* Reads the value of --nsg-scope. Prints the sentence; returns 0 or CLI_USAGE. */
int cli_nsg_scope(const struct cli *c, const char *text, enum wh_nsg_scope *out);
void cli_print_kept(const struct wh_kept *k, size_t n); /* lines for people */

/* ---- output (output.c) ---- */
/* Makes standard output and standard error streams that filter out bytes which would control a terminal. False: out of memory. */
bool cli_output_open(void);
/* Writes an escape sequence of our own past the filter; never text from elsewhere. */
void cli_output_own(FILE *stream, const char *escape);
/* From now on the command changes nothing, so it ends at once if its output can't be written. */
void cli_output_only_prints(void);

/* ---- tables ---- */
enum cli_colour { CLI_PLAIN, CLI_RED, CLI_GREEN, CLI_YELLOW, CLI_DIM, CLI_BOLD };
/* Colour on standard output: a terminal, no NO_COLOR, TERM not "dumb". */
bool cli_colour_wanted(void);
/* Text between the escapes of a colour, or as it is when colour is not wanted; writes to standard output. */
void cli_print_coloured(enum cli_colour colour, const char *text);

/*
 * A table of aligned columns: `columns` is "Resource|Status|>Flows|Reason", where > aligns to the right. Cells are added
 * left to right, and a row is full when every column has one; a cell may be NULL or "" for nothing. Text is UTF-8, its
 * width on the screen is what aligns; control characters, which names from files could smuggle to a terminal, become '?'.
 * On a terminal that is too narrow the widest left-aligned column is wrapped at spaces and commas; elsewhere nothing is cut.
 */
/* Printed instead of an empty list of resources. */
#define CLI_NO_RESOURCE                                                                                                          \
	"No resource yet: import an estate (`whittle estate import FILE`), or ingest flows, and private hosts that answer show up here."

struct cli_table;
struct cli_table *cli_table_new(const char *columns);
void cli_table_text(struct cli_table *t, const char *text);
void cli_table_coloured(struct cli_table *t, enum cli_colour colour, const char *text);
void cli_table_cell(struct cli_table *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void cli_table_number(struct cli_table *t, uint64_t n); /* 41,203 */
void cli_table_begin_lines(struct cli_table *t, const char *prefix); /* "# ": each line of it begins so; borrowed */
/* A list whose parts stand apart by ", ": after cli_lists_long() each has a line of its own in the cell. */
void cli_table_list(struct cli_table *t, const char *text);
/* The prefixes of both arrays as a list: the first `most` and the number of the rest; after cli_lists_long() all. */
void cli_table_prefixes(struct cli_table *t, const struct wh_prefix *p, size_t n, const struct wh_prefix *more, size_t n_more,
                        size_t most);
void cli_lists_long(void);
bool cli_lists_are_long(void);
/* From now on rows are not wrapped to the terminal's width. */
void cli_table_wide(void);
/* Prints to standard output and frees the table. Without rows only the header is printed. */
void cli_table_print(struct cli_table *t);
/* Columns that a UTF-8 text takes on a screen; control characters and invalid bytes count one each. */
size_t cli_width(const char *text);
