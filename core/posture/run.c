/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A run: every assessment of the pack, by its condition, its check, or a person's answer; then the exemptions. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "base/array.h"
#include "base/json.h"
#include "posture/run.h"

static const char *const texts[] = {"Healthy", "Unhealthy", "NotApplicable", "NoEvidence", NULL};

const char *wh_posture_text(enum wh_posture_status s)
{
	return texts[s];
}

int wh_posture_parse(const char *text, enum wh_posture_status *out)
{
	for (int i = 0; texts[i]; i++)
		if (!strcasecmp(texts[i], text)) {
			*out = (enum wh_posture_status)i;
			return 0;
		}
	return -EINVAL;
}

const char *wh_posture_name(const char *id)
{
	static const char sets[] = "/virtualMachineScaleSets/", nets[] = "/virtualNetworks/";
	const char *set = strcasestr(id, sets), *net = strcasestr(id, nets);
	if (set)
		return set + sizeof sets - 1;
	if (net) /* a subnet is named with its network */
		return net + sizeof nets - 1;
	return wh_last_part(id);
}

void wh_run_add(struct wh_run *run, const char *resource, const char *type, enum wh_posture_status status, const char *fmt, ...)
{
	struct wh_posture *p = run->out;
	char buf[2048];
	va_list ap;
	p->list = wh_arena_grown(run->mem, p->list, p->n, &p->room, sizeof *p->list);
	p->list[p->n] = (struct wh_posture_verdict){
		.of = run->of, .resource = resource ? resource : "", .type = type, .status = status};
	if (fmt) {
		va_start(ap, fmt);
		vsnprintf(buf, sizeof buf, fmt, ap);
		va_end(ap);
		p->list[p->n].cause = wh_arena_strdup(run->mem, buf);
	}
	p->n++;
}

int64_t wh_run_number(const struct wh_run *run, const char *key, int64_t otherwise)
{
	struct wh_error ignored;
	const struct wh_yaml *v = run->of->with ? wh_yaml_get(run->of->with, key) : NULL;
	int64_t n = otherwise;
	if (v && wh_yaml_int(run->of->file, v, 0, INT32_MAX, &n, &ignored))
		n = otherwise;
	return n;
}

size_t wh_run_texts(const struct wh_run *run, const char *key, const char ***out)
{
	const struct wh_yaml *v = run->of->with ? wh_yaml_get(run->of->with, key) : NULL;
	size_t n = 0;
	for (const struct wh_yaml *c = v && v->kind == WH_YAML_LIST ? v->child : NULL; c; c = c->next)
		n++;
	*out = wh_arena_array(run->mem, n + 1, sizeof **out);
	n = 0;
	for (const struct wh_yaml *c = v && v->kind == WH_YAML_LIST ? v->child : NULL; c; c = c->next)
		if (c->kind == WH_YAML_SCALAR)
			(*out)[n++] = c->scalar;
	return n;
}

size_t wh_run_ports(const struct wh_run *run, struct wh_ranges out[2])
{
	const char **list;
	size_t n = wh_run_texts(run, "ports", &list);
	out[0] = out[1] = (struct wh_ranges){0};
	for (size_t i = 0; i < n; i++) {
		const char *slash = strchr(list[i], '/'), *dash = slash ? strchr(slash, '-') : NULL;
		long from = slash ? strtol(slash + 1, NULL, 10) : -1, to = dash ? strtol(dash + 1, NULL, 10) : from;
		struct wh_ranges *set = &out[!strncasecmp(list[i], "udp", 3)];
		if (from >= 0 && from <= to && to <= 65535)
			*set = wh_ranges_union(
				*set, wh_ports(&(struct wh_port_range){(uint16_t)from, (uint16_t)to}, 1, run->mem), run->mem);
	}
	return n;
}

bool wh_run_has_port(const struct wh_ranges ports[2], uint8_t proto, uint16_t port)
{
	return (proto == WH_PROTO_TCP || proto == WH_PROTO_UDP) && wh_ports_have(ports[proto == WH_PROTO_UDP], port);
}

