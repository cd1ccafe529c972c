/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The input of assessments, collected: the inventory with its reachability, and from the ledger traffic, alerts, rules and
 * lists. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include "app/posture.h"
#include "base/directory.h"
#include "base/heap.h"
#include "whittle/app_firewall.h"
#include "whittle/app_learning.h"
#include "whittle/firewall.h"
#include "whittle/intel.h"
#include "whittle/review.h"

enum { MOST_NAMED_HOSTS = 12 };
enum { POSTURE_HEAP = 1280 << 20 }; /* bytes: the JSON of 60,000 rules, and the verdicts on 10,000 machines */

int wh_app_rules_file(const struct wh_app *a, const char *name, struct wh_arena *mem, const char **out, struct wh_error *err)
{
	char path[PATH_MAX];
	int rc = wh_rules_path(a->config ? a->config->harden.rules_dir : NULL, name, path, sizeof path, err);
	*out = rc ? NULL : wh_arena_strdup(mem, path);
	return rc;
}

/* ---- where it comes from ---- */

static void put_input(struct wh_app_posture *p, const char *name, const char *what, int64_t at_us)
{
	char at[WH_TIME_STRLEN];
	json_array_append_new(p->inputs, json_pack("{s:s, s:s, s:s?}", "name", name, "what", what, "at",
	                                           at_us ? wh_time_text(at_us, at) : NULL));
	p->at_us = at_us > p->at_us ? at_us : p->at_us;
}

static int64_t changed_us(const char *path)
{
	struct stat st;
	return wh_stat_input(path, &st) ? 0 : (int64_t)st.st_mtim.tv_sec * 1000000;
}

static void note_documents(struct wh_app_posture *p, const char *const *paths, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int64_t newest = changed_us(paths[i]);
		for (size_t k = 0; k < p->inv.n_documents; k++) {
			int64_t at = strstr(p->inv.documents[k].file, paths[i]) == p->inv.documents[k].file
			                     ? changed_us(p->inv.documents[k].file)
			                     : 0;
			newest = at > newest ? at : newest;
		}
		put_input(p, "inventory", paths[i], newest);
	}
}

/* "1,566 resources of Azure in 2 subscriptions, 22 of AWS": those of documents, not what is derived from them. */
static const char *scope_text(struct wh_app_posture *p)
{
	size_t azure = 0, aws = 0, other = 0;
	json_t *subscriptions = json_object();
	for (size_t i = 0; i < p->inv.n; i++) {
		const struct wh_item *it = &p->inv.items[i];
		static const char prefix[] = "/subscriptions/";
		if (it->derived)
			continue;
		if (!strncmp(it->key, prefix, sizeof prefix - 1)) {
			const char *s = it->key + sizeof prefix - 1;
			json_object_set(subscriptions, wh_arena_printf(p->mem, "%.*s", (int)strcspn(s, "/"), s), json_true());
			azure++;
		} else if (!strncmp(it->key, "/aws/", 5)) {
			aws++;
		} else {
			other++;
		}
	}
	size_t n = json_object_size(subscriptions);
	json_decref(subscriptions);
	const char *text = azure ? wh_arena_printf(p->mem, "%zu resources of Azure in %zu subscription%s", azure, n,
	                                           n == 1 ? "" : "s")
	                         : "";
	if (aws)
		text = wh_arena_printf(p->mem, *text ? "%s, %zu of AWS" : "%s%zu resources of AWS", text, aws);
	if (other || !*text)
		text = wh_arena_printf(p->mem, *text ? "%s, %zu others" : "%s%zu resources", text, other);
	return text;
}

/* ---- the ledger ---- */

static int latest(void *arg, int64_t seq, int64_t time_us, const char *who, const char *what, const char *json)
{
	(void)seq, (void)who, (void)what, (void)json;
	*(int64_t *)arg = time_us;
	return 0;
}

static int read_traffic(struct wh_app_posture *p, struct wh_error *err)
{
	struct wh_store_totals totals;
	int rc = wh_store_totals(p->ledger.is.store, &totals, err);
	if (!rc)
		put_input(p, "traffic", wh_arena_printf(p->mem, "%llu flows in the ledger", (unsigned long long)totals.flows),
		          totals.last_us);
	return rc;
}

