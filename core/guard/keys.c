/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stddef.h>
#include "whittle/watch.h"

static const char *const sources[] = {"no", "conntrack", NULL};

static const struct wh_key watch[] = {
	{"alerts", WH_KEY_PATH, offsetof(struct wh_watch_config, alerts), .example = "alerts.jsonl",
         .help = "A file that gets one JSON line an alert."},
	{"syslog", WH_KEY_BOOL, offsetof(struct wh_watch_config, syslog), .preset = "no",
         .help = "Alerts go to the system's log too."},
	{"revert", WH_KEY_BOOL, offsetof(struct wh_watch_config, revert), .preset = "no",
         .help = "Rules that drop several peers which belong are taken back, shortly after a confirm."},
	{"repair", WH_KEY_BOOL, offsetof(struct wh_watch_config, repair), .preset = "no",
         .help = "Confirmed rules that somebody else deleted or changed are put back."},
	{"after-confirm", WH_KEY_DURATION, offsetof(struct wh_watch_config, after_confirm_s), .preset = "1h",
         .help = "For how long after a confirm `revert` applies."},
	{"connections", WH_KEY_DURATION, offsetof(struct wh_watch_config, connections_s), .min = 1, .max = 86400, .preset = "10m",
         .help = "How often the connections that are open are looked at: they are evidence."},
	{"hits", WH_KEY_INT, offsetof(struct wh_watch_config, hits), .min = 1, .max = 1000000, .preset = "3",
         .help = "Drops of one peer from which it counts as hit."},
	{"learn", WH_KEY_CHOICE, offsetof(struct wh_watch_config, learn), .words = sources, .preset = "no",
         .help = "What flows are learned from: the connections that the kernel tracks, or nothing."},
	{"learn-buffer", WH_KEY_SIZE, offsetof(struct wh_watch_config, learn_buffer), .preset = "64M",
         .help = "Room for the kernel's messages about connections until they are read. At most 1G."},
	{"learn-bytes", WH_KEY_BOOL, offsetof(struct wh_watch_config, learn_bytes), .preset = "no",
         .help = "Makes the kernel count the bytes of connections and record their times."},
	{0},
};

const struct wh_key wh_watch_keys[] = {
	{"watch", WH_KEY_MAP, .keys = watch, .help = "How `whittle watch` guards the confirmed rules of this machine."},
	{0},
};
