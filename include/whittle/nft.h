/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nft: whittle's own tables in the kernel, `inet whittle` and `inet whittle_jit`: their wanted contents, as text and as messages,
 * their present contents, the differences, and their decision on a packet. Their layouts are described in nft/table.h and
 * nft/jit_table.h; enforce and jit change them.
 */
#pragma once
#include "whittle/base.h"

#define WH_NFT_TABLE "whittle"
#define WH_JIT_TABLE "whittle_jit"
#define WH_NFLOG_GROUP 5

/* The wanted contents of the table `inet whittle`: enforce applies them, and the format nft prints them. */
struct wh_nft_port {
	enum wh_direction direction;
	uint8_t proto;
	uint16_t port;
	struct wh_prefix *v4, *v6; size_t n_v4, n_v6; /* allowed peers, carve-outs already cut out as holes: sorted, disjoint */
	/* ours, sorted: packets to them (inbound) or from them (outbound) are judged; none: any address */
	const struct wh_addr *locals; size_t n_locals;
	/* of the same direction, protocol and port: its number among these, from 0; see wh_nft_in_order() */
	unsigned twin;
};
/* Refused peers that get an answer instead of silence: a reset for TCP, else "port unreachable". Sorted, disjoint. */
struct wh_nft_reject { struct wh_prefix *v4, *v6; size_t n_v4, n_v6; };
/* "all peers" or "10.0.0.0/8, fd00::/8"; NULL: none. In `mem`. */
const char *wh_nft_reject_text(const struct wh_nft_reject *r, struct wh_arena *mem);
struct wh_nft_ruleset {
	struct wh_nft_port *ports; size_t n_ports;
	struct wh_nft_reject reject; /* without effect in an audit */
	bool audit;
	bool azure;              /* a resource of it is at Azure (wh_resource_on_azure): the load balancer probes its ports */
	uint16_t nflog_group;
};
extern const struct wh_addr wh_azure_probe; /* 168.63.129.16, from where Azure's load balancer probes */
/* Sorts the ports and numbers the twins. False if two of them judge the same address, or one of them any and another one
 * some. */
bool wh_nft_in_order(struct wh_nft_ruleset *rs);
/* The ruleset as nft's own language, the output of `export --format nft`. free() it. */
char *wh_nft_text(const struct wh_nft_ruleset *rs, int64_t confirm_within_s);
struct wh_nft_state {
	bool present, confirmed, lasting /* some port's confirmed rules exist, whatever waits before them */;
	size_t ports, prefixes;
	int64_t expires_in_ms;
};
int wh_nft_state(struct wh_nft_state *out, struct wh_error *err);
/* The rules in force on each port, with the kernel's counters. They count packets that open a connection, and datagrams of none,
 * since the port's rules were applied or changed last. */
struct wh_nft_port_count {
	enum wh_direction direction;
	uint8_t proto;
	uint16_t port;
	struct wh_addr local; size_t n_locals; /* the least of our addresses that it judges, and how many; n_locals 0: any */
	bool pending;           /* an apply that waits for its confirmation, for expires_in_ms */
	bool reopened;          /* and that no longer narrows the port */
	bool audit;             /* `dropped` packets were let through, and logged */
	bool rejects;           /* some `dropped` packets were answered: reject */
	bool counts_passed;     /* false: applied by a version that did not count them */
	uint64_t passed, dropped;
	int64_t expires_in_ms;
};
struct wh_nft_counts { bool present; struct wh_nft_port_count *ports; size_t n; }; /* by direction, port, protocol, address */
int wh_nft_counts(struct wh_arena *mem, struct wh_nft_counts *out, struct wh_error *err);
/* Reads the table back and compares with rs: 0 same, 1 different with *difference, a line each (free() it), <0 error. */
int wh_nft_compare(const struct wh_nft_ruleset *rs, char **difference, struct wh_error *err);
/* Whether our table, although an earlier version may have laid it out, certainly lets through the first packets of connections
 * that rs lets through, and no others: 0 so; 1 not, or it can't be told (also where rs is an audit: it drops nothing); <0
 * error. */
