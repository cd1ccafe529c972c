/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stddef.h>
#include <string.h>
#include "base/yaml.h"
#include "whittle/intel.h"

static const struct wh_key keys[] = {
	{"name", WH_KEY_TEXT, offsetof(struct wh_intel_source, name), .example = "drop",
         .help = "The name of the list; default: the file's name."},
	{"file", WH_KEY_PATH, offsetof(struct wh_intel_source, file), .example = "drop.txt",
         .help = "The file that holds the list. Give either this or a command."},
	{"command", WH_KEY_TEXT, offsetof(struct wh_intel_source, command), .example = "curl -fsS https://lists.example/drop.txt",
         .help = "Run by /bin/sh; prints the list."},
	{"format", WH_KEY_TEXT, offsetof(struct wh_intel_source, format), .example = "csv",
         .help = "The list's format; without it, recognised by the content."},
	{"column", WH_KEY_TEXT, offsetof(struct wh_intel_source, column), .example = "dst_ip",
         .help = "csv, jsonl: the column or key with the address."},
	{"min-score", WH_KEY_INT, offsetof(struct wh_intel_source, min_score), .min = 0, .max = 1000, .preset = "0",
         .help = "iprep: the reputation from which an entry counts."},
	{"max-age", WH_KEY_DURATION, offsetof(struct wh_intel_source, max_age_s), .preset = "7d",
         .help = "The age from which the list is reported as stale."},
	{0},
};

static int just_a_file(const struct wh_key_source *src, const struct wh_yaml *entry, const char *text, void *element,
                       struct wh_error *err)
{
	(void)entry;
	(void)err;
	((struct wh_intel_source *)element)->file = wh_key_path(src, text);
	return 0;
}

static int complete(const struct wh_key_source *src, const struct wh_yaml *entry, void *all, size_t n, struct wh_error *err)
{
	struct wh_intel_source *lists = all, *s = &lists[n - 1];
	const char *slash;
	if (!s->file == !s->command)
		return wh_fail_input(err, -EINVAL, "%s:%d: a threat list takes either a file or a command", src->file,
		                     entry->line);
	if (!s->name && !s->file)
		return wh_fail_input(err, -EINVAL, "%s:%d: a threat list from a command needs a name", src->file, entry->line);
	if (!s->name)
		s->name = (slash = strrchr(s->file, '/')) ? slash + 1 : s->file;
	for (size_t i = 0; i + 1 < n; i++)
		if (!strcmp(lists[i].name, s->name))
			return wh_fail_input(err, -EEXIST, "%s:%d: there are two threat lists named '%s'", src->file, entry->line,
			                     s->name);
	return 0;
}

static const struct wh_key_list lists = {offsetof(struct wh_intel_config, n_lists), sizeof(struct wh_intel_source), keys,
                                         .text = just_a_file, .complete = complete};

const struct wh_key wh_intel_keys[] = {
	{"threat-intel", WH_KEY_LIST, offsetof(struct wh_intel_config, lists), .list = &lists,
	 .help = "Lists of addresses that are never allowed; `whittle intel update` reads them."},
	{0},
};
