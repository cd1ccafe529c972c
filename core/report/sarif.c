/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SARIF 2.1.0 (OASIS), as code-scanning services read it: resources are logical locations; and, since such services show no
 * result without a file, the id is the path of one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "whittle/report.h"

static const char *text_of(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

static const char *level_of(const char *severity)
{
	return !strcmp(severity, "High") ? "error" : !strcmp(severity, "Medium") ? "warning" : "note";
}

/* The scale of security severities by which such services sort. */
static const char *rank_of(const char *severity)
{
	return !strcmp(severity, "High") ? "8.0" : !strcmp(severity, "Medium") ? "5.5" : !strcmp(severity, "Low") ? "3.0" : "1.0";
}

static json_t *rule(const json_t *a)
{
	const char *severity = text_of(a, "severity");
	json_t *tags = json_deep_copy(json_object_get(a, "controls"));
	json_array_insert_new(tags, 0, json_string("security"));
	return json_pack("{s:s, s:{s:s}, s:{s:s}, s:{s:s}, s:{s:s}, s:{s:s, s:o}}", "id", text_of(a, "name"), "shortDescription",
	                 "text", text_of(a, "displayName"), "fullDescription", "text", text_of(a, "description"), "help", "text",
	                 text_of(a, "remediation"), "defaultConfiguration", "level", level_of(severity), "properties",
	                 "security-severity", rank_of(severity), "tags", tags);
}

/* An id as a relative reference of RFC 3986: "subscriptions/…/web%20one". */
static json_t *path_of(const char *id)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";
	char *out = malloc(3 * strlen(id) + 2), *to = out;
	if (!out)
		return NULL;
	for (const char *c = id + strspn(id, "/"); *c; c++)
		if (strchr(plain, *c))
			*to++ = *c;
		else
			to += sprintf(to, "%%%02X", (unsigned char)*c);
	*to = 0;
	json_t *path = json_string(*out ? out : "estate");
	free(out);
	return path;
}

static json_t *result(const json_t *v)
{
	const char *cause = text_of(v, "cause"), *name = text_of(v, "displayName"), *exempt = text_of(v, "exempt"),
		   *id = text_of(v, "resourceId");
	json_t *message = cause ? json_sprintf("%s: %s", name, cause) : json_string(name);
	json_t *where = json_pack("{s:{s:{s:o}, s:{s:i}}, s:[{s:s, s:s}]}", "physicalLocation", "artifactLocation", "uri",
	                          path_of(id), "region", "startLine", 1, "logicalLocations", "fullyQualifiedName", id, "kind",
	                          "resource");
	json_t *o = json_pack("{s:s, s:s, s:{s:o}, s:[o], s:{s:s}}", "ruleId", text_of(v, "name"), "level",
	                      level_of(text_of(v, "severity")), "message", "text", message, "locations", where,
	                      "partialFingerprints", "resource/v1", id);
	if (exempt)
		json_object_set_new(o, "suppressions", json_pack("[{s:s, s:s}]", "kind", "external", "justification", exempt));
	return o;
}

json_t *wh_report_sarif(const json_t *doc, const json_t *list)
{
	json_t *rules = json_array(), *results = json_array(), *v;
	size_t i;
	json_array_foreach((json_t *)list, i, v)
		json_array_append_new(rules, rule(v));
	json_array_foreach(json_object_get(doc, "assessments"), i, v)
		if (!strcmp(text_of(v, "status"), "Unhealthy"))
			json_array_append_new(results, result(v));
	return json_pack("{s:s, s:s, s:[{s:{s:{s:s, s:o}}, s:o}]}", "$schema", "https://json.schemastore.org/sarif-2.1.0.json",
	                 "version", "2.1.0", "runs", "tool", "driver", "name", "whittle", "rules", rules, "results", results);
}