static int read_rules(struct wh_app_posture *p, struct wh_error *err)
{
	struct wh_recommendation *rec = NULL;
	int rc = wh_review_load(p->ledger.is.state, p->ledger.estate, p->mem, &rec, err);
	if (!rc)
		put_input(p, "recommendation", "rules as they were derived last", rec->calculated_us);
	p->in.rec = rc ? NULL : rec;
	return rc == -ENOENT ? 0 : rc;
}

static int read_lists(struct wh_app_posture *p, struct wh_error *err)
{
	struct wh_intel_list *lists = NULL;
	int rc = wh_intel_lists(p->ledger.is.state, p->mem, &lists, &p->in.n_lists, err);
	for (size_t i = 0; !rc && i < p->in.n_lists; i++)
		put_input(p, "threat list", lists[i].name, lists[i].updated_us);
	p->in.lists = lists;
	return rc;
}

static int read_alerts(struct wh_app_posture *p, struct wh_error *err)
{
	int64_t newest = 0, us;
	json_t *v;
	size_t i;
	int rc = wh_alerts_list(p->ledger.is.state, &p->alerts, err);
	json_array_foreach(p->alerts, i, v) {
		const char *at = wh_alert_property(v, "endTimeUtc");
		newest = !wh_time_parse(at, strlen(at), &us) && us > newest ? us : newest;
	}
	if (!rc)
		put_input(p, "alerts", wh_arena_printf(p->mem, "%zu kept alerts", json_array_size(p->alerts)), newest);
	p->in.alerts = p->alerts;
	return rc;
}

/* This machine's own present facts, if it is in the estate, or there is no estate: in place of kept
 * ones. */
static void read_own(struct wh_app_posture *p)
{
	const char *names[8];
	struct wh_error err;
	json_t *own = NULL, *v;
	size_t i;
	if (wh_firewall_ready(&err) || (p->ledger.estate->imported && !wh_app_own_resources(p->ledger.estate, names, 8)) ||
	    wh_app_host_facts(NULL, &own, &err))
		return;
	json_array_foreach(p->hosts, i, v)
		if (!strcasecmp(json_string_value(json_object_get(v, "name")), json_string_value(json_object_get(own, "name"))))
			json_array_remove(p->hosts, i--);
	json_array_append_new(p->hosts, own);
}

/* Each host; of many the oldest and the newest. */
static void put_hosts(struct wh_app_posture *p, const struct wh_host_facts *list, size_t n)
{
	const struct wh_host_facts *oldest = list, *newest = list;
	char at[WH_TIME_STRLEN];
	for (size_t i = 0; i < n; i++) {
		oldest = list[i].at_us < oldest->at_us ? &list[i] : oldest;
		newest = list[i].at_us > newest->at_us ? &list[i] : newest;
		if (n <= MOST_NAMED_HOSTS)
			put_input(p, "host facts", list[i].name, list[i].at_us);
	}
	if (n > MOST_NAMED_HOSTS)
		put_input(p, "host facts",
		          wh_arena_printf(p->mem, "%zu hosts; the oldest are of %s: %s", n, wh_time_text(oldest->at_us, at),
		                          oldest->name),
		          newest->at_us);
}

static int read_hosts(struct wh_app_posture *p, struct wh_error *err)
{
	json_t *v;
	size_t i;
	int rc = wh_host_facts_list(p->ledger.is.state, &p->hosts, err);
	if (rc)
		return rc;
	read_own(p);
	struct wh_host_facts *list = wh_arena_array(p->mem, json_array_size(p->hosts) + 1, sizeof *list);
	json_array_foreach(p->hosts, i, v)
		rc = rc ? rc : wh_host_facts_read("the ledger's host facts", v, p->mem, &list[i], err);
	if (!rc)
		put_hosts(p, list, json_array_size(p->hosts));
	p->in.hosts = list;
	p->in.n_hosts = json_array_size(p->hosts);
	return rc;
}

static void read_jit(struct wh_app_posture *p)
{
	const struct wh_jit_config *jit = &p->a->config->jit;
	for (size_t i = 0; i < jit->n_policies && p->in.n_jit < sizeof p->in.jit / sizeof *p->in.jit; i++)
		p->in.jit[p->in.n_jit++] = jit->policies[i].resource;
}

