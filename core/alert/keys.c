/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stddef.h>
#include "whittle/alert.h"

static const char *const severities[] = {"", "Informational", "Low", "Medium", "High", NULL};
static const struct wh_key_list command = {offsetof(struct wh_alert_config, n_command), sizeof(const char *), .text = wh_key_copy,
                                           .some = true};

static const struct wh_key alerts[] = {
	{"window", WH_KEY_DURATION, offsetof(struct wh_alert_config, window), .max = 90 * 86400, .preset = "7d",
         .help = "Alerts are of what came within this time before the ledger's last flow."},
	{"sessions-a-day", WH_KEY_INT, offsetof(struct wh_alert_config, sessions_a_day), .min = 2, .max = 1000000,
         .preset = "100", .help = "Short sessions of one peer a day that are taken for guessing of passwords."},
	{"sources-a-day", WH_KEY_INT, offsetof(struct wh_alert_config, sources_a_day), .min = 2, .max = 1000000, .preset = "20",
         .help = "Peers outside the recommended ranges on SSH or RDP on one day: an alert, if they are also five times as many as on any day before."},
	{"targets-a-day", WH_KEY_INT, offsetof(struct wh_alert_config, targets_a_day), .min = 2, .max = 1000000, .preset = "20",
         .help = "Targets that one resource connects to on one port for the first time on one day, and those that do not answer it: likewise."},
	{"silence", WH_KEY_DURATION, offsetof(struct wh_alert_config, silence), .max = 30 * 86400, .preset = "1d",
         .help = "Time without any flow after which the sensor is taken to be blind."},
	{"tunnel-bytes", WH_KEY_SIZE, offsetof(struct wh_alert_config, tunnel_bytes), .min = 1, .preset = "8KiB",
         .help = "Bytes in long names below one domain, or in its answers, that one resource asks for on one day: a tunnel."},
	{"failed-domains", WH_KEY_INT, offsetof(struct wh_alert_config, failed_domains), .min = 2, .max = 1000000, .preset = "30",
         .help = "Domains that do not exist and that one resource asks for on one day: computed names."},
	{"loss", WH_KEY_INT, offsetof(struct wh_alert_config, loss), .min = 1, .max = 1000, .preset = "10",
         .help = "Packets of a thousand, on one day, that the sensor's capture lost."},
	{"scanned-ports", WH_KEY_INT, offsetof(struct wh_alert_config, scanned_ports), .min = 2, .max = 65535, .preset = "20",
         .help = "Ports of one resource that one source tries in vain: a scan."},
	{"ports-a-day", WH_KEY_INT, offsetof(struct wh_alert_config, ports_a_day), .min = 2, .max = 65535, .preset = "100",
         .help = "TCP ports that one resource tries in vain on one day: an alert, if they are also five times as many as on any day before."},
	{"flood", WH_KEY_INT, offsetof(struct wh_alert_config, flood), .min = 100, .max = 1000000000, .preset = "50000",
         .help = "Connections of one resource to one target a day that bring hardly anything back, or nothing: a flood."},
	{"upload", WH_KEY_SIZE, offsetof(struct wh_alert_config, upload), .min = 1, .preset = "1GiB",
         .help = "Bytes a day to a new peer outside, if they are also ten times as many as to any peer known before; one of most days, such as a backup's, is no measure."},
	{"beacons", WH_KEY_INT, offsetof(struct wh_alert_config, beacons), .min = 24, .max = 1000000, .preset = "96",
         .help = "Connections of one resource a day to one new public peer, in every hour and all alike: a program that calls home by a clock."},
	{"dormant", WH_KEY_DURATION, offsetof(struct wh_alert_config, dormant), .max = 60 * 86400, .preset = "45d",
         .help = "Silence of a peer after which its coming back is reported."},
	{"respond-from", WH_KEY_CHOICE, offsetof(struct wh_alert_config, least), .words = severities, .preset = "Medium",
         .help = "The least severity of alerts that `whittle alerts respond` hands over."},
	{"respond-command", WH_KEY_LIST, offsetof(struct wh_alert_config, command), .list = &command,
         .example = "[/usr/local/bin/on-alert, --page]",
         .help = "A program and its arguments, run as nobody, without a shell; it reads the alert as JSON from its standard input."},
	{"webhook", WH_KEY_TEXT, offsetof(struct wh_alert_config, webhook), .example = "https://hooks.example.com/whittle",
         .help = "Gets the alert as JSON by POST, with the header X-Whittle-Signature: sha256= and the HMAC of the body."},
	{"secret-file", WH_KEY_PATH, offsetof(struct wh_alert_config, secret_file), .example = "/etc/whittle/webhook.secret",
         .help = "Holds the key of these signatures, 16 to 256 bytes; mode 600."},
	{"ca-file", WH_KEY_PATH, offsetof(struct wh_alert_config, ca_file), .example = "/etc/whittle/ca.pem",
         .help = "Certificates to trust in place of the system's, for the webhook."},
	{0},
};

const struct wh_key wh_alert_keys[] = {
	{"alerts", WH_KEY_MAP, 0, .keys = alerts,
         .help = "When `whittle alerts` raises one; types and texts are in rules/alerts.yaml."},
	{0},
};
