/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rules/alerts.yaml: a list of types under `alerts:`. */
#include <string.h>
#include "base/yaml.h"
#include "whittle/alert.h"

const char *const wh_severity_words[] = {"Informational", "Low", "Medium", "High", NULL};
const char *const wh_alert_status_words[] = {"Active", "InProgress", "Resolved", "Dismissed", NULL};

static const char *const intents[] = {"Unknown",
                                      "PreAttack",
                                      "InitialAccess",
                                      "Persistence",
                                      "PrivilegeEscalation",
                                      "DefenseEvasion",
                                      "CredentialAccess",
                                      "Discovery",
                                      "LateralMovement",
                                      "Execution",
                                      "Collection",
                                      "Exfiltration",
                                      "CommandAndControl",
                                      "Impact",
                                      "Probing",
                                      "Exploitation",
                                      NULL};

static int texts(const char *file, const struct wh_yaml *list, struct wh_arena *mem, const char ***out, size_t *n,
                 struct wh_error *err)
{
	if (!list)
		return 0;
	if (list->kind != WH_YAML_LIST)
		return wh_fail_input(err, -EINVAL, "%s:%d: '%s' takes a list", file, list->line, list->key);
	for (const struct wh_yaml *v = list->child; v; v = v->next)
		++*n;
	*out = wh_arena_array(mem, *n, sizeof **out);
	*n = 0;
	for (const struct wh_yaml *v = list->child; v; v = v->next) {
		if (v->kind != WH_YAML_SCALAR || !*v->scalar)
			return wh_fail_input(err, -EINVAL, "%s:%d: '%s' takes texts", file, v->line, list->key);
		(*out)[(*n)++] = v->scalar;
	}
	return 0;
}

static int text(const char *file, const struct wh_yaml *row, const char *key, const char **out, struct wh_error *err)
{
	const struct wh_yaml *v = wh_yaml_get(row, key);
	if (!v || v->kind != WH_YAML_SCALAR || !*v->scalar)
		return wh_fail_input(err, -EINVAL, "%s:%d: an alert needs a text under '%s'", file, v ? v->line : row->line, key);
	*out = v->scalar;
	return 0;
}

static int word_of(const char *file, const struct wh_yaml *row, const char *key, const char *word, const char *const words[],
                   struct wh_error *err)
{
	int i = wh_key_choice(words, word);
	return i >= 0 ? i : wh_fail_input(err, -EINVAL, "%s:%d: '%s' is no %s", file, wh_yaml_get(row, key)->line, word, key);
}

static int read_type(const char *file, const struct wh_yaml *row, struct wh_arena *mem, struct wh_alert_type *t,
                     struct wh_error *err)
{
	static const char *const known[] = {"id", "title", "severity", "intent", "description", "steps", "techniques", NULL};
	const char *severity;
	if (row->kind != WH_YAML_MAP)
		return wh_fail_input(err, -EINVAL, "%s:%d: an alert is a map", file, row->line);
	int rc = wh_yaml_check_keys(file, row, known, err);
	rc = rc ? rc : text(file, row, "id", &t->id, err);
	rc = rc ? rc : text(file, row, "title", &t->title, err);
	rc = rc ? rc : text(file, row, "intent", &t->intent, err);
	rc = rc ? rc : text(file, row, "description", &t->description, err);
	rc = rc ? rc : text(file, row, "severity", &severity, err);
	rc = rc ? rc : word_of(file, row, "severity", severity, wh_severity_words, err);
	if (rc < 0)
		return rc;
	t->severity = (enum wh_severity)rc;
	rc = word_of(file, row, "intent", t->intent, intents, err);
	rc = rc < 0 ? rc : texts(file, wh_yaml_get(row, "steps"), mem, &t->steps, &t->n_steps, err);
	return rc < 0 ? rc : texts(file, wh_yaml_get(row, "techniques"), mem, &t->techniques, &t->n_techniques, err);
}

const struct wh_alert_type *wh_alert_type_of(const struct wh_alert_types *t, const char *id)
{
	for (size_t i = 0; i < t->n; i++)
		if (!strcmp(t->types[i].id, id))
			return &t->types[i];
	return NULL;
}

int wh_alert_types_load(const char *path, struct wh_arena *mem, struct wh_alert_types *out, struct wh_error *err)
{
	static const char *const known[] = {"alerts", NULL};
	struct wh_yaml *root;
	const struct wh_yaml *list;
	size_t n;
	memset(out, 0, sizeof *out);
	int rc = wh_yaml_parse_list_file(path, "alerts", mem, &root, &list, &n, err);
	rc = rc ? rc : wh_yaml_check_keys(path, root, known, err);
	if (rc)
		return rc;
	out->types = wh_arena_array(mem, n, sizeof *out->types);
	for (const struct wh_yaml *v = list->child; v && !rc; v = v->next) {
		struct wh_alert_type *t = &out->types[out->n];
		rc = read_type(path, v, mem, t, err);
		if (!rc && wh_alert_type_of(out, t->id))
			rc = wh_fail_input(err, -EEXIST, "%s:%d: there are two alerts '%s'", path, v->line, t->id);
		out->n++;
	}
	return rc;
}
