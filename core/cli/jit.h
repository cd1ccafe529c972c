/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
#include "cli/cli.h"

/* The words that follow `jit`: argv[0] is the first. All return an exit status. */
struct wh_arena;
int cli_jit_open(struct cli *c, struct wh_arena *mem, int argc, char **argv);
int cli_jit_request(struct cli *c, struct wh_arena *mem, int argc, char **argv);
int cli_jit_approve(struct cli *c, struct wh_arena *mem, int argc, char **argv);
int cli_jit_refuse(struct cli *c, struct wh_arena *mem, int argc, char **argv);
int cli_jit_list(struct cli *c, struct wh_arena *mem, int argc, char **argv);
int cli_jit_close(struct cli *c, struct wh_arena *mem, int argc, char **argv);
/* `jit log`. Returns an exit status. */
int cli_jit_log(struct cli *c);
/* `jit policy`: reads its words, and writes the policy with the initial rights; then prints the result. The second returns an
 * exit status. */
int cli_jit_prepare(struct cli *c, int argc, char **argv, uid_t uid, gid_t gid, struct wh_error *err);
int cli_jit_policy(struct cli *c);
/* `jit nsg`: argv[0] is "nsg". Returns an exit status. */
int cli_jit_nsg(struct cli *c, int argc, char **argv);
/* `jit nsg --to azure`: brings the groups to their wanted state (name NULL: all that guard a resource with a policy).
 * until_closed: stays, and ends each opening at its time, until nothing is open. Returns an exit status. */
struct wh_arm_options;
int cli_jit_azure(struct cli *c, struct wh_arm_options *opt, const char *name, bool until_closed);
