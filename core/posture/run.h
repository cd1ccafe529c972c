/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between a run and its checks. */
#pragma once
#include "base/yaml.h"
#include "whittle/posture.h"

struct wh_hosts;
struct wh_run {
	const struct wh_posture_input *in;
	const struct wh_assessment *of;          /* the one at hand */
	struct wh_posture *out;
	struct wh_arena *mem;
	struct wh_sensor *sensor;                /* sensor.c: likewise */
	struct wh_hosts *hosts;                  /* hosts.c: likewise */
};
typedef int (*wh_check_fn)(struct wh_run *run, struct wh_error *err);
struct wh_check { const char *name; wh_check_fn run; const char *const *with; /* the names of its settings; NULL at the end */ };
const struct wh_check *wh_check_of(const char *name); /* NULL: there is none */
const char *wh_check_nearest(const char *name);       /* one with a similar name; NULL: none */

/* A verdict of the assessment at hand. The cause is formatted into the run's arena; NULL: none. */
void wh_run_add(struct wh_run *run, const char *resource, const char *type, enum wh_posture_status status, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));
/* A setting of the check: a whole number, or `otherwise`; a list of texts. */
int64_t wh_run_number(const struct wh_run *run, const char *key, int64_t otherwise);
size_t wh_run_texts(const struct wh_run *run, const char *key, const char ***out);
/* The setting `ports` ("tcp/22", "udp/137-139") as sets: TCP, UDP. The number of its ports; non-ports are left out. */
size_t wh_run_ports(const struct wh_run *run, struct wh_ranges out[2]);
bool wh_run_has_port(const struct wh_ranges ports[2], uint8_t proto, uint16_t port); /* whether it is in such sets */
/* A setting's addresses and prefixes, and another one, as a set; texts that are neither, and NULL, add nothing. */
struct wh_ranges wh_run_prefixes(struct wh_run *run, const char *key);
void wh_run_add_prefix(struct wh_run *run, struct wh_ranges *set, const char *text);
bool wh_run_is_below(const char *name, const char *domain); /* a name of DNS: "a.corp" is below "corp" */
/* resolvers.c: the resolvers of the setting `trusted`, and those that the networks name; whether one is none of these,
 * not private and not ours. */
struct wh_ranges wh_run_resolvers(struct wh_run *run);
bool wh_run_is_strange(const struct wh_run *run, struct wh_ranges trusted, const struct wh_addr *resolver);
bool wh_run_has(const char *const *list, size_t n, const char *text); /* ignoring case */

/* ---- exposure ---- */
/* "TCP 22 (SSH), 8000-8010; UDP 53" */
const char *wh_run_ports_text(struct wh_run *run, struct wh_ranges tcp, struct wh_ranges udp);
/* Whether whittle itself opens this resource's management ports just in time. */
bool wh_run_jit(const struct wh_run *run, const char *name);
/* The ports that the setting `ports` names; all, where it names none. */
struct wh_wanted_ports { struct wh_ranges tcp, udp; };
struct wh_wanted_ports wh_run_wanted_ports(struct wh_run *run);
bool wh_run_judged(const struct wh_host *h); /* a machine, no private endpoint */
const char *wh_host_type(const struct wh_host *h);
/* The value of a machine's tag of one of these names, the first name first; NULL where it has none. */
const char *wh_run_label(const struct wh_host *h, const char *const *keys, size_t n);

/* ---- hosts.c: Linux hosts, and their reported facts ---- */
struct wh_judged_host {
	const char *id, *type, *name;
	const struct wh_host_facts *facts; /* NULL: nothing */
	const struct wh_resource *resource; /* of the estate; NULL: it is none */
};
struct wh_hosts { struct wh_judged_host *list; size_t n; };
const struct wh_hosts *wh_run_hosts(struct wh_run *run);
/* Calls `judge` for each host that has facts; the others get no evidence, with the command that brings them. */
void wh_run_each_host(struct wh_run *run, void (*judge)(struct wh_run *run, const struct wh_judged_host *h));
/* Calls `judge` for each host whose ruleset was read; the others get no evidence, with the reason. */
void wh_run_each_ruleset(struct wh_run *run, void (*judge)(struct wh_run *run, const struct wh_judged_host *h));
/* It is healthy, where all of its ruleset was read and lately. */
void wh_run_add_sound(struct wh_run *run, const struct wh_judged_host *h, const char *why);
void wh_run_add_host(struct wh_run *run, const struct wh_judged_host *h, enum wh_posture_status status, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* The ports of one protocol that openings of that family (AF_INET, AF_INET6, AF_UNSPEC) leave to a large part of the Internet,
 * for certain or else. *by (may be NULL): the rule of the first. */
struct wh_host_way { int family; uint8_t proto; bool certain; };
struct wh_ranges wh_host_open(struct wh_run *run, const struct wh_judged_host *h, const struct wh_host_openings *o,
                              const struct wh_host_way *way, const char **by);

/* Whether an address is of an interface that leads outside; where none does, each may. */
bool wh_host_leads_outside(const struct wh_host_facts *f, const struct wh_addr *local);

/* ---- sensor.c ---- */
struct wh_sensor {
	int64_t first_us, last_us;      /* of the ledger's flows; 0: none */
	int64_t from_us;                /* where the window begins */
	bool loss_known; double loss;   /* 0–1, of the packets of the window */
	const char *unfit;              /* why silence and cleanness prove nothing, a sentence; NULL: they do */
};
int wh_run_sensor(struct wh_run *run, const struct wh_sensor **out, struct wh_error *err);
/* The id, or the name where there is none. */
const char *wh_resource_label(const struct wh_resource *r);
const char *wh_resource_type(const struct wh_resource *r);
/* Whether there is traffic to examine; else no resource has known traffic, and one verdict, of the estate, has the reason. */
bool wh_run_has_traffic(struct wh_run *run, const struct wh_sensor *s);
/* The resource that a row of evidence is about. NULL: none of the estate, or it was last seen before the window, or the row only
 * counts the rest. */
const struct wh_resource *wh_run_fact_of(const struct wh_run *run, const struct wh_sensor *s, const struct wh_fact_key *k,
                                         const struct wh_fact_row *r);
