/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * review: a person's changes of a recommendation before it is enforced, kept in the ledger with who, when and why.
 *
 * The guidelines, each named when an edit that breaks it is refused:
 *   allow-only      only allow rules are added or modified
 *   no-flip         an allow rule never becomes a deny: its last address can't be taken out; delete the rule instead
 *   deny-all-fixed  a deny-all can't be modified, only deleted
 *   session-delete  a deletion lasts until the next calculation
 *   narrow-only     nothing may be allowed that the present policy does not allow (shown by a counter-example)
 * Changes saved here are not yet enforced.
 */
#pragma once
#include "whittle/base.h"
#include "whittle/estate.h"
#include "whittle/recommendation.h"
#include "whittle/state.h"

enum wh_review_op { WH_REVIEW_ADD, WH_REVIEW_EDIT, WH_REVIEW_DELETE };

struct wh_review_change {
	enum wh_review_op op;
	const char *resource;                  /* name or id */
	const char *rule;                      /* EDIT, DELETE: its name, "22" or "22/tcp"; ADD: NULL or a chosen name */
	enum wh_direction direction;           /* ADD */
	uint8_t proto;                         /* ADD */
	uint16_t port;                         /* ADD */
	/* ADD: the addresses; EDIT: the new list, or the difference for `adding`/`removing` */
	const struct wh_prefix *prefixes; size_t n_prefixes;
	bool adding, removing;                 /* EDIT: the prefixes are added to, or taken from, the rule's */
	bool deny;                             /* the person requested a deny: always refused, by its guideline */
	const char *who, *why;                 /* why may be NULL */
};

/* Checks one change against the guidelines and the proof, and saves it. *said (in mem) is a sentence for the person. */
int wh_review_change(struct wh_state *s, const struct wh_estate *e, const struct wh_review_change *c, struct wh_arena *mem,
                     const char **said, struct wh_error *err);
/* Forgets every change of one resource (NULL: of all). *n is their number. */
int wh_review_reset(struct wh_state *s, const struct wh_estate *e, const char *resource, const char *who, size_t *n,
                    struct wh_error *err);
/* Undoes the last change (or reset) of one resource (NULL: of any). *said names it. -ENOENT if there is nothing to undo. */
int wh_review_undo(struct wh_state *s, const struct wh_estate *e, const char *resource, const char *who, struct wh_arena *mem,
                   const char **said, struct wh_error *err);
/* The saved recommendation with the changes applied: the input of export and enforce. */
int wh_review_load(struct wh_state *s, const struct wh_estate *e, struct wh_arena *mem, struct wh_recommendation **out,
                   struct wh_error *err);

/* The change of a rule, for lists: "", "added", "edited", "deleted". Deleted rules are not in wh_review_load()'s result. */
const char *wh_review_mark(const struct wh_recommended_rule *r);
/* History, oldest first. */
typedef int (*wh_review_cb)(void *arg, int64_t time_us, const char *who, const char *what, const char *resource, const char *rule,
                            const char *why, const char *detail);
int wh_review_history(struct wh_state *s, const char *resource, wh_review_cb each, void *arg, struct wh_error *err);
