/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts of a host, read from the document that the host made of them. It comes from another machine: everything is checked. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "base/json.h"
#include "whittle/host_facts.h"
#include "whittle/state.h"

enum { MOST_NAME = 255 };
static const char collection[] = "host-facts";

struct reading { const char *file; struct wh_arena *mem; struct wh_error *err; };

bool wh_host_facts_are(const json_t *doc)
{
	const char *kind = json_string_value(json_object_get(doc, "kind"));
	return kind && !strcmp(kind, WH_HOST_FACTS);
}

static int bad(const struct reading *r, const char *where, size_t i, const char *what)
{
	return wh_fail_input(r->err, -EINVAL, "%s: %s[%zu]: %s", r->file, where, i, what);
}

/* ---- values ---- */

static const char *text_at(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

static bool address_of(const char *text, struct wh_addr *out)
{
	return text && !wh_addr_parse(text, strlen(text), out);
}

static bool number_of(const json_t *o, const char *key, json_int_t most, uint16_t *out)
{
	const json_t *v = json_object_get(o, key);
	json_int_t n = json_integer_value(v);
	*out = (uint16_t)n;
	return json_is_integer(v) && n >= 0 && n <= most;
}

static bool proto_of(const json_t *o, uint8_t *out)
{
	const char *text = text_at(o, "protocol");
	*out = text && !strcasecmp(text, "UDP") ? WH_PROTO_UDP : WH_PROTO_TCP;
	return text && (!strcasecmp(text, "TCP") || !strcasecmp(text, "UDP"));
}

/* The elements of a list, which may be absent. */
static int list_of(const struct reading *r, const json_t *o, const char *key, size_t *n)
{
	const json_t *v = json_object_get(o, key);
	*n = json_array_size(v);
	return !v || json_is_array(v) ? 0 : wh_fail_input(r->err, -EINVAL, "%s: '%s' must be a list", r->file, key);
}

/* ---- the ruleset ---- */

static bool peers_of(const json_t *list, struct wh_arena *mem, struct wh_ranges *out)
{
	struct wh_prefix *p = wh_arena_array(mem, json_array_size(list) + 1, sizeof *p);
	json_t *v;
	size_t i;
	json_array_foreach((json_t *)list, i, v) {
		const char *text = json_string_value(v);
		if (!text || wh_prefix_parse(text, strlen(text), &p[i], NULL))
			return false;
	}
	*out = wh_ranges_from_prefixes(p, json_array_size(list), mem);
	return json_is_array(list);
}

static int openings_of(const struct reading *r, const json_t *ruleset, const char *key, bool published,
                       struct wh_host_openings *out)
{
	json_t *list = json_object_get(ruleset, key), *v;
	size_t i;
	int rc = list_of(r, ruleset, key, &out->n);
	out->list = wh_arena_array(r->mem, out->n + 1, sizeof *out->list);
	json_array_foreach(rc ? NULL : list, i, v) {
		struct wh_host_opening *o = &out->list[i];
		o->interface = text_at(v, "interface");
		o->by = text_at(v, "by");
		o->certain = !json_is_false(json_object_get(v, "certain"));
		if (!o->interface || !address_of(text_at(v, "address"), &o->local) || !proto_of(v, &o->proto) ||
		    !number_of(v, "port", 65535, &o->ports.from) || !number_of(v, "lastPort", 65535, &o->ports.to) ||
		    o->ports.from > o->ports.to)
			return bad(r, key, i, "it needs interface, address, protocol (TCP, UDP), port and lastPort");
		if (!peers_of(json_object_get(v, "peers"), r->mem, &o->peers))
			return bad(r, key, i, "'peers' is no list of prefixes");
		if (published && (!address_of(text_at(v, "to"), &o->to) || !number_of(v, "toPort", 65535, &o->to_port)))
			return bad(r, key, i, "it needs 'to' and 'toPort'");
	}
	return rc;
}

static int answer_of(const struct reading *r, const json_t *ruleset, const char *key, enum wh_answer *out)
{
	const char *text = text_at(ruleset, key);
	*out = !text || !strcmp(text, "unknown") ? WH_UNDECIDED : !strcmp(text, "allowed") ? WH_ALLOWED : WH_DENIED;
	return *out != WH_DENIED || !strcmp(text, "denied")
	               ? 0
	               : wh_fail_input(r->err, -EINVAL, "%s: '%s' must be denied, allowed or unknown", r->file, key);
}

static int ruleset_of(const struct reading *r, const json_t *ruleset, struct wh_host_facts *out)
{
	json_t *v;
	size_t i;
	if (!ruleset)
		return 0;
	if (!json_is_object(ruleset))
		return wh_fail_input(r->err, -EINVAL, "%s: 'ruleset' must be an object", r->file);
	out->read = true;
	out->unread = text_at(ruleset, "unread");
	int rc = list_of(r, ruleset, "chains", &out->n_chains);
	out->chains = wh_arena_array(r->mem, out->n_chains + 1, sizeof *out->chains);
	json_array_foreach(rc ? NULL : json_object_get(ruleset, "chains"), i, v)
		out->chains[i] = json_is_string(v) ? json_string_value(v) : "";
	rc = rc ? rc : openings_of(r, ruleset, "inbound", false, &out->inbound);
	rc = rc ? rc : openings_of(r, ruleset, "outbound", false, &out->outbound);
	rc = rc ? rc : openings_of(r, ruleset, "published", true, &out->published);
	rc = rc ? rc : answer_of(r, ruleset, "forwards4", &out->forwards[0]);
	return rc ? rc : answer_of(r, ruleset, "forwards6", &out->forwards[1]);
}

/* ---- the rest ---- */

static int addresses_of(const struct reading *r, const json_t *doc, struct wh_host_facts *out)
{
	json_t *v;
	size_t i;
	int rc = list_of(r, doc, "addresses", &out->n_addresses);
	out->addresses = wh_arena_array(r->mem, out->n_addresses + 1, sizeof *out->addresses);
	json_array_foreach(rc ? NULL : json_object_get(doc, "addresses"), i, v) {
		struct wh_host_address *a = &out->addresses[i];
		a->interface = text_at(v, "interface");
		a->outside = json_is_true(json_object_get(v, "outside"));
		if (!a->interface || !address_of(text_at(v, "address"), &a->addr))
			return bad(r, "addresses", i, "it needs interface and address");
	}
	return rc;
}

static int settings_of(const struct reading *r, const json_t *doc, struct wh_host_facts *out)
{
	static const char *const names[] = {"sysctls", "settings"};
	size_t most = json_object_size(json_object_get(doc, names[0])) + json_object_size(json_object_get(doc, names[1]));
	const char *key;
	json_t *o, *v;
	out->settings = wh_arena_array(r->mem, most + 1, sizeof *out->settings);
	for (size_t i = 0; i < 2; i++) {
		o = json_object_get(doc, names[i]);
		if (o && !json_is_object(o))
			return wh_fail_input(r->err, -EINVAL, "%s: '%s' must be an object", r->file, names[i]);
		json_object_foreach(o, key, v)
			if (json_is_string(v))
				out->settings[out->n_settings++] = (struct wh_host_setting){key, json_string_value(v)};
	}
	out->asked = json_object_get(doc, names[1]) != NULL;
	return 0;
}

static int programs_of(const struct reading *r, const json_t *doc, struct wh_host_facts *out)
{
	json_t *v;
	size_t i;
	int rc = list_of(r, doc, "programs", &out->n_programs);
	out->programs = wh_arena_array(r->mem, out->n_programs + 1, sizeof *out->programs);
	json_array_foreach(rc ? NULL : json_object_get(doc, "programs"), i, v) {
		out->programs[i] = json_string_value(v);
		if (!out->programs[i])
			return bad(r, "programs", i, "it is no name");
	}
	return rc;
}

static int listeners_of(const struct reading *r, const json_t *doc, struct wh_host_facts *out)
{
	json_t *v;
	size_t i;
	int rc = list_of(r, doc, "listeners", &out->n_listeners);
	out->listeners = wh_arena_array(r->mem, out->n_listeners + 1, sizeof *out->listeners);
	json_array_foreach(rc ? NULL : json_object_get(doc, "listeners"), i, v) {
		struct wh_host_listener *l = &out->listeners[i];
		if (!proto_of(v, &l->proto) || !address_of(text_at(v, "address"), &l->addr) ||
		    !number_of(v, "port", 65535, &l->port))
			return bad(r, "listeners", i, "it needs protocol, address and port");
	}
	return rc;
}

static int resolvers_of(const struct reading *r, const json_t *doc, struct wh_host_facts *out)
{
	json_t *v;
	size_t i;
	int rc = list_of(r, doc, "resolvers", &out->n_resolvers);
	out->resolvers = wh_arena_array(r->mem, out->n_resolvers + 1, sizeof *out->resolvers);
	json_array_foreach(rc ? NULL : json_object_get(doc, "resolvers"), i, v)
		if (!address_of(json_string_value(v), &out->resolvers[i]))
			return bad(r, "resolvers", i, "it is no address");
	return rc;
}

int wh_host_facts_read(const char *file, const json_t *doc, struct wh_arena *mem, struct wh_host_facts *out, struct wh_error *err)
{
	const struct reading r = {file, mem, err};
	const char *at = text_at(doc, "at");
	*out = (struct wh_host_facts){.name = text_at(doc, "name")};
	if (!wh_host_facts_are(doc))
		return wh_fail_input(err, -EINVAL, "%s: it is not a document of host facts (`whittle estate facts` makes one)",
		                     file);
	if (json_integer_value(json_object_get(doc, "version")) != 1)
		return wh_fail_input(err, -EINVAL, "%s: host facts of another version than 1", file);
	if (!out->name || !*out->name || strlen(out->name) > MOST_NAME)
		return wh_fail_input(err, -EINVAL, "%s: 'name' is the host's name, of 1 to %d bytes", file, MOST_NAME);
	if (!at || wh_time_parse(at, strlen(at), &out->at_us))
		return wh_fail_input(err, -EINVAL, "%s: 'at' is the time at which the facts were taken", file);
	int rc = addresses_of(&r, doc, out);
	rc = rc ? rc : ruleset_of(&r, json_object_get(doc, "ruleset"), out);
	rc = rc ? rc : settings_of(&r, doc, out);
	rc = rc ? rc : programs_of(&r, doc, out);
	rc = rc ? rc : listeners_of(&r, doc, out);
	return rc ? rc : resolvers_of(&r, doc, out);
}

const char *wh_host_setting(const struct wh_host_facts *f, const char *name)
{
	for (size_t i = 0; i < f->n_settings; i++)
		if (!strcmp(f->settings[i].name, name))
			return f->settings[i].value;
	return NULL;
}

/* ---- kept ---- */

int wh_host_facts_put(struct wh_state *s, const json_t *doc, const char *who, struct wh_error *err)
{
	const char *name = text_at(doc, "name");
	json_t *line = json_pack("{s:s, s:s}", "host", name, "at", text_at(doc, "at"));
	char *text = line ? json_dumps(line, JSON_COMPACT) : NULL;
	int rc = text ? wh_state_put_json(s, collection, name, json_deep_copy(doc), err)
	              : wh_fail(err, -ENOMEM, "out of memory");
	rc = rc ? rc : wh_state_log(s, who, "host-facts", text, err);
	free(text);
	json_decref(line);
	return rc;
}

static int collect(void *arg, const char *key, const char *json)
{
	json_t *doc = wh_json_load(json, strlen(json), 0, NULL, NULL);
	(void)key;
	if (wh_host_facts_are(doc))
		json_array_append(arg, doc);
	json_decref(doc);
	return 0;
}

int wh_host_facts_list(struct wh_state *s, json_t **out, struct wh_error *err)
{
	*out = json_array();
	return wh_state_each(s, collection, collect, *out, err);
}
