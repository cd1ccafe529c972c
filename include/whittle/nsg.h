/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nsg: network security groups: their documents, the meaning of their rules, and the differences between two readings.
 *
 * A group is read from the output of `az network nsg show|list` or from ARM resources, and keeps its JSON, so that everything
 * that whittle does not change is written unchanged. The security groups of an interface at AWS are one, too, without Azure's
 * default rules (see estate/aws.h).
 */
#pragma once
#include <jansson.h>
#include "whittle/base.h"
#include "whittle/policy.h"

/* The maker of a rule, inferred from its name, its description and the group's tags. */
enum wh_origin { WH_ORIGIN_PERSON, WH_ORIGIN_JIT, WH_ORIGIN_TERRAFORM, WH_ORIGIN_WHITTLE };
enum wh_origin wh_rule_origin(const json_t *nsg, const char *name, const char *description /* or NULL */);

struct wh_rule {
	const char *name;
	const char *id;               /* ARM id, or NULL */
	uint16_t priority;            /* 100–4096, default rules above */
	enum wh_direction direction;
	bool allow;
	bool is_default;
	uint8_t proto;                /* WH_PROTO_ANY for "*" */
	struct wh_port_range *dst_ports; size_t n_dst_ports; /* [0–65535] for "*" */
	struct wh_port_range *src_ports; size_t n_src_ports;
	/* The peer's side: source inbound, destination outbound; the local side the other way round. Tags are kept as text in
	 * `*_tags` and resolved when the rule is evaluated; "*" is both families whole. An IPv6 prefix within ::ffff:0:0/96 is
	 * kept there too, as text: it is IPv6, so no packet of IPv4 matches it, and none of IPv6 carries such an address. */
	struct wh_prefix *peers; size_t n_peers;
	const char **peer_tags; size_t n_peer_tags;
	struct wh_prefix *locals; size_t n_locals;
	const char **local_tags; size_t n_local_tags;
	/* it matches only some of its packets (types of ICMP): what is not known; NULL: all. Then it is `unsupported`, too */
	const char *may;
	bool unsupported;             /* an ASG or the like, whose members are unknown: never narrowed, verdict unknown */
	bool peer_group;              /* the peers are an ASG */
	const char **peer_asgs; size_t n_peer_asgs;   /* ids of application security groups, which hold interfaces */
	const char **local_asgs; size_t n_local_asgs;
	const char *description;      /* or NULL */
	enum wh_origin origin;
	const char *note;             /* e.g. "140.20.30.10/24 read as 140.20.30.0/24 (host bits were set)" or NULL */
	int index;                    /* its index in the source's securityRules, -1 for default rules */
};

struct wh_nsg {
	const char *name, *id;
	struct wh_rule *rules; size_t n_rules; /* by direction, then priority; default rules included */
	json_t *source;                        /* the object it was read from; borrowed from the arena's owner */
	const char *file;                      /* its origin, for errors */
	bool at_nic, at_subnet;                /* its attachments, by networkInterfaces and subnets; neither: unknown */
	bool aws;                              /* of AWS: its default rules deny, and no format of Azure's has it */
	bool arm_resource;                     /* true: {"type":"Microsoft.Network/networkSecurityGroups", properties: …} */
};

/* A network ACL of AWS before one subnet: its rules are pairs of the ACL's own (estate/aws_acl.c), so that nothing follows from
 * one of them never being met. */
static inline bool wh_nsg_is_acl(const struct wh_nsg *g)
{
	return g->aws && g->at_subnet;
}

/* Parses every NSG in a document (object, array, {"value":[…]}, {"data":[…]}, {"NewNSG":…}, an ARM template's "resources",
 * PowerShell's ConvertTo-Json, Terraform's state; see nsg/shapes.h). Errors name file, line, reason.
 * *out and all strings live in `mem`; each nsg->source holds a reference that wh_nsgs_free() drops. */
int wh_nsg_parse(const char *file, const char *text, size_t len, struct wh_arena *mem, struct wh_nsg **out, size_t *n,
                 struct wh_error *err);
void wh_nsgs_free(struct wh_nsg *nsgs, size_t n); /* drops JSON references only */
/* Reads one group from JSON; `into` holds a reference that wh_nsgs_free(into, 1) drops. `name` is for errors. */
int wh_nsg_read(const char *name, const json_t *group, struct wh_arena *mem, struct wh_nsg *into, struct wh_error *err);
/* The same for a group at `path` in a parsed document: errors name its lines. */
int wh_nsg_read_at(const char *file, const char *text, size_t len, const char *path, json_t *group, struct wh_arena *mem,
                   struct wh_nsg *into, struct wh_error *err);
