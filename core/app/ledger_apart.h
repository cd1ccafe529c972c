/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Questions of a command that changes the firewall about the ledger. It asks a process of its own (see wh_app_ledger_start()),
 * each within a time limit: so `confirm`, `rollback` and the restore at boot do their work and end in time, whatever the ledger
 * holds, whoever holds its lock, and although the ledger's owner may stop or end that process. If none was started, each request
 * forks one, with this process's rights.
 */
#pragma once
#include "base/bytes.h"
#include "whittle/app.h"
#include "whittle/app_jit.h"
#include "whittle/render.h"

/* Writes a line. 0 also where there is no ledger. */
int wh_app_ledger_log(const struct wh_app *a, const char *what, const char *json, struct wh_error *err);
/* As wh_earlier_load() of a->beside; the contents of *rs were checked. */
int wh_app_ledger_earlier(const struct wh_app *a, struct wh_arena *mem, struct wh_nft_ruleset **rs, bool *jit,
                          struct wh_error *err);
/* A question of ledger_copy.c, to a process that was started: *t is the answer, in *bytes (free() it). */
int wh_app_ledger_ask_copy(const struct wh_app *a, const struct wh_bytes *question, int ms, uint8_t **bytes, struct wh_taking *t,
                           struct wh_error *err);
/* As wh_earlier_remove(). */
void wh_app_ledger_forget_earlier(const struct wh_app *a);
/* The ports that the policy names for this machine, by the estate of the ledger. In mem. */
int wh_app_ledger_jit_ports(const struct wh_app *a, struct wh_arena *mem, struct wh_app_ports *out, struct wh_error *err);
