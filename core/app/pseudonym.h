/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pseudonyms under a key: of addresses, so that two addresses have as many first bits in common as before (Xu, Fan, Ammar and
 * Moon, "Prefix-preserving IP address anonymization", 2002), and of names.
 *
 * Each bit of an address is flipped or not by a keyed hash of the bits before it: that keeps common prefixes, and is one to one.
 * Where the bits before it are the begin of a range that has a meaning (private, shared, link-local, multicast, …), the bit
 * stays: so such a range becomes itself, and no other address gets into it.
 *
 *   10.1.2.3 -> 10.x.y.z      203.0.113.7, 203.0.113.9 -> 206.a.b.c, 206.a.b.d      service tags and "*" stay
 */
#pragma once
#include <jansson.h>
#include "base/siphash.h"
#include "whittle/base.h"

struct wh_pseudonyms { struct wh_hash_key key; };
int wh_pseudonyms_draw(struct wh_pseudonyms *p, struct wh_error *err); /* at random; it is nowhere but there */
void wh_pseudonym_addr(const struct wh_pseudonyms *p, struct wh_addr *a);
void wh_pseudonym_prefix(const struct wh_pseudonyms *p, struct wh_prefix *x);
enum { WH_PSEUDONYM_STRLEN = 16 };
char *wh_pseudonym_name(const struct wh_pseudonyms *p, const char *name, char out[static WH_PSEUDONYM_STRLEN]);
/*
 * A document of the estate or a group with all texts replaced: addresses and prefixes as above; ARM ids segment by segment, but
 * for the words of Azure; what a rule says of protocols, ports and directions stays; every other text is a name. Service tags'
 * prefixes are left out, since they are published. NULL: out of memory.
 */
json_t *wh_pseudonym_json(const struct wh_pseudonyms *p, const json_t *doc);
/* Copies the ledger `url` into the one at `path`, which is empty, under a key that is drawn for it. */
int wh_ledger_under_pseudonyms(const char *url, const char *path, struct wh_error *err);
