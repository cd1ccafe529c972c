/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The resources of the estate, each with its zone, its labels, its recommendations by severity, and its open alerts. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "app/posture.h"
#include "app/shown_name.h"

const char *const wh_app_inventory_orders[] = {"severity", "name", "type", "zone", "alerts", NULL};
enum { BY_SEVERITY, BY_NAME, BY_TYPE, BY_ZONE, BY_ALERTS };

struct row {
	const char *id, *name, *type, *location;
	const json_t *tags;
	const struct wh_host *host;
	size_t counts[4], alerts;       /* failed assessments, by severity; open alerts */
	size_t first, last;             /* of its verdicts, in the order by resource */
	bool facing, networked;
	enum wh_severity worst; bool bad;
	unsigned order;
};

/* ---- joins: by lower-case id ---- */

static int by_row(const void *a, const void *b)
{
	return strcasecmp(((const struct row *)a)->id, ((const struct row *)b)->id);
}

static int by_verdict(const void *a, const void *b)
{
	const struct wh_posture_verdict *const *x = a, *const *y = b;
	int c = strcasecmp((*x)->resource, (*y)->resource);
	return c ? c : ((*x)->of > (*y)->of) - ((*x)->of < (*y)->of);
}

static struct row *row_of(struct row *rows, size_t n, const char *id)
{
	struct row key = {.id = id};
	return n ? bsearch(&key, rows, n, sizeof *rows, by_row) : NULL;
}

static void add_verdicts(struct row *rows, size_t n, const struct wh_posture_verdict **list, size_t n_list)
{
	for (size_t i = 0, next; i < n_list; i = next) {
		struct row *r = row_of(rows, n, list[i]->resource);
		for (next = i; next < n_list && !strcasecmp(list[i]->resource, list[next]->resource); next++) {
			const struct wh_posture_verdict *v = list[next];
			if (!r || v->status != WH_POSTURE_UNHEALTHY || v->exempt)
				continue;
			r->counts[v->of->severity]++;
			r->worst = !r->bad || v->of->severity > r->worst ? v->of->severity : r->worst;
			r->bad = true;
		}
		if (r) {
			r->first = i;
			r->last = next;
		}
	}
}

static void add_alerts(struct row *rows, size_t n, const json_t *alerts)
{
	json_t *a, *e;
	size_t i, k;
	json_array_foreach((json_t *)alerts, i, a) {
		const char *status = wh_alert_property(a, "status");
		if (strcmp(status, wh_alert_status_words[WH_ALERT_ACTIVE]) &&
		    strcmp(status, wh_alert_status_words[WH_ALERT_IN_PROGRESS]))
			continue;
		json_array_foreach(json_object_get(json_object_get(a, "properties"), "entities"), k, e) {
			const char *id = json_string_value(json_object_get(e, "resourceId")),
				   *host = json_string_value(json_object_get(e, "hostName"));
			struct row *r = id || host ? row_of(rows, n, id ? id : host) : NULL;
			if (r)
				r->alerts++;
		}
	}
}

/* ---- the resources ---- */

static bool is_networking(const char *type)
{
	return !strncasecmp(type, "Microsoft.Network/", 18) || strcasestr(type, "virtualMachine");
}

/* Hosts of which facts are known and that are no resource of the estate. */
static size_t collect_hosts(const struct wh_app_posture *p, struct row *out)
{
	size_t n = 0;
	for (size_t i = 0; i < p->in.n_hosts; i++) {
		const struct wh_host_facts *f = &p->in.hosts[i];
		bool judged = false, facing = false;
		for (size_t k = 0; k < p->posture.n && !judged; k++)
			judged = p->posture.list[k].type && !strcmp(p->posture.list[k].type, "host") &&
			         !strcasecmp(p->posture.list[k].resource, f->name);
		if (!judged || (p->in.estate && wh_estate_find(p->in.estate, f->name)))
			continue;
		for (size_t k = 0; k < f->n_addresses; k++)
			facing |= f->addresses[k].outside && !wh_addr_is_private(&f->addresses[k].addr);
		out[n++] = (struct row){
			.id = f->name, .name = f->name, .type = "host", .facing = facing, .networked = true};
	}
	return n;
}

