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
 * A rule judges what was learned: packets to the resource's own addresses, and from them outbound. An address that no element
 * names is not judged. The maps without an address are for rules that judge any address (--force-all-addresses, and files of
 * before); they are asked behind those with one. A ruleset never has both for one port.
 *
 * A packet that this machine translates (DNAT, redirect: published ports of containers) is judged by where it was going before:
 * so the sensor saw it. conntrack remembers that, and therefore it is asked behind the translation, where the packet is delivered
 * or forwarded; in prerouting one would have to guess first whether the address is local, which is wrong behind VRF devices, and
 * every forwarded packet would be asked twice. What is forwarded without a translation is not for this machine, and never judged.
 * Rules for any address judge what is delivered here by the port that it is delivered to, and nothing that is forwarded.
 *
 * `accept` here only ends our own chain: the packet goes on to the host's firewall. A drop is final. So the table can only
 * narrow.
 *
 * An apply first fills chains and sets of a letter that this port does not use: no packet reaches them yet, so this may take as
 * many transactions as the socket's size asks for. Then one transaction switches: it fills D_pending with timed elements that
 * lead to them. When nobody confirms, the kernel drops the elements when their time is up, and D_ports, which was there before,
 * holds again. A port that the confirmed rules narrow and the new ones do not has a pending element `accept`, or, where it is for
 * an address, one that leads to D_any: the rules for any address may judge it yet, by another port where it is translated.
 * Confirming moves the elements to D_ports in one transaction. (Filling before switching is also what makes no packet slip
 * through: a packet that is under way while a transaction is committed sees the new elements of a map, but the chains of before;
 * a chain made by the same transaction would be empty to it.)
 *
 * Only differences travel. A port whose confirmed chain already holds what is wanted needs no message. Where few addresses
 * differ, the pending chain asks what is new, then what is gone, and leaves the rest to the confirmed chain:
 *       ip saddr @…_v4_plus counter accept;  ip saddr @…_v4_minus counter log group drop;  goto CONFIRMED
 * and confirming puts plus into and takes minus out of the confirmed sets. The difference is computed from what the kernel holds,
 * read in the same generation: never from what we believe that it holds.
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
	uint64_t passed, dropped; bool counts_passed, audit, rejects; /* packets, as struct wh_nft_port_count has them */
};
struct wh_nft_live {
	bool present, dormant;
	struct wh_nft_dispatch *dispatch; size_t n_dispatch;
	struct wh_nft_chain *chains; size_t n_chains;
	char (*sets)[WH_NFT_NAME]; size_t n_sets; /* maps too */
};
int wh_nft_live(struct wh_nl *nl, struct wh_arena *mem, struct wh_nft_live *out, struct wh_error *err);
/* The dispatch element of a key: the pending or the confirmed one, or NULL. */
const struct wh_nft_dispatch *wh_nft_dispatched(const struct wh_nft_live *l, const struct wh_nft_key *k, bool pending);
/* The element that decides now about packets to (outbound: from) the key's address: pending before confirmed, an address before
 * any. */
const struct wh_nft_dispatch *wh_nft_decides(const struct wh_nft_live *l, const struct wh_nft_key *k);
/* Whether the rules have this very key. */
bool wh_nft_wants(const struct wh_nft_ruleset *rs, const struct wh_nft_key *k);
const struct wh_nft_chain *wh_nft_chain_named(const struct wh_nft_live *l, const char *name);
bool wh_nft_has_set(const struct wh_nft_live *l, const char *name);
/* Whether a chain or set of this name is part of the layout above. */
bool wh_nft_name_is_ours(const char *name);
bool wh_nft_name_is_port(const char *name); /* a port's chain, or one of its sets */
/* The chains of the layout but those of ports, in the order in which they are made: what a chain leads to comes first. */
struct wh_nft_fixed { const char *name; int hook; /* -1: none */ void (*rules)(struct wh_rules *out); };
extern const struct wh_nft_fixed wh_nft_fixed[];
enum { WH_NFT_N_FIXED = 7 };

/* ---- elements of sets (elements.c) ---- */
struct wh_spans { struct wh_span *s; size_t n, room; };
void wh_spans_add(struct wh_spans *s, const struct wh_span *span, struct wh_arena *mem);
struct wh_tile { char name[WH_NFT_NAME]; struct wh_span range; };
struct wh_tiles { struct wh_tile *t; size_t n; };
void wh_tiles_wanted(const char *base, const struct wh_prefix *p, size_t n, bool v6, struct wh_arena *mem, struct wh_tiles *out);
/* Of the sets that are there; -ENOENT when the one at the bottom is not. */
int wh_tiles_live(const struct wh_nft_live *l, const char *base, bool v6, struct wh_arena *mem, struct wh_tiles *out);
/* The intervals of a set, in order. -EBADMSG when its elements are no intervals of this family. */
int wh_read_spans(struct wh_nl *nl, const char *set, bool v6, struct wh_arena *mem, struct wh_spans *out);
/* What the sets of `tiles` lack of the list (plus) and have beyond it (minus), whole intervals. Holds one tile in memory at a
 * time. Either may be NULL: then returns 1 at the first difference. */
int wh_spans_differ(struct wh_nl *nl, const struct wh_tiles *tiles, const struct wh_prefix *p, size_t n, bool v6,
                    struct wh_arena *mem, struct wh_spans *plus, struct wh_spans *minus);
void wh_put_spans(struct wh_batch *b, const char *set, const struct wh_span *s, size_t n, bool v6, bool remove);
/* The same into the tiles that they lie in; they must not cross a tile's end. */
void wh_put_spans_tiled(struct wh_batch *b, const struct wh_tiles *tiles, const struct wh_spans *s, bool v6, bool remove);
/* A dispatch element: jump to `chain`; where it is NULL accept, or, for an address, D_any. A timeout makes it a pending one, 0
 * one that lasts. */
void wh_put_dispatch(struct wh_batch *b, const struct wh_nft_key *k, const char *chain, int64_t timeout_ms);
void wh_del_dispatch(struct wh_batch *b, const struct wh_nft_key *k); /* that lasts */
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
void wh_del_chain(struct wh_batch *b, const char *name); /* flushed before */
#define WH_NFT_HOOK_PRIORITY (-5)

/* ---- counters (counts.c) ---- */
void wh_nft_count_rule(struct nftnl_rule *r, struct wh_nft_chain *chain);
void wh_nft_count_ports(const struct wh_nft_live *l, struct wh_arena *mem, struct wh_nft_counts *out);

/* ---- the difference between what is wanted and what is there (compare.c) ---- */
/* Of the base chains and maps. NULL: none. In `mem`. */
char *wh_nft_skeleton_differs(const struct wh_nft_live *l, struct wh_arena *mem);
/* Whether the chain is there and its rules are those of the spec. */
bool wh_nft_chain_is(const struct wh_nft_live *l, const struct wh_chain_spec *spec, struct wh_arena *mem);
/* Which sets of differences a chain has; false when it has none, hence is whole. */
bool wh_nft_delta_sets(const struct wh_nft_live *l, const char *chain, bool plus[2], bool minus[2]);
/* 0 same; 1 different, with a line a difference in *difference (free() it); <0 error. */
int wh_nft_compare_live(struct wh_nl *nl, const struct wh_nft_ruleset *rs, const struct wh_nft_live *live, struct wh_arena *mem,
                        char **difference, struct wh_error *err);
