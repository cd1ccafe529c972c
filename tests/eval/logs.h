/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * logs: a world's records as a sensor's EVE logs, rotated by days, and read as they come to lie about: most of them twice.
 */
#pragma once
#include "eval.h"
#include "whittle/ledger.h"

struct logs {
	FILE *day[EVAL_TRAIN_DAYS];
	char dir[256];
};
int logs_open(struct logs *l, const char *dir); /* a folder of their own: made. Negative errno */
int logs_write(void *arg, const struct wh_record *rec); /* a world's sink; arg is a struct logs */
/* Each day's log is read, some when half of it stands there and later whole. Then copies: under another name, packed, and two
 * days in one file. */
int logs_ingest(struct logs *l, struct wh_store *s, const struct wh_locals *locals, uint64_t seed, struct wh_error *err);
void logs_remove(struct logs *l);
