/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * realms: in which network (VLAN, tenant) each private address of ours was met. The same private address in two of them is two machines,
 * or one whose traffic is routed past the sensor twice: only a person knows, so it is refused with what to set.
 */
#pragma once
#include "whittle/ledger.h"

struct wh_realms;
struct wh_realms *wh_realms_new(void); /* NULL: out of memory */
void wh_realms_free(struct wh_realms *r);
int wh_realms_load(struct wh_realms *r, struct wh_store *s, struct wh_error *err); /* what the ledger knows of earlier runs */
/* What was met since, within the store's transaction; and once that is committed. */
int wh_realms_write(struct wh_realms *r, struct wh_store *s, struct wh_error *err);
void wh_realms_written(struct wh_realms *r);
/* The address was met in `realm`. Returns 0; 1 where it was met in another before, which goes to *other; -ENOMEM. */
int wh_realms_meet(struct wh_realms *r, const struct wh_addr *a, const struct wh_realm *realm, struct wh_realm *other);
/* Where the address was met; false: nowhere. */
bool wh_realms_find(const struct wh_realms *r, const struct wh_addr *a, struct wh_realm *where);

/* For those that are met while others are being written: a copy (NULL: out of memory); that all of the copy are in the ledger, with whether more have
 * come since; that none is. */
struct wh_realms *wh_realms_copy(const struct wh_realms *r);
bool wh_realms_written_as(struct wh_realms *r, const struct wh_realms *copy);
void wh_realms_unwritten(struct wh_realms *r);

/* ---- the store's side: store_sqlite_realms.c ---- */
typedef int (*wh_realm_cb)(void *arg, const struct wh_addr *a, const struct wh_realm *realm);
int wh_store_realms(struct wh_store *s, wh_realm_cb each, void *arg, struct wh_error *err);
int wh_store_realm_put(struct wh_store *s, const struct wh_addr *a, const struct wh_realm *realm, struct wh_error *err);
