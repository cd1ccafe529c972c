/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every path that the server knows, one row each; the OpenAPI document is made of this table. */
#include "serve/endpoints.h"

#define SUB "/subscriptions/{subscriptionId}"
#define GROUP SUB "/resourceGroups/{resourceGroupName}"
#define SECURITY "/providers/Microsoft.Security"
#define IN_LOCATION SECURITY "/locations/{ascLocation}"
#define RESOURCE GROUP "/providers/{resourceNamespace}/{resourceType}/{resourceName}" SECURITY
#define NETWORK "2020-01-01"
#define LOCATIONS "2015-06-01-preview"
#define ALERTS "2021-11-01 2022-01-01"
#define RULES "2019-01-01-preview"
#define ASSESSMENTS "2021-06-01 2020-01-01"
#define STANDARD SUB SECURITY "/regulatoryComplianceStandards/{regulatoryComplianceStandardName}"
#define CONTROL STANDARD "/regulatoryComplianceControls/{regulatoryComplianceControlName}"
/* a list whose items an OData filter chooses; a get with more of each */
#define READ_WITH(path, versions, run, summary, parameters) \
	{WH_GET, path, versions, WH_READERS, run, summary, parameters, WH_TAKES_LONG, WH_UNTIL_LEDGER}
#define READ(path, versions, run, summary) \
	{WH_GET, path, versions, WH_READERS, run, summary, NULL, WH_TAKES_NOTHING, WH_NOT_CACHED}
#define READ_CACHED(path, versions, run, summary) \
	{WH_GET, path, versions, WH_READERS, run, summary, NULL, WH_TAKES_LONG, WH_UNTIL_LEDGER}
/* of documents alone: the recommendation, its review, the estate */
#define READ_OF_DOCUMENTS(path, versions, run, summary) \
	{WH_GET, path, versions, WH_READERS, run, summary, NULL, WH_TAKES_NOTHING, WH_UNTIL_DOCUMENTS}
#define SLOW_OF_DOCUMENTS(path, versions, run, summary) \
	{WH_GET, path, versions, WH_READERS, run, summary, NULL, WH_TAKES_LONG, WH_UNTIL_DOCUMENTS}
#define ASK(path, run, summary, parameters) \
	{WH_GET, path, NULL, WH_READERS, run, summary, parameters, WH_TAKES_NOTHING, WH_UNTIL_LEDGER}
#define ASK_SLOW(path, run, summary, parameters) \
	{WH_GET, path, NULL, WH_READERS, run, summary, parameters, WH_TAKES_LONG, WH_UNTIL_LEDGER}
#define CHANGE(method, path, versions, run, summary)                                                                             \
	{                                                                                                                        \
		method, path, versions, WH_OPERATORS, run, summary, NULL, WH_TAKES_NOTHING, WH_NOT_CACHED                        \
	}
#define CHANGE_BY(method, path, versions, run, summary)                                                                          \
	{                                                                                                                        \
		method, path, versions, WH_OPERATORS, run, summary, NULL, WH_TAKES_BODY, WH_NOT_CACHED                           \
	}

