/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The shared parts of use cases. */
#pragma once
#include "whittle/app.h"

/* Opens the ledger to be read and loads its estate; both are closed by wh_app_close(), also after a failure. */
struct wh_app_ledger { struct wh_ledger is; struct wh_estate *estate; };
int wh_app_open(const struct wh_app *a, int flags, struct wh_arena *mem, struct wh_app_ledger *out, struct wh_error *err);
/* The same with wh_estate_load_without_rules(). */
int wh_app_open_without_rules(const struct wh_app *a, int flags, struct wh_arena *mem, struct wh_app_ledger *out,
                              struct wh_error *err);
/* The ledger alone, for a caller who loads the estate then: memory is set up for a large one. */
int wh_app_open_bare(const struct wh_app *a, int flags, struct wh_app_ledger *out, struct wh_error *err);
/* To read, with wh_estate_load_resources(). */
int wh_app_open_resources(const struct wh_app *a, struct wh_arena *mem, struct wh_app_ledger *out, struct wh_error *err);
/* *estate: takes it over; NULL: it goes, too. */
void wh_app_close(struct wh_app_ledger *l, struct wh_estate **estate);
/* Gives the resource that is this machine, and that no group guards, this machine's own rules as its present policy; a note
 * reports if they can't be read, and the assumption made then. */
void wh_app_present(const struct wh_app *a, struct wh_app_ledger *l, struct wh_arena *mem);
/* The estate takes whittle.yaml's platform where it names none itself. */
void wh_app_platform(const struct wh_app *a, struct wh_estate *e);
/* Processors that this process may use, up to `most`. */
unsigned wh_app_processors(unsigned most);
/* Says that `reject` of whittle.yaml has no effect in a network security group, where it is set. */
void wh_app_note_reject(const struct wh_app *a);
/* The rules of a file, as `recommend --json` prints it ("-": standard input); NULL: the last recommendation, as it was
 * reviewed. */
int wh_app_rules(const struct wh_app_ledger *l, const char *file, struct wh_arena *mem, struct wh_recommendation **out,
                 struct wh_error *err);
