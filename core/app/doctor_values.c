/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether the values of whittle.yaml mean something here: ports, ranges, lists, resources. */
#include <string.h>
#include <unistd.h>
#include "app/doctor.h"
#include "app/forget.h"
#include "app/status_parts.h"
#include "base/opener.h"
#include "base/text.h"
#include "whittle/intel.h"

static void check_ports(const struct wh_app *a, struct wh_arena *mem, struct wh_app_doctor *r)
{
	struct wh_port_list *list;
	struct wh_error err = {0};
	if (!a->config->harden.ports)
		return;
	if (wh_port_list_load(a->config->harden.ports, NULL, mem, &list, &err))
		wh_doctor_remedy(wh_doctor_note(r, "ports", WH_APP_CHECK_FAIL, "%s", err.text),
		                 "write `ports: [22, 443/tcp]` or `ports: all` in whittle.yaml");
	else
		wh_doctor_note(r, "ports", WH_APP_CHECK_OK, "%s", a->config->harden.ports);
}

static void check_discover(const struct wh_app *a, const struct wh_app_ledger *l, struct wh_app_doctor *r)
{
	struct wh_locals *locals = NULL;
	struct wh_error err = {0};
	const char *ranges = a->config->estate.discover;
	if (!ranges)
		return;
	if (wh_estate_locals(l ? l->is.state : NULL, ranges, &locals, &err))
		wh_doctor_remedy(wh_doctor_note(r, "discover", WH_APP_CHECK_FAIL, "%s", err.text),
		                 "write `discover: [10.0.0.0/8, fd00::/8]` or `discover: off` in whittle.yaml");
	else
		wh_doctor_note(r, "discover", WH_APP_CHECK_OK, "%s", ranges);
	wh_locals_free(locals);
}

static void check_reject(const struct wh_app *a, struct wh_arena *mem, struct wh_app_doctor *r)
{
	struct wh_nft_reject reject;
	struct wh_error err = {0};
	if (!a->config->enforce.n_reject)
		return;
	if (wh_reject_from(&a->config->enforce, mem, &reject, &err))
		wh_doctor_remedy(wh_doctor_note(r, "reject", WH_APP_CHECK_FAIL, "%s", err.text),
		                 "write `reject: all` in whittle.yaml, or fewer prefixes");
	else
		wh_doctor_note(r, "reject", WH_APP_CHECK_OK, "%s", wh_nft_reject_text(&reject, mem));
}

/* ---- threat lists ---- */

static void check_source(const struct wh_intel_source *s, struct wh_app_doctor *r)
{
	char program[512];
	if (s->file && !wh_readable(s->file)) {
		const char *why = access(s->file, F_OK) ? "is not there" : "can't be read";
		wh_doctor_remedy(wh_doctor_note(r, "threat list", WH_APP_CHECK_FAIL, "%s: %s %s", s->name, s->file, why),
		                 access(s->file, F_OK)
		                         ? "put the list there, or remove the entry from threat-intel in whittle.yaml"
		                         : "chmod a+r %s",
		                 s->file);
	}
	if (!s->command)
		return;
	snprintf(program, sizeof program, "%.*s", (int)strcspn(s->command, " \t|;&<>"), s->command);
	if (*program == '/' && access(program, X_OK))
		wh_doctor_remedy(wh_doctor_note(r, "threat list", WH_APP_CHECK_FAIL, "%s: %s can't be run: %s", s->name, program,
		                                strerror(errno)),
		                 "install the program, or correct the command of threat-intel in whittle.yaml");
}

static void check_list(const struct wh_app_list *l, struct wh_app_doctor *r)
{
	char buf[WH_SHELL_WORD];
	const char *word = wh_shell_word(l->name, buf);
	if (l->held)
		wh_doctor_remedy(
			wh_doctor_note(r, "threat list", WH_APP_CHECK_WARN, "%s is held until a person confirms it", l->name),
			"whittle intel update %s (names the peers that it would cut off), then whittle intel confirm %s", word,
			word);
	else if (!l->updated_us)
		wh_doctor_remedy(wh_doctor_note(r, "threat list", WH_APP_CHECK_WARN, "%s was never read", l->name),
		                 "whittle intel update %s", word);
	else if (l->stale)
		wh_doctor_remedy(wh_doctor_note(r, "threat list", WH_APP_CHECK_WARN, "%s is stale, and still in force", l->name),
		                 "whittle intel update %s", word);
	else
		wh_doctor_note(r, "threat list", WH_APP_CHECK_OK, "%s", l->name);
}

static void check_lists(const struct wh_app *a, const struct wh_app_ledger *l, struct wh_arena *mem, struct wh_app_doctor *r)
{
	struct wh_app_status s = {0};
	struct wh_error err;
	for (size_t i = 0; i < a->config->intel.n_lists; i++)
		check_source(&a->config->intel.lists[i], r);
	if (l && !wh_app_lists(a, l, &s, mem, &err))
		for (size_t i = 0; i < s.n_lists; i++)
			check_list(&s.lists[i], r);
}

/* ---- just-in-time access ---- */

static void check_jit(const struct wh_app *a, const struct wh_app_ledger *l, struct wh_app_doctor *r)
{
	const struct wh_jit_config *c = &a->config->jit;
	size_t unknown = 0;
	for (size_t i = 0; l && i < c->n_policies; i++) {
		if (wh_estate_find(l->estate, c->policies[i].resource))
			continue;
		unknown++;
		wh_doctor_remedy(wh_doctor_note(r, "jit", WH_APP_CHECK_FAIL,
		                                "whittle.yaml names the resource %s, which the estate does not have",
		                                c->policies[i].resource),
		                 "whittle estate show (lists the names), then correct jit in whittle.yaml");
	}
	if (l && c->n_policies && !unknown)
		wh_doctor_note(r, "jit", WH_APP_CHECK_OK, "%zu polic%s, of known resources", c->n_policies,
		               c->n_policies == 1 ? "y" : "ies");
}

/* The plugin removes nothing: the deletion of what is old in one transaction would take longer than Suricata may wait. */
static void check_retention(const struct wh_app *a, struct wh_app_ledger *l, struct wh_app_doctor *r)
{
	enum { SPARE_DAYS = 2 }; /* it is done once a day */
	struct wh_error ignored;
	int late = l ? wh_app_retain_late(a, &l->is, &ignored) : 0;
	if (late > SPARE_DAYS)
		wh_doctor_remedy(
			wh_doctor_note(
				r, "keep-days", WH_APP_CHECK_WARN,
				"data of %d days are older than keep-days: only ingest, alerts and watch remove them, not the plugin",
				late),
			"systemctl enable --now whittle-watch, or whittle alerts each day");
}

void wh_doctor_values(const struct wh_app *a, struct wh_app_ledger *l, struct wh_arena *mem, struct wh_app_doctor *r)
{
	if (!a->config)
		return;
	check_ports(a, mem, r);
	check_discover(a, l, r);
	check_reject(a, mem, r);
	check_lists(a, l, mem, r);
	check_jit(a, l, r);
	check_retention(a, l, r);
}
