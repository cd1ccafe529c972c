/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An alert in the form of Microsoft.Security/alerts 2022-01-01, with the parts that have no field there under "whittle": sources
 * with their counts, the rule, the timeline. The name has Defender's form: 19 digits, 3155378975999999999 less the start in ticks
 * (100 ns since the year 1), so that names sort newest first, and a UUID, which is made of the correlation key and the start: the
 * same ledger gives the same names.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "alert/document.h"
#include "base/json.h"
#include "base/text.h"

static const int64_t last_tick = INT64_C(3155378975999999999), ticks_of_1970 = INT64_C(621355968000000000);

json_t *wh_alert_read(const char *text)
{
	bool inexact;
	return wh_json_load(text, strlen(text), 0, &inexact, NULL);
}

const char *wh_alert_key(const struct wh_finding *f, struct wh_arena *mem)
{
	char peer[WH_ADDR_STRLEN] = "";
	if (f->of_peer)
		wh_addr_text(&f->sources->addr, peer);
	return wh_arena_printf(mem, "%s|%s|%s|%u|%u|%s", f->type, f->resource ? f->resource->name : "",
	                       wh_direction_text(f->direction), f->proto, f->port, f->subject ? f->subject : peer);
}

static uint64_t fnv(uint64_t h, const void *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		h = (h ^ ((const uint8_t *)bytes)[i]) * UINT64_C(0x100000001b3);
	return h;
}

static void name_of(const char *key, int64_t start_us, char buf[static 64])
{
	uint64_t a = fnv(fnv(UINT64_C(0xcbf29ce484222325), key, strlen(key)), &start_us, sizeof start_us),
		 b = fnv(a ^ UINT64_C(0x9e3779b97f4a7c15), key, strlen(key));
	snprintf(buf, 64, "%019" PRId64 "_%08x-%04x-4%03x-%04x-%012" PRIx64, last_tick - (ticks_of_1970 + start_us * 10),
	         (unsigned)(a >> 32), (unsigned)(a >> 16 & 0xffff), (unsigned)(a & 0xfff),
	         (unsigned)(0x8000 | (b >> 48 & 0x3fff)), b & UINT64_C(0xffffffffffff));
}

static json_t *time_json(int64_t us)
{
	char text[WH_TIME_STRLEN];
	return json_string(wh_time_text(us, text));
}

static json_t *text_list(const char *const *texts, size_t n)
{
	json_t *list = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_string(texts[i]));
	return list;
}

/* ---- texts ---- */

/* Whether `at` stands in a command, between backquotes. */
static bool in_command(const char *text, const char *at)
{
	bool in = false;
	for (; text < at; text++)
		in ^= *text == '`';
	return in;
}

static void fill_resource(const char *name, bool command, FILE *out)
{
	char word[WH_SHELL_WORD];
	fputs(command ? wh_shell_word(name, word) : name, out);
}

/* Fills "the port" and so on into a type's text: %{Resource}, %{Port}, %{Protocol}, %{Source}. */
static void fill(const char *text, const struct wh_finding *f, FILE *out)
{
	char addr[WH_ADDR_STRLEN], proto[8];
	for (const char *at = text; *at;) {
		const char *open = strstr(at, "%{"), *end = open ? strchr(open, '}') : NULL;
		if (!end) {
			fputs(at, out);
			return;
		}
		fwrite(at, 1, (size_t)(open - at), out);
		size_t n = (size_t)(end - open - 2);
		if (n == 8 && !memcmp(open + 2, "Resource", n))
			fill_resource(f->resource ? f->resource->name : "the sensor", in_command(text, open), out);
		else if (n == 4 && !memcmp(open + 2, "Port", n))
			fprintf(out, "%u", f->port);
		else if (n == 8 && !memcmp(open + 2, "Protocol", n))
			fputs(wh_proto_text(f->proto, proto), out);
		else if (n == 6 && !memcmp(open + 2, "Source", n))
			fputs(f->n_sources ? wh_addr_text(&f->sources->addr, addr) : "an unknown address", out);
		else
			fwrite(open, 1, (size_t)(end + 1 - open), out);
		at = end + 1;
	}
}

static json_t *description(const struct wh_finding *f, const struct wh_alert_type *t)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	if (!out)
		return NULL;
	fill(t->description, f, out);
	if (f->note)
		fprintf(out, " %s", f->note);
	if (f->stopped)
		fprintf(out, " %s", f->stopped);
	json_t *s = fclose(out) ? NULL : json_string(text);
	free(text);
	return s;
}

static json_t *steps(const struct wh_finding *f, const struct wh_alert_type *t)
{
	json_t *list = json_array();
	for (size_t i = 0; i < t->n_steps; i++) {
		struct wh_alert_type one = {.description = t->steps[i]};
		json_array_append_new(list, description(&(struct wh_finding){.resource = f->resource,
		                                                             .port = f->port,
		                                                             .proto = f->proto,
		                                                             .sources = f->sources,
		                                                             .n_sources = f->n_sources},
		                                        &one));
	}
	return list;
}

