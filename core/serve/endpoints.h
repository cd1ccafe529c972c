/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The routes' functions: one file for each group of endpoints. */
#pragma once
#include "serve/call.h"

#define WH_ENDPOINT(name) int wh_serve_##name(struct wh_call *c, struct wh_error *err)
/* health.c */
WH_ENDPOINT(healthz); WH_ENDPOINT(metrics);
/* session.c */
WH_ENDPOINT(log_in); WH_ENDPOINT(log_out); WH_ENDPOINT(me);
/* hardening.c, enforce.c, operation.c */
WH_ENDPOINT(hardenings_list); WH_ENDPOINT(hardening_get); WH_ENDPOINT(hardening_enforce); WH_ENDPOINT(operation_get);
WH_ENDPOINT(own_enforce); WH_ENDPOINT(own_confirm); WH_ENDPOINT(own_rollback); WH_ENDPOINT(own_drift);
/* network.c */
WH_ENDPOINT(connections_list);
WH_ENDPOINT(connections_get);
WH_ENDPOINT(topologies_list);
WH_ENDPOINT(topology_get);
WH_ENDPOINT(locations_list);
WH_ENDPOINT(location_get);
/* alerts.c, suppression.c */
WH_ENDPOINT(alerts_list);
WH_ENDPOINT(alert_get);
WH_ENDPOINT(alert_change);
WH_ENDPOINT(alert_simulate);
WH_ENDPOINT(own_alerts);
WH_ENDPOINT(own_alert);
WH_ENDPOINT(own_alert_change);
WH_ENDPOINT(suppressions_list);
WH_ENDPOINT(suppression_get);
WH_ENDPOINT(suppression_put);
WH_ENDPOINT(suppression_delete);
WH_ENDPOINT(own_suppression_simulate);
/* jit.c, jit_change.c, jit_open.c */
WH_ENDPOINT(jit_list); WH_ENDPOINT(jit_get); WH_ENDPOINT(jit_put); WH_ENDPOINT(jit_delete); WH_ENDPOINT(jit_initiate);
WH_ENDPOINT(own_jit); WH_ENDPOINT(own_jit_open); WH_ENDPOINT(own_jit_close); WH_ENDPOINT(own_jit_request);
WH_ENDPOINT(own_jit_approve); WH_ENDPOINT(own_jit_refuse);
WH_ENDPOINT(own_jit_policy_put); WH_ENDPOINT(own_jit_policy_delete);
/* review.c */
WH_ENDPOINT(own_hardenings);
WH_ENDPOINT(own_hardening);
WH_ENDPOINT(own_rule_change);
WH_ENDPOINT(own_undo);
WH_ENDPOINT(own_reset);
WH_ENDPOINT(own_explain); WH_ENDPOINT(own_replay);
/* own.c */
WH_ENDPOINT(own_status);
WH_ENDPOINT(own_sensors);
WH_ENDPOINT(own_reach);
WH_ENDPOINT(own_diff);
WH_ENDPOINT(own_map);
WH_ENDPOINT(own_map_brief);
WH_ENDPOINT(own_connections);
WH_ENDPOINT(own_unwanted);
WH_ENDPOINT(own_evidence);
/* assessments.c, scores.c */
WH_ENDPOINT(assessments_list); WH_ENDPOINT(assessment_get); WH_ENDPOINT(metadata_list); WH_ENDPOINT(metadata_get);
WH_ENDPOINT(scores_list);
WH_ENDPOINT(score_get);
WH_ENDPOINT(score_definitions);
WH_ENDPOINT(score_controls);
WH_ENDPOINT(score_controls_of);
WH_ENDPOINT(standards_list); WH_ENDPOINT(standard_get); WH_ENDPOINT(controls_list); WH_ENDPOINT(control_get);
WH_ENDPOINT(compliance_assessments_list); WH_ENDPOINT(compliance_assessment_get);
WH_ENDPOINT(own_compliance);
WH_ENDPOINT(own_report);
WH_ENDPOINT(own_score);
WH_ENDPOINT(own_recommendations);
WH_ENDPOINT(own_verdicts);
WH_ENDPOINT(own_inventory);
WH_ENDPOINT(own_standards);
/* openapi.c */
WH_ENDPOINT(openapi);
