/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reason: why a port has no rule, or a resource none, as found by the engine: a code with its parameters. Only
 * core/recommendation/reason.c turns it into sentences; a program that evaluates a reason reads its members, never a
 * sentence.
 */
#pragma once
#include <jansson.h>
#include "whittle/base.h"

struct wh_resource_result;

/* Each code's comment lists its parameters: c is `count`, d is `day`. */
enum wh_reason_code {
	WH_REASON_NONE,
	/* of a resource */
	WH_REASON_TEXT,          /* text: the whole of it, kept by an earlier version of this program */
	WH_REASON_NO_TRAFFIC,
	WH_REASON_FEW_DAYS,      /* c: days, of how many */
	WH_REASON_SENSOR_SILENT, /* c: days, of how many */
	WH_REASON_SEEN_RARELY,   /* c: days with data, days between the first and the last, days required */
	WH_REASON_AS_NARROW,
	WH_REASON_NONE_OPEN,
	WH_REASON_NO_LINES,      /* c: ports, lines */
	WH_REASON_GROUP_LINES,   /* text: the group; c: its resources, prefixes */
	WH_REASON_GROUP_FULL,    /* text: the group; c: prefixes */
	WH_REASON_QUIET_SINCE,   /* d: last day; c: days on which others were seen since */
	/* for a range of ports that is left alone */
	WH_REASON_DRAWN,         /* c: ports that were used, recurring peers */
	/* for a port that is left alone */
	WH_REASON_UNKNOWN,       /* text: the unknown part of the rules in force */
	WH_REASON_ADDRESSES_DIFFER,
	WH_REASON_NO_ROOM,
	/* for a port that is not narrowed */
	WH_REASON_FEWEST_LINES,  /* c: lines, limit */
	WH_REASON_TOO_FEW_LINES, /* c: lines */
	WH_REASON_WOULD_LOSE,    /* c: allowed peers */
	WH_REASON_WOULD_LET_IN,  /* peer */
	WH_REASON_WINDOW_SHORT,  /* c: days required, days of the window */
	WH_REASON_UNSTABLE,      /* c: days, flows, of how many */
	/* for a port that is not closed */
	/* peer, the one with the most flows; c: more peers, severity, signature (0: none), flows; d: last alert (0: none);
	 * proxy */
	WH_REASON_ALERTED,
	WH_REASON_FORGED,        /* c: flows */
	/* for a port that is not closed or, if `closing` is not set, not narrowed */
	WH_REASON_NEVER_HEARD,   /* peer: the resource's own address */
	WH_REASON_NOT_HEARD,     /* peer: the resource's own address; d: first and last day */
	WH_REASON_ONE_SIDED,     /* c: flows, days */
	WH_REASON_LEDGER_FULL,   /* peer: the resource's own address; d: the last day of refused data, in both */
	WH_N_REASONS
};
struct wh_reason {
	enum wh_reason_code code;
	bool closing, proxy;
	enum wh_direction direction; uint8_t proto; uint16_t from, to; /* the ports; 0: the resource as a whole */
	uint64_t count[4];
	int32_t day[2];                                                /* days since 1970 */
	struct wh_addr peer;
	const char *text;                                              /* NULL if the code has none */
};

/* The reason without its port: "a rule must be stable for 10 days, …". In `mem`, like all texts here. */
const char *wh_reason_why(const struct wh_reason *r, struct wh_arena *mem);
/* The same with its outcome: "not narrowed: a rule must be stable for 10 days, …". */
const char *wh_reason_outcome(const struct wh_reason *r, struct wh_arena *mem);
/* All of them, "; " between: "port 22/TCP is not narrowed: …; port 23/TCP is …". NULL if there is none. */
const char *wh_reasons_text(const struct wh_reason *r, size_t n, struct wh_arena *mem);
/* The same for people: a reason shared by several ports appears once, and names three of them. */
const char *wh_reasons_summary(const struct wh_reason *r, size_t n, struct wh_arena *mem);
/* "severity 1, signature 2034647, last on 2026-11-09", without the signature or the day if these are 0. */
#define WH_ALERT_STRLEN 80
const char *wh_alert_words(unsigned severity, uint32_t signature, int32_t last_day, char buf[static WH_ALERT_STRLEN]);
#define WH_PROXY_WORDS "; it speaks for others, as a proxy does" /* about a peer, in brackets after its alert */
/* "443/TCP", "443/TCP out". */
const char *wh_port_label(enum wh_direction d, uint16_t port, uint8_t proto, struct wh_arena *mem);

/* Adds one at the end; its text is copied into `mem`. */
void wh_reason_add(struct wh_resource_result *res, const struct wh_reason *r, struct wh_arena *mem);
/* The one for exactly this port; NULL if there is none. */
const struct wh_reason *wh_reason_of_port(const struct wh_resource_result *res, enum wh_direction d, uint16_t port,
                                          uint8_t proto);

/* In the form that a recommendation keeps. */
json_t *wh_reasons_json(const struct wh_reason *r, size_t n);
/* Into `res`; -EBADMSG if it is not a list of reasons, and then *res has none. */
int wh_reasons_read(const json_t *list, struct wh_resource_result *res, struct wh_arena *mem);
