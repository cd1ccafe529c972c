/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * eval: worlds with known truth, by which recommendations are judged.
 *
 * A world has one service of each kind, each on a resource of its own but for a second port. For 44 days it gets legitimate and
 * hostile traffic; the first 30 go into a ledger as any sensor's records do, the last 14 are kept from every method and scored. A
 * world is made from its kind and seed alone, byte for byte.
 *
 * All kinds of world have the ordinary services (kinds.c). Each but the first has services of its own as well, other attackers,
 * or a sensor that hears less, or logs of which there are copies (worlds.h).
 */
#pragma once
#include "whittle/base.h"
#include "whittle/flow.h"

#define EVAL_TRAIN_DAYS 30
#define EVAL_TEST_DAYS 14
#define EVAL_ALERT_DAYS 7 /* the last of the training days, whose alerts are judged */
#define EVAL_DAYS (EVAL_TRAIN_DAYS + EVAL_TEST_DAYS)
#define EVAL_FIRST_DAY 20454 /* 2026-01-01, a Thursday */

/* ---- random numbers: splitmix64, one stream a purpose, so that a change of one service leaves the others as they were ---- */
struct rng {
	uint64_t s;
};
struct rng rng_of(uint64_t seed, uint64_t purpose);
uint64_t rng_u64(struct rng *r);
uint32_t rng_below(struct rng *r, uint32_t n);      /* 0 … n-1 */
int rng_range(struct rng *r, int from, int to);     /* inclusive */
double rng_unit(struct rng *r);                     /* [0, 1) */
bool rng_chance(struct rng *r, double p);
double rng_lognormal(struct rng *r, double median, double sigma);

/* ---- one world ---- */

/* The kind of a hostile source, by its first action. */
enum attacker { INSIDER, MASS_SCANNER, RESEARCHER, BRUTE_FORCE, BOT, PATIENT, DAILY, NEIGHBOUR, HOLDER, FORGED, N_ATTACKERS };
extern const char *const attacker_kinds[N_ATTACKERS];

/* One (service, source) and what it did. The truth stands here; no method sees `hostile` or anything of the test days. */
struct source {
	struct wh_addr addr;
	uint16_t service;
	bool used;
	uint8_t attacker;        /* of a hostile one */
	bool listed;             /* on the threat list */
	bool severe;             /* raised an alert of severity 1 or 2 in training */
	uint32_t train_answered; /* flows that became an edge's */
	uint32_t week_answered;  /* those of the last week of them */
	uint32_t train_legitimate, test_legitimate; /* flows */
	uint32_t train_hostile, test_hostile;       /* flows or tries */
};

struct service {
	const struct kind *kind;
	struct wh_addr local;
	uint8_t proto;
};

#define MAX_SERVICES 32
struct world {
	uint64_t seed;
	const struct world_kind *kind;
	struct service services[MAX_SERVICES]; /* the ordinary ones first: kinds[i] is the i-th */
	unsigned n_services;
	struct source *sources; /* open addressing */
	size_t n_sources, cap;
	struct wh_prefix *listed; /* the threat list: sorted, merged */
	size_t n_listed, cap_listed;
	uint64_t records;
	bool calm;               /* no attacker comes, and there is no threat list */
	enum attacker attacking; /* the source of the traffic that is being made */
	/* Where training records go; a negative return ends the making of the world. */
	int (*sink)(void *arg, const struct wh_record *rec);
	void *sink_arg;
	int failed;
};

/* The services and their addresses; no traffic yet. */
void world_begin(struct world *w, const struct world_kind *kind, uint64_t seed);
/* Makes the whole world, calling `sink` for every training record, service by service. Returns 0 or the sink's error. */
int world_make(struct world *w, int (*sink)(void *arg, const struct wh_record *rec), void *arg);
void world_free(struct world *w);
struct source *world_source(struct world *w, unsigned service, const struct wh_addr *a);

