/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table inet whittle_jit:
 *
 *   map closed          protocol . port : jump ask        timed until confirmed
 *   set open4, open6    address . protocol . port, intervals, each element with its timeout
 *   chain input         hook input, priority filter − 6, policy accept
 *       loopback, established and related, TCP that opens no connection: accept
 *       meta l4proto . th dport vmap @closed
 *   chain ask
 *       ip saddr . meta l4proto . th dport @open4 accept;  ip6 … @open6 accept;  counter log group drop
 */
#pragma once
#include "nft/table.h"

#define WH_JIT_PRIORITY (-6)

/* ---- messages of a batch (jit_table.c) ---- */

/* A message about one thing of the table: its table attribute is 1 everywhere, its name attribute `name_attr`. NULL: out of
 * memory. */
struct nlmsghdr *wh_jit_message(struct wh_batch *b, uint16_t type, uint16_t flags, uint16_t name_attr, const char *name);
/* The table with its sets, chains and rules, nothing closed and nothing open. */
void wh_jit_put_table(struct wh_batch *b);
/* The rules of its two chains; *input and *ask are overwritten: wh_rules_free() them. */
void wh_jit_rules(struct wh_rules *input, struct wh_rules *ask);
/* type NFT_MSG_NEWSETELEM or NFT_MSG_DELSETELEM; timeout_ms 0: without a time-out. */
void wh_jit_put_closed(struct wh_batch *b, uint16_t type, struct wh_jit_port p, int64_t timeout_ms);
void wh_jit_put_open(struct wh_batch *b, uint16_t type, uint8_t proto, uint16_t port, const struct wh_prefix *from,
                     int64_t timeout_ms);

/* ---- what the kernel holds (jit_live.c) ---- */
int wh_jit_read(struct wh_nl *nl, struct wh_arena *mem, struct wh_jit_live *out, struct wh_error *err);
