/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The layout of `table inet whittle`, in each direction D of input and output:
 *
 *   map D_pending   protocol . port : verdict, elements with a timeout     an apply that nobody has confirmed yet
 *   map D_ports     protocol . port : verdict                              what was confirmed
 *   chain D         hook D, priority filter − 5, policy accept
 *       loopback, established and related, TCP that opens no connection: accept
 *       meta l4proto . th dport vmap @D_pending
 *       meta l4proto . th dport vmap @D_ports
 *   chain G_D_tcp_22, sets G_D_tcp_22_v4 and _v6                           G is the generation's letter, a or b
 *       ip saddr @…_v4 accept;  ip6 saddr @…_v6 accept;  counter log group drop
 *
 * `accept` here only ends our own chain: the packet goes on to the host's firewall. A drop is final. So the table can only narrow.
 *
 * An apply fills the letter that the confirmed ruleset does not use, and then D_pending; when nobody confirms, the kernel drops
 * the elements when their time is up, and D_ports, which was there before, holds again. A port that the confirmed rules narrow
 * and the new ones do not has a pending element `accept`. Confirming moves the elements to D_ports in one transaction.
 */
#pragma once
#include <libmnl/libmnl.h>
#include "render/nft_ruleset.h"
#include "whittle/enforce.h"

/* ---- the transport ---- */
struct wh_nl;
int wh_nl_open(struct wh_nl **out, struct wh_error *err);
void wh_nl_close(struct wh_nl *nl);
uint32_t wh_nl_generation(struct wh_nl *nl, struct wh_error *err); /* 0 on failure */

/* A batch in the making. Messages are appended; wh_nl_commit sends them as one transaction against `generation`. */
struct wh_batch {
	char *buf;
	size_t len, room;
	uint32_t seq, first_seq, n;
	struct wh_mark { uint32_t seq; char what[64]; } *marks; size_t n_marks, room_marks; /* what a message concerned, for errors */
	bool failed; /* out of memory */
};
void wh_batch_begin(struct wh_batch *b, uint32_t generation);
/* Room for one message of at most `max` bytes, with its header filled in; what it concerns is kept for errors. */
struct nlmsghdr *wh_batch_msg(struct wh_batch *b, uint16_t type, uint16_t flags, size_t max, const char *what);
void wh_batch_done(struct wh_batch *b, struct nlmsghdr *h); /* the message is complete */
void wh_batch_free(struct wh_batch *b);
/* 0; -ERESTART when somebody changed the ruleset meanwhile; -EMSGSIZE when it is too large for the socket; else the kernel's error. */
int wh_nl_commit(struct wh_nl *nl, struct wh_batch *b, struct wh_error *err);
/* A dump: each message of the answer to the callback. 0, or a negative errno (-ENOENT: no such table or set). */
int wh_nl_dump(struct wh_nl *nl, uint16_t type, uint16_t flags, const char *table, const char *set, mnl_cb_t each, void *arg);

/* ---- what the kernel holds ---- */
struct wh_nft_dispatch { uint8_t proto; uint16_t port; enum wh_direction direction; bool pending; char chain[WH_NFT_NAME]; int64_t expires_ms; };
struct wh_nft_live {
	bool present;
	char pending_letter, confirmed_letter; /* 0: none */
	struct wh_nft_dispatch *dispatch; size_t n_dispatch;
	char (*chains)[WH_NFT_NAME]; size_t n_chains; /* ours, without the base chains */
	char (*sets)[WH_NFT_NAME]; size_t n_sets;
};
/* The address after a prefix, `width` (4 or 16) bytes in network order; false at the top of the space. */
bool wh_nft_next(const struct wh_prefix *p, uint8_t out[static 16], size_t width);
int wh_nft_live(struct wh_nl *nl, struct wh_arena *mem, struct wh_nft_live *out, struct wh_error *err);
