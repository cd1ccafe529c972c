/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The product's own answer: the world's training days go into a ledger through the public interface, and wh_recommend's
 * rules for each service's port become its allow list. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "engine.h"
#include "logs.h"
#include "worlds.h"

static int fold(void *arg, const struct wh_record *rec)
{
	struct engine *e = arg;
	int rc = wh_edge_table_fold(e->table, rec);

	if (rc != -ENOSPC)
		return rc;
	if ((rc = wh_store_commit(e->ledger.store, e->table, NULL, NULL, &e->err)))
		return rc;
	wh_edge_table_clear(e->table);
	return wh_edge_table_fold(e->table, rec);
}

static int write_nsg(const char *path, const struct kind *k)
{
	const char *const *ranges;
	size_t n = kind_policy(k, &ranges);
	FILE *f = n ? fopen(path, "w") : NULL;
	if (!n)
		return 0;
	if (!f)
		return -errno;
	fputs("{\"name\": \"present\", \"securityRules\": [{\"name\": \"present\", \"priority\": 100, \"direction\": \"Inbound\", \"access\": \"Allow\", "
	      "\"protocol\": \"Tcp\", \"sourcePortRange\": \"*\", \"destinationAddressPrefix\": \"*\", \"sourceAddressPrefixes\": [",
	      f);
	for (size_t i = 0; i < n; i++)
		fprintf(f, "%s\"%s\"", i ? ", " : "", ranges[i]);
	fprintf(f, "], \"destinationPortRange\": \"%u\"}]}\n", k->port);
	return fclose(f) ? -errno : 0;
}

/* Every service is a resource of its own, but for a second port, open to everyone but where the kind says otherwise: nothing is
 * given away by narrow rules in force. */
static int write_estate(const char *path, const struct world *w)
{
	char nsg[320];
	FILE *f = fopen(path, "w");
	if (!f)
		return -errno;
	fputs("resources:\n", f);
	for (unsigned i = 0; i < w->n_services; i++) {
		const struct kind *k = w->services[i].kind;
		char text[WH_ADDR_STRLEN];
		if (service_resource(w, i) != i)
			continue;
		fprintf(f, "  - name: %s\n    addresses: [\"%s\"]\n    internet-facing: true\n", k->name,
		        wh_addr_text(&w->services[i].local, text));
		const char *const *ranges;
		if (!kind_policy(k, &ranges))
			continue;
		snprintf(nsg, sizeof nsg, "%s.%s.json", path, k->name);
		const char *base = strrchr(nsg, '/');
		fprintf(f, "    nsgs: [\"%s\"]\n", base ? base + 1 : nsg);
		if (write_nsg(nsg, k)) {
			fclose(f);
			return -EIO;
		}
	}
	return fclose(f) ? -errno : 0;
}

static void remove_estate(const char *path, const struct world *w)
{
	char nsg[320];
	for (unsigned i = 0; i < w->n_services; i++) {
		snprintf(nsg, sizeof nsg, "%s.%s.json", path, w->services[i].kind->name);
		unlink(nsg);
	}
	unlink(path);
}

int engine_open(struct engine *e, const char *dir, const struct world *w)
{
	struct wh_estate_summary summary = {0};
	char estate[300];
	int rc;

	memset(e, 0, sizeof *e);
	snprintf(e->path, sizeof e->path, "%s/%s-%llu.db", dir, w->kind->name, (unsigned long long)w->seed);
	snprintf(estate, sizeof estate, "%s/%s-%llu.yaml", dir, w->kind->name, (unsigned long long)w->seed);
	engine_remove(e);
	if ((rc = write_estate(estate, w)))
		return wh_fail(&e->err, rc, "%s: %s", estate, strerror(-rc));
	if ((rc = wh_ledger_open(e->path, WH_STATE_CREATE, &e->ledger, &e->err)) ||
	    (rc = wh_estate_import(e->ledger.state, estate, &summary, &e->err)) ||
	    (rc = wh_estate_locals(e->ledger.state, "off", &e->locals, &e->err)))
		return rc;
	free(summary.note_texts);
	remove_estate(estate, w);
	e->table = wh_edge_table_new(e->locals, 512u << 20);
	return e->table ? 0 : wh_fail(&e->err, -ENOMEM, "out of memory");
}