int wh_nft_equivalent(const struct wh_nft_ruleset *rs, struct wh_error *err);
/* Tests the kernel features that enforce needs; changes nothing. 0: all are there; n > 0: the number of missing features, named
 * in `what` with their modules; < 0: they could not be tested (-EPERM). */
int wh_nft_missing_features(char *what, size_t size, struct wh_error *err);

/* Whether the kernel can answer refused packets; needed only if a rule does so. */
bool wh_nft_can_reject(void);

/* ---- the rules' decision (passes.c) ---- */
/* The table's own decision about one packet, once the rules are in the kernel. */
struct wh_nft_packet {
	enum wh_direction direction;
	uint8_t proto;
	uint16_t port;                     /* inbound: as the peer sent it, before this machine translated it */
	struct wh_addr peer;
	/* ours: the destination inbound, the source outbound; NULL: it passes if it does for each of ours */
	const struct wh_addr *local;
	bool translated, forwarded;        /* by this machine; and then to another one */
	uint16_t translated_port;          /* to which port, where translated */
	bool loopback, established, opens;
};
bool wh_nft_passes(const struct wh_nft_ruleset *rs, const struct wh_nft_packet *p);
bool wh_nft_loopback(const struct wh_addr *a); /* 127.0.0.0/8 or ::1 */

/* ---- just-in-time access ---- */
struct wh_jit_port { uint8_t proto; uint16_t port; };
struct wh_jit_live {
	bool present;
	/* expires_ms 0: never; asks: its verdict is ours */
	struct { struct wh_jit_port port; int64_t expires_ms; bool asks; } *closed; size_t n_closed;
	struct { struct wh_jit_port port; struct wh_addr first, last; int64_t expires_ms; } *open; size_t n_open;
};
int wh_jit_nft_live(struct wh_arena *mem, struct wh_jit_live *out, struct wh_error *err);
/* Whether these ports are permanently closed, except for openings: 0 they are; 1 not, with *difference (free() it) in one line:
 * what is open, or what of the table was changed; <0 error. */
int wh_jit_nft_differs(const struct wh_jit_port *ports, size_t n, char **difference, struct wh_error *err);
/* "22/tcp, 161/udp", in mem. */
const char *wh_jit_ports_text(const struct wh_jit_port *ports, size_t n, struct wh_arena *mem);

/* ---- ports that this machine translates (published.c) ---- */
/* New connections to these ports and addresses are redirected: DNAT, redirect, tproxy, by any program. */
struct wh_nft_published {
	uint8_t proto;
	uint16_t first, last;       /* the ports that the peer addresses */
	struct wh_addr from, until; /* the addresses that it uses */
	bool here;                  /* to the same machine, else to `to` */
	struct wh_addr to;
	uint16_t to_first, to_last;
};
struct wh_nft_published_list {
	struct wh_nft_published *p;
	size_t n;
	char unread[256]; /* the part of the rules that could not be understood; "" */
};
/* For TCP and UDP, if the port changes; with `all`, every translation, its `to` and `to_first` perhaps unknown. Other conditions
 * of a rule than addresses and ports are taken as met. In `mem`. Needs CAP_NET_ADMIN. */
int wh_nft_published(bool all, struct wh_arena *mem, struct wh_nft_published_list *out, struct wh_error *err);

/* ---- the decision of all tables (judge.c) ---- */
struct wh_nft_question {
	enum wh_direction direction;
	uint8_t proto;                     /* TCP or UDP */
	uint16_t port;                     /* the server's */
	struct wh_addr peer, local;
	const char *interface;             /* on which the packet arrives or leaves; "": not known */
	uint32_t index;                    /* its index; 0: not known */
};
struct wh_nft_judged_chain {
	char chain[160], by[200];
	uint8_t verdict; /* enum wh_answer; `by`: the rule, its policy, or the unknown part */
};
struct wh_nft_judged { uint8_t verdict; struct wh_nft_judged_chain *chains; size_t n; };
/*
 * The decision of all programs' rules, ours included, on the first packet of a connection, from an ephemeral port: each base
 * chain in turn, up to the first that drops it; WH_UNDECIDED if a chain's decision is not known. Translations (nat) and iptables'
 * legacy tables are not evaluated. In `mem`. Needs CAP_NET_ADMIN.
 */
