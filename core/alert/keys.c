/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stddef.h>
#include "whittle/alert.h"

static const char *const severities[] = {"", "Informational", "Low", "Medium", "High", NULL};
static const struct wh_key_list command = {offsetof(struct wh_alert_config, n_command), sizeof(const char *), .text = wh_key_copy,
                                           .some = true};

static const struct wh_key alerts[] = {
	{"window", WH_KEY_DURATION, offsetof(struct wh_alert_config, window), .max = 90 * 86400, .preset = "7d",
         .help = "Only traffic within this time before the ledger's last flow raises alerts."},
	{"sessions-a-day", WH_KEY_INT, offsetof(struct wh_alert_config, sessions_a_day), .min = 2, .max = 1000000,
         .preset = "100", .help = "Short sessions of one peer a day from which they count as guessing of passwords."},
	{"sources-a-day", WH_KEY_INT, offsetof(struct wh_alert_config, sources_a_day), .min = 2, .max = 1000000, .preset = "20",
         .help = "Peers outside the recommended ranges on SSH or RDP on one day: an alert, if they are also five times as many as on any day before."},
	{"targets-a-day", WH_KEY_INT, offsetof(struct wh_alert_config, targets_a_day), .min = 2, .max = 1000000, .preset = "20",
         .help = "Targets that one resource connects to on one port for the first time on one day, or that do not answer it: an alert, if they are also five times as many as on any day before."},
	{"silence", WH_KEY_DURATION, offsetof(struct wh_alert_config, silence), .max = 30 * 86400, .preset = "1d",
         .help = "Time without any flow after which the sensor counts as blind."},
	{"tunnel-bytes", WH_KEY_SIZE, offsetof(struct wh_alert_config, tunnel_bytes), .min = 1, .preset = "8KiB",
         .help = "Bytes in long names below one domain, or in answers about them, that one resource asks for on one day: from this number they count as a tunnel."},
	{"failed-domains", WH_KEY_INT, offsetof(struct wh_alert_config, failed_domains), .min = 2, .max = 1000000, .preset = "30",
         .help = "Domains that do not exist and that one resource asks for on one day: from this number they count as computed names."},
	{"loss", WH_KEY_INT, offsetof(struct wh_alert_config, loss), .min = 1, .max = 1000, .preset = "10",
         .help = "Packets of a thousand, on one day, that the sensor's capture lost: from this number there is an alert."},
	{"scanned-ports", WH_KEY_INT, offsetof(struct wh_alert_config, scanned_ports), .min = 2, .max = 65535, .preset = "20",
         .help = "Ports of one resource that one source tries in vain: from this number they count as a scan."},
	{"ports-a-day", WH_KEY_INT, offsetof(struct wh_alert_config, ports_a_day), .min = 2, .max = 65535, .preset = "100",
         .help = "TCP ports that one resource tries in vain on one day: an alert, if they are also five times as many as on any day before."},
	{"flood", WH_KEY_INT, offsetof(struct wh_alert_config, flood), .min = 100, .max = 1000000000, .preset = "50000",
         .help = "Connections of one resource to one target a day that get little or no answer: from this number they count as a flood."},
	{"upload", WH_KEY_SIZE, offsetof(struct wh_alert_config, upload), .min = 1, .preset = "1GiB",
         .help = "Bytes a day to a new peer outside: an alert, if they are also ten times as many as to any peer known before. Peers of most days, such as a backup server, are not compared."},
	{"beacons", WH_KEY_INT, offsetof(struct wh_alert_config, beacons), .min = 24, .max = 1000000, .preset = "96",
         .help = "Connections of one resource a day to one new public peer, in every hour and all alike: from this number they count as a program that calls home at regular times."},
	{"dormant", WH_KEY_DURATION, offsetof(struct wh_alert_config, dormant), .max = 60 * 86400, .preset = "45d",
         .help = "Silence of a peer after which its return is reported."},
	{"respond-from", WH_KEY_CHOICE, offsetof(struct wh_alert_config, least), .words = severities, .preset = "Medium",
         .help = "The lowest severity of alerts that `whittle alerts respond` sends."},
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
         .help = "Thresholds from which `whittle alerts` raises an alert; types and texts are in rules/alerts.yaml."},
	{0},
};