/* ---- sources ---- */

static const char *address(const json_t *source)
{
	const char *a = json_string_value(json_object_get(source, "address"));
	return a ? a : "";
}

static json_t *source_of(json_t *sources, const char *addr)
{
	size_t i;
	json_t *s;
	json_array_foreach(sources, i, s)
		if (!strcmp(address(s), addr))
			return s;
	return NULL;
}

static bool raise_number(json_t *o, const char *key, uint64_t n, bool add)
{
	json_int_t is = json_integer_value(json_object_get(o, key));
	json_int_t to = add ? is + (json_int_t)n : (json_int_t)n > is ? (json_int_t)n : is;
	json_object_set_new(o, key, json_integer(to));
	return to != is;
}

static bool later(json_t *o, const char *key, int64_t us)
{
	const char *was = json_string_value(json_object_get(o, key));
	int64_t is = 0;
	if (was && !wh_time_parse(was, strlen(was), &is) && is / 1000000 >= us / 1000000)
		return false;
	json_object_set_new(o, key, time_json(us));
	return true;
}

/* Adds both counts of every source; a new source if there is room. */
static bool add_sources(json_t *mine, const struct wh_finding *f)
{
	bool changed = false;
	json_t *sources = json_object_get(mine, "sources");
	for (size_t i = 0; i < f->n_sources; i++) {
		const struct wh_finding_source *s = &f->sources[i];
		char addr[WH_ADDR_STRLEN];
		json_t *is = source_of(sources, wh_addr_text(&s->addr, addr));
		if (!is && json_array_size(sources) >= 200) {
			changed |= raise_number(mine, "moreSources", 1, true);
			continue;
		}
		if (!is) {
			is = json_pack("{s:s, s:i, s:i, s:o, s:s*}", "address", addr, "answered", 0, "unanswered", 0, "first",
			               time_json(s->first_us), "list", s->list);
			json_array_append_new(sources, is);
			changed = true;
		}
		changed |= raise_number(is, "answered", s->answered, false);
		changed |= raise_number(is, "unanswered", s->unanswered, !s->so_far);
		changed |= later(is, "last", s->last_us);
		if (s->at_least)
			json_object_set_new(is, "atLeast", json_true());
	}
	return changed;
}

/* Fields that Azure's clients look for: lists of addresses with their counts, as texts. */
static void extend(json_t *properties, const json_t *mine, const struct wh_finding *f)
{
	char *text = NULL, port[8], proto[8];
	size_t len = 0, i;
	json_t *s, *entities = json_array();
	FILE *out = open_memstream(&text, &len);
	if (f->resource)
		json_array_append_new(entities, json_pack("{s:s, s:s}", "type", f->resource->id ? "azure-resource" : "host",
		                                          f->resource->id ? "resourceId" : "hostName",
		                                          f->resource->id ? f->resource->id : f->resource->name));
	json_array_foreach(json_object_get(mine, "sources"), i, s) {
		const char *addr = address(s);
		if (!*addr)
			continue;
		json_array_append_new(entities, json_pack("{s:s, s:s}", "type", "ip", "address", addr));
		if (out)
			fprintf(out, "%sIP: %s [%lld]", ftell(out) ? "\r\n" : "", addr,
			        (long long)(json_integer_value(json_object_get(s, "answered")) +
			                    json_integer_value(json_object_get(s, "unanswered"))));
	}
	if (out)
		fclose(out);
	json_t *x = json_object();
	if (f->port) {
		snprintf(port, sizeof port, "%u", f->port);
		json_object_set_new(x, "Destination Port", json_string(port));
		json_object_set_new(x, "Protocol", json_string(wh_proto_text(f->proto, proto)));
	}
	if (text && *text)
		json_object_set_new(x, "Source IP(s) [Number of attempts]", json_string(text));
	json_object_set_new(x, "resourceType", json_string(f->resource ? "Virtual Machine" : "Sensor"));
	json_object_set_new(properties, "extendedProperties", x);
	json_object_set_new(properties, "entities", entities);
	free(text);
}

/* ---- a whole alert ---- */

