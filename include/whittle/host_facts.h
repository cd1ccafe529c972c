/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host_facts: facts of a Linux host, which `whittle estate facts` on that host prints and `whittle estate import` reads:
 *
 *   {"kind": "whittle host facts", "version": 1, "name": "db-1", "at": "2026-11-29T10:00:00Z", "by": "whittle 1.0",
 *    "addresses": [{"interface": "eth0", "address": "203.0.113.7", "outside": true}…],
 *    "ruleset": {
 *      "chains": ["inet filter input"…],
 *      "inbound": [{"interface", "address", "protocol": "TCP", "port": 22, "lastPort": 22, "certain": true,
 *                   "peers": ["0.0.0.0/0"…], "by": "rule 3 of filter input"}…],
 *      "outbound": [the same, of destinations],
 *      "published": [the same with "to": "172.17.0.2", "toPort": 80; peers [] where no peer may],
 *      "forwards4": "denied|allowed|unknown", "forwards6": the same,
 *      "unread": "what of the ruleset could not be read"},
 *    "sysctls": {"net.ipv4.ip_forward": "0"…},
 *    "settings": {"sshd": "read", "sshd.ciphers": "aes256-ctr"…}: programs that are configured there, and what they state,
 *    "programs": ["auditd"…]: those that run of the programs that watch a host,
 *    "listeners": [{"protocol": "TCP", "address": "0.0.0.0", "port": 22}…],
 *    "resolvers": ["9.9.9.9"…]}
 *
 * Outside: a default route leads by that interface. Inbound: the peers whose connections the ruleset allows, at these ports, to
 * this address; everything else is denied. Certain false: a rule depends on something unknown to whittle (a mark). Limits
 * count as not reached. Forwards: the decision on packets to other machines that no rule names. Without `ruleset` it was not
 * read.
 */
#pragma once
#include <jansson.h>
#include "whittle/filter.h"

struct wh_state;
#define WH_HOST_FACTS "whittle host facts"
struct wh_host_address { const char *interface; struct wh_addr addr; bool outside; };
struct wh_host_opening {
	const char *interface, *by;
	struct wh_addr local, to;          /* to: of published ports */
	uint8_t proto;                     /* TCP or UDP */
	struct wh_port_range ports;
	uint16_t to_port;
	bool certain;
	struct wh_ranges peers;
};
struct wh_host_openings { struct wh_host_opening *list; size_t n; };
struct wh_host_listener { uint8_t proto; struct wh_addr addr; uint16_t port; };
struct wh_host_setting { const char *name, *value; };
struct wh_host_facts {
	const char *name;
	int64_t at_us;
	struct wh_host_address *addresses; size_t n_addresses;
	bool read;                         /* the ruleset was */
	const char **chains; size_t n_chains;
	struct wh_host_openings inbound, outbound, published;
	enum wh_answer forwards[2];        /* of IPv4 and IPv6 */
	const char *unread;                /* NULL: all of it was read */
	struct wh_host_setting *settings; size_t n_settings;
	struct wh_host_listener *listeners; size_t n_listeners;
	struct wh_addr *resolvers; size_t n_resolvers;
	bool asked;                        /* its programs and their settings were; these are among `settings` */
	const char **programs; size_t n_programs;
};
bool wh_host_facts_are(const json_t *doc); /* Whether it claims to be such a document. */
/* Reads and checks one. `file` is for errors; texts are the document's, which must last. */
int wh_host_facts_read(const char *file, const json_t *doc, struct wh_arena *mem, struct wh_host_facts *out,
                       struct wh_error *err);
/* "0" of "net.ipv4.ip_forward"; NULL: it is not known. */
const char *wh_host_setting(const struct wh_host_facts *f, const char *name);
/* Keeps one in place of that host's earlier ones; the other: all kept ones, by name: a new reference. */
int wh_host_facts_put(struct wh_state *s, const json_t *doc, const char *who, struct wh_error *err);
int wh_host_facts_list(struct wh_state *s, json_t **out, struct wh_error *err);
