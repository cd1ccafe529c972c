/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random small estates: as numbers for a naive judge, and as the documents that az prints for the reader. The judge knows nothing
 * of filters, ranges or classes.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "whittle/reach.h"

enum { VNETS = 3, SUBNETS = 6, HOSTS = 8, GROUPS = 5, RULES = 6, ASGS = 2, ADMIN = 3, ROUTES = 3, TABLES = 2, NONE = -1 };
enum side_kind { ANY, PREFIX, PREFIXES, OWN_NETWORK, INTERNET, PROBES, UNKNOWN_TAG, ASG, UNKNOWN_ASG };
struct rule_side { enum side_kind kind; uint32_t net[2]; unsigned len[2]; int asg; };
struct rule {
	bool in, allow;
	int priority, proto /* 0: any */;
	struct rule_side src, dst;
	unsigned sport[2], dport[2];
	int admin /* enum wh_admin_access */;
};
enum { FIREWALLS = 2, FW_GROUPS = 2, FW_COLLECTIONS = 4, FW_RULES = 3, IP_GROUPS = 2, TCP_AND_UDP = -2 };
enum fw_side_kind { FW_ANY, FW_NET, FW_TWO, FW_RANGE, FW_GROUP, FW_NO_GROUP, FW_TAG, FW_NAME };
struct fw_side { enum fw_side_kind kind; uint32_t net[2]; unsigned len[2]; int group; };
struct fw_rule { int proto; struct fw_side src, dst; unsigned dport[2]; bool every_name; };
/* level 1: of the parent policy. group: NONE: of the firewall itself */
struct fw_collection { int level, group, priority; bool app, allow; struct fw_rule rule[FW_RULES]; int n; };
struct firewall {
	int vnet, table;
	/* gives_own: receivers see its address. missing: the parent policy is in no document */
	bool policy, internet, gives_own, missing;
	struct fw_collection c[FW_COLLECTIONS]; int n;
	int group_priority[2][FW_GROUPS];
};
struct world {
	struct { bool there, connected, access, forwarded; } peering[VNETS][VNETS];
	struct { int vnet, nsg, table; uint32_t net; bool way_out, guards; } subnet[SUBNETS];
	struct {
		int subnet, nsg;
		uint32_t addr;
		unsigned asgs;
		int public_ip /* 0 none, 1 Standard, 2 Basic */;
		bool endpoint;
	} host[HOSTS];
	struct { struct rule rule[RULES]; int n; } group[GROUPS];
	struct rule admin[ADMIN];
	struct { struct { uint32_t net; unsigned len; int hop, firewall; } route[ROUTES]; int n; } table[TABLES];
	struct firewall firewall[FIREWALLS];
	struct { uint32_t net; unsigned len; } ip_group[IP_GROUPS];
	int n_firewalls;
	int n_vnets, n_subnets, n_hosts, n_groups, n_admin, n_tables;
};

uint32_t world_random(uint64_t *seed, uint32_t below);
void world_make(struct world *w, uint64_t *seed);
/* The documents, malloc'ed. */
char *world_text(const struct world *w);
/* Bits of possible outcomes: 1 denied, 2 allowed. From and to are hosts, or -1 with the address. */
unsigned world_judge(const struct world *w, int from, int to, uint32_t from_addr, uint32_t to_addr, int proto, unsigned sport,
                     unsigned dport);
