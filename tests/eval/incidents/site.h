/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * incidents: what each detection finds, and what it takes for an incident that is none.
 *
 * A site is a small estate with 60 days of ordinary traffic: an office, a monitoring host, backups, mail, a directory, names. Its
 * EVE log goes through ingest, recommend and alerts as any other does. Rules are of the 53rd day. In the last week one thing
 * happens: an incident of a strength drawn from what such incidents are known for, not from the detection's threshold; or a
 * near-miss, which resembles one. A site is made from its scenario and seed alone.
 */
#pragma once
#include <jansson.h>
#include "tests/eval/eval.h"

enum { SITE_DAYS = 60, SITE_WEEK = 53 /* the first of the days that are judged */, SITE_NAMES = 512 };

/* The estate, and hosts around it. */
#define WEB "10.1.0.10"
#define GATE "10.1.0.20"
#define APP "10.1.0.30"
#define DB "10.1.0.40"
#define DIRECTORY "10.1.0.50"
#define MAIL "10.1.0.60"
#define FILES "10.1.0.70"
#define MONITOR "140.27.1.5" /* trusted */
#define BACKUP "140.25.1.200"

struct site {
	struct rng r;
	FILE *log[2]; /* before the week, and of it */
	uint64_t flows;
	int from, to;               /* the days whose traffic is kept */
	int silent_from;            /* the sensor writes nothing from that day on; 0: it always does */
	char listed[1024];          /* the threat list, a line each */
	const char *about;          /* the resource whose alert is meant; NULL: any */
	char from_text[SITE_NAMES]; /* an address that a scenario keeps */
	json_t *sensor;             /* the plugin's document about lost records; NULL: none */
};

struct scenario {
	const char *type; /* of alert; NULL: nothing happens, and none is right */
	bool incident;    /* else a near-miss: no alert of that type is right */
	const char *what;
	void (*make)(struct site *s);
	const char *also; /* other types that are right too, " A B "; NULL */
};
/* Ends with one without a `what`. */
extern const struct scenario incoming_scenarios[], outgoing_scenarios[], name_scenarios[], other_scenarios[];

/* ---- a site's log ---- */
struct talk {
	int day;
	double hour; /* of the day; below 0: any */
	const char *from, *to;
	unsigned port;
	const char *app; /* app_proto; NULL: not known */
	double seconds;
	uint64_t up, down; /* bytes to the server, and to the client */
	bool udp;
};
void talk(struct site *s, const struct talk *t);
/* A connection that nothing answered; or whose handshake was completed and no byte sent. */
void try(struct site *s, int day, const char *from, const char *to, unsigned port);
void knock(struct site *s, int day, const char *from, const char *to, unsigned port);
/* A protocol record of type `app` with that object. */
void record(struct site *s, int day, const char *from, const char *to, unsigned port, bool udp, const char *app,
            const char *object);
void signature(struct site *s, int day, const char *from, const char *to, unsigned port, unsigned sid, unsigned severity);
/* A question for a name and its answer; rcode NULL: NOERROR with one address; text NULL: no text in the answer. */
void ask(struct site *s, int day, const char *from, const char *name, const char *rcode, const char *alias, const char *text);
void stats(struct site *s, int day, double hour, uint64_t uptime, uint64_t packets, uint64_t drops);

char *public_address(struct site *s, char buf[static WH_ADDR_STRLEN]);
char *address_like(struct site *s, const char *fmt, char buf[static WH_ADDR_STRLEN]); /* one %d, 1 to 254 */
/* Between the two, every power as likely. */
double log_uniform(struct site *s, double least, double most);
bool workday(int day);

void ordinary(struct site *s);
