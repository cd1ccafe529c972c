/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stddef.h>
#include "whittle/azure.h"

static const struct wh_key azure[] = {
	{"endpoint", WH_KEY_TEXT, offsetof(struct wh_azure_config, endpoint), .preset = WH_AZURE_ENDPOINT,
         .help = "Azure Resource Manager; other clouds have another."},
	{"token-command", WH_KEY_TEXT, offsetof(struct wh_azure_config, token_command),
         .example = "az account get-access-token --query accessToken -o tsv",
         .help = "Run by /bin/sh; prints a bearer token. Without it: $WHITTLE_AZURE_TOKEN."},
	{"ca-file", WH_KEY_PATH, offsetof(struct wh_azure_config, ca_file), .example = "ca.pem",
         .help = "Certificates of the authorities to trust, instead of the system's."},
	{"wait", WH_KEY_DURATION, offsetof(struct wh_azure_config, wait_s), .preset = "5m",
         .help = "The longest time that one change waits for Azure in all."},
	{0},
};

const struct wh_key wh_azure_keys[] = {
	{"azure", WH_KEY_MAP, .keys = azure,
         .help = "How Azure Resource Manager is reached (enforce --to azure, jit nsg --to azure)."},
	{0},
};
