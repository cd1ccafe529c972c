/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A sorted array of addresses, since there are few that are ours; the last one that was met is looked at first. Bounded:
 * observations without room count for nothing. */
#include <stdlib.h>
#include <string.h>
#include "base/array.h"
#include "ledger/store.h"

enum { MOST = 65536 };

struct met { struct wh_addr addr; struct wh_realm realm; bool saved; };
struct wh_realms {
	struct met *met;
	size_t n, cap, last;
	struct wh_realm_met *fresh; /* for a commit under way */
};

struct wh_realms *wh_realms_new(void)
{
	return calloc(1, sizeof(struct wh_realms));
}

void wh_realms_free(struct wh_realms *r)
{
	if (r) {
		free(r->met);
		free(r->fresh);
	}
	free(r);
}

static size_t place_of(const struct wh_realms *r, const struct wh_addr *a)
{
	return WH_BISECT(i, 0, r->n, wh_addr_cmp(&r->met[i].addr, a) < 0);
}

int wh_realms_meet(struct wh_realms *r, const struct wh_addr *a, const struct wh_realm *realm, struct wh_realm *other)
{
	size_t at = r->last < r->n && wh_addr_eq(&r->met[r->last].addr, a) ? r->last : place_of(r, a);
	if (at < r->n && wh_addr_eq(&r->met[at].addr, a)) {
		r->last = at;
		*other = r->met[at].realm;
		return !wh_realm_eq(other, realm);
	}
	if (r->n == MOST)
		return 0;
	if (!wh_array_grow(&r->met, r->n, &r->cap, sizeof *r->met))
		return -ENOMEM;
	memmove(r->met + at + 1, r->met + at, (r->n - at) * sizeof *r->met);
	r->met[at] = (struct met){*a, *realm, false};
	r->n++;
	r->last = at;
	return 0;
}

static int load_one(void *arg, const struct wh_addr *a, const struct wh_realm *realm)
{
	struct wh_realm other;
	int rc = wh_realms_meet(arg, a, realm, &other);
	return rc < 0 ? rc : 0;
}

int wh_realms_load(struct wh_realms *r, struct wh_store *s, struct wh_error *err)
{
	int rc = s->ops->realms(s, load_one, r, err);
	for (size_t i = 0; i < r->n; i++)
		r->met[i].saved = true;
	return rc == -ENOMEM ? wh_fail(err, rc, "out of memory") : rc;
}

int wh_realms_seen(struct wh_realms *r, struct wh_store_seen *seen, struct wh_error *err)
{
	size_t n = 0, k = 0;
	for (size_t i = 0; i < r->n; i++)
		n += !r->met[i].saved;
	free(r->fresh);
	if (!(r->fresh = n ? calloc(n, sizeof *r->fresh) : NULL) && n)
		return wh_fail(err, -ENOMEM, "out of memory");
	seen->realms = r->fresh;
	seen->n_realms = n;
	for (size_t i = 0; i < r->n; i++)
		if (!r->met[i].saved)
			r->fresh[k++] = (struct wh_realm_met){r->met[i].addr, r->met[i].realm};
	return 0;
}

void wh_realms_written(struct wh_realms *r)
{
	for (size_t i = 0; i < r->n; i++)
		r->met[i].saved = true;
}

bool wh_realms_find(const struct wh_realms *r, const struct wh_addr *a, struct wh_realm *where)
{
	size_t at = place_of(r, a);
	if (at == r->n || !wh_addr_eq(&r->met[at].addr, a))
		return false;
	*where = r->met[at].realm;
	return true;
}

struct wh_realms *wh_realms_copy(const struct wh_realms *r)
{
	struct wh_realms *c = wh_realms_new();
	if (!c || !r->n)
		return c;
	if (!(c->met = malloc(r->n * sizeof *c->met))) {
		free(c);
		return NULL;
	}
	memcpy(c->met, r->met, r->n * sizeof *c->met);
	c->n = c->cap = r->n;
	return c;
}

bool wh_realms_written_as(struct wh_realms *r, const struct wh_realms *copy)
{
	bool more = false;
	for (size_t i = 0, k = 0; i < r->n; i++) {
		while (k < copy->n && wh_addr_cmp(&copy->met[k].addr, &r->met[i].addr) < 0)
			k++;
		r->met[i].saved |= k < copy->n && wh_addr_eq(&copy->met[k].addr, &r->met[i].addr);
		more |= !r->met[i].saved;
	}
	return more;
}

void wh_realms_unwritten(struct wh_realms *r)
{
	for (size_t i = 0; i < r->n; i++)
		r->met[i].saved = false;
}
