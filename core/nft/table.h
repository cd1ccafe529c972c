/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The layout of `table inet whittle`. D is input or output, F is _v4, _v6 or nothing:
 *
 *   map D_pendingF   ours . protocol . port : verdict, elements with a timeout    an apply that nobody has confirmed yet
 *   map D_portsF     ours . protocol . port : verdict                             what was confirmed
 *   chain D          hook D, priority filter − 5, policy accept
 *       loopback, established and related, TCP that opens no connection: accept
 *       (input) ct status dnat goto redirected
 *       ip daddr (output: ip saddr) . meta l4proto . th dport vmap @D_pending_v4;  the same with @…_v6 and, without an address,
 *                                                                                  @…
 *       the same with D_ports
 *   chain forward    hook forward: the same beginning, then ct status dnat goto published
 *   chain redirected, published   ct original ip daddr . meta l4proto . ct original proto-dst vmap @input_pending_v4 …
 *   chain D_any      (input) oif != 0 accept;  the maps without an address;  accept
 *   chain L_D_tcp_22, sets L_D_tcp_22_v4 and _v6                           L is a letter, a to z
 *       ip saddr @…_v4 counter accept;  ip6 saddr @…_v6 counter accept
 *       ip saddr PREFIX counter log group reject, for each prefix whose refused peers get an answer
 *       counter log group drop
 *
 * A rule judges the traffic that was learned: packets to the resource's own addresses, and from them outbound. Addresses without
 * an element are not judged. The maps without an address are for rules that judge any address (--force-all-addresses, and older
 * files); they are consulted after those with one. A ruleset never has both for one port.
 *
 * A packet that this machine translates (DNAT, redirect: published ports of containers) is judged by its destination before
 * translation, as the sensor saw it. conntrack remembers that, so it is looked up after the translation, where the packet is
 * delivered or forwarded; prerouting would first have to guess whether the address is local, which fails behind VRF devices, and
 * would look up every forwarded packet twice. Packets that are forwarded without a translation are not for this machine, and are
 * never judged. Rules for any address judge delivered packets by the port that they are delivered to, and no forwarded packets.
 *
 * `accept` here only ends our own chain: the packet goes on to the host's firewall. A drop is final. So the table can only
 * narrow.
 *
 * An apply first fills chains and sets of a letter that this port does not use: no packet reaches them yet, so this may take as
 * many transactions as the socket's size requires. Then one transaction switches: it fills D_pending with timed elements that
 * lead to them. Without a confirmation the kernel drops the elements when their time is up, and D_ports, unchanged, applies
 * again. A port that the confirmed rules narrow and the new ones do not has a pending element `accept` or, for an address, one
 * that leads to D_any: the rules for any address may still judge it, by another port if it is translated. Confirming moves the
 * elements to D_ports in one transaction. (Filling before switching also keeps packets from slipping through: a packet in flight
 * during a commit sees the new elements of a map, but the old chains; a chain created by the same transaction would be empty for
 * it.)
 *
 * Only differences are sent. A port whose confirmed chain already has the wanted contents needs no message. If few addresses
 * differ, the pending chain first tests the added and then the removed ones, and leaves the rest to the confirmed chain:
 *       ip saddr @…_v4_plus counter accept;  ip saddr @…_v4_minus counter log group drop;  goto CONFIRMED
 * and confirming adds plus to, and removes minus from, the confirmed sets. The difference is computed from the kernel's contents,
 * read in the same generation: never from our own idea of them.
 *
 * Long lists are cut into tiles, see nft/names.h.
 */
#pragma once
#include "net/netlink.h"
#include "nft/names.h"

