/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Groups as Bicep: the ARM resource in Bicep's syntax. */
#include <ctype.h>
#include <string.h>
#include "render/nsg_plan.h"

static void quoted(FILE *f, const char *s)
{
	fputc('\'', f);
	for (; *s; s++)
		switch (*s) {
		case '\'': fputs("\\'", f); break;
		case '\\': fputs("\\\\", f); break;
		case '\n': fputs("\\n", f); break;
		case '\r': fputs("\\r", f); break;
		case '\t': fputs("\\t", f); break;
		case '$': fputs(s[1] == '{' ? "\\$" : "$", f); break;
		default:
			if ((unsigned char)*s < 32 || *s == 127)
				fprintf(f, "\\u{%x}", (unsigned char)*s);
			else
				fputc(*s, f);
		}
	fputc('\'', f);
}

static bool plain_key(const char *s)
{
	if (!isalpha((unsigned char)*s) && *s != '_')
		return false;
	while (isalnum((unsigned char)*s) || *s == '_')
		s++;
	return !*s;
}

static void value(FILE *f, json_t *v, int depth)
{
	const char *key;
	json_t *item;
	size_t i;
	switch (json_typeof(v)) {
	case JSON_OBJECT:
		fputs("{\n", f);
		json_object_foreach(v, key, item) {
			fprintf(f, "%*s", 2 * depth + 2, "");
			if (plain_key(key))
				fputs(key, f);
			else
				quoted(f, key);
			fputs(": ", f);
			value(f, item, depth + 1);
			fputc('\n', f);
		}
		fprintf(f, "%*s}", 2 * depth, "");
		break;
	case JSON_ARRAY:
		fputs(json_array_size(v) ? "[\n" : "[", f);
		json_array_foreach(v, i, item) {
			fprintf(f, "%*s", 2 * depth + 2, "");
			value(f, item, depth + 1);
			fputc('\n', f);
		}
		fprintf(f, "%*s]", json_array_size(v) ? 2 * depth : 0, "");
		break;
	case JSON_STRING: quoted(f, json_string_value(v)); break;
	case JSON_INTEGER: fprintf(f, "%" JSON_INTEGER_FORMAT, json_integer_value(v)); break;
	case JSON_TRUE: fputs("true", f); break;
	case JSON_FALSE: fputs("false", f); break;
	default: fputs("null", f); /* reals do not occur in a group */
	}
}

static int write_bicep(FILE *f, const struct wh_nsg_plan *plans, size_t n, struct wh_arena *mem, struct wh_error *err)
{
	const char *key;
	json_t *item;
	(void)mem, (void)err;
	fputs("// Written by whittle: the groups as they are to be, with the narrowed rules before those that they narrow.\n", f);
	for (size_t i = 0; i < n; i++) {
		json_t *group = wh_nsg_plan_arm(&plans[i]);
		bool here = !strcmp(json_string_value(json_object_get(group, "location")), WH_NSG_HERE);
		fprintf(f, "\nresource nsg%zu '%s@%s' = {\n", i + 1, json_string_value(json_object_get(group, "type")),
		        json_string_value(json_object_get(group, "apiVersion")));
		json_object_foreach(group, key, item) {
			if (!strcmp(key, "type") || !strcmp(key, "apiVersion"))
				continue;
			fprintf(f, "  %s: ", key);
			if (here && !strcmp(key, "location"))
				fputs("resourceGroup().location", f);
			else
				value(f, item, 1);
			fputc('\n', f);
		}
		fputs("}\n", f);
		json_decref(group);
	}
	return 0;
}

static int render(const struct wh_recommendation *r, const struct wh_estate *e, const struct wh_render_options *opt, char **out,
                  struct wh_error *err)
{
	return wh_nsg_render(r, e, opt, write_bicep, out, err);
}

const struct wh_renderer wh_render_bicep = {"bicep", "the groups as Bicep", render};
