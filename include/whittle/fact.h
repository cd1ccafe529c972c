/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fact: what a sensor's protocol records (tls, ssh, smb, krb5, ldap, ike, dns, stats) and alerts of our own signatures show:
 * protocol versions, login methods, names that were looked up. Anything that could be a secret or a person's name (users,
 * credentials, realms, files) is not read.
 */
#pragma once
#include "whittle/flow.h"

enum wh_fact_kind {
	WH_FACT_TLS,          /* "1.2": the negotiated one; "offers 1.0": the highest that the client supports, below 1.2 */
	WH_FACT_SSH,          /* "2.0": the server's; the client's if the server's is not known */
	WH_FACT_SMB,          /* "3.11", "1": the dialect */
	WH_FACT_NTLM,         /* the version that the client names; "unknown"; "lm", "ntlmv1" or "ntlmv2 response" */
	WH_FACT_KERBEROS,     /* "weak rc4-hmac", "strong aes256-cts-hmac-sha1-96" */
	WH_FACT_LDAP,         /* "simple", "anonymous", "sasl", "digest-md5": how the client binds, in clear */
	WH_FACT_DNS,          /* "": the server is asked for names */
	WH_FACT_DNS_NAME,     /* the name that is asked for, in lower case; none longer than the value */
	WH_FACT_DNS_DOMAIN,   /* the registered domain, of one day: how many names of it, how long */
	WH_FACT_DNS_FAILED,   /* "": names that don't exist, of one day: of how many domains */
	WH_FACT_DNS_DANGLING, /* the name that an alias leads to and that does not exist */
	WH_FACT_CAPTURE,      /* packets that the sensor took and lost, of one day and run: see struct wh_fact_row */
	/* "until 2027-01-01", ", self-signed" behind it: what our server shows to whoever asks, until TLS 1.2 */
	WH_FACT_CERTIFICATE,
	/* what an address of ours tried in vain, of one day, without the peer. "targets": one port's; "ports": of all ports;
	 * WH_FACT_COUNTED, of no address: attempts of that day were counted at all */
	WH_FACT_ATTEMPTS,
	/* "30123 loaded, 5 failed, since 2026-11-29": the sensor's signatures, and the day of their last reload; of one day */
	WH_FACT_SIGNATURES,
	/* "IKEv2", "IKEv1 aggressive, 3DES, MD5, 1024-bit group": what the ends agreed on, with the algorithms that are weak */
	WH_FACT_IKE,
	WH_FACT_KINDS
};
extern const char *const wh_fact_words[]; /* "tls" … "ike", by their values; NULL at the end */
bool wh_fact_by_day(enum wh_fact_kind kind); /* there is a row a day */
bool wh_fact_of_sensor(enum wh_fact_kind kind); /* it is of the sensor, not of an address */
/* It is what a client offers: the server that it asks is not at fault, whoever runs it. */
bool wh_fact_is_offer(enum wh_fact_kind kind, const char *value);

#define WH_FACT_COUNTED "counted"
#define WH_FACT_VALUE 64 /* bytes, with the NUL */
/* The value of SIGNATURES; since_us: the begin of the day of their last reload, UTC. */
struct wh_signatures { uint64_t loaded, failed; int64_t since_us; };
void wh_signatures_text(const struct wh_signatures *s, char value[static WH_FACT_VALUE]);
/* 0, or -EINVAL: the value is none. */
int wh_signatures_parse(const char *value, struct wh_signatures *out);
struct wh_fact {
	enum wh_fact_kind kind;
	struct wh_addr client, server; /* CAPTURE, SIGNATURES: none */
	uint16_t port;                 /* the server's, host order */
	uint8_t proto;
	char value[WH_FACT_VALUE];     /* printable ASCII */
	int64_t time_us;
	uint64_t count, failed;        /* what is counted; the refused ones of these */
	/* DNS_DOMAIN: bytes in names below the domain, and in text answers. CAPTURE: packets and drops since its
	 * start. ATTEMPTS: the target's address; `failed` is a number drawn for it */
	uint64_t up, down;
	uint64_t hash;                 /* of an item that is counted only once; 0: none */
};

#define WH_FACTS_MAX 12
/* The facts in one well-formed EVE record of kind WH_RECORD_OTHER. Returns their number; 0 for types that are not read. Never
 * allocates. */
unsigned wh_eve_facts(const char *line, size_t len, const struct wh_record *rec, struct wh_fact out[static WH_FACTS_MAX]);

/* The registered domain of a lower-case name: its last two labels, or three if the last but one is a registry's own ("co.uk"). ""
 * for names without any: single labels, reverse zones, .local. */
const char *wh_registered_domain(const char *name);