/* ---- what the kernel holds (live.c) ---- */
struct wh_rules;
struct wh_nft_dispatch {
	struct wh_nft_key key;
	bool pending, to_any;
	char chain[WH_NFT_NAME] /* "": accept, or to_any */;
	int64_t expires_ms;
};
struct wh_nft_chain {
	char name[WH_NFT_NAME];
	char *rules; /* as wh_rules_text() */
	bool hooked; uint32_t hook, policy; int32_t priority;
	uint64_t passed, dropped; bool counts_passed, audit, rejects; /* packets, as in struct wh_nft_port_count */
};
struct wh_nft_known;
struct wh_nft_live {
	bool present, dormant;
	struct wh_nft_dispatch *dispatch; size_t n_dispatch;
	struct wh_nft_chain *chains; size_t n_chains;
	char (*sets)[WH_NFT_NAME]; size_t n_sets; /* maps too */
	struct wh_nft_known *known; /* what need not be read of them again (nft/known.h); NULL: all is read. Set by the caller */
};
int wh_nft_live(struct wh_nl *nl, struct wh_arena *mem, struct wh_nft_live *out, struct wh_error *err);
/* The dispatch element of a key: the pending or the confirmed one, or NULL. */
const struct wh_nft_dispatch *wh_nft_dispatched(const struct wh_nft_live *l, const struct wh_nft_key *k, bool pending);
/* The element that now decides about packets to (outbound: from) the key's address: pending before confirmed, one address before
 * any. */
const struct wh_nft_dispatch *wh_nft_decides(const struct wh_nft_live *l, const struct wh_nft_key *k);
/* Whether the rules have exactly this key. */
bool wh_nft_wants(const struct wh_nft_ruleset *rs, const struct wh_nft_key *k);
const struct wh_nft_chain *wh_nft_chain_named(const struct wh_nft_live *l, const char *name);
bool wh_nft_has_set(const struct wh_nft_live *l, const char *name);
/* Whether a chain or set of this name is part of the layout above. */
bool wh_nft_name_is_ours(const char *name);
bool wh_nft_name_is_port(const char *name); /* a port's chain, or one of its sets */
/* The chains of the layout except those of ports, in order of creation: a chain comes after those that it leads to. */
struct wh_nft_fixed { const char *name; int hook; /* -1: none */ void (*rules)(struct wh_rules *out); };
extern const struct wh_nft_fixed wh_nft_fixed[];
enum { WH_NFT_N_FIXED = 7 };

/* ---- elements of sets (elements.c) ---- */
struct wh_spans { struct wh_span *s; size_t n, room; };
void wh_spans_add(struct wh_spans *s, const struct wh_span *span, struct wh_arena *mem);
struct wh_tile { char name[WH_NFT_NAME]; struct wh_span range; };
struct wh_tiles { struct wh_tile *t; size_t n; struct wh_nft_known *known; };
void wh_tiles_wanted(const char *base, const struct wh_prefix *p, size_t n, bool v6, struct wh_arena *mem, struct wh_tiles *out);
/* For the existing sets; -ENOENT if the one at the bottom does not exist. */
int wh_tiles_live(const struct wh_nft_live *l, const char *base, bool v6, struct wh_arena *mem, struct wh_tiles *out);
/* The intervals of a set, in order. -EBADMSG if its elements are not intervals of this family. */
int wh_read_spans(struct wh_nl *nl, const char *set, bool v6, struct wh_arena *mem, struct wh_spans *out);
/* The intervals of the list that the sets of `tiles` lack (plus), and those of the sets that the list lacks (minus). Holds one
 * tile in memory at a time. Either may be NULL: then returns 1 at the first difference. */
int wh_spans_differ(struct wh_nl *nl, const struct wh_tiles *tiles, const struct wh_prefix *p, size_t n, bool v6,
                    struct wh_arena *mem, struct wh_spans *plus, struct wh_spans *minus);
