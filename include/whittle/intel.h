/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * intel: lists of hostile addresses from files and commands, in the formats in which such lists are published. An entry that
 * can't be read for certain (a network whose length is elsewhere, two addresses without a word which is meant) is refused with
 * its line, never guessed.
 *
 * A list only ever takes away: an address on it is never allowed by a recommendation; nothing here allows anything.
 * What a list must not name (our own, private, reserved and trusted ranges) is subtracted from it, and what was
 * subtracted is kept and shown. A list that shrinks to less than half or grows to more than three times its former
 * size, in entries or in addresses, or that keeps out a sixteenth of the Internet, is refused without force, since that is what a
 * broken or poisoned download looks like.
 */
#pragma once
#include "whittle/base.h"
#include "whittle/key.h"
#include "whittle/state.h"
#include "whittle/policy.h"

/* Where one threat list comes from. Exactly one of file and command is set. */
struct wh_intel_source {
	const char *name;      /* the key that it is shown and stored under; by default the file's own name */
	const char *file;
	const char *command;   /* run by /bin/sh; its standard output is the list */
	const char *format;    /* a name of wh_intel_formats[]; NULL: told from the content */
	const char *column;    /* csv, jsonl: the column or key with the address; NULL: the usual names */
	int64_t min_score;     /* iprep: reputation from which an entry counts; 0: all */
	int64_t max_age_s;     /* older than this is stale: said, never an error; 0: 7 days */
};
/* Settings of this room: lists of addresses that are never allowed. */
struct wh_intel_config { struct wh_intel_source *lists; size_t n_lists; };
extern const struct wh_key wh_intel_keys[];

/* What a parser calls for each entry; a range that is no prefix comes as several. Non-zero ends the parsing. */
typedef int (*wh_intel_sink)(void *arg, const struct wh_prefix *p);
struct wh_intel_parse_stats {
	size_t entries;        /* addresses and networks taken */
	size_t skipped;        /* well-formed, but of no concern (a domain, a hash, an attribute not meant for detection) */
	size_t unreadable;     /* lines that say nothing we understand */
	size_t first_unreadable_line;
	bool exceptions;        /* there are entries that are not hostile inside of others: the list is refused */
	const char *why;        /* the first was unreadable; a constant */
	const char *other_kind; /* what the first skipped one is, "domain names"; a constant, NULL when it is not known */
	size_t first_other_line;
};
struct wh_intel_format {
	const char *name, *help;
	int (*probe)(const char *text, size_t len); /* how sure, 0–100; text is NUL-terminated */
	int (*parse)(const struct wh_intel_source *src, const char *text, size_t len, int64_t now_us, wh_intel_sink each,
	             void *arg, struct wh_intel_parse_stats *stats, struct wh_error *err);
};
extern const struct wh_intel_format *const wh_intel_formats[]; /* NULL-terminated */
/* Parses by src->format or by content. A list of which more than a tenth is unreadable is refused, naming the first bad line. */
int wh_intel_parse(const struct wh_intel_source *src, const char *text, size_t len, int64_t now_us, wh_intel_sink each, void *arg,
                   struct wh_intel_parse_stats *stats, struct wh_error *err);

/* One list as it stands in the ledger. */
struct wh_intel_list {
	const char *name, *origin; /* the file or command */
	int64_t updated_us;
	int64_t max_age_s;
	struct wh_prefix *prefixes; size_t n_prefixes;   /* merged, after subtraction */
	struct wh_intel_subtraction { struct wh_prefix prefix; const char *why; } *subtracted; size_t n_subtracted;
	size_t entries, skipped, unreadable;
	size_t first_unreadable;                         /* line, of an update; 0: not known */
};

/* Ranges that a list must not name, each with the word that is shown for it. */
struct wh_intel_protected { const struct wh_prefix *prefixes; size_t n; const char *why; };

/* Asked before a list comes into force: `fresh` are its networks, sorted, that no list in force holds. 1: hold it; 0: let it in;
 * else an error. What is found is the caller's to show. */
typedef int (*wh_intel_review)(void *arg, const struct wh_intel_list *l, const struct wh_prefix *fresh, size_t n,
                               struct wh_error *err);
/* Networks larger than a person would list by mistake are held: more than 2^20 addresses of IPv4, or wider than a /24 of IPv6. */
bool wh_intel_large(const struct wh_prefix *p);

struct wh_intel_update {
	const struct wh_intel_source *source;
	const struct wh_intel_protected *prot; size_t n_prot; /* besides the private and reserved ranges */
	int64_t now_us;
	bool force, dry_run;                                  /* dry_run: everything but the storing */
	wh_intel_review review; void *arg;                    /* NULL: nobody asks; not asked with force */
};
/* Reads one source, subtracts, compares with what is stored and stores it. *out (in mem) is filled in every case that got as far
 * as parsing. Returns 1 where the review holds the list: it waits in the ledger for wh_intel_confirm(), and what was in force
 * before stays. */
int wh_intel_update(struct wh_state *s, const struct wh_intel_update *u, struct wh_arena *mem, struct wh_intel_list **out,
                    struct wh_error *err);
/* Puts the list in force that was held, as it was shown. -ENOENT when there is none. */
int wh_intel_confirm(struct wh_state *s, const char *name, struct wh_arena *mem, struct wh_intel_list **out,
                     struct wh_error *err);
/* The lists that are held, by name. */
int wh_intel_held(struct wh_state *s, struct wh_arena *mem, struct wh_intel_list **out, size_t *n, struct wh_error *err);
/* All lists in the ledger, by name. */
int wh_intel_lists(struct wh_state *s, struct wh_arena *mem, struct wh_intel_list **out, size_t *n, struct wh_error *err);
int wh_intel_forget(struct wh_state *s, const char *name, struct wh_error *err); /* -ENOENT when there is none */
bool wh_intel_stale(const struct wh_intel_list *l, int64_t now_us);
/* Everything that is hostile, sorted and merged over all lists: what wh_harden_options.hostile takes. */
void wh_intel_merged(const struct wh_intel_list *lists, size_t n, struct wh_arena *mem, struct wh_prefix **out, size_t *n_out);
/* Provenance: the entry of `list` that holds the address, or NULL. */
const struct wh_prefix *wh_intel_lookup(const struct wh_intel_list *list, const struct wh_addr *a);