static size_t collect(const struct wh_app_posture *p, struct row **out)
{
	size_t n = 0, k;
	const struct wh_estate *e = p->in.estate;
	struct wh_shown_names names;
	*out = wh_arena_array(p->mem, p->assets.n + p->t.n_hosts + (e ? e->n_resources : 0) + p->in.n_hosts + 1, sizeof **out);
	wh_shown_names_find(&p->inv, p->mem, &names);
	for (size_t i = 0; i < p->assets.n; i++) {
		const struct wh_asset *a = &p->assets.list[i];
		if (a->id)
			(*out)[n++] = (struct row){.id = a->id,
			                           .name = wh_shown_name(&names, a->type, a->id),
			                           .type = a->type,
			                           .location = wh_field_text(a->body, "location"),
			                           .tags = json_object_get(a->body, "tags"),
			                           .networked = is_networking(a->type)};
	}
	wh_shown_names_free(&names);
	for (size_t i = 0; e && i < e->n_resources; i++) /* hosts that no inventory has */
		if (!e->resources[i].id)
			(*out)[n++] = (struct row){.id = e->resources[i].name,
			                           .name = e->resources[i].name,
			                           .type = "host",
			                           .facing = e->resources[i].internet_facing,
			                           .networked = true};
	n += collect_hosts(p, *out + n);
	if (n)
		qsort(*out, n, sizeof **out, by_row);
	for (size_t i = k = 0; i < n; i++)
		if (!k || strcasecmp((*out)[k - 1].id, (*out)[i].id))
			(*out)[k++] = (*out)[i];
	n = k;
	for (size_t i = 0; i < p->t.n_hosts; i++) {
		const struct wh_host *h = &p->t.hosts[i];
		struct row *r = row_of(*out, n, h->id);
		if (r) {
			r->facing |= wh_topology_faces_internet(&p->t, h);
			r->host = h;
		}
	}
	return n;
}

static const char *zone_of(const struct row *r)
{
	return !r->host && strcmp(r->type, "host") ? NULL : r->facing ? "internet-facing" : "internal";
}

/* ---- filters and order ---- */

static bool labelled(const struct row *r, const char *label)
{
	const char *equals = strchr(label, '='), *key;
	size_t len = equals ? (size_t)(equals - label) : strlen(label);
	json_t *v;
	json_object_foreach((json_t *)r->tags, key, v)
		if (strlen(key) == len && !strncasecmp(key, label, len) &&
		    (!equals || (json_is_string(v) && !strcasecmp(json_string_value(v), equals + 1))))
			return true;
	return false;
}

static bool fails(const struct row *r, const struct wh_posture_verdict *const *list, const char *key)
{
	for (size_t i = r->first; i < r->last; i++)
		if (list[i]->status == WH_POSTURE_UNHEALTHY && !list[i]->exempt && wh_assessment_is(list[i]->of, key))
			return true;
	return false;
}

static bool wanted(const struct row *r, const struct wh_app_inventory *ask, const struct wh_posture_verdict *const *list)
{
	const char *zone = zone_of(r);
	if (ask->type ? !strcasestr(r->type, ask->type) : !r->networked && !r->bad && r->first == r->last)
		return false; /* without a filter: the network's resources, and the assessed ones */
	if (ask->zone && (!zone || strcasecmp(zone, ask->zone)))
		return false;
	if (ask->severity && (!r->bad || strcasecmp(wh_severity_words[r->worst], ask->severity)))
		return false;
	return (!ask->assessment || fails(r, list, ask->assessment)) && (!ask->label || labelled(r, ask->label)) &&
	       (!ask->name || strcasestr(r->name, ask->name));
}

