/* SPDX-License-Identifier: GPL-2.0-or-later */
/* jit nsg --to azure: openings take effect, and end, in the groups at Azure themselves. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include "cli/azure.h"
#include "cli/jit.h"
#include "whittle/firewall.h"

struct job {
	struct cli *c;
	struct wh_state *state;
	const struct wh_estate *estate;
	struct wh_arm *arm;
	const char *name; /* only this group; NULL: all */
	json_t *groups;
};

/* Whether a policy is for a resource that the group guards. */
static bool has_policy(const struct job *j, const struct wh_nsg *nsg)
{
	for (size_t i = 0; i < j->estate->n_resources; i++) {
		const struct wh_resource *r = &j->estate->resources[i];
		for (size_t k = 0; k < j->c->config->jit.n_policies; k++)
			if (!strcmp(j->c->config->jit.policies[k].resource, r->name) && wh_resource_guarded_by(r, nsg))
				return true;
	}
	return false;
}

static void tell(struct job *j, const struct wh_nsg *nsg, const struct wh_arm_result *res, const char *notes, int rc, const struct wh_error *err)
{
	const char *state = !rc ? res->changed ? "applied" : "unchanged" : res->rolled_back ? "rolled back" : res->uncertain ? "uncertain" : "failed";
	json_t *doc = json_pack("{s:s,s:s,s:s,s:s*}", "nsg", nsg->id ? nsg->id : nsg->name, "state", state, "notes", notes ? notes : "", "error", rc ? err->text : NULL);
	char *text = json_dumps(doc, JSON_COMPACT);
	struct wh_error log_err;
	if ((rc || res->changed) && (!text || wh_state_log(j->state, cli_who(), "jit.azure", text, &log_err)))
		cli_error(&log_err);
	free(text);
	json_array_append_new(j->groups, doc);
	if (j->c->json || rc)
		return;
	fputs(notes ? notes : "", stderr);
	printf("%s: %s\n", nsg->name, res->changed ? "applied, read back and compared." : "is as it should be.");
	fflush(stdout);
}

/* One round over the groups. *next_us: when the next opening ends; 0: nothing is open. */
static int once(struct job *j, int64_t *next_us)
{
	struct wh_arena *mem = wh_arena_new();
	struct wh_jit_grant *g;
	struct wh_error err = {0};
	size_t n, done = 0;
	int64_t now = wh_now_us();
	int rc = wh_jit_list(j->state, &wh_firewall_jit_kernel, mem, &g, &n, &err) ? cli_error(&err) : CLI_OK;
	*next_us = 0;
	for (size_t i = 0; !rc && i < n; i++)
		if (g[i].nsg && g[i].expires_us > now && (!*next_us || g[i].expires_us < *next_us))
			*next_us = g[i].expires_us;
	for (size_t i = 0; !rc && i < j->estate->n_nsgs; i++) {
		const struct wh_nsg *nsg = &j->estate->nsgs[i];
		struct wh_arm_result res;
		char *notes;
		if (j->name ? strcasecmp(nsg->name, j->name) != 0 : !has_policy(j, nsg))
			continue;
		done++;
		int failed = wh_jit_azure(j->arm, &j->c->config->jit, j->estate, nsg, g, n, now, &res, &notes, &err);
		tell(j, nsg, &res, notes, failed, &err);
		free(notes);
		rc = failed ? cli_error(&err) : CLI_OK;
	}
	if (!rc && !done)
		rc = cli_usage(j->c, "no group of the estate guards a resource that has a policy under 'jit' in whittle.yaml");
	wh_arena_free(mem);
	return rc;
}

static void sleep_until(int64_t us)
{
	int64_t left = us - wh_now_us(), most = INT64_C(30) * 1000000; /* somebody may close or open one meanwhile */
	left = left < 0 ? 0 : left > most ? most : left;
	struct timespec t = {left / 1000000, left % 1000000 * 1000};
	nanosleep(&t, NULL);
}

int cli_jit_azure(struct cli *c, struct wh_state *s, const struct wh_estate *e, struct wh_arm_options *opt, const char *name, bool until_closed)
{
	struct job j = {c, s, e, NULL, name, json_array()};
	struct wh_error err;
	int64_t next = 0;
	cli_fill_arm(c, opt);
	int rc = wh_arm_open(opt, &j.arm, &err) ? cli_error(&err) : once(&j, &next);
	if (!rc && next && !c->json && !until_closed)
		fprintf(stderr, "whittle: an opening ends at Azure when this command runs again after its time: from a timer, or with --until-closed\n");
	while (!rc && next && until_closed) {
		sleep_until(next);
		json_array_clear(j.groups);
		rc = once(&j, &next);
	}
	wh_arm_close(j.arm);
	if (!c->json) {
		json_decref(j.groups);
		return rc;
	}
	int printed = cli_print_json(json_pack("{s:o}", "groups", j.groups));
	return rc ? rc : printed;
}
