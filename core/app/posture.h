/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the use cases about the estate's posture. */
#pragma once
#include "app/app.h"
#include "app/network.h"
#include "whittle/app_posture.h"
#include "whittle/recommendation.h"

struct wh_app_posture {
	struct wh_arena *mem;
	const struct wh_app *a;
	bool of_ledger;
	struct wh_app_ledger ledger;
	struct wh_inventory inv;
	struct wh_topology t;
	struct wh_reach *r;
	struct wh_assets assets;
	struct wh_pack pack;
	struct wh_posture_input in;
	struct wh_posture posture;
	struct wh_score_controls score_controls;
	json_t *alerts, *exemptions, *answers;
	json_t *hosts;              /* documents of host facts */
	json_t *inputs;             /* [{"name", "what", "at"}…] */
	int64_t at_us;              /* the latest of these times */
};
/* The path of a file below rules/, in p->mem or `mem`; an error names it. */
int wh_app_rules_file(const struct wh_app *a, const char *name, struct wh_arena *mem, const char **out, struct wh_error *err);
