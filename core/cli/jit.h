/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
#include "cli/cli.h"
#include "whittle/jit.h"

/* `jit log`. Returns an exit status. */
int cli_jit_log(struct cli *c, struct wh_state *s);
/* `jit nsg`: argv[0] is "nsg". Returns an exit status. */
int cli_jit_nsg(struct cli *c, struct wh_state *s, const struct wh_estate *e, struct wh_arena *mem, int argc, char **argv);
/* `jit nsg --to azure`: the groups as they should be now (name NULL: all that guard a resource with a policy). until_closed: stays, and ends each
 * opening at its time, until nothing is open. Returns an exit status. */
int cli_jit_azure(struct cli *c, struct wh_state *s, const struct wh_estate *e, struct wh_arm_options *opt, const char *name, bool until_closed);
