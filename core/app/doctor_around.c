/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The state of this machine now: the rules in force, the services that keep them, the clock, the last flow. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "app/doctor.h"
#include "app/status_parts.h"
#include "whittle/firewall.h"

static void first_line(char *text)
{
	if (text)
		text[strcspn(text, "\n")] = 0;
}

/* Returns whether rules were confirmed here. */
static bool check_drift(struct wh_app_doctor *r)
{
	struct wh_nft_state st = {0};
	struct wh_error err = {0};
	char *difference = NULL;
	int rc = wh_firewall_compare(WH_STORED_WANTED, &st, &difference, &err);
	first_line(difference);
	if (rc == -ENOENT && st.present)
		wh_doctor_remedy(wh_doctor_note(r, "rules in force", WH_APP_CHECK_WARN, "%s", err.text), "whittle restore");
	else if (rc == -ENOENT)
		wh_doctor_note(r, "rules in force", WH_APP_CHECK_OK, "no rules are applied on this machine");
	else if (rc < 0)
		wh_doctor_remedy(wh_doctor_note(r, "rules in force", WH_APP_CHECK_WARN, "%s", err.text), "sudo whittle doctor");
	else if (rc)
		wh_doctor_remedy(wh_doctor_note(r, "rules in force", WH_APP_CHECK_FAIL, "another program changed them: %s",
		                                difference ? difference : "?"),
		                 "whittle drift (lists the changes), then whittle enforce --repair");
	else
		wh_doctor_note(r, "rules in force", WH_APP_CHECK_OK, "%s",
		               st.lasting || st.confirmed ? "the kernel holds what was confirmed"
		                                          : "the kernel holds what was applied; whittle confirm keeps it");
	free(difference);
	return rc >= 0 && (st.lasting || wh_firewall_confirmed_us());
}

static void check_jit(const struct wh_app *a, struct wh_app_doctor *r)
{
	struct wh_error err = {0};
	char *difference = NULL;
	int rc = wh_firewall_jit_differs(&difference, &err);
	first_line(difference);
	if (rc == 1)
		wh_doctor_remedy(wh_doctor_note(r, "just-in-time", WH_APP_CHECK_FAIL, "its ports are not closed as confirmed: %s",
		                                difference ? difference : "?"),
		                 "whittle enforce --repair");
	else if (!rc && a->config && a->config->jit.n_policies)
		wh_doctor_note(r, "just-in-time", WH_APP_CHECK_OK, "its ports are closed as confirmed");
	free(difference);
}

/* The reason has its command in backquotes, where there is one. */
static void missing_at_boot(const char *why, struct wh_app_doctor *r)
{
	const char *command = strchr(why, '`');
	size_t n = command ? (size_t)(command - why) : strlen(why), len = command ? strcspn(command + 1, "`") : 0;
	while (n && strchr(": ", why[n - 1]))
		n--;
	struct wh_app_check *c = wh_doctor_note(r, "whittle-enforce", WH_APP_CHECK_WARN,
	                                        "a reboot ends the confirmed rules: %.*s", (int)n, why);
	if (command)
		wh_doctor_remedy(c, "%.*s", (int)len, command + 1);
	else
		wh_doctor_remedy(c, "systemctl unmask whittle-enforce && systemctl enable whittle-enforce");
}

static void check_services(const struct wh_app *a, struct wh_app_doctor *r)
{
	const char *why;
	if (wh_persist_survives_reboot("", a->state_dir, &why))
		wh_doctor_note(r, "whittle-enforce", WH_APP_CHECK_OK, "it restores the confirmed rules at boot");
	else
		missing_at_boot(why, r);
	if (wh_firewall_watched())
		wh_doctor_note(r, "whittle-watch", WH_APP_CHECK_OK, "a program watches the rules");
	else
		wh_doctor_remedy(wh_doctor_note(r, "whittle-watch", WH_APP_CHECK_WARN, "nothing watches the confirmed rules"),
		                 "systemctl enable --now whittle-watch");
}

static void check_clock(int64_t last_us, struct wh_app_doctor *r)
{
	enum { SLACK_S = 300 };
	char at[WH_TIME_STRLEN];
	if (wh_day(last_us - 1) > wh_day(wh_now_us() + INT64_C(1000000) * SLACK_S)) /* last_us: the end of that day */
		wh_doctor_remedy(
			wh_doctor_note(
				r, "clock", WH_APP_CHECK_WARN,
				"the newest flow is of %s, in the future: the clock of this machine or of the sensor is wrong",
				wh_time_text(last_us - 1, at)),
			"timedatectl set-ntp true, here and at the sensor");
	else if (!access("/run/systemd/timesync", F_OK) && access("/run/systemd/timesync/synchronized", F_OK))
		wh_doctor_remedy(wh_doctor_note(r, "clock", WH_APP_CHECK_WARN, "it was not synchronised since boot"),
		                 "timedatectl set-ntp true");
	else
		wh_doctor_note(r, "clock", WH_APP_CHECK_OK, "all flows are in the past");
}

static void check_last_flow(const struct wh_app *a, const struct wh_app_ledger *l, struct wh_app_doctor *r)
{
	struct wh_app_status s = {0};
	struct wh_error err = {0};
	char at[WH_TIME_STRLEN];
	const bool learns = a->config && a->config->watch.learn == WH_LEARN_CONNTRACK; /* `watch` is this machine's sensor */
	if (wh_store_totals(l->is.store, &s.totals, &err) || (a->config && wh_app_sensor(a, l, &s, &err)))
		return; /* the check of the ledger reports the reason */
	wh_time_text(s.totals.last_us - 1, at)[10] = 0; /* only the day is known */
	if (!s.totals.last_us)
		wh_doctor_remedy(
			wh_doctor_note(r, "last flow", WH_APP_CHECK_WARN, "no flow has reached the ledger yet"),
			learns ? "systemctl start whittle-watch; it learns from this machine's connections"
			       : "whittle ingest LOG; or run whittle selftest ADDRESS on another machine, to see whether the sensor hears it");
	else if (s.sensor.silent)
		wh_doctor_remedy(
			wh_doctor_note(r, "last flow", WH_APP_CHECK_WARN,
		                       "the last one is of %s: the sensor is silent, or its log is not read", at),
			learns ? "systemctl status whittle-watch"
			       : "systemctl status suricata whittle-ingest; then whittle selftest ADDRESS on another machine");
	else
		wh_doctor_note(r, "last flow", WH_APP_CHECK_OK, "%s", at);
	check_clock(s.totals.last_us, r);
}

void wh_doctor_around(const struct wh_app *a, const struct wh_app_ledger *l, struct wh_app_doctor *r)
{
	if (!wh_firewall_ready(&(struct wh_error){0})) {
		if (check_drift(r))
			check_services(a, r);
		check_jit(a, r);
	}
	if (l)
		check_last_flow(a, l, r);
}
