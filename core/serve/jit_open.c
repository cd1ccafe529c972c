/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ports are opened within the policies, requested, approved and closed, by `whittle jit`. */
#include <string.h>
#include <strings.h>
#include "serve/endpoints.h"

/* One port of one machine, by `whittle jit open` or `whittle jit request`; the policy is checked there. */
static int open_port(struct wh_call *c, enum wh_gate_what what, const char *id, json_t *port, const char *why,
                     struct wh_error *err)
{
	struct wh_gate_request r = wh_call_gate(c, what);
	const char *from = wh_call_member(port, "allowedSourceAddressPrefix"), *end = wh_call_member(port, "endTimeUtc"),
		   *local = strrchr(id, '/');
	const char *proto = wh_call_member(port, "protocol");
	int64_t until, now = wh_now_us();
	json_t *doc;
	if (!end || wh_time_parse(end, strlen(end), &until) || until <= now || until - now > WH_US_PER_DAY)
		return wh_fail_input(err, -EINVAL, "endTimeUtc is a time within the next 24 hours");
	if (!from || !strcmp(from, "*"))
		from = "0.0.0.0/0";
	r.proto = proto && !strcasecmp(proto, "UDP") ? WH_PROTO_UDP : WH_PROTO_TCP;
	r.port = (uint32_t)json_integer_value(json_object_get(port, "number"));
	r.seconds = (uint32_t)((until - now) / 1000000) + 1;
	bool ours = local && wh_id_within(id, WH_LOCAL_SUBSCRIPTION, WH_LOCAL_GROUP);
	snprintf(r.resource, sizeof r.resource, "%s", ours ? local + 1 : id);
	snprintf(r.from, sizeof r.from, "%.63s", from);
	snprintf(r.why, sizeof r.why, "%.250s", why ? why : "");
	int rc = wh_call_command(c, &r, &doc, err);
	if (what == WH_GATE_JIT_OPEN) /* readers add to the journal only as many requests as may wait: see wh_jit_request() */
		wh_call_journal(c, "serve.jit.open",
		                json_pack("{s:s, s:i, s:s, s:b}", "resource", r.resource, "port", (int)r.port, "from", r.from,
		                          "done", !rc));
	json_decref(doc);
	if (!rc) {
		json_object_set_new(port, "status", json_string("Initiated"));
		json_object_set_new(port, "statusReason", json_string("UserRequested"));
	}
	return rc;
}

WH_ENDPOINT(jit_initiate)
{
	const char *why = wh_call_member(c->body, "justification");
	json_t *machines = json_object_get(c->body, "virtualMachines"), *m, *port;
	char now[WH_TIME_STRLEN];
	size_t i, k;
	int rc = 0;
	if (strcasecmp(c->target.segments[c->target.n - 1], "initiate") || !json_array_size(machines) ||
	    json_array_size(machines) > 20)
		return wh_call_refuse(c, 400, "InvalidRequestContent",
		                      "initiate takes 1 to 20 virtualMachines, each with an id and ports");
	json_array_foreach(machines, i, m) {
		const char *id = wh_call_member(m, "id");
		if (!id || !json_array_size(json_object_get(m, "ports")))
			rc = rc ? rc : wh_fail_input(err, -EINVAL, "a virtual machine has an id and ports");
		json_array_foreach(json_object_get(m, "ports"), k, port)
			rc = rc ? rc : open_port(c, WH_GATE_JIT_OPEN, id, port, why, err);
	}
	return rc ? rc
	          : wh_call_json(c, 202,
	                         json_pack("{s:O, s:s, s:s, s:s*}", "virtualMachines", machines, "startTimeUtc",
	                                   wh_time_text(wh_now_us(), now), "requestor", c->app->who, "justification", why));
}

/* ---- our own ---- */

static int open_or_ask(struct wh_call *c, enum wh_gate_what what, struct wh_error *err)
{
	const char *resource = wh_call_member(c->body, "resource");
	if (!resource)
		return wh_call_refuse(
			c, 400, "InvalidRequestContent",
			"the body has resource, number, protocol, allowedSourceAddressPrefix, endTimeUtc and, if wanted, why");
	int rc = open_port(c, what, resource, c->body, wh_call_member(c->body, "why"), err);
	return rc ? rc : wh_call_json(c, 200, json_incref(c->body));
}

WH_ENDPOINT(own_jit_open)
{
	return open_or_ask(c, WH_GATE_JIT_OPEN, err);
}

WH_ENDPOINT(own_jit_request)
{
	return open_or_ask(c, WH_GATE_JIT_REQUEST, err);
}

/* By the id of an opening or a request. */
static int end_one(struct wh_call *c, enum wh_gate_what what, const char *journal, struct wh_error *err)
{
	struct wh_gate_request r = wh_call_gate(c, what);
	const char *why = wh_call_member(c->body, "why");
	json_t *doc;
	snprintf(r.resource, sizeof r.resource, "%.60s", c->values[0]);
	snprintf(r.why, sizeof r.why, "%.250s", why ? why : "");
	int rc = wh_call_command(c, &r, &doc, err);
	wh_call_journal(c, journal, json_pack("{s:s, s:b}", "id", r.resource, "done", !rc));
	json_decref(doc);
	return rc ? rc : wh_call_empty(c, 204);
}

WH_ENDPOINT(own_jit_close)
{
	return end_one(c, WH_GATE_JIT_CLOSE, "serve.jit.close", err);
}

WH_ENDPOINT(own_jit_approve)
{
	return end_one(c, WH_GATE_JIT_APPROVE, "serve.jit.approve", err);
}

WH_ENDPOINT(own_jit_refuse)
{
	return end_one(c, WH_GATE_JIT_REFUSE, "serve.jit.refuse", err);
}
