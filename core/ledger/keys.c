/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stddef.h>
#include "base/state_dir.h"
#include "whittle/ledger.h"

const struct wh_key wh_ledger_keys[] = {
	{"store", WH_KEY_PATH, offsetof(struct wh_ledger_config, store), .preset = WH_DEFAULT_STORE,
         .help = "The ledger: a file, or clickhouse[s]://USER@HOST:8123,HOST…/DATABASE?cluster=NAME&sensor=NAME&tenant=NAME&site=NAME&local=FILE; --store and $WHITTLE_STORE come first."},
	{"store-password-file", WH_KEY_PATH, offsetof(struct wh_ledger_config, password_file),
         .example = "/etc/whittle/clickhouse.password",
         .help = "The password of the cluster's user; the URL's password-file= comes first, and $WHITTLE_CLICKHOUSE_PASSWORD is taken where neither is named."},
	{"state", WH_KEY_PATH, offsetof(struct wh_ledger_config, state), .preset = WH_STATE_DIR "/var-lib-whittle",
         .help = "The directory of the files that survive a reboot, where only root and the user of the services may write; $WHITTLE_STATE comes first."},
	{"memory-limit", WH_KEY_SIZE, offsetof(struct wh_ledger_config, memory_limit), .min = 1 << 20, .preset = "64MiB",
         .help = "Memory for edges that are not in the ledger yet; the plugin needs at least 4MiB. Where nothing is set, `ingest` takes 48MiB."},
	{"flush-interval", WH_KEY_DURATION, offsetof(struct wh_ledger_config, flush_interval), .preset = "10s",
         .help = "Time between two writes of the Suricata plugin to the ledger."},
	{"realm", WH_KEY_TEXT, offsetof(struct wh_ledger_config, realm), .example = "vlan10",
         .help = "VLANs and tenants that logs name: \"one\", they are one network, or the one that is read, as in vlan10 or tenant3/vlan10."},
	{"sensor", WH_KEY_TEXT, offsetof(struct wh_ledger_config, sensor), .example = "fw-1",
         .help = "The sensor that wrote the records which name none."},
	{"sensor-slack", WH_KEY_DURATION, offsetof(struct wh_ledger_config, sensor_slack), .max = 600, .preset = "2s",
         .help = "The clocks of two sensors that report the same conversation differ by no more than this."},
	{"port-edges", WH_KEY_INT, offsetof(struct wh_ledger_config, port_edges), .min = 1024, .max = 100000000,
         .preset = "262144",
         .help = "Edges of one address, direction, protocol and port that the ledger keeps; those seen on the fewest days, longest ago, go first."},
	{"edge-days", WH_KEY_INT, offsetof(struct wh_ledger_config, edge_days), .min = 64, .max = 100000, .preset = "180",
         .help = "Edges that were last seen before so many days with data go; no window is longer than 64 days."},
	{"keep-days", WH_KEY_INT, offsetof(struct wh_ledger_config, keep_days), .min = 64, .max = 100000, .example = "400",
         .help = "Edges, evidence and alerts that were last seen more than so many days ago are removed by the next `ingest` or `alerts`, and while `watch` runs. Without it, edge-days alone decides."},
	{"ledger-size", WH_KEY_SIZE, offsetof(struct wh_ledger_config, ledger_size), .min = 16 << 20, .preset = "8GiB",
         .help = "Where the ledger's file uses so much, nothing is added of peers and ports that it does not know, and no rule is made from days on which that was so."},
	{0},
};
