/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stddef.h>
#include "whittle/alert.h"

static const struct wh_key alerts[] = {
	{"window", WH_KEY_DURATION, offsetof(struct wh_alert_config, window), .max = 90 * 86400, .preset = "7d",
	 .help = "Alerts are of what came within this time before the ledger's last flow."},
	{"sessions-a-day", WH_KEY_INT, offsetof(struct wh_alert_config, sessions_a_day), .min = 2, .max = 1000000, .preset = "100",
	 .help = "Short sessions of one peer a day that are taken for guessing of passwords."},
	{"sources-a-day", WH_KEY_INT, offsetof(struct wh_alert_config, sources_a_day), .min = 2, .max = 1000000, .preset = "20",
	 .help = "Peers outside the recommended ranges on SSH or RDP on one day: an alert, if they are also five times as many as on any day before."},
	{"targets-a-day", WH_KEY_INT, offsetof(struct wh_alert_config, targets_a_day), .min = 2, .max = 1000000, .preset = "20",
	 .help = "Targets that one resource connects to on one port for the first time on one day: likewise."},
	{"silence", WH_KEY_DURATION, offsetof(struct wh_alert_config, silence), .max = 30 * 86400, .preset = "1d",
	 .help = "Time without any flow after which the sensor is taken to be blind."},
	{0},
};

const struct wh_key wh_alert_keys[] = {
	{"alerts", WH_KEY_MAP, 0, .keys = alerts, .help = "When `whittle alerts` raises one; types and texts are in rules/alerts.yaml."},
	{0},
};
