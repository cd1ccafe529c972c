/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The checks, each in the file that its comment names. */
#pragma once
#include "posture/run.h"

/* check_exposure.c: of machines, by their exposure to the Internet */
int wh_check_open_ports(struct wh_run *run, struct wh_error *err);
int wh_check_jit(struct wh_run *run, struct wh_error *err);
int wh_check_guarded(struct wh_run *run, struct wh_error *err);
int wh_check_forwarding(struct wh_run *run, struct wh_error *err);
/* check_rules.c: of groups, by their rules */
int wh_check_anomalies(struct wh_run *run, struct wh_error *err);
int wh_check_unused_group(struct wh_run *run, struct wh_error *err);
int wh_check_group_size(struct wh_run *run, struct wh_error *err);
int wh_check_wide_tags(struct wh_run *run, struct wh_error *err);
int wh_check_twin_groups(struct wh_run *run, struct wh_error *err);
/* check_unused_rules.c: of groups, by the connections that their rules let in */
int wh_check_unused_rules(struct wh_run *run, struct wh_error *err);
/* check_network.c: of networks and how they are joined */
int wh_check_labels(struct wh_run *run, struct wh_error *err);
int wh_check_ddos(struct wh_run *run, struct wh_error *err);
int wh_check_peering(struct wh_run *run, struct wh_error *err);
int wh_check_bypass(struct wh_run *run, struct wh_error *err);
int wh_check_resolvers_set(struct wh_run *run, struct wh_error *err);
int wh_check_dangling_records(struct wh_run *run, struct wh_error *err);
int wh_check_private_and_public(struct wh_run *run, struct wh_error *err);
int wh_check_watcher(struct wh_run *run, struct wh_error *err);
/* check_sensor.c: of the sensor and of its use */
int wh_check_coverage(struct wh_run *run, struct wh_error *err);
int wh_check_sensor_health(struct wh_run *run, struct wh_error *err);
int wh_check_signatures(struct wh_run *run, struct wh_error *err);
int wh_check_triage(struct wh_run *run, struct wh_error *err);
int wh_check_hardening(struct wh_run *run, struct wh_error *err);
int wh_check_lists(struct wh_run *run, struct wh_error *err);
/* check_protocols.c: of protocols in use */
int wh_check_protocol(struct wh_run *run, struct wh_error *err);
int wh_check_resolvers_used(struct wh_run *run, struct wh_error *err);
int wh_check_domains(struct wh_run *run, struct wh_error *err);
int wh_check_failed_names(struct wh_run *run, struct wh_error *err);
int wh_check_dangling_names(struct wh_run *run, struct wh_error *err);
/* check_host.c: of Linux hosts, by their rulesets */
int wh_check_host_ports(struct wh_run *run, struct wh_error *err);
int wh_check_host_jit(struct wh_run *run, struct wh_error *err);
int wh_check_host_default(struct wh_run *run, struct wh_error *err);
int wh_check_host_twins(struct wh_run *run, struct wh_error *err);
int wh_check_host_published(struct wh_run *run, struct wh_error *err);
int wh_check_host_forwarding(struct wh_run *run, struct wh_error *err);
int wh_check_host_egress(struct wh_run *run, struct wh_error *err);
/* check_host_facts.c: of Linux hosts, by their kernel's settings and their listeners */
int wh_check_host_spoofing(struct wh_run *run, struct wh_error *err);
int wh_check_host_floods(struct wh_run *run, struct wh_error *err);
int wh_check_host_daemons(struct wh_run *run, struct wh_error *err);
int wh_check_host_unused(struct wh_run *run, struct wh_error *err);
int wh_check_host_resolvers(struct wh_run *run, struct wh_error *err);
int wh_check_host_owners(struct wh_run *run, struct wh_error *err);
/* check_host_programs.c: of Linux hosts, by what their programs are set to, and which run */
int wh_check_host_settings(struct wh_run *run, struct wh_error *err);
int wh_check_host_programs(struct wh_run *run, struct wh_error *err);
/* check_traffic.c: of connections */
int wh_check_listed_peers(struct wh_run *run, struct wh_error *err);
int wh_check_clear_text(struct wh_run *run, struct wh_error *err);
int wh_check_risky_egress(struct wh_run *run, struct wh_error *err);
int wh_check_unused_public(struct wh_run *run, struct wh_error *err);
int wh_check_contradiction(struct wh_run *run, struct wh_error *err);
int wh_check_amplifiers(struct wh_run *run, struct wh_error *err);
int wh_check_public_site(struct wh_run *run, struct wh_error *err);
int wh_check_direct_requests(struct wh_run *run, struct wh_error *err);
/* check_lateral.c: of connections between machines */
int wh_check_new_paths(struct wh_run *run, struct wh_error *err);
int wh_check_fan_out(struct wh_run *run, struct wh_error *err);
/* check_certificates.c: of servers' certificates */
int wh_check_certificates(struct wh_run *run, struct wh_error *err);
/* check_segments.c: of neighbours */
int wh_check_two_groups(struct wh_run *run, struct wh_error *err);
int wh_check_shared_network(struct wh_run *run, struct wh_error *err);
/* check_private_names.c */
int wh_check_private_zones(struct wh_run *run, struct wh_error *err);
int wh_check_private_detour(struct wh_run *run, struct wh_error *err);
/* check_sensor.c */
int wh_check_alerts(struct wh_run *run, struct wh_error *err);
/* check_visibility.c: of what the sensor's signatures see */
int wh_check_noise(struct wh_run *run, struct wh_error *err);
int wh_check_encrypted(struct wh_run *run, struct wh_error *err);
/* check_restricted.c */
int wh_check_restricted(struct wh_run *run, struct wh_error *err);
/* check_answers.c */
int wh_check_answers(struct wh_run *run, struct wh_error *err);
/* check_leaked_names.c */
int wh_check_leaked_names(struct wh_run *run, struct wh_error *err);
/* check_services.c: of services of the platform, by their own firewalls */
int wh_check_open_services(struct wh_run *run, struct wh_error *err);
