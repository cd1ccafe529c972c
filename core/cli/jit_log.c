/* SPDX-License-Identifier: GPL-2.0-or-later */
/* jit log: who opened and closed what, when and why. */
#include <string.h>
#include "cli/jit.h"
#include "whittle/app_jit.h"

static const char *text_of(const json_t *event, const char *key)
{
	return json_string_value(json_object_get(event, key));
}

static void row(struct cli_table *table, const json_t *e)
{
	const char *nsg = text_of(e, "nsg"), *slash = nsg ? strrchr(nsg, '/') : NULL, *resource = text_of(e, "resource"),
		   *why = text_of(e, "why");
	const char *cells[] = {text_of(e, "time"),
	                       text_of(e, "who"),
	                       text_of(e, "what"),
	                       text_of(e, "id"),
	                       resource ? resource
	                       : slash  ? slash + 1
	                                : nsg,
	                       text_of(e, "port"),
	                       text_of(e, "from"),
	                       text_of(e, "until"),
	                       why ? why : text_of(e, "state")};
	for (size_t i = 0; i < sizeof cells / sizeof *cells; i++)
		cli_table_text(table, cells[i]);
}

int cli_jit_log(struct cli *c)
{
	const struct wh_app a = cli_app(c);
	struct wh_error err;
	json_t *doc, *event;
	size_t i;
	if (wh_app_jit_log(&a, &doc, &err))
		return cli_error(&err);
	if (c->json)
		return cli_print_json(doc);
	const json_t *events = json_object_get(doc, "events");
	if (json_array_size(events)) {
		struct cli_table *table = cli_table_new("When|Who|What|Id|Resource|Port|From|Until|Why");
		json_array_foreach((json_t *)events, i, event)
			row(table, event);
		cli_table_print(table);
	} else {
		puts("Nothing was opened or closed yet.");
	}
	json_decref(doc);
	return CLI_OK;
}
