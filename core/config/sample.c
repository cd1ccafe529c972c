/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Prints the keys that whittle.yaml may have, from the rooms' tables. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "config/tables.h"

static const char *type_text(const struct wh_key *k)
{
	static const char *const names[] = {
		[WH_KEY_TEXT] = "text",     [WH_KEY_PATH] = "path", [WH_KEY_WORDS] = "text or list", [WH_KEY_INT] = "number",
		[WH_KEY_DURATION] = "time", [WH_KEY_SIZE] = "size", [WH_KEY_BOOL] = "yes or no",     [WH_KEY_CHOICE] = "choice",
		[WH_KEY_MAP] = "map",       [WH_KEY_LIST] = "list"};
	return names[k->type];
}

static void print_range(FILE *f, const struct wh_key *k)
{
	const char *sep = "";
	if (k->type == WH_KEY_INT)
		fprintf(f, " From %lld to %lld.", (long long)k->min, (long long)k->max);
	else if (k->type == WH_KEY_DURATION && k->max)
		fprintf(f, k->max % 86400 ? " At most %llds." : " At most %lldd.",
		        (long long)(k->max % 86400 ? k->max : k->max / 86400));
	else if (k->type == WH_KEY_SIZE && k->min)
		fprintf(f, " At least %lldMiB.", (long long)(k->min >> 20));
	for (int i = 0; k->type == WH_KEY_CHOICE && k->words[i]; i++)
		if (*k->words[i]) {
			fprintf(f, "%s%s", *sep ? sep : " One of: ", k->words[i]);
			sep = ", ";
		}
	if (k->type == WH_KEY_CHOICE)
		fputc('.', f);
}

/* One key below its help, as a comment: "# watch:" and, for its own keys, "#   alerts: …". */
static void print_key(FILE *f, const struct wh_key *k)
{
	const struct wh_key *own = k->type == WH_KEY_MAP ? k->keys : k->type == WH_KEY_LIST ? k->list->keys : NULL;
	const char *value = k->preset ? k->preset : k->example;
	fprintf(f, "# %s", k->help);
	print_range(f, k);
	fprintf(f, "\n#%s:%s%s\n", k->name, value ? " " : "", value ? value : "");
	for (const struct wh_key *o = own; o && o->name; o++) {
		const char *first = k->type == WH_KEY_LIST && o == own ? "- " : "  ";
		const char *v = o->preset ? o->preset : o->example;
		fprintf(f, "#   %s%s: %s # %s", k->type == WH_KEY_MAP ? "" : first, o->name, v ? v : "", o->help);
		print_range(f, o);
		fputc('\n', f);
	}
}

char *wh_config_sample(void)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	if (!f)
		return NULL;
	fputs("# whittle.yaml: every key, with its default where it has one, else an example. Remove a '#' to set a key.\n", f);
	for (const struct wh_key_table *t = wh_key_tables; t->keys; t++)
		for (const struct wh_key *k = t->keys; k->name; k++) {
			fputc('\n', f);
			print_key(f, k);
		}
	if (fclose(f)) {
		free(text);
		return NULL;
	}
	return text;
}

static void add_json(json_t *list, const struct wh_key *k, const char *prefix)
{
	char name[128];
	snprintf(name, sizeof name, "%s%s", prefix, k->name);
	json_t *o = json_pack("{ss ss so* ss}", "key", name, "type", type_text(k), "default",
	                      k->preset ? json_string(k->preset) : json_null(), "help", k->help);
	json_array_append_new(list, o);
	const struct wh_key *own = k->type == WH_KEY_MAP ? k->keys : k->type == WH_KEY_LIST ? k->list->keys : NULL;
	snprintf(name, sizeof name, "%s%s%s.", prefix, k->name, k->type == WH_KEY_LIST ? "[]" : "");
	for (; own && own->name; own++)
		add_json(list, own, name);
}

json_t *wh_config_keys_json(void)
{
	json_t *list = json_array();
	for (const struct wh_key_table *t = wh_key_tables; t->keys; t++)
		for (const struct wh_key *k = t->keys; k->name; k++)
			add_json(list, k, "");
	return list;
}