void wh_run_add_prefix(struct wh_run *run, struct wh_ranges *set, const char *text)
{
	struct wh_prefix p;
	if (text && !wh_prefix_parse(text, strlen(text), &p, NULL))
		*set = wh_ranges_union(*set, wh_ranges_from_prefixes(&p, 1, run->mem), run->mem);
}

bool wh_run_is_below(const char *name, const char *domain)
{
	size_t n = strlen(name), k = strlen(domain);
	return n > k && !strcasecmp(name + n - k, domain) && name[n - k - 1] == '.';
}

struct wh_ranges wh_run_prefixes(struct wh_run *run, const char *key)
{
	const char **list;
	struct wh_ranges set = {0};
	size_t n = wh_run_texts(run, key, &list);
	for (size_t i = 0; i < n; i++)
		wh_run_add_prefix(run, &set, list[i]);
	return set;
}

bool wh_run_has(const char *const *list, size_t n, const char *text)
{
	for (size_t i = 0; i < n; i++)
		if (!strcasecmp(list[i], text))
			return true;
	return false;
}

/* ---- by a condition ---- */

/* A list of names has no data about their settings. */
static bool says_nothing(const struct wh_asset *a)
{
	static const char *const names[] = {"id", "name", "type", "location", "resourceGroup", "tags", "etag", "apiVersion"};
	const char *key;
	json_t *v;
	json_object_foreach((json_t *)a->body, key, v)
		if (!wh_run_has(names, sizeof names / sizeof *names, key) && !json_is_null(v))
			return false;
	return true;
}

static int holds(const struct wh_run *run, const struct wh_definition *d, const struct wh_asset *a, struct wh_arena *scratch,
                 struct wh_assessed_as *as, struct wh_error *err)
{
	return wh_definition_assess(d, run->in->assets, a, NULL, scratch, as, err);
}

static void assess_asset(struct wh_run *run, const struct wh_asset *a, struct wh_arena *scratch)
{
	const struct wh_assessment *of = run->of;
	const char *id = a->id ? a->id : a->name;
	struct wh_assessed_as as;
	struct wh_error err;
	if (says_nothing(a)) {
		wh_run_add(run, id, a->type, WH_POSTURE_NO_EVIDENCE, "the inventory has its name alone");
		return;
	}
	if (of->applies && !holds(run, of->applies, a, scratch, &as, &err) && as.status != WH_ASSESSED_UNHEALTHY) {
		wh_run_add(run, id, a->type, WH_POSTURE_NOT_APPLICABLE, NULL);
		return;
	}
	if (holds(run, of->definition, a, scratch, &as, &err))
		wh_run_add(run, id, a->type, WH_POSTURE_NO_EVIDENCE, "%s", err.text);
	else if (as.status == WH_ASSESSED_NOT_JUDGED)
		wh_run_add(run, id, a->type, WH_POSTURE_NO_EVIDENCE, "%s", as.cause);
	else if (as.status == WH_ASSESSED_UNHEALTHY)
		wh_run_add(run, id, a->type, WH_POSTURE_UNHEALTHY, "%s", of->cause ? of->cause : as.cause ? as.cause : of->name);
	else if (as.status == WH_ASSESSED_HEALTHY)
		wh_run_add(run, id, a->type, WH_POSTURE_HEALTHY, NULL);
}

static void by_condition(struct wh_run *run, struct wh_arena *scratch)
{
	for (size_t t = 0; t < run->of->n_types; t++) {
		size_t from, to = wh_assets_of_type(run->in->assets, run->of->types[t], &from);
		for (size_t i = from; i < to; i++) {
			assess_asset(run, &run->in->assets->list[run->in->assets->by_type[i]], scratch);
			wh_arena_reset(scratch);
		}
	}
}

/* ---- by a person ---- */