/* The object with the fields of a group or a rule: its "properties", as in ARM, else itself, as az prints it.
 * Borrowed. */
json_t *wh_nsg_fields(const json_t *group_or_rule);
json_t *wh_nsg_rules(const json_t *group); /* its securityRules, borrowed; NULL where it has none */
/* Takes the place of these; `rules` is taken over. */
void wh_nsg_set_rules(json_t *group, json_t *rules);

/* The last rule of a group that whittle made for a host that had none: all other ports stay open. */
#define WH_EVERYTHING_ELSE "whittle-everything-else"
bool wh_rule_is_everything_else(const struct wh_rule *r);
/* The number of address prefixes and tags of a rule as Azure counts them: as written, without "*". 0 for a default rule. */
size_t wh_rule_written(const struct wh_nsg *nsg, const struct wh_rule *r);

/* ---- two readings of one group ---- */
/* whatever its case; no default rule; NULL when none */
const struct wh_rule *wh_rule_named(const struct wh_nsg *nsg, const char *name);
/* The rule's own fields in the JSON that it was read from: borrowed; NULL for a default rule. */
const json_t *wh_rule_json(const struct wh_nsg *nsg, const struct wh_rule *r);
/* Whether they decide the same, regardless of their places: names, priorities and descriptions (except wh_kept) are ignored. */
bool wh_rule_same(const struct wh_nsg *a, const struct wh_rule *x, const struct wh_nsg *b, const struct wh_rule *y);
enum wh_nsg_change_kind { WH_NSG_ADDED, WH_NSG_REMOVED, WH_NSG_MOVED, WH_NSG_ALTERED };
struct wh_nsg_change {
	enum wh_nsg_change_kind kind;  /* moved: only its priority changed */
	const struct wh_rule *was, *now; /* NULL where there is none */
};
/* Returns the number of changes; none: they decide alike. Refers to both groups; the list is in `mem`. */
size_t wh_nsg_diff(const struct wh_nsg *was, const struct wh_nsg *now, struct wh_arena *mem, struct wh_nsg_change **out);
/* "299 Inbound deny NAME TCP from any to 10.0.0.4 port 22", in mem. */
const char *wh_rule_sentence(const struct wh_rule *r, struct wh_arena *mem);

/* ---- rules that are kept for a time, though a deny of ours disables them ---- */
#define WH_NSG_KEEPS "System Generated by whittle, keeps " /* how the description of such a deny begins */
struct wh_kept { const char *nsg, *rule; char until[11]; /* "2027-01-31", the last day; UTC */ };
bool wh_kept_parse(const char *description, struct wh_arena *mem, struct wh_kept *out); /* nsg stays NULL */
const char *wh_kept_text(const char *rule, const char *until, struct wh_arena *mem);     /* the beginning of such a description */
size_t wh_nsg_kept(const struct wh_nsg *nsg, struct wh_arena *mem, struct wh_kept **out); /* of existing rules; each once */

/* Service tags with their addresses, as Microsoft publishes them. Sorted by name, ignoring case; each name once. */
struct wh_service_tag { const char *name; struct wh_prefix *prefixes; size_t n; /* sorted, merged */ };
struct wh_service_tags {
	struct wh_service_tag *list;
	size_t n;
	const char *change; /* the list's changeNumber, "" where it has none */
};
/* Reads ServiceTags_Public_DATE.json, or the output of `az network list-service-tags`. A byte-order mark and CRLF are accepted.
 * Everything is in `mem`; errors name file, line and reason. */
int wh_service_tags_parse(const char *file, const char *text, size_t len, struct wh_arena *mem, struct wh_service_tags *out,
                          struct wh_error *err);
/* NULL: not in it, or no list */
const struct wh_service_tag *wh_service_tag_find(const struct wh_service_tags *tags, const char *name);

/* The values of tags: the VNet's ranges for VirtualNetwork, whose complement is Internet, and the published lists (or
 * NULL). */
struct wh_tag_context { const struct wh_prefix *vnet; size_t n_vnet; const struct wh_service_tags *service; };
/* Whether a tag's addresses are known: the three above, and those of the lists. */
bool wh_tag_known(const char *tag, const struct wh_tag_context *ctx);

/* 168.63.129.16, the source of the load balancer's health probes: the tag AzureLoadBalancer */
extern const struct wh_prefix wh_azure_probes;
#define WH_PROBES_TAG "AzureLoadBalancer"

/* Whether a rule covers (direction, proto, local, port). MAYBE: it is unsupported, its local tag is unknown, or proto is
 * WH_PROTO_ANY and the rule's is not. local NULL: any. */
