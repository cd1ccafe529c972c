/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stddef.h>
#include "whittle/watch.h"

static const char *const sources[] = {"no", "conntrack", NULL};

static const struct wh_key watch[] = {
	{"alerts", WH_KEY_PATH, offsetof(struct wh_watch_config, alerts), .example = "alerts.jsonl",
         .help = "A file that gets one line of JSON for each alert."},
	{"syslog", WH_KEY_BOOL, offsetof(struct wh_watch_config, syslog), .preset = "no",
         .help = "yes: alerts are also sent to the system's log."},
	{"revert", WH_KEY_BOOL, offsetof(struct wh_watch_config, revert), .preset = "no",
         .help = "yes: if rules drop several peers that belong, soon after their confirmation, the rules before them are put back."},
	{"repair", WH_KEY_BOOL, offsetof(struct wh_watch_config, repair), .preset = "no",
         .help = "yes: confirmed rules are put back if another program deletes or changes them."},
	{"after-confirm", WH_KEY_DURATION, offsetof(struct wh_watch_config, after_confirm_s), .preset = "1h",
         .help = "How long after a confirmation `revert` applies."},
	{"connections", WH_KEY_DURATION, offsetof(struct wh_watch_config, connections_s), .min = 1, .max = 86400, .preset = "10m",
         .help = "How often open connections are recorded as evidence."},
	{"hits", WH_KEY_INT, offsetof(struct wh_watch_config, hits), .min = 1, .max = 1000000, .preset = "3",
         .help = "The number of drops from which a peer counts as hit."},
	{"learn", WH_KEY_CHOICE, offsetof(struct wh_watch_config, learn), .words = sources, .preset = "no",
         .help = "What flows are learned from: the connections that the kernel tracks, or nothing."},
	{"learn-buffer", WH_KEY_SIZE, offsetof(struct wh_watch_config, learn_buffer), .preset = "64M",
         .help = "Room for the kernel's messages about connections until they are read. At most 1G."},
	{"learn-bytes", WH_KEY_BOOL, offsetof(struct wh_watch_config, learn_bytes), .preset = "no",
         .help = "yes: makes the kernel count the bytes of connections and record their times."},
	{0},
};

const struct wh_key wh_watch_keys[] = {
	{"watch", WH_KEY_MAP, .keys = watch,
         .help = "Settings of `whittle watch`, which guards the confirmed rules of this machine."},
	{0},
};
