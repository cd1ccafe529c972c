/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Openings in network security groups: a group as it should be now, as a document, or written at Azure itself. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include "app/app.h"
#include "whittle/app_jit.h"
#include "whittle/azure.h"
#include "whittle/firewall.h"
#include "whittle/jit.h"

static int find_group(const struct wh_estate *e, const char *name, const struct wh_nsg **out, struct wh_error *err)
{
	*out = NULL;
	for (size_t i = 0; name && i < e->n_nsgs; i++)
		if (!e->nsgs[i].aws && !strcasecmp(e->nsgs[i].name, name))
			*out = &e->nsgs[i];
	return name && !*out ? wh_fail_input(err, WH_APP_USAGE, "the estate has no network security group '%s'", name)
	                     : 0;
}

int wh_app_jit_nsg(const struct wh_app *a, const char *name, json_t **out, char **notes, struct wh_error *err)
{
	struct wh_arena *mem = wh_arena_new();
	const struct wh_nsg *nsg;
	struct wh_jit_grant *g;
	struct wh_app_ledger l;
	size_t n;
	*out = NULL;
	*notes = NULL;
	int rc = wh_app_open(a, WH_STATE_READ, mem, &l, err);
	rc = rc ? rc : find_group(l.estate, name, &nsg, err);
	rc = rc ? rc : wh_jit_list(l.is.state, &wh_firewall_jit_kernel, mem, &g, &n, err);
	rc = rc ? rc
	        : wh_jit_nsg(&(struct wh_jit_openings){&a->config->jit, l.estate, g, n, wh_now_us()}, nsg, mem, out, notes, err);
	wh_app_close(&l, NULL);
	wh_arena_free(mem);
	return rc;
}

/* ---- at Azure ---- */

struct job {
	const struct wh_app *a;
	const struct wh_app_jit_azure *ask;
	struct wh_app_ledger l;
	struct wh_arm *arm;
	const struct wh_nsg *only; /* NULL: all that guard a resource with a policy */
	json_t *groups;
};

/* Whether a policy is for a resource that the group guards. */
static bool has_policy(const struct job *j, const struct wh_nsg *nsg)
{
	const struct wh_estate *e = j->l.estate;
	const struct wh_jit_config *cfg = &j->a->config->jit;
	for (size_t i = 0; i < e->n_resources; i++)
		for (size_t k = 0; k < cfg->n_policies; k++)
			if (!strcmp(cfg->policies[k].resource, e->resources[i].name) &&
			    wh_resource_guarded_by(&e->resources[i], nsg))
				return true;
	return false;
}

static void report(struct job *j, const struct wh_app_jit_group *g)
{
	const char *state = !g->rc                   ? g->result->changed ? "applied" : "unchanged"
	                    : g->result->rolled_back ? "rolled back"
	                    : g->result->uncertain   ? "uncertain"
	                                             : "failed";
	json_t *doc = json_pack("{s:s,s:s,s:s,s:s*}", "nsg", g->nsg->id ? g->nsg->id : g->nsg->name, "state", state, "notes",
	                        g->notes ? g->notes : "", "error", g->rc ? g->err->text : NULL);
	char *text = json_dumps(doc, JSON_COMPACT);
	struct wh_error log_err = {0};
	if ((g->rc || g->result->changed) && (!text || wh_state_log(j->l.is.state, j->a->who, "jit.azure", text, &log_err)))
		wh_app_note(j->a, "%s", log_err.text);
	free(text);
	json_array_append_new(j->groups, doc);
	j->ask->each(j->ask->arg, g);
}

/* One round over the groups. *next_us: when the next opening ends; 0: nothing is open. */
static int once(struct job *j, int64_t *next_us, struct wh_error *err)
{
	struct wh_arena *mem = wh_arena_new();
	struct wh_jit_grant *g;
	size_t n = 0, done = 0;
	int64_t now = wh_now_us();
	int rc = wh_jit_list(j->l.is.state, &wh_firewall_jit_kernel, mem, &g, &n, err);
	*next_us = 0;
	for (size_t i = 0; !rc && i < n; i++)
		if (g[i].nsg && g[i].expires_us > now && (!*next_us || g[i].expires_us < *next_us))
			*next_us = g[i].expires_us;
	for (size_t i = 0; !rc && i < j->l.estate->n_nsgs; i++) {
		const struct wh_nsg *nsg = &j->l.estate->nsgs[i];
		struct wh_arm_result res = {0};
		char *notes = NULL;
		if (nsg->aws || (j->only ? strcasecmp(nsg->name, j->only->name) != 0 : !has_policy(j, nsg)))
			continue;
		done++;
		rc = wh_jit_azure(j->arm, &(struct wh_jit_openings){&j->a->config->jit, j->l.estate, g, n, now}, nsg, &res,
		                  &notes, err);
		report(j, &(struct wh_app_jit_group){nsg, &res, notes, rc, err});
		free(notes);
	}
	if (!rc && !done)
		rc = wh_fail_input(err, WH_APP_USAGE,
		                   "no group of the estate guards a resource that has a policy under 'jit' in whittle.yaml");
	wh_arena_free(mem);
	return rc;
}

static void sleep_until(int64_t us)
{
	int64_t left = us - wh_now_us(), most = INT64_C(30) * 1000000; /* one may be closed or opened meanwhile */
	left = left < 0 ? 0 : left > most ? most : left;
	struct timespec t = {left / 1000000, left % 1000000 * 1000};
	nanosleep(&t, NULL);
}

int wh_app_jit_azure(const struct wh_app *a, const struct wh_app_jit_azure *ask, struct wh_arm_options *arm, json_t **out,
                     bool *ends_later, struct wh_error *err)
{
	struct job j = {.a = a, .ask = ask};
	struct wh_arena *mem = wh_arena_new();
	int64_t next = 0;
	*out = NULL;
	*ends_later = false;
	int rc = wh_app_open(a, WH_STATE_WRITE, mem, &j.l, err);
	if (rc || (rc = find_group(j.l.estate, ask->nsg, &j.only, err)))
		goto out;
	j.groups = json_array();
	rc = wh_arm_open(arm, &j.arm, err);
	rc = rc ? rc : once(&j, &next, err);
	while (!rc && next && ask->until_closed) {
		sleep_until(next);
		json_array_clear(j.groups);
		rc = once(&j, &next, err);
	}
	*ends_later = !rc && next;
	*out = json_pack("{s:o}", "groups", j.groups);
	wh_arm_close(j.arm);
out:
	wh_app_close(&j.l, NULL);
	wh_arena_free(mem);
	return rc;
}