static int by_order(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	const char *zx = zone_of(x), *zy = zone_of(y);
	int c = 0;
	if (x->order == BY_SEVERITY) {
		c = (y->bad ? (int)y->worst : -1) - (x->bad ? (int)x->worst : -1);
		for (int s = WH_HIGH; !c && s >= 0; s--)
			c = (y->counts[s] > x->counts[s]) - (y->counts[s] < x->counts[s]);
	} else if (x->order == BY_NAME) {
		c = strcasecmp(x->name, y->name);
	} else if (x->order == BY_TYPE) {
		c = strcasecmp(x->type, y->type);
	} else if (x->order == BY_ZONE) {
		c = strcmp(zy ? zy : "", zx ? zx : "");
	} else {
		c = (y->alerts > x->alerts) - (y->alerts < x->alerts);
	}
	return c ? c : by_row(a, b);
}

static json_t *row_json(const struct wh_app_posture *p, const struct row *r, const struct wh_posture_verdict *const *list)
{
	json_t *unhealthy = json_array(), *addresses = json_array();
	char buf[WH_ADDR_STRLEN];
	for (size_t i = r->first; i < r->last; i++)
		if (list[i]->status == WH_POSTURE_UNHEALTHY && !list[i]->exempt)
			json_array_append_new(unhealthy, json_string(list[i]->of->key));
	for (size_t i = r->host ? r->host->first : 0; r->host && i < r->host->first + r->host->n; i++)
		json_array_append_new(addresses, json_string(wh_addr_text(&p->t.endpoints[i].addr, buf)));
	return json_pack("{s:s, s:s, s:s, s:s?, s:s?, s:O?, s:o, s:{s:I, s:I, s:I, s:I}, s:o, s:I, s:s?}", "id", r->id, "name",
	                 r->name, "type", r->type, "location", r->location, "zone", zone_of(r), "labels",
	                 json_is_object(r->tags) ? r->tags : NULL, "addresses", addresses, "recommendations", "high",
	                 (json_int_t)r->counts[WH_HIGH], "medium", (json_int_t)r->counts[WH_MEDIUM], "low",
	                 (json_int_t)r->counts[WH_LOW], "informational", (json_int_t)r->counts[WH_INFORMATIONAL], "unhealthy",
	                 unhealthy, "alerts", (json_int_t)r->alerts, "severity", r->bad ? wh_severity_words[r->worst] : NULL);
}

int wh_app_inventory(const struct wh_app_posture *p, const struct wh_app_inventory *ask, json_t **out, struct wh_error *err)
{
	struct row *rows;
	size_t n = collect(p, &rows), kept = 0;
	const struct wh_posture_verdict **list = wh_arena_array(p->mem, p->posture.n + 1, sizeof *list);
	int order = ask->sort ? wh_key_choice(wh_app_inventory_orders, ask->sort) : 0;
	if (order < 0)
		return wh_fail(err, WH_APP_USAGE, "--sort takes severity, name, type, zone or alerts, not '%s'", ask->sort);
	for (size_t i = 0; i < p->posture.n; i++)
		list[i] = &p->posture.list[i];
	if (p->posture.n)
		qsort(list, p->posture.n, sizeof *list, by_verdict);
	add_verdicts(rows, n, list, p->posture.n);
	add_alerts(rows, n, p->alerts);
	for (size_t i = 0; i < n; i++)
		if (wanted(&rows[i], ask, list)) {
			rows[kept] = rows[i];
			rows[kept++].order = (unsigned)order;
		}
	if (kept)
		qsort(rows, kept, sizeof *rows, by_order);
	json_t *resources = json_array();
	for (size_t i = 0; i < kept; i++)
		json_array_append_new(resources, row_json(p, &rows[i], list));
	*out = json_pack("{s:i, s:o, s:I}", "version", 1, "resources", resources, "total", (json_int_t)kept);
	return *out ? 0 : wh_fail(err, -ENOMEM, "out of memory");
}
