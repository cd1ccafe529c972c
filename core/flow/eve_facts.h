/* SPDX-License-Identifier: GPL-2.0-or-later */
/* eve_facts: the making of facts of one protocol record. eve_facts.c reads the record's own members, eve_facts_*.c those of a
 * protocol. */
#pragma once
#include "flow/json_scan.h"
#include "whittle/fact.h"

struct eve_facts {
	struct wh_fact like; /* the ends, port, protocol and time that all of them have */
	uint16_t src_port;   /* of the end that the record names first */
	struct wh_fact *out;
	unsigned n;
};
/* Another one, NULL where there is no room; the second counts 1. */
struct wh_fact *eve_fact(struct eve_facts *f, enum wh_fact_kind kind, const char *value);
void eve_fact_count(struct eve_facts *f, enum wh_fact_kind kind, const char *value, bool failed);
/* The record was written the wrong way round: its first end is the server, at `port`. */
void eve_facts_swap(struct eve_facts *f, uint16_t port);
/* The text in printable ASCII and lower case, cut at what `out` holds; '?' for each other character. Returns its whole length. */
size_t eve_plain(struct js_text t, char *out, size_t size);

/* The facts in a protocol's object. */
void eve_facts_tls(struct eve_facts *f, struct js_value object);
void eve_facts_ssh(struct eve_facts *f, struct js_value object);
void eve_facts_smb(struct eve_facts *f, struct js_value object);
void eve_facts_krb5(struct eve_facts *f, struct js_value object);
void eve_facts_ldap(struct eve_facts *f, struct js_value object);
void eve_facts_ike(struct eve_facts *f, struct js_value object);
void eve_facts_dns(struct eve_facts *f, struct js_value object);
void eve_facts_alert(struct eve_facts *f, struct js_value object);
