/* SPDX-License-Identifier: GPL-2.0-or-later */
/* host_settings: what a machine's programs are set to, for its facts. `root` is before every path: "" for this machine. */
#pragma once
#include <jansson.h>

/* {"sshd": "read", "sshd.ciphers": "aes256-ctr"…}: programs whose configuration is there, and the keys that it states. */
json_t *wh_host_settings_json(const char *root);
/* Those that run of the programs that watch a host: ["auditd"…]. */
json_t *wh_host_programs(const char *root);
