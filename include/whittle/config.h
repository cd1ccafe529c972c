/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * config: whittle.yaml. Every key is known here; an unknown one is refused with its line and the nearest right one.
 * Keys are the field names with hyphens for underscores.
 */
#pragma once
#include "whittle/base.h"

/* Where one threat list comes from. Exactly one of file and command is set. */
struct wh_intel_source {
	const char *name;      /* the key that it is shown and stored under; by default the file's own name */
	const char *file;
	const char *command;   /* run by /bin/sh; its standard output is the list */
	const char *format;    /* a name of wh_intel_formats[]; NULL: told from the content */
	const char *column;    /* csv, jsonl: the column or key with the address; NULL: the usual names */
	int64_t min_score;     /* iprep: reputation from which an entry counts; 0: all */
	int64_t max_age_s;     /* older than this is stale: said, never an error; 0: 7 days */
};

/* Just-in-time access: these ports of a resource are closed but for who asks in time (whittle jit). */
struct wh_jit_port { uint8_t proto; uint16_t port; };
struct wh_jit_policy {
	const char *resource;
	struct wh_jit_port *ports; size_t n_ports;
	struct wh_prefix *from; size_t n_from; /* for which sources it may be opened; none: any */
	const char **who; size_t n_who;        /* user names who may open; none: root alone */
	int64_t longest_s;                     /* longest time at once; 3 h where nothing is said */
};

/* What `whittle watch` does. */
struct wh_watch_config {
	const char *alerts;         /* a file that gets one JSON line an alert; NULL: none */
	bool syslog;                /* to the system's log too */
	bool revert;                /* belonging peers are hit: take the rules back */
	bool repair;                /* our table is gone or was changed: put back what was confirmed */
	int64_t after_confirm_s;    /* how long after a confirm drops may revert; 0: 1 h */
	int64_t hits;               /* drops of one belonging peer that count as hit; 0: 3 */
};

/* Which of the network security groups before a resource get its rules. Bits. */
enum wh_nsg_scope { WH_NSG_SCOPE_UNSET = 0, WH_NSG_NIC = 1, WH_NSG_SUBNET = 2, WH_NSG_BOTH = 3 };
int wh_nsg_scope_parse(const char *text, enum wh_nsg_scope *out); /* "nic", "subnet", "both"; 0 or -EINVAL */

/* Where a host runs: at Azure the load balancer's health probes must reach it. */
enum wh_platform { WH_PLATFORM_UNSET = 0 /* it is found out */, WH_PLATFORM_AZURE, WH_PLATFORM_OTHER };
int wh_platform_parse(const char *text, enum wh_platform *out); /* "azure", "other" or "auto"; 0 or -EINVAL */
#define WH_ASSET_TAG_FILE "/sys/class/dmi/id/chassis_asset_tag"
/* What this machine is by the asset tag of its chassis, which Azure sets alike on every VM; UNSET where the file says nothing of it. */
enum wh_platform wh_platform_found(const char *file);

/* Where and how Azure Resource Manager is spoken to. */
struct wh_azure_config {
	const char *endpoint;       /* NULL: Azure's public cloud */
	const char *token_command;  /* run by /bin/sh; prints a bearer token. NULL: $WHITTLE_AZURE_TOKEN */
	const char *ca_file;        /* NULL: the system's */
	int64_t wait_s;             /* for all waiting of one exchange; 0: 5 min */
};

enum wh_directions { WH_DIRECTIONS_INBOUND, WH_DIRECTIONS_OUTBOUND, WH_DIRECTIONS_BOTH };
int wh_directions_parse(const char *text, enum wh_directions *out); /* "inbound", "outbound" or "both"; -EINVAL */

struct wh_config {
	struct wh_arena *mem;
	const char *store;         /* NULL: --store, $WHITTLE_STORE or the default */
	const char *discover;      /* "off" or CIDR,…; NULL: the default */
	const char *ports;         /* "all", a list "22,443/tcp", or NULL: rules/ports.yaml */
	const char *rules_dir;     /* where ports.yaml and evidence.yaml are; NULL: the installed place */
	uint64_t memory_limit;     /* bytes of the edge table; 0: 64 MiB */
	int64_t flush_interval;    /* seconds between the plugin's flushes; 0: 10 */
	int64_t min_days;          /* 0: 30 */
	int64_t max_prefixes;      /* a rule; 0: no budget */
	int64_t max_prefixes_nsg;  /* a network security group, its own rules' included; 0: 4,000, as many as Azure takes */
	int64_t stable_days;       /* a rule is offered once it was stable for so many; 0: at once */
	enum wh_directions directions; /* which rules are recommended */
	int64_t window_days;       /* what is older is forgotten; 0: all that the ledger's bitmaps hold, 64 */
	struct wh_prefix *trusted; size_t n_trusted; /* trusted configuration: always kept */
	struct wh_jit_policy *jit; size_t n_jit;
	struct wh_watch_config watch;
	struct wh_azure_config azure;
	enum wh_nsg_scope nsg_scope; /* where the estate says nothing for a resource */
	enum wh_platform platform;   /* likewise */
	struct wh_intel_source *threat_intel; size_t n_threat_intel; /* lists of addresses that are never allowed */
};

#define WH_DEFAULT_STORE_DIR "/var/lib/whittle"
#define WH_DEFAULT_STORE WH_DEFAULT_STORE_DIR "/ledger.db"
#define WH_DEFAULT_CONFIG "/etc/whittle/whittle.yaml"
/* path NULL: the default file, which may be absent. *out is never NULL on success; free with wh_config_free(). */
int wh_config_load(const char *path, struct wh_config **out, struct wh_error *err);
void wh_config_free(struct wh_config *c);
/* The file `name` ("ports.yaml") of rules/: from c->rules_dir, $WHITTLE_RULES, the source tree beside the binary, or the installed place. */
int wh_config_rules_path(const struct wh_config *c, const char *name, char *buf, size_t size, struct wh_error *err);
