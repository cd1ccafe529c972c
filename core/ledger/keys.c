/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stddef.h>
#include "base/state_dir.h"
#include "whittle/ledger.h"

const struct wh_key wh_ledger_keys[] = {
	{"store", WH_KEY_PATH, offsetof(struct wh_ledger_config, store), .preset = WH_DEFAULT_STORE,
         .help = "The ledger: a file, or clickhouse[s]://USER@HOST:8123,HOST…/DATABASE?cluster=NAME&sensor=NAME&tenant=NAME&site=NAME&local=FILE; --store and $WHITTLE_STORE come first."},
	{"store-password-file", WH_KEY_PATH, offsetof(struct wh_ledger_config, password_file),
         .example = "/etc/whittle/clickhouse.password",
         .help = "The file with the password of the cluster's user. The URL's password-file= comes first; without both, $WHITTLE_CLICKHOUSE_PASSWORD is used."},
	{"state", WH_KEY_PATH, offsetof(struct wh_ledger_config, state), .preset = WH_STATE_DIR "/var-lib-whittle",
         .help = "The directory of the files that survive a reboot, where only root and the user of the services may write; $WHITTLE_STATE comes first."},
	{"memory-limit", WH_KEY_SIZE, offsetof(struct wh_ledger_config, memory_limit), .min = 1 << 20, .preset = "64MiB",
         .help = "Memory for edges that are not in the ledger yet; the plugin needs at least 4MiB. If this is not set, `ingest` takes 48MiB."},
	{"flush-interval", WH_KEY_DURATION, offsetof(struct wh_ledger_config, flush_interval), .preset = "10s",
         .help = "Time between two writes of the Suricata plugin to the ledger."},
	{"realm", WH_KEY_TEXT, offsetof(struct wh_ledger_config, realm), .example = "vlan10",
         .help = "How VLANs and tenants that logs name are treated: \"one\": all are one network; vlan10 or tenant3/vlan10: only this one is read."},
	{"sensor", WH_KEY_TEXT, offsetof(struct wh_ledger_config, sensor), .example = "fw-1",
         .help = "The sensor that wrote records without a sensor's name."},
	{"sensor-slack", WH_KEY_DURATION, offsetof(struct wh_ledger_config, sensor_slack), .max = 600, .preset = "2s",
         .help = "The largest difference between the clocks of two sensors that report the same conversation."},
	{"port-edges", WH_KEY_INT, offsetof(struct wh_ledger_config, port_edges), .min = 1024, .max = 100000000,
         .preset = "262144",
         .help = "The most edges of one address, direction, protocol and port in the ledger. Beyond that, edges with the fewest days are removed first, among these the oldest."},
	{"edge-days", WH_KEY_INT, offsetof(struct wh_ledger_config, edge_days), .min = 64, .max = 100000, .preset = "180",
         .help = "Edges that were not seen on this number of days with data are removed. No window is longer than 64 days."},
	{"keep-days", WH_KEY_INT, offsetof(struct wh_ledger_config, keep_days), .min = 64, .max = 100000, .example = "400",
         .help = "Edges, evidence and alerts that were last seen more than this number of days ago are removed by the next `ingest` or `alerts`, and while `watch` runs. Without it, only edge-days removes edges."},
	{"ledger-size", WH_KEY_SIZE, offsetof(struct wh_ledger_config, ledger_size), .min = 16 << 20, .preset = "8GiB",
         .help = "The largest size of the ledger's file. At this size unknown peers and ports are no longer added, and an address that lost some gets no rule from such a day."},
	{0},
};