void wh_put_spans(struct wh_batch *b, const char *set, const struct wh_span *s, size_t n, bool v6, bool remove);
/* The same for the tiles that contain them; no interval may cross a tile's end. */
void wh_put_spans_tiled(struct wh_batch *b, const struct wh_tiles *tiles, const struct wh_spans *s, bool v6, bool remove);
/* The tiles of these intervals are about to be changed: nothing is known of them any more. */
void wh_tiles_forget(const struct wh_tiles *tiles, const struct wh_spans *s);
/* A dispatch element: jump to `chain`; if that is NULL, accept or, for an address, D_any. With a timeout it is a pending one,
 * with 0 a permanent one. */
void wh_put_dispatch(struct wh_batch *b, const struct wh_nft_key *k, const char *chain, int64_t timeout_ms);
void wh_del_dispatch(struct wh_batch *b, const struct wh_nft_key *k); /* a permanent one */
void wh_flush_map(struct wh_batch *b, const char *map);

/* ---- tables, chains, sets (table.c) and rules (rules.c, rule_text.c) ---- */
struct nftnl_rule;
struct wh_rules { struct nftnl_rule **r; size_t n, room; };
struct wh_chain_spec { /* the chain of a port */
	const char *name;
	const struct wh_nft_port *port;
	struct wh_tiles tiles[2];
	bool plus[2], minus[2]; /* it has sets of differences, NAME_v4_plus …, */
	const char *then;       /* and leaves the rest to this chain, the confirmed one; NULL: it has tiles */
	const struct wh_nft_reject *reject;
	bool audit; uint16_t nflog_group;
};
struct wh_chain_spec wh_chain_spec_of(const struct wh_nft_ruleset *rs, const struct wh_nft_port *port, const char *name);
void wh_rules_of_port(const struct wh_chain_spec *c, struct wh_rules *out); /* *out is overwritten: wh_rules_free() it */
/* A rule at the end of the list, without an expression yet. */
struct nftnl_rule *wh_rules_add(struct wh_rules *to, const char *table, const char *chain);
void wh_rules_free(struct wh_rules *r);
char *wh_rules_text(const struct wh_rules *r); /* one line a rule, without counts; free() it */
char *wh_rule_text(const struct nftnl_rule *r);
void wh_put_rules(struct wh_batch *b, struct wh_rules *r); /* frees them */
void wh_put_table(struct wh_batch *b);
void wh_del_table(struct wh_batch *b);
void wh_put_map(struct wh_batch *b, const char *name, enum wh_nft_kind kind);
void wh_put_interval_set(struct wh_batch *b, const char *name, bool v6);
void wh_del_set(struct wh_batch *b, const char *name);
void wh_put_chain(struct wh_batch *b, const char *name, int hook);
void wh_flush_chain(struct wh_batch *b, const char *name);
void wh_del_chain(struct wh_batch *b, const char *name); /* it must be flushed before */
#define WH_NFT_HOOK_PRIORITY (-5)

/* ---- counters (counts.c) ---- */
void wh_nft_count_rule(struct nftnl_rule *r, struct wh_nft_chain *chain);
void wh_nft_count_ports(const struct wh_nft_live *l, struct wh_arena *mem, struct wh_nft_counts *out);

/* ---- the difference between what is wanted and what is there (compare.c) ---- */
/* Of the base chains and maps. NULL: none. In `mem`. */
char *wh_nft_skeleton_differs(const struct wh_nft_live *l, struct wh_arena *mem);
/* Whether the chain is there and its rules are those of the spec. */
bool wh_nft_chain_is(const struct wh_nft_live *l, const struct wh_chain_spec *spec, struct wh_arena *mem);
/* Which sets of differences a chain has; false if it has none, hence is complete. */
bool wh_nft_delta_sets(const struct wh_nft_live *l, const char *chain, bool plus[2], bool minus[2]);
/* 0 same; 1 different, with a line a difference in *difference (free() it); <0 error. */
int wh_nft_compare_live(struct wh_nl *nl, const struct wh_nft_ruleset *rs, const struct wh_nft_live *live, struct wh_arena *mem,
                        char **difference, struct wh_error *err);
