/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stddef.h>
#include "whittle/harden.h"

static const struct wh_key_list trusted = {offsetof(struct wh_harden_config, n_trusted), sizeof(struct wh_prefix),
                                           .text = wh_key_prefix, .sound = wh_key_prefix_sound};

const struct wh_key wh_harden_keys[] = {
	{"ports", WH_KEY_WORDS, offsetof(struct wh_harden_config, ports), .example = "[22, 443/tcp]",
         .help = "Ports to narrow: all, or a list. Without it: those of ports.yaml."},
	{"rules-dir", WH_KEY_PATH, offsetof(struct wh_harden_config, rules_dir), .example = "/etc/whittle/rules",
         .help = "The directory of ports.yaml, evidence.yaml and alerts.yaml, instead of the installed one."},
	{"min-days", WH_KEY_INT, offsetof(struct wh_harden_config, min_days), .min = 1, .max = 64, .preset = "30",
         .help = "Days of data that a resource needs before rules are recommended for it."},
	{"max-prefixes", WH_KEY_INT, offsetof(struct wh_harden_config, max_prefixes), .min = 1, .max = 4000, .example = "50",
         .help = "The most prefixes in one rule. Without it, as many as are worth their cost."},
	{"max-prefixes-nsg", WH_KEY_INT, offsetof(struct wh_harden_config, max_prefixes_nsg), .min = 1, .max = 4000,
         .preset = "4000", .help = "The most prefixes in all rules of one network security group."},
	{"stable-days", WH_KEY_INT, offsetof(struct wh_harden_config, stable_days), .min = 0, .max = 21, .preset = "0",
         .help = "Days for which a rule must have been the same before it is recommended."},
	{"window-days", WH_KEY_INT, offsetof(struct wh_harden_config, window_days), .min = 7, .max = 64, .preset = "64",
         .help = "Days of traffic that count; older traffic is ignored."},
	{"direction", WH_KEY_CHOICE, offsetof(struct wh_harden_config, directions), .words = wh_directions_words,
         .preset = "inbound", .help = "Which rules are recommended."},
	{"trusted", WH_KEY_LIST, offsetof(struct wh_harden_config, trusted), .list = &trusted,
         .example = "[192.0.2.0/24, 2001:db8::1]", .help = "Addresses and prefixes that stay allowed whatever the traffic says."},
	{0},
};
