/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What concerns Azure:
 *   nsg-scope: nic|subnet|both
 *   azure: {endpoint: https://management.azure.com, token-command: az account get-access-token --query accessToken -o tsv, ca-file: ca.pem, wait: 5m}
 */
#include <string.h>
#include "base/config_parts.h"

int wh_nsg_scope_parse(const char *text, enum wh_nsg_scope *out)
{
	static const char *const words[] = {[WH_NSG_NIC] = "nic", [WH_NSG_SUBNET] = "subnet", [WH_NSG_BOTH] = "both"};
	for (int i = WH_NSG_NIC; i <= WH_NSG_BOTH; i++)
		if (!strcmp(text, words[i])) {
			*out = (enum wh_nsg_scope)i;
			return 0;
		}
	return -EINVAL;
}

int wh_config_nsg_scope(struct wh_config *c, const char *file, const struct wh_yaml *n, struct wh_error *err)
{
	const char *text = "";
	int rc = wh_config_text(file, n, &text, err);
	if (!rc && wh_nsg_scope_parse(text, &c->nsg_scope))
		rc = wh_fail_input(err, -EINVAL, "%s:%d: 'nsg-scope' must be nic, subnet or both, not '%.60s'", file, n->line, text);
	return rc;
}

int wh_config_azure(struct wh_config *c, const char *file, const struct wh_yaml *map, struct wh_error *err)
{
	static const char *const known[] = {"endpoint", "token-command", "ca-file", "wait", NULL};
	struct wh_azure_config *a = &c->azure;
	const char *text = "";
	if (map->kind != WH_YAML_MAP)
		return wh_fail_input(err, -EINVAL, "%s:%d: 'azure' must be a map", file, map->line);
	int rc = wh_yaml_check_keys(file, map, known, err);
	for (const struct wh_yaml *n = map->child; n && !rc; n = n->next) {
		if (!strcmp(n->key, "wait"))
			rc = wh_config_duration(file, n, &a->wait_s, err);
		else if ((rc = wh_config_text(file, n, &text, err)))
			break;
		else if (!strcmp(n->key, "endpoint"))
			a->endpoint = wh_arena_strdup(c->mem, text);
		else if (!strcmp(n->key, "token-command"))
			a->token_command = wh_arena_strdup(c->mem, text);
		else
			a->ca_file = wh_config_beside(c, file, text);
	}
	return rc;
}