enum wh_match { WH_MATCH_NO, WH_MATCH_YES, WH_MATCH_MAYBE };
enum wh_match wh_rule_match(const struct wh_rule *r, const struct wh_tag_context *tags, enum wh_direction dir, uint8_t proto,
                            const struct wh_addr *local, uint16_t port, struct wh_arena *mem);
/* Its peers as ranges; *unknown is set if there may be others (a tag or group with unknown addresses). */
struct wh_ranges wh_rule_peers(const struct wh_rule *r, const struct wh_tag_context *tags, struct wh_arena *mem, bool *unknown);
/* The same for its local addresses: none if it names none, which means any. *unknown is not cleared. */
struct wh_ranges wh_rule_locals(const struct wh_rule *r, const struct wh_tag_context *tags, struct wh_arena *mem, bool *unknown);

/* Whether the rule takes packets from any source port. */
bool wh_rule_any_source_port(const struct wh_rule *r);
/* Rules may distinguish source ports. The ports are divided into classes, in which each rule about (direction, proto, port)
 * matches all or none: the ranges in order, which cover 0 to 65535. A single class if no rule distinguishes them. */
size_t wh_source_ports(const struct wh_nsg *const *nsgs, size_t n, enum wh_direction dir, uint8_t proto, uint16_t port,
                       struct wh_arena *mem, struct wh_port_range **out);
/* The group as packets from one source port see it: rules keep their places; those that do not take that port match nothing. */
struct wh_nsg wh_nsg_from_port(const struct wh_nsg *nsg, uint16_t source, struct wh_arena *mem);

/* The packets in one direction, of one protocol (WH_PROTO_ANY: any), to one local port of one address (NULL: any). */
struct wh_nsg_question {
	enum wh_direction direction;
	uint8_t proto;
	const struct wh_addr *local;
	uint16_t port;
};
/* The part of the question's packets that a policy (one or several NSGs, all of which must allow) lets through, as ranges of
 * peers: from some source port, if rules distinguish these. With no NSG at all everything is allowed. *unknown is set if a rule
 * of unknown reach was involved; *out is then certainly allowed, never more than the truth. */
void wh_policy_allowed(const struct wh_nsg *const *nsgs, size_t n, const struct wh_tag_context *tags,
                       const struct wh_nsg_question *q, struct wh_arena *mem, struct wh_ranges *out, bool *unknown /* or NULL */);
/* The same, with more details. */
struct wh_judged {
	struct wh_ranges allowed;
	/* of these, all but the peers that only default rules allow: what a person opened. Without any NSG all is */
	struct wh_ranges opened;
	const struct wh_rule *unknown; /* the first rule of unknown reach that is involved; NULL if there is none */
};
void wh_policy_judge(const struct wh_nsg *const *nsgs, size_t n, const struct wh_tag_context *tags,
                     const struct wh_nsg_question *q, struct wh_arena *mem, struct wh_judged *out);
/* The first rule of a group, by priority, that allows some peer, or may, and is not a default rule; one for the load balancer's
 * probes only if no other does. NULL when there is none. */
const struct wh_rule *wh_nsg_opener(const struct wh_nsg *nsg, const struct wh_tag_context *tags, const struct wh_nsg_question *q,
                                    struct wh_arena *mem);
/* The group with some of its rules disabled: these keep their places and match nothing. */
struct wh_nsg wh_nsg_without(const struct wh_nsg *nsg, bool (*gone)(const struct wh_rule *r), struct wh_arena *mem);
/* Why a rule's reach is unknown, as a sentence without its end: "rule apps names …". */
const char *wh_rule_unknown_text(const struct wh_rule *r, const struct wh_tag_context *tags, struct wh_arena *mem);
/* The rule that decides one packet in one NSG, ignoring unsupported rules and those that distinguish source ports; NULL if none
 * matches. */
const struct wh_rule *wh_nsg_decide(const struct wh_nsg *nsg, const struct wh_tag_context *tags, enum wh_direction dir,
                                    uint8_t proto, const struct wh_addr *local, uint16_t port, const struct wh_addr *peer);
/* The ports that some explicit allow rule of each group opens, as sorted ranges: default rules don't count, since they open all
 * ports to the VNet. */
struct wh_ports_question {
	enum wh_direction direction;
	uint8_t proto;
	/* only ports that a person's rule opens, not whittle's own rule that leaves everything else
	 * open */
	bool by_hand;
};
size_t wh_policy_ports(const struct wh_nsg *const *nsgs, size_t n, struct wh_ports_question q, struct wh_arena *mem,
                       struct wh_port_range **out);