static int read_ledger(struct wh_app_posture *p, struct wh_error *err)
{
	int64_t imported = 0;
	wh_heap_in_large_pages(POSTURE_HEAP);
	/* rules are judged in the inventory's groups, not in the estate's */
	int rc = wh_app_open_resources(p->a, p->mem, &p->ledger, err);
	rc = rc ? rc
	        : wh_inventory_load_all(p->ledger.is.state, wh_pack_mentions(&p->pack, "securityRules"), p->mem, &p->inv, &p->t,
	                                err);
	rc = rc ? rc : wh_state_log_each(p->ledger.is.state, "estate.import", latest, &imported, err);
	if (!rc)
		put_input(p, "inventory", scope_text(p), imported);
	rc = rc ? rc : read_traffic(p, err);
	rc = rc ? rc : read_rules(p, err);
	rc = rc ? rc : read_lists(p, err);
	rc = rc ? rc : read_alerts(p, err);
	rc = rc ? rc : read_hosts(p, err);
	rc = rc ? rc : wh_exemptions_list(p->ledger.is.state, &p->exemptions, err);
	rc = rc ? rc : wh_answers_list(p->ledger.is.state, &p->answers, err);
	if (!rc)
		read_jit(p);
	p->in.ledger = &p->ledger.is;
	p->in.estate = p->ledger.estate;
	p->in.exemptions = p->exemptions;
	p->in.answers = p->answers;
	return rc;
}

/* ---- the inventory as assets ---- */

static void build_assets(struct wh_app_posture *p)
{
	struct wh_asset *list = wh_arena_array(p->mem, p->inv.n + 1, sizeof *list);
	json_t *groups = json_object();
	for (size_t i = 0; i < p->inv.n; i++) {
		const struct wh_item *it = &p->inv.items[i];
		list[i] = (struct wh_asset){.id = it->id, .type = it->type, .name = it->name, .body = it->body};
		if (!strcmp(it->type, "microsoft.resources/resourcegroups") ||
		    !strcmp(it->type, "microsoft.resources/subscriptions/resourcegroups"))
			json_object_set(groups, it->id, it->body);
	}
	p->assets = wh_assets_expand(list, p->inv.n, p->mem);
	p->assets.groups = groups;
}

static int load_rules(struct wh_app_posture *p, struct wh_error *err)
{
	const char *path;
	int rc = wh_app_rules_file(p->a, "assessments", p->mem, &path, err);
	rc = rc ? rc : wh_pack_load(path, p->mem, &p->pack, err);
	rc = rc ? rc : wh_app_rules_file(p->a, "score.yaml", p->mem, &path, err);
	return rc ? rc : wh_score_controls_load(path, p->mem, &p->score_controls, err);
}

int wh_app_posture_open(const struct wh_app *a, const char *const *paths, size_t n, struct wh_app_posture **out,
                        struct wh_error *err)
{
	struct wh_arena *mem = wh_arena_new();
	struct wh_app_posture *p = wh_arena_alloc(mem, sizeof *p);
	*p = (struct wh_app_posture){.mem = mem, .a = a, .of_ledger = !n, .inputs = json_array()};
	int rc = load_rules(p, err);
	rc = rc ? rc : n ? wh_inventory_read(paths, n, mem, &p->inv, err) : read_ledger(p, err);
	if (!rc && n) {
		note_documents(p, paths, n);
		rc = wh_topology_build(&p->inv, mem, &p->t, err);
	}
	if (!rc) {
		p->r = wh_reach_new(&p->t, mem);
		build_assets(p);
		p->in.topology = &p->t;
		p->in.reach = p->r;
		p->in.assets = &p->assets;
		p->in.now_us = wh_now_us();
		rc = wh_posture_run(&p->pack, &p->in, mem, &p->posture, err);
	}
	*out = p;
	if (rc) {
		wh_app_posture_free(p);
		*out = NULL;
	}
	return rc;
}

void wh_app_posture_free(struct wh_app_posture *p)
{
	if (!p)
		return;
	wh_reach_free(p->r);
	wh_topology_free(&p->t);
	wh_inventory_free(&p->inv);
	wh_app_close(&p->ledger, NULL);
	wh_pack_free(&p->pack);
	json_decref((json_t *)p->assets.groups);
	json_decref(p->alerts);
	json_decref(p->exemptions);
	json_decref(p->hosts);
	json_decref(p->answers);
	json_decref(p->inputs);
	wh_arena_free(p->mem);
}

const struct wh_pack *wh_app_posture_pack(const struct wh_app_posture *p)
{
	return &p->pack;
}