const struct wh_serve_route wh_routes[] = {
	/* ---- the server ---- */
	{WH_GET, "/healthz", NULL, WH_ANYBODY, wh_serve_healthz, "whether the ledger can be read", NULL, WH_TAKES_NOTHING,
         WH_NOT_CACHED},
	{WH_GET, "/metrics", NULL, WH_READERS, wh_serve_metrics, "counters in Prometheus' text format", NULL, WH_TAKES_NOTHING,
         WH_NOT_CACHED},
	{WH_GET, "/api/v1/openapi.json", NULL, WH_READERS, wh_serve_openapi, "this document", NULL, WH_TAKES_NOTHING,
         WH_NOT_CACHED},
	{WH_POST, "/api/v1/session", NULL, WH_READERS, wh_serve_log_in, "begin a session of the console by a token", NULL,
         WH_TAKES_NOTHING, WH_NOT_CACHED},
	{WH_DELETE, "/api/v1/session", NULL, WH_READERS, wh_serve_log_out, "end the session", NULL, WH_TAKES_NOTHING,
         WH_NOT_CACHED},
	{WH_GET, "/api/v1/me", NULL, WH_READERS, wh_serve_me, "whose the token or session is", NULL, WH_TAKES_NOTHING,
         WH_NOT_CACHED},

	/* ---- Microsoft.Security ---- */
	READ(SUB IN_LOCATION, LOCATIONS, wh_serve_location_get, "a location"),
	READ(SUB SECURITY "/locations", LOCATIONS, wh_serve_locations_list, "the locations: one"),
	READ_OF_DOCUMENTS(RESOURCE "/adaptiveNetworkHardenings", NETWORK, wh_serve_hardenings_list,
                          "the reviewed rules of a resource, as a list of one"),
	READ_OF_DOCUMENTS(RESOURCE "/adaptiveNetworkHardenings/{adaptiveNetworkHardeningResourceName}", NETWORK,
                          wh_serve_hardening_get, "the reviewed rules of a resource"),
	CHANGE_BY(WH_POST, RESOURCE "/adaptiveNetworkHardenings/{adaptiveNetworkHardeningResourceName}/{action}", NETWORK,
                  wh_serve_hardening_enforce, "apply the rules that are shown; an operation"),
	READ(SUB SECURITY "/operationResults/{operationId}", NETWORK, wh_serve_operation_get, "how an operation stands"),
	SLOW_OF_DOCUMENTS(SUB SECURITY "/allowedConnections", NETWORK, wh_serve_connections_list,
                          "what the rules allow between resources, and with the Internet"),
	SLOW_OF_DOCUMENTS(SUB IN_LOCATION "/allowedConnections", NETWORK, wh_serve_connections_list, "the same, of one location"),
	SLOW_OF_DOCUMENTS(GROUP IN_LOCATION "/allowedConnections/{connectionType}", NETWORK, wh_serve_connections_get,
                          "Internal or External alone"),
	READ_CACHED(SUB SECURITY "/topologies", NETWORK, wh_serve_topologies_list, "the network as a tree with states"),
	READ_CACHED(SUB IN_LOCATION "/topologies", NETWORK, wh_serve_topologies_list, "the same, of one location"),
	READ_CACHED(GROUP IN_LOCATION "/topologies/{topologyResourceName}", NETWORK, wh_serve_topology_get,
                    "vnets, subnets or virtualMachines alone"),
	READ(SUB SECURITY "/alerts", ALERTS, wh_serve_alerts_list, "alerts, the newest first"),
	READ(SUB IN_LOCATION "/alerts", ALERTS, wh_serve_alerts_list, "the same, of one location"),
	READ(GROUP SECURITY "/alerts", ALERTS, wh_serve_alerts_list, "the same, of one resource group"),
	READ(GROUP IN_LOCATION "/alerts", ALERTS, wh_serve_alerts_list, "the same, of both"),
	READ(SUB IN_LOCATION "/alerts/{alertName}", ALERTS, wh_serve_alert_get, "an alert"),
	READ(GROUP IN_LOCATION "/alerts/{alertName}", ALERTS, wh_serve_alert_get, "an alert of a resource group"),
	CHANGE_BY(WH_POST, SUB IN_LOCATION "/alerts/default/simulate", ALERTS, wh_serve_alert_simulate,
                  "refused: the alerts are real ones alone"),
	CHANGE(WH_POST, SUB IN_LOCATION "/alerts/{alertName}/{action}", ALERTS, wh_serve_alert_change,
               "activate, inProgress, resolve or dismiss an alert"),
	CHANGE(WH_POST, GROUP IN_LOCATION "/alerts/{alertName}/{action}", ALERTS, wh_serve_alert_change,
               "the same, of a resource group's"),
	{WH_GET, SUB SECURITY "/alertsSuppressionRules", RULES, WH_READERS, wh_serve_suppressions_list,
         "rules by which alerts are dismissed as they are made", "AlertType", WH_TAKES_NOTHING, WH_NOT_CACHED},
	READ(SUB SECURITY "/alertsSuppressionRules/{alertsSuppressionRuleName}", RULES, wh_serve_suppression_get, "one of them"),
	CHANGE_BY(WH_PUT, SUB SECURITY "/alertsSuppressionRules/{alertsSuppressionRuleName}", RULES, wh_serve_suppression_put,
                  "keep such a rule"),
	CHANGE(WH_DELETE, SUB SECURITY "/alertsSuppressionRules/{alertsSuppressionRuleName}", RULES, wh_serve_suppression_delete,
               "delete it; what it dismissed stays so"),
	READ(SUB SECURITY "/jitNetworkAccessPolicies", NETWORK, wh_serve_jit_list, "policies of just-in-time access"),
	READ(SUB IN_LOCATION "/jitNetworkAccessPolicies", NETWORK, wh_serve_jit_list, "the same, of one location"),
	READ(GROUP SECURITY "/jitNetworkAccessPolicies", NETWORK, wh_serve_jit_list, "the same, of one resource group"),
	READ(GROUP IN_LOCATION "/jitNetworkAccessPolicies", NETWORK, wh_serve_jit_list, "the same, of both"),
	READ(GROUP IN_LOCATION "/jitNetworkAccessPolicies/{jitNetworkAccessPolicyName}", NETWORK, wh_serve_jit_get,
             "one of them"),
	CHANGE_BY(WH_PUT, GROUP IN_LOCATION "/jitNetworkAccessPolicies/{jitNetworkAccessPolicyName}", NETWORK, wh_serve_jit_put,
                  "keep a policy; what whittle.yaml has of it must stay"),
	CHANGE(WH_DELETE, GROUP IN_LOCATION "/jitNetworkAccessPolicies/{jitNetworkAccessPolicyName}", NETWORK,
               wh_serve_jit_delete, "delete it; refused where whittle.yaml has it"),
	CHANGE_BY(WH_POST, GROUP IN_LOCATION "/jitNetworkAccessPolicies/{jitNetworkAccessPolicyName}/{action}", NETWORK,
                  wh_serve_jit_initiate, "open ports for a time, within the policy"),
	READ_OF_DOCUMENTS("/providers/Microsoft.Security/assessmentMetadata", ASSESSMENTS, wh_serve_metadata_list,
                          "what the assessments ask"),
	READ_OF_DOCUMENTS("/providers/Microsoft.Security/assessmentMetadata/{assessmentMetadataName}", ASSESSMENTS,
                          wh_serve_metadata_get, "what one asks"),
	READ_OF_DOCUMENTS(SUB SECURITY "/assessmentMetadata", ASSESSMENTS, wh_serve_metadata_list, "the same, of a subscription"),
	READ_OF_DOCUMENTS(SUB SECURITY "/assessmentMetadata/{assessmentMetadataName}", ASSESSMENTS, wh_serve_metadata_get,
                          "the same, of a subscription"),
	READ_CACHED(SUB SECURITY "/secureScores", NETWORK, wh_serve_scores_list, "the secure score"),
	READ_CACHED(SUB SECURITY "/secureScores/{secureScoreName}", NETWORK, wh_serve_score_get, "the secure score, ascScore"),
	READ_WITH(SUB SECURITY "/secureScores/{secureScoreName}/secureScoreControls", NETWORK, wh_serve_score_controls_of,
                  "what it is made of", "$expand"),
	READ_WITH(SUB SECURITY "/secureScoreControls", NETWORK, wh_serve_score_controls, "the same", "$expand"),
	READ_CACHED("/providers/Microsoft.Security/secureScoreControlDefinitions", NETWORK, wh_serve_score_definitions,
                    "what the score's controls ask"),
	READ_CACHED(SUB SECURITY "/secureScoreControlDefinitions", NETWORK, wh_serve_score_definitions,
                    "the same, of a subscription"),
	READ_WITH(SUB SECURITY "/regulatoryComplianceStandards", RULES, wh_serve_standards_list,
                  "standards, and how far they are met", "$filter"),
	READ_CACHED(STANDARD, RULES, wh_serve_standard_get, "one of them"),
	READ_WITH(STANDARD "/regulatoryComplianceControls", RULES, wh_serve_controls_list, "its controls", "$filter"),
	READ_CACHED(CONTROL, RULES, wh_serve_control_get, "one of them"),
	READ_WITH(CONTROL "/regulatoryComplianceAssessments", RULES, wh_serve_compliance_assessments_list,
                  "a control's assessments", "$filter"),
	READ_CACHED(CONTROL "/regulatoryComplianceAssessments/{regulatoryComplianceAssessmentName}", RULES,
                    wh_serve_compliance_assessment_get, "one of them"),
	READ_CACHED("/{scope*}/providers/Microsoft.Security/assessments", ASSESSMENTS, wh_serve_assessments_list,
                    "verdicts below a scope"),
	READ_WITH("/{scope*}/providers/Microsoft.Security/assessments/{assessmentName}", ASSESSMENTS, wh_serve_assessment_get,
                  "one verdict on a resource", "$expand"),

	/* ---- our own ---- */
	ASK_SLOW("/api/v1/status", wh_serve_own_status, "every resource, whether it is healthy, and why not", NULL),
	READ("/api/v1/sensors", NULL, wh_serve_own_sensors, "the sensors that write to a cluster: last seen, losses, version"),
	READ("/api/v1/drift", NULL, wh_serve_own_drift, "what the kernel holds, and whether it waits for a confirmation"),
	ASK("/api/v1/hardenings", wh_serve_own_hardenings, "the reviewed rules of all resources, with their digests", NULL),
	ASK("/api/v1/hardenings/{resource}", wh_serve_own_hardening, "those of one, with what was changed by whom", NULL),
	CHANGE_BY(WH_POST, "/api/v1/hardenings/{resource}/rules", NULL, wh_serve_own_rule_change,
                  "add, edit or delete a rule, under the guidelines"),
	CHANGE(WH_POST, "/api/v1/hardenings/{resource}/undo", NULL, wh_serve_own_undo, "take the last change back"),
	CHANGE(WH_POST, "/api/v1/hardenings/{resource}/reset", NULL, wh_serve_own_reset, "forget all changes"),
	ASK_SLOW("/api/v1/hardenings/{resource}/rules/{rule}/explain", wh_serve_own_explain, "why a rule is as it is", NULL),
	ASK_SLOW("/api/v1/hardenings/{resource}/replay", wh_serve_own_replay, "what the rules would have done to past traffic",
                 NULL),
	CHANGE_BY(WH_POST, "/api/v1/enforce", NULL, wh_serve_own_enforce,
                  "apply a resource's rules as they were reviewed, until they are confirmed"),
	CHANGE(WH_POST, "/api/v1/confirm", NULL, wh_serve_own_confirm, "keep what was applied"),
	CHANGE(WH_POST, "/api/v1/rollback", NULL, wh_serve_own_rollback, "go one step back"),
	READ("/api/v1/alerts", NULL, wh_serve_own_alerts, "all alerts, with all that is known of them"),
	READ("/api/v1/alerts/{name}", NULL, wh_serve_own_alert, "one alert"),
	CHANGE_BY(WH_POST, "/api/v1/alerts/{name}/{action}", NULL, wh_serve_own_alert_change,
                  "activate, inProgress, resolve or dismiss it, with a reason"),
	{WH_POST, "/api/v1/suppressions/simulate", NULL, WH_READERS, wh_serve_own_suppression_simulate,
         "how many kept alerts a rule would have dismissed", NULL, WH_TAKES_BODY, WH_NOT_CACHED},
	READ("/api/v1/jit", NULL, wh_serve_own_jit, "policies, what is open now, and the log"),
	CHANGE_BY(WH_POST, "/api/v1/jit", NULL, wh_serve_own_jit_open, "open a port for one source and a time"),
	{WH_POST, "/api/v1/jit/requests", NULL, WH_READERS, wh_serve_own_jit_request,
         "ask for an opening, which an operator approves", NULL, WH_TAKES_BODY, WH_NOT_CACHED},
	CHANGE(WH_POST, "/api/v1/jit/requests/{id}/approve", NULL, wh_serve_own_jit_approve, "open what was asked for"),
	CHANGE_BY(WH_POST, "/api/v1/jit/requests/{id}/refuse", NULL, wh_serve_own_jit_refuse, "end a request, with a reason"),
	CHANGE(WH_DELETE, "/api/v1/jit/{id}", NULL, wh_serve_own_jit_close, "close it early"),
	CHANGE_BY(WH_PUT, "/api/v1/jit/policies/{resource}", NULL, wh_serve_own_jit_policy_put,
                  "keep one resource's policy: its ports as /api/v1/jit shows them"),
	CHANGE(WH_DELETE, "/api/v1/jit/policies/{resource}", NULL, wh_serve_own_jit_policy_delete,
               "delete it; refused where whittle.yaml has it"),
	ASK_SLOW("/api/v1/reach", wh_serve_own_reach, "whether one end can reach another, and by which rules",
                 "from,to,port,proto,overlay"),
	ASK_SLOW("/api/v1/diff", wh_serve_own_diff, "what the reviewed rules would open and close", NULL),
	ASK_SLOW("/api/v1/map", wh_serve_own_map, "the network's map, with observed traffic", NULL),
	ASK_SLOW("/api/v1/map/brief", wh_serve_own_map_brief, "the same as rows, for a page that draws it", NULL),
	ASK_SLOW("/api/v1/connections", wh_serve_own_connections, "what the rules allow, by classes", NULL),
	ASK_SLOW("/api/v1/unwanted", wh_serve_own_unwanted, "allowed connections that nobody seems to want", NULL),
	ASK_SLOW("/api/v1/evidence", wh_serve_own_evidence, "what protocol records showed", "address,kind"),
	ASK_SLOW("/api/v1/recommendations", wh_serve_own_recommendations, "the assessments, each with its counts", NULL),
	ASK_SLOW("/api/v1/assessments", wh_serve_own_verdicts, "verdicts on resources", "assessment"),
	ASK_SLOW("/api/v1/inventory", wh_serve_own_inventory, "the resources, and how they stand", NULL),
	ASK_SLOW("/api/v1/compliance", wh_serve_own_compliance, "how far a standard is met", "standard"),
	{WH_GET, "/api/v1/compliance/report.pdf", NULL, WH_READERS, wh_serve_own_report, "the same as PDF", "standard",
         WH_TAKES_LONG, WH_NOT_CACHED},
	ASK("/api/v1/standards", wh_serve_own_standards, "the standards that there are", NULL),
	ASK_SLOW("/api/v1/score", wh_serve_own_score, "the secure score, with its controls", NULL),
	{.path = NULL},
};
