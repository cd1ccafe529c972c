/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parts of what `status` prints. */
#pragma once
#include "cli/cli.h"
#include "whittle/app_rules.h"
#include "whittle/firewall.h"

void cli_status_firewall(const struct wh_app_status *s); /* this machine's rules and counters */
void cli_status_around(const struct wh_app_status *s);                         /* sensor, watcher, lists, addresses */
