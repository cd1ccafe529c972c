/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Anomalies of the groups' rules, each with names, a packet and the fix. */
#include <stdlib.h>
#include <string.h>
#include "app/network.h"
#include "app/unused.h"
#include "whittle/app_network.h"
#include "whittle/findings.h"

static json_t *packet_json(const struct wh_filter_packet *p)
{
	char local[WH_ADDR_STRLEN], peer[WH_ADDR_STRLEN], proto[8];
	bool in = p->direction == WH_INBOUND;
	wh_addr_text(&p->local, local);
	wh_addr_text(&p->peer, peer);
	return json_pack("{s:s, s:s, s:s, s:i, s:i}", "from", in ? peer : local, "to", in ? local : peer, "protocol",
	                 wh_proto_text(p->proto, proto), "sourcePort", p->sport, "destinationPort", p->dport);
}

/* Of all lists of a command. */
struct bounds { size_t steps, skipped; };

static void add_list(struct wh_app_network *net, const struct wh_filter *f, const char *nsg, json_t *list, struct bounds *bounds)
{
	struct wh_anomaly *a;
	struct wh_filter written = wh_reach_written(f);
	size_t unjudged, n = wh_anomalies(&written, &bounds->steps, net->mem, &a, &unjudged);
	bounds->skipped += unjudged;
	for (size_t i = 0; i < n; i++) {
		const struct wh_rule *r = a[i].rule->from, *o = a[i].other ? a[i].other->from : NULL;
		json_t *x = json_pack("{s:s, s:s, s:s, s:s, s:i, s:s, s:o, s:s}", "kind", wh_anomaly_text(a[i].kind), "nsg", nsg,
		                      "direction", wh_direction_text(r->direction), "rule", r->name, "priority", (int)r->priority,
		                      "access", r->allow ? "Allow" : "Deny", "packet", packet_json(&a[i].packet), "fix",
		                      a[i].fix);
		if (o) {
			json_object_set_new(x, "other", json_string(o->name));
			json_object_set_new(x, "otherPriority", json_integer(o->priority));
		}
		json_array_append_new(list, x);
	}
}

/* Groups that are attached to nothing known: a file may contain only groups. */
static void add_lone(struct wh_app_network *net, const bool *done, json_t *list, size_t *groups, struct bounds *bounds)
{
	for (size_t i = 0; i < 2 * net->t.n_nsgs; i++) {
		size_t before = json_array_size(list);
		if (done[i])
			continue;
		add_list(net, wh_reach_lone_list(net->r, i / 2, (enum wh_direction)(i % 2)), net->t.nsgs[i / 2].name, list,
		         bounds);
		*groups += i % 2 == WH_INBOUND;
		for (size_t k = before; k < json_array_size(list); k++)
			json_object_set_new(json_array_get(list, k), "attached", json_false());
	}
}

/* Azure's own answers, of the documents or the ledger. */
static void add_effective(struct wh_app_network *net, json_t *doc)
{
	json_t *differences, *unjudged;
	if (!net->inv.n_effective)
		return;
	wh_app_effective(net, &net->inv, &differences, &unjudged);
	json_object_set_new(doc, "effectiveDifferences", differences);
	json_object_set_new(doc, "effectiveUnjudged", unjudged);
}

int wh_app_anomalies(struct wh_app_network *net, const struct wh_app *a, json_t **out, struct wh_error *err)
{
	size_t n = wh_reach_lists(net->r), groups = 0;
	struct bounds bounds = {.steps = WH_ANOMALY_STEPS};
	json_t *list = json_array();
	bool *done = wh_arena_array(net->mem, 2 * net->t.n_nsgs + 1, sizeof *done);
	for (size_t i = 0; i < n; i++) {
		size_t nsg;
		enum wh_direction d;
		const struct wh_filter *f = wh_reach_list(net->r, i, &nsg, &d);
		if (!wh_known(nsg) ||
		    done[2 * nsg + d]) /* one reading is enough: a group's rules mean much the same at each place */
			continue;
		done[2 * nsg + d] = true;
		if (wh_nsg_is_acl(&net->t.nsgs[nsg]))
			continue;
		groups += d == WH_INBOUND;
		add_list(net, f, net->t.nsgs[nsg].name, list, &bounds);
	}
	add_lone(net, done, list, &groups, &bounds);
	json_t *unjudged = NULL;
	int rc = a ? wh_app_unused_rules(net, a, list, &unjudged, err) : 0;
	*out = json_pack("{s:o, s:I, s:I, s:o*}", "anomalies", list, "groups", (json_int_t)groups, "skippedRules",
	                 (json_int_t)bounds.skipped, "unjudged", unjudged);
	if (!rc && *out)
		add_effective(net, *out);
	if (rc) {
		json_decref(*out);
		*out = NULL;
		return rc;
	}
	return *out ? 0 : wh_fail(err, -ENOMEM, "out of memory");
}