/* For attackers.c: networks that services live in are remembered, because their neighbours get infected too. */
struct neighbourhood {
	unsigned service;
	struct wh_prefix within, net; /* the network, and the wider one */
	unsigned bots; /* infected hosts in it */
};
#define MAX_NEIGHBOURHOODS 192
struct isp {
	uint32_t base[5];
	unsigned bits[5], n;
};
#define N_ISPS 8
struct internet {
	struct isp isps[N_ISPS];
	struct neighbourhood around[MAX_NEIGHBOURHOODS];
	unsigned n_around;
};
void internet_make(struct internet *net, struct rng *r);
uint32_t random_public(struct rng *r);
struct wh_addr isp_address(const struct isp *isp, struct rng *r);
struct wh_addr address_in(const struct wh_prefix *p, struct rng *r);

/* GUESS is one failed login a connection, GUESSES several, LOGIN_SCREEN a guess at a service that draws one first; QUICK is a
 * script's short command, which looks much like a failed login; QUERY two datagrams. */
enum shape { INTERACTIVE, BATCH, APPLICATION, MONITOR, QUICK, GUESS, GUESSES, LOGIN_SCREEN, BANNER, QUERY };
/* One answered conversation in the hours given. */
void converse(struct world *w, unsigned service, int day, const struct wh_addr *peer, enum shape shape, bool legitimate,
              struct rng *r);
/* One conversation that lasts from the day `from` (before the world's first: below 0) to `to`. It counts on each of these days,
 * and the sensor reports it when it has ended. `idle`: hardly a byte. */
void converse_for_days(struct world *w, unsigned service, int from, int to, const struct wh_addr *peer, bool idle,
                       bool legitimate, struct rng *r);
/* A completed handshake without a byte. */
void connect_only(struct world *w, unsigned service, int day, const struct wh_addr *peer, bool legitimate, struct rng *r);
void syn_scan(struct world *w, unsigned service, int day, const struct wh_addr *peer, struct rng *r);
void raise_alert(struct world *w, unsigned service, int day, const struct wh_addr *peer, uint8_t severity, struct rng *r);

/* A service kind: makes its legitimate traffic of all days. */
struct kind {
	const char *name, *what;
	uint16_t port;
	const char *app_proto;
	void (*make)(struct world *w, unsigned service, struct internet *net, struct rng *r);
};
extern const struct kind kinds[]; /* the ordinary ones */
extern const unsigned n_kinds;
/* The range that the rules in force allow for this service; 0: everybody. */
size_t kind_policy(const struct kind *k, const char *const **ranges);
unsigned service_resource(const struct world *w, unsigned service); /* the resource that runs it: its own, but for the console */
void probes_make(struct world *w, struct rng *r); /* legitimate, on several services */
void attackers_make(struct world *w, const struct internet *net, struct rng *r);

/* ---- allow lists and their score ---- */

struct allow_list {
	struct wh_prefix *p; size_t n;     /* sorted, disjoint */
	struct wh_prefix *except; size_t n_except;
	bool open;                         /* no rule was offered: everything passes */
};
struct score {
	uint64_t flows, flows_covered;     /* legitimate, in the test days */
	uint64_t peers, peers_covered;
	uint64_t hostile, hostile_admitted;
	double space;                      /* IPv4 addresses and IPv6 /64s */
	uint64_t lines;
	struct { uint32_t sources, admitted; } of_attacker[N_ATTACKERS];
};
void score_add(struct score *into, const struct score *s);
/* Scores one service's list against the test days. */
void score_list(const struct world *w, unsigned service, const struct allow_list *l, struct score *out);

/* The peers that a baseline starts from: sorted, distinct. */
enum knowledge {
	KNOWS_ANSWERED, /* every peer that was answered, but those on the threat list or with a severe alert */
	KNOWS_TRUTH,    /* only the truly legitimate ones: an oracle */
};
size_t peers_of(const struct world *w, unsigned service, enum knowledge k, struct wh_addr **out);

struct baseline {
	const char *name;
	bool slow; /* more than linear */
	void (*make)(const struct wh_addr *peers, size_t n, struct wh_arena *mem, struct allow_list *out);
};
extern const struct baseline baselines[];
extern const unsigned n_baselines;
