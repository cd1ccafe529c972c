/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * realms: in which network (VLAN, tenant) each private address of ours was met. The same private address in two of them is two
 * machines, or one whose traffic is routed past the sensor twice: only a person knows, so it is refused with what to set.
 */
#pragma once
#include "whittle/ledger.h"

struct wh_realms;
struct wh_realms *wh_realms_new(void); /* NULL: out of memory */
void wh_realms_free(struct wh_realms *r);
int wh_realms_load(struct wh_realms *r, struct wh_store *s, struct wh_error *err); /* the ledger's observations of earlier runs */
struct wh_store_seen;
/* the observations since, until the next one */
int wh_realms_seen(struct wh_realms *r, struct wh_store_seen *seen, struct wh_error *err);
void wh_realms_written(struct wh_realms *r); /* the commit of that is done */
/* The address was met in `realm`. Returns 0; 1 where it was met in another before, which goes to *other; -ENOMEM. */
int wh_realms_meet(struct wh_realms *r, const struct wh_addr *a, const struct wh_realm *realm, struct wh_realm *other);
/* The network where the address was seen; false: none. */
bool wh_realms_find(const struct wh_realms *r, const struct wh_addr *a, struct wh_realm *where);

/* For those that are met while others are being written: a copy (NULL: out of memory); that all of the copy are in the ledger,
 * with whether more have come since; that none is. */
struct wh_realms *wh_realms_copy(const struct wh_realms *r);
bool wh_realms_written_as(struct wh_realms *r, const struct wh_realms *copy);
void wh_realms_unwritten(struct wh_realms *r);

typedef int (*wh_realm_cb)(void *arg, const struct wh_addr *a, const struct wh_realm *realm);