json_t *wh_alert_new(const struct wh_finding *f, const struct wh_alert_type *t, const char *key, int64_t now_us)
{
	char name[64], proto[8];
	const char *entity = f->resource ? f->resource->id ? f->resource->id : f->resource->name : "sensor";
	name_of(key, f->first_us, name);
	json_t *id = json_sprintf("%s%s/providers/Microsoft.Security/alerts/%s", *entity == '/' ? "" : "/", entity, name);
	json_t *resources = !f->resource ? json_array()
	                    : f->resource->id
	                            ? json_pack("[{s:s, s:s}]", "type", "AzureResource", "azureResourceId", f->resource->id)
	                            : json_pack("[{s:s, s:s}]", "type", "Local", "name", f->resource->name);
	json_t *mine = json_pack("{s:s?, s:s, s:i, s:s, s:s*, s:[], s:i, s:[]}", "resource",
	                         f->resource ? f->resource->name : NULL, "direction", wh_direction_text(f->direction), "port",
	                         f->port, "protocol", wh_proto_text(f->proto, proto), "rule", f->rule, "sources", "moreSources",
	                         (int)f->more_sources, "timeline");
	json_t *p = json_pack("{s:s, s:s, s:s, s:s, s:o, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:s, s:o, s:o, s:s, s:b, s:s}",
	                      "version", "2022-01-01", "alertType", t->id, "systemAlertId", name, "alertDisplayName", t->title,
	                      "description", description(f, t), "severity", wh_severity_words[f->severity], "intent", t->intent,
	                      "startTimeUtc", time_json(f->first_us), "endTimeUtc", time_json(f->last_us), "timeGeneratedUtc",
	                      time_json(now_us), "processingEndTimeUtc", time_json(now_us), "resourceIdentifiers", resources,
	                      "compromisedEntity", f->resource ? f->resource->name : "sensor", "remediationSteps", steps(f, t),
	                      "techniques", text_list(t->techniques, t->n_techniques), "status", "Active", "isIncident", 0,
	                      "correlationKey", key);
	if (!p || !mine || !id)
		return NULL;
	json_object_set_new(p, "subTechniques", json_array());
	json_object_set_new(p, "extendedLinks", json_array());
	json_object_set_new(p, "vendorName", json_string("whittle"));
	json_object_set_new(p, "productName", json_string("whittle"));
	json_object_set_new(p, "productComponentName", json_string("network"));
	json_object_set_new(p, "alertUri", json_string(""));
	add_sources(mine, f);
	extend(p, mine, f);
	json_t *a = json_pack("{s:o, s:s, s:s, s:o, s:o}", "id", id, "name", name, "type", "Microsoft.Security/Locations/alerts",
	                      "properties", p, "whittle", mine);
	if (a)
		wh_alert_change(a, WH_ALERT_ACTIVE, now_us, "whittle", NULL);
	return a;
}

int wh_alert_follow(json_t *alert, const struct wh_finding *f, const struct wh_alert_type *t)
{
	json_t *p = json_object_get(alert, "properties"), *mine = json_object_get(alert, "whittle");
	bool grew = add_sources(mine, f), went_on = later(p, "endTimeUtc", f->last_us);
	if (!grew && !went_on)
		return 0;
	if (wh_alert_severity(alert) < f->severity)
		json_object_set_new(p, "severity", json_string(wh_severity_words[f->severity]));
	if (f->rule)
		json_object_set_new(mine, "rule", json_string(f->rule));
	json_object_set_new(p, "description", description(f, t));
	extend(p, mine, f);
	return 1;
}

const char *wh_alert_property(const json_t *alert, const char *key)
{
	const char *s = json_string_value(json_object_get(json_object_get(alert, "properties"), key));
	return s ? s : "";
}

enum wh_severity wh_alert_severity(const json_t *alert)
{
	int i = wh_key_choice(wh_severity_words, wh_alert_property(alert, "severity"));
	return i < 0 ? WH_INFORMATIONAL : (enum wh_severity)i;
}

enum wh_alert_status wh_alert_status_of(const json_t *alert)
{
	int status = wh_key_choice(wh_alert_status_words, wh_alert_property(alert, "status"));
	return status < 0 ? WH_ALERT_ACTIVE : (enum wh_alert_status)status;
}

void wh_alert_change(json_t *alert, enum wh_alert_status status, int64_t now_us, const char *who, const char *reason)
{
	json_t *p = json_object_get(alert, "properties"), *mine = json_object_get(alert, "whittle");
	json_object_set_new(p, "status", json_string(wh_alert_status_words[status]));
	json_array_append_new(json_object_get(mine, "timeline"),
	                      json_pack("{s:o, s:s, s:s, s:s*}", "time", time_json(now_us), "status",
	                                wh_alert_status_words[status], "who", who, "reason", reason));
	json_object_del(mine, "endWhenResolved");
	if (status == WH_ALERT_RESOLVED)
		json_object_set(mine, "endWhenResolved", json_object_get(p, "endTimeUtc"));
}

bool wh_alert_came_back(const json_t *alert)
{
	const char *end = json_string_value(json_object_get(json_object_get(alert, "properties"), "endTimeUtc"));
	const char *was = json_string_value(json_object_get(json_object_get(alert, "whittle"), "endWhenResolved"));
	return end && was && strcmp(end, was) > 0;
}

int wh_alert_store(struct wh_state *s, const char *key, const json_t *alert, struct wh_error *err)
{
	return wh_state_put_json(s, WH_ALERTS, key, json_incref((json_t *)(uintptr_t)alert), err);
}
