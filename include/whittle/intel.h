/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * intel: lists of hostile addresses from files and commands, in the usual formats of published lists. An entry that can't be read
 * with certainty (a network whose length is elsewhere, two addresses without a word about which is meant) is refused with its
 * line, never guessed.
 *
 * A list can only remove: a recommendation never allows an address on it; nothing here allows anything. Ranges that a list
 * must not name (our own, private, reserved and trusted ones) are subtracted from it, and the subtracted part is kept and
 * shown. A list that shrinks to less than half or grows to more than three times its former size, in entries or in
 * addresses, or that blocks a sixteenth of the Internet, is refused without force, since a broken or poisoned download looks
 * like that.
 */
#pragma once
#include "whittle/base.h"
#include "whittle/key.h"
#include "whittle/state.h"
#include "whittle/policy.h"

/* The source of one threat list. Exactly one of file and command is set. */
struct wh_intel_source {
	const char *name;      /* the key that it is shown and stored under; by default the file's own name */
	const char *file;
	const char *command;   /* run by /bin/sh; its standard output is the list */
	const char *format;    /* a name of wh_intel_formats[]; NULL: detected from the content */
	const char *column;    /* csv, jsonl: the column or key with the address; NULL: the usual names */
	int64_t min_score;     /* iprep: entries count from this reputation on; 0: all */
	int64_t max_age_s;     /* an older list is stale: reported, never an error; 0: 7 days */
};
/* Settings of this room: lists of addresses that are never allowed. */
struct wh_intel_config { struct wh_intel_source *lists; size_t n_lists; };
extern const struct wh_key wh_intel_keys[];

/* Called by a parser for each entry; a range that is not a prefix comes as several. Non-zero ends the parsing. */
typedef int (*wh_intel_sink)(void *arg, const struct wh_prefix *p);
struct wh_intel_parse_stats {
	size_t entries;        /* addresses and networks taken */
	size_t skipped;        /* well-formed, but irrelevant (a domain, a hash, an attribute not meant for detection) */
	size_t unreadable;     /* lines that can't be understood */
	size_t first_unreadable_line;
	bool exceptions;        /* there are non-hostile entries inside of others: the list is refused */
	const char *why;        /* the first was unreadable; a constant */
	const char *other_kind; /* the kind of the first skipped one, "domain names"; a constant, NULL if not known */
	size_t first_other_line;
};
struct wh_intel_format {
	const char *name, *help;
	int (*probe)(const char *text, size_t len); /* certainty, 0–100; text is NUL-terminated */
	int (*parse)(const struct wh_intel_source *src, const char *text, size_t len, int64_t now_us, wh_intel_sink each,
	             void *arg, struct wh_intel_parse_stats *stats, struct wh_error *err);
};
extern const struct wh_intel_format *const wh_intel_formats[]; /* NULL-terminated */
/* Parses by src->format or by content. A list of which more than a tenth is unreadable is refused, naming the first bad line. */
int wh_intel_parse(const struct wh_intel_source *src, const char *text, size_t len, int64_t now_us, wh_intel_sink each, void *arg,
                   struct wh_intel_parse_stats *stats, struct wh_error *err);

/* One list in the ledger. */
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

/* Called before a list comes into force: `fresh` are its networks, sorted, that no list in force contains. 1: hold it; 0: accept
 * it; else an error. The caller shows its findings. */
typedef int (*wh_intel_review)(void *arg, const struct wh_intel_list *l, const struct wh_prefix *fresh, size_t n,
                               struct wh_error *err);
/* Networks larger than a person would list by mistake are held: more than 2^20 addresses of IPv4, or wider than a /24 of IPv6. */
bool wh_intel_large(const struct wh_prefix *p);

struct wh_intel_update {
	const struct wh_intel_source *source;
	const struct wh_intel_protected *prot; size_t n_prot; /* besides the private and reserved ranges */
	int64_t now_us;
	bool force, dry_run;                                  /* dry_run: everything but the storing */
	wh_intel_review review; void *arg;                    /* NULL: no review; not called with force */
};
/* Reads one source, subtracts, compares with what is stored and stores it. *out (in mem) is filled in every case that got as far
 * as parsing. Returns 1 if the review holds the list: it waits in the ledger for wh_intel_confirm(), and the former list stays in
 * force. */
int wh_intel_update(struct wh_state *s, const struct wh_intel_update *u, struct wh_arena *mem, struct wh_intel_list **out,
                    struct wh_error *err);
/* Puts the held list in force, as it was shown. -ENOENT if there is none. */
int wh_intel_confirm(struct wh_state *s, const char *name, struct wh_arena *mem, struct wh_intel_list **out,
                     struct wh_error *err);
/* The lists that are held, by name. */
int wh_intel_held(struct wh_state *s, struct wh_arena *mem, struct wh_intel_list **out, size_t *n, struct wh_error *err);
/* All lists in the ledger, by name. */
int wh_intel_lists(struct wh_state *s, struct wh_arena *mem, struct wh_intel_list **out, size_t *n, struct wh_error *err);
int wh_intel_forget(struct wh_state *s, const char *name, struct wh_error *err); /* -ENOENT when there is none */
bool wh_intel_stale(const struct wh_intel_list *l, int64_t now_us);
/* All hostile networks, sorted and merged over all lists: for wh_harden_options.hostile. */
void wh_intel_merged(const struct wh_intel_list *lists, size_t n, struct wh_arena *mem, struct wh_prefix **out, size_t *n_out);
/* The entry of such networks, sorted and merged, that holds the address; NULL if none does. An IPv4 host behind NAT64 is looked
 * for by its IPv4 address, too. */
const struct wh_prefix *wh_intel_find(const struct wh_prefix *p, size_t n, const struct wh_addr *a);
/* Provenance: the entry of `list` that holds the address, or NULL. */
const struct wh_prefix *wh_intel_lookup(const struct wh_intel_list *list, const struct wh_addr *a);
