/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of checks: the values of an assessment's `check:`, and the settings of each. */
#include <string.h>
#include "posture/checks.h"

#define SETTINGS(...) (const char *const[]){__VA_ARGS__, NULL}
static const char *const none[] = {NULL};
static const struct wh_check checks[] = {
	{"alerts", wh_check_alerts, SETTINGS("types", "days")},
	{"amplifiers", wh_check_amplifiers, SETTINGS("ports", "factor")},
	{"anomalies", wh_check_anomalies, none},
	{"answers", wh_check_answers, SETTINGS("pairs")},
	{"bypass", wh_check_bypass, none},
	{"certificates", wh_check_certificates, SETTINGS("what", "days")},
	{"clear-text", wh_check_clear_text, SETTINGS("ports", "words")},
	{"contradiction", wh_check_contradiction, none},
	{"coverage", wh_check_coverage, none},
	{"dangling-names", wh_check_dangling_names, none},
	{"dangling-records", wh_check_dangling_records, SETTINGS("suffixes")},
	{"ddos", wh_check_ddos, none},
	{"direct-requests", wh_check_direct_requests, SETTINGS("ports", "trusted")},
	{"encrypted", wh_check_encrypted, SETTINGS("ports", "share")},
	{"failed-names", wh_check_failed_names, SETTINGS("domains")},
	{"fan-out", wh_check_fan_out, SETTINGS("ports", "machines")},
	{"forwarding", wh_check_forwarding, SETTINGS("appliance-tags")},
	{"group-size", wh_check_group_size, SETTINGS("rules", "prefixes")},
	{"guarded", wh_check_guarded, SETTINGS("facing")},
	{"hardening", wh_check_hardening, SETTINGS("facing")},
	{"host-daemons", wh_check_host_daemons, SETTINGS("ports")},
	{"host-default", wh_check_host_default, none},
	{"host-egress", wh_check_host_egress, none},
	{"host-floods", wh_check_host_floods, none},
	{"host-forwarding", wh_check_host_forwarding, none},
	{"host-jit", wh_check_host_jit, SETTINGS("ports")},
	{"host-owners", wh_check_host_owners, none},
	{"host-ports", wh_check_host_ports, SETTINGS("ports")},
	{"host-programs", wh_check_host_programs, SETTINGS("any")},
	{"host-published", wh_check_host_published, none},
	{"host-resolvers", wh_check_host_resolvers, SETTINGS("trusted")},
	{"host-settings", wh_check_host_settings, SETTINGS("program", "bad", "good", "defaults")},
	{"host-spoofing", wh_check_host_spoofing, none},
	{"host-twins", wh_check_host_twins, none},
	{"host-unused", wh_check_host_unused, SETTINGS("days")},
	{"jit", wh_check_jit, SETTINGS("ports")},
	{"labels", wh_check_labels, SETTINGS("tags", "ports")},
	{"leaked-names", wh_check_leaked_names, SETTINGS("suffixes", "trusted")},
	{"listed-peers", wh_check_listed_peers, none},
	{"new-paths", wh_check_new_paths, SETTINGS("days", "baseline")},
	{"noise", wh_check_noise, SETTINGS("signatures", "share", "alerts")},
	{"open-ports", wh_check_open_ports, SETTINGS("ports")},
	{"open-services", wh_check_open_services, none},
	{"peering", wh_check_peering, none},
	{"private-and-public", wh_check_private_and_public, none},
	{"private-detour", wh_check_private_detour, SETTINGS("names")},
	{"private-zones", wh_check_private_zones, SETTINGS("zones")},
	{"protocol", wh_check_protocol, SETTINGS("kind", "bad", "fine", "doubtful", "among", "words")},
	{"public-site", wh_check_public_site, none},
	{"resolvers-set", wh_check_resolvers_set, SETTINGS("trusted")},
	{"resolvers-used", wh_check_resolvers_used, SETTINGS("trusted")},
	{"restricted", wh_check_restricted, SETTINGS("peers")},
	{"risky-egress", wh_check_risky_egress, SETTINGS("ports")},
	{"sensor-health", wh_check_sensor_health, SETTINGS("silence")},
	{"shared-network", wh_check_shared_network, SETTINGS("tags")},
	{"signatures", wh_check_signatures, SETTINGS("days", "failed")},
	{"threat-lists", wh_check_lists, none},
	{"triage", wh_check_triage, SETTINGS("days")},
	{"tunnels", wh_check_domains, SETTINGS("names", "bytes")},
	{"twin-groups", wh_check_twin_groups, none},
	{"two-groups", wh_check_two_groups, none},
	{"unused-group", wh_check_unused_group, none},
	{"unused-public", wh_check_unused_public, SETTINGS("days")},
	{"unused-rules", wh_check_unused_rules, SETTINGS("days", "share", "addresses")},
	{"watcher", wh_check_watcher, none},
	{"wide-tags", wh_check_wide_tags, SETTINGS("tags")},
};
enum { CHECKS = sizeof checks / sizeof *checks };

const struct wh_check *wh_check_of(const char *name)
{
	for (size_t i = 0; i < CHECKS; i++)
		if (!strcmp(checks[i].name, name))
			return &checks[i];
	return NULL;
}

const char *wh_check_nearest(const char *name)
{
	const char *names[CHECKS + 1];
	for (size_t i = 0; i < CHECKS; i++)
		names[i] = checks[i].name;
	names[CHECKS] = NULL;
	return wh_nearest(name, names);
}