static int learn_from_logs(struct engine *e, struct world *w)
{
	struct logs logs;
	char dir[300];
	snprintf(dir, sizeof dir, "%.250s.logs", e->path);
	int rc = logs_open(&logs, dir);
	if (rc)
		wh_fail(&e->err, rc, "%s: %s", dir, strerror(-rc));
	rc = rc ? rc : world_make(w, logs_write, &logs);
	rc = rc ? rc : logs_ingest(&logs, e->ledger.store, e->locals, w->seed, &e->err);
	logs_remove(&logs);
	return rc;
}

int engine_learn(struct engine *e, struct world *w)
{
	if (w->kind->copied)
		return learn_from_logs(e, w);
	int rc = world_make(w, fold, e);
	return rc ? rc : wh_store_commit(e->ledger.store, e->table, NULL, NULL, &e->err);
}

static int by_prefix(const void *a, const void *b)
{
	return wh_prefix_cmp(a, b);
}

static void take_rule(const struct wh_recommended_rule *rule, struct wh_arena *mem, struct allow_list *out)
{
	out->open = false;
	out->n = rule->n_prefixes;
	out->p = wh_arena_array(mem, out->n + 1, sizeof *out->p);
	memcpy(out->p, rule->prefixes, out->n * sizeof *out->p);
	qsort(out->p, out->n, sizeof *out->p, by_prefix);
	out->n_except = rule->n_except;
	out->except = wh_arena_array(mem, out->n_except + 1, sizeof *out->except);
	memcpy(out->except, rule->except, out->n_except * sizeof *out->except);
	qsort(out->except, out->n_except, sizeof *out->except, by_prefix);
}

int engine_options(struct engine *e, const struct world *w, const char *evidence_yaml, unsigned without, struct wh_arena *mem,
                   struct wh_harden_options *out)
{
	struct wh_port_list *ports = NULL;
	int rc = wh_port_list_load("all", NULL, mem, &ports, &e->err);
	*out = (struct wh_harden_options){.evidence_yaml = evidence_yaml,
	                                  .hostile = w->listed,
	                                  .n_hostile = w->n_listed,
	                                  .min_days = EVAL_TRAIN_DAYS - without,
	                                  .today = EVAL_FIRST_DAY + EVAL_TRAIN_DAYS - 1 - (int32_t)without,
	                                  .ports = ports};
	return rc;
}

int engine_recommend(struct engine *e, const struct world *w, const char *evidence_yaml, struct wh_arena *mem,
                     struct allow_list *lists)
{
	struct wh_harden_options opt;
	struct wh_recommendation *rec = NULL;
	struct wh_estate *estate = NULL;
	int rc;

	for (unsigned i = 0; i < w->n_services; i++)
		lists[i] = (struct allow_list){.open = true};
	if ((rc = engine_options(e, w, evidence_yaml, 0, mem, &opt)) || (rc = wh_estate_load(&e->ledger, mem, &estate, &e->err)))
		return rc;
	rc = wh_recommend(&(struct wh_harden_ask){.store = e->ledger.store, .estate = estate, .opt = &opt}, mem, &rec, &e->err);
	for (size_t i = 0; !rc && i < rec->n_resources; i++)
		for (unsigned s = 0; s < w->n_services; s++) {
			const struct wh_resource_result *r = &rec->resources[i];
			if (strcmp(r->resource->name, w->services[service_resource(w, s)].kind->name))
				continue;
			for (size_t k = 0; k < r->n_rules; k++)
				if (r->rules[k].direction == WH_INBOUND && r->rules[k].port == w->services[s].kind->port &&
				    r->rules[k].proto == w->services[s].proto)
					take_rule(&r->rules[k], mem, &lists[s]);
		}
	wh_estate_free(estate);
	return rc;
}

void engine_remove(struct engine *e)
{
	static const char *const tails[] = {"", "-wal", "-shm"};
	char path[320];
	for (int i = 0; i < 3; i++) {
		snprintf(path, sizeof path, "%s%s", e->path, tails[i]);
		unlink(path);
	}
}

void engine_close(struct engine *e)
{
	wh_edge_table_free(e->table);
	wh_ledger_close(&e->ledger);
	wh_locals_free(e->locals);
	engine_remove(e);
}
