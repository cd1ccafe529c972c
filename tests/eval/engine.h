/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
#include "eval.h"
#include "whittle/harden.h"

struct engine {
	struct wh_ledger ledger;
	struct wh_locals *locals;
	struct wh_edge_table *table;
	struct wh_error err;
	char path[256];
};
int engine_open(struct engine *e, const char *dir, const struct world *w); /* a ledger of its own in dir; the world has begun */
int engine_learn(struct engine *e, struct world *w); /* makes the world, training days into the ledger */
/* Rules from the training days, but for the last `without`. */
int engine_options(struct engine *e, const struct world *w, const char *evidence_yaml, unsigned without, struct wh_arena *mem,
                   struct wh_harden_options *out);
/* lists[i] for service i; open where no rule was offered. Lives in mem. */
int engine_recommend(struct engine *e, const struct world *w, const char *evidence_yaml, struct wh_arena *mem,
                     struct allow_list *lists);
void engine_close(struct engine *e);
void engine_remove(struct engine *e);