static bool holds_still(const json_t *document, int64_t now_us)
{
	const char *until = json_string_value(json_object_get(document, "expires"));
	int64_t us;
	return !until || wh_time_parse(until, strlen(until), &us) || us > now_us;
}

static void by_answer(struct wh_run *run)
{
	const char *old = NULL;
	json_t *v;
	size_t i;
	json_array_foreach((json_t *)run->in->answers, i, v) {
		enum wh_posture_status s;
		if (strcasecmp(json_string_value(json_object_get(v, "assessment")), run->of->key))
			continue;
		if (!holds_still(v, run->in->now_us)) {
			old = json_string_value(json_object_get(v, "expires"));
			continue;
		}
		if (wh_posture_parse(json_string_value(json_object_get(v, "status")), &s))
			continue;
		const char *evidence = json_string_value(json_object_get(v, "evidence"));
		wh_run_add(run, "the organisation", NULL, s, "%s (%s%s%s)", json_string_value(json_object_get(v, "answer")),
		           json_string_value(json_object_get(v, "owner")), evidence ? "; evidence: " : "",
		           evidence ? evidence : "");
		return;
	}
	if (old)
		wh_run_add(run, "the organisation", NULL, WH_POSTURE_NO_EVIDENCE, "the answer held until %.10s: %s", old,
		           run->of->question);
	else
		wh_run_add(run, "the organisation", NULL, WH_POSTURE_NO_EVIDENCE, "%s", run->of->question);
}

/* ---- exemptions ---- */

static int by_resource(const void *a, const void *b)
{
	return strcasecmp(((const struct wh_posture_verdict *)a)->resource, ((const struct wh_posture_verdict *)b)->resource);
}

static bool means(const char *named, const char *id)
{
	return !named || !strcasecmp(named, id) || !strcasecmp(named, wh_posture_name(id));
}

static void exempt(struct wh_posture *p, size_t from, const struct wh_posture_input *in)
{
	json_t *v;
	size_t i;
	json_array_foreach((json_t *)in->exemptions, i, v) {
		const char *of = json_string_value(json_object_get(v, "assessment")),
			   *resource = json_string_value(json_object_get(v, "resource")),
			   *until = json_string_value(json_object_get(v, "expires"));
		if (from == p->n || strcasecmp(of, p->list[from].of->key) || !holds_still(v, in->now_us))
			continue;
		for (size_t k = from; k < p->n; k++)
			if (means(resource, p->list[k].resource) && !p->list[k].exempt)
				p->list[k].exempt = wh_arena_printf(p->mem, "%s (%s%s%.10s)",
				                                    json_string_value(json_object_get(v, "reason")),
				                                    json_string_value(json_object_get(v, "owner")),
				                                    until ? ", until " : "", until ? until : "");
	}
}

int wh_posture_run(const struct wh_pack *pack, const struct wh_posture_input *in, struct wh_arena *mem, struct wh_posture *out,
                   struct wh_error *err)
{
	struct wh_arena *scratch = wh_arena_new();
	struct wh_run run = {.in = in, .out = out, .mem = mem};
	int rc = 0;
	*out = (struct wh_posture){.pack = pack, .mem = mem};
	for (size_t i = 0; i < pack->n && !rc; i++) {
		size_t from = out->n;
		run.of = &pack->list[i];
		if (run.of->question)
			by_answer(&run);
		else if (run.of->check)
			rc = run.of->check->run(&run, err);
		else
			by_condition(&run, scratch);
		if (out->n > from)
			qsort(out->list + from, out->n - from, sizeof *out->list, by_resource);
		exempt(out, from, in);
	}
	wh_arena_free(scratch);
	return rc;
}

/* The first verdict that is not of an earlier assessment. */
static size_t lower_bound(const struct wh_posture *p, const struct wh_assessment *a)
{
	return WH_BISECT(i, 0, p->n, p->list[i].of < a);
}

size_t wh_posture_of(const struct wh_posture *p, const struct wh_assessment *a, size_t *from)
{
	*from = lower_bound(p, a);
	return lower_bound(p, a + 1);
}