int wh_nft_judge(const struct wh_nft_question *q, struct wh_arena *mem, struct wh_nft_judged *out, struct wh_error *err);

/* ---- openings by all tables, in and out (openings.c) ---- */
/* An address of this machine, and the interface on which packets to it arrive. */
struct wh_nft_way {
	char interface[16];
	uint32_t index;
	struct wh_addr addr;
	uint8_t bits;              /* of the network that it is in, 0–128 */
	bool outside;              /* a default route of its family leads by this interface */
};
enum wh_nft_opening_kind { WH_NFT_LETS_IN, WH_NFT_LETS_OUT, WH_NFT_PUBLISHES };
/* Peers that may connect to these ports of an address (LETS_OUT: to which it may connect), certainly or perhaps. */
struct wh_nft_opening {
	uint8_t kind, proto;       /* enum wh_nft_opening_kind; TCP or UDP */
	uint16_t first, last;      /* the ports that the peer addresses */
	uint16_t way;              /* the address's index in the given list */
	bool certain;              /* else the ruleset depends on something unknown: `by` */
	bool nobody;               /* PUBLISHES: no peer may */
	struct wh_addr from, until;
	struct wh_addr to; uint16_t to_port; /* PUBLISHES: where it leads */
	char by[96];               /* the rule, or the policy, that decides on the first of these addresses */
};
struct wh_nft_openings {
	struct wh_nft_opening *o;
	size_t n;
	char chains[1024];         /* the base chains that packets to this machine meet, a line each */
	/* enum wh_answer, for IPv4 and IPv6: the decision on a packet to another machine that no rule names */
	uint8_t forwards[2];
	char unread[256];          /* the part of the rules that could not be understood; "" */
};
/*
 * All ports of these addresses to which each peer may open a connection, from some port of its own, by the rules of all programs,
 * exactly. By kind, way, protocol, ports, certainty, peers. Needs CAP_NET_ADMIN.
 */
int wh_nft_openings(const struct wh_nft_way *ways, size_t n, struct wh_arena *mem, struct wh_nft_openings *out,
                    struct wh_error *err);

/* ---- traffic that other programs' rules let through (present.c) ---- */
struct wh_filter;
/*
 * The rules of all programs but ours, for the first packets of connections on an interface: a filter for each base chain, all
 * of which must allow. Elements of sets that expire count as ones that may match. Translated packets meet other rules, see
 * wh_nft_published(); iptables' legacy tables are not evaluated: *legacy is set if one filters. In `mem`. Needs
 * CAP_NET_ADMIN.
 */
int wh_nft_present(const char *interface, uint32_t index, enum wh_direction d, struct wh_arena *mem,
                   const struct wh_filter *const **out, size_t *n, bool *legacy, struct wh_error *err);

/* ---- other programs' tables (survey.c) ---- */
enum wh_nft_survey_kind {
	WH_NFT_TABLES,
	WH_NFT_CHAINS,
	WH_NFT_RULES,
	WH_NFT_SETS,
	WH_NFT_ELEMENTS,
	WH_NFT_OBJECTS,
	WH_NFT_FLOWTABLES,
	WH_NFT_SURVEY_KINDS
};
/* Everything that is not ours, as one hash a kind: counts of packets, and elements that come and go by themselves, are left
 * out. */
struct wh_nft_survey { uint64_t hash[WH_NFT_SURVEY_KINDS]; size_t n[WH_NFT_SURVEY_KINDS]; };
int wh_nft_survey(struct wh_nft_survey *out, struct wh_error *err);
/* The first kind whose number or content differs: "rules"; NULL: none. */
const char *wh_nft_surveys_differ(const struct wh_nft_survey *a, const struct wh_nft_survey *b);
