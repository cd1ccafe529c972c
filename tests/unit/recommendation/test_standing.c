/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The short form of a recommendation: what is read back is what was saved, however its text is written, and no text harms. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "recommendation/document.h"
#include "tests/unit/support/scene.h"

#define MUST(call) do { struct wh_error err = {.text = ""}; if ((call) < 0) fail_msg("%s: %s", #call, err.text); } while (0)

enum { OF_THEM = 5 };
static const struct wh_derived from = {.at_us = 1790812800000000,
                                       .last_day = 20700,
                                       .traffic = "t",
                                       .rules = "r",
                                       .host = "",
                                       .settings = "s --ports \",\"resources\":{\"",
                                       .program = "p"};

/* A saved recommendation of five resources: with no, one and many rules, and with reasons whose texts look like JSON. */
static struct wh_recommendation saved(struct scene *s)
{
	static struct wh_resource_result all[OF_THEM];
	static struct wh_recommended_rule rules[40];
	struct wh_recommendation rec = {.resources = all, .n_resources = OF_THEM};
	memset(all, 0, sizeof all);
	scene_open(s, NULL, 0);
	scene_estate(s, "resources:\n"
	                "  - {name: a, addresses: [10.0.0.1]}\n"
	                "  - {name: 'b [x]', addresses: [10.0.0.2]}\n"
	                "  - {name: c, addresses: [10.0.0.3]}\n"
	                "  - {name: \"d\\\"q\", addresses: [10.0.0.4]}\n"
	                "  - {name: e, addresses: [10.0.0.5]}\n");
	MUST(wh_estate_load(&s->ledger, s->mem, &s->estate, &err));
	for (unsigned i = 0; i < 40; i++)
		rules[i] = (struct wh_recommended_rule){.name = "r",
		                                        .direction = i % 2 ? WH_OUTBOUND : WH_INBOUND,
		                                        .proto = (uint8_t)(i * 6),
		                                        .port = (uint16_t)(i * 1600)};
	for (size_t i = 0; i < OF_THEM; i++)
		all[i] = (struct wh_resource_result){.resource = &s->estate->resources[i],
		                                     .status = (enum wh_status)(i % 3),
		                                     .rules = rules,
		                                     .n_rules = i == 2 ? 40
		                                                : i    ? 1 + i % 2
		                                                       : 0,
		                                     .first_day = i ? 20000 : INT32_MAX,
		                                     .last_day = i ? 20699 : INT32_MIN,
		                                     .days_with_data = (unsigned)i};
	wh_reason_add(&all[1], &(struct wh_reason){.code = WH_REASON_TEXT, .text = "\"]}\\\",[{"}, s->mem);
	wh_reason_add(&all[1], &(struct wh_reason){.code = WH_REASON_FEW_DAYS, .count = {3, 30}}, s->mem);
	wh_reason_add(&all[4], &(struct wh_reason){.code = WH_REASON_UNKNOWN, .from = 22, .to = 22, .proto = 6, .text = "[[["},
	              s->mem);
	MUST(wh_recommendation_save(s->ledger.state, &rec, &err));
	MUST(wh_standing_save(s->ledger.state, &rec, &from, &err));
	return rec;
}

/* Whether the ledger's short form is that recommendation. */
static bool is_read(struct scene *s, const struct wh_recommendation *rec)
{
	struct wh_recommendation *r;
	struct wh_derived d;
	MUST(wh_standing_load(s->ledger.state, s->estate, s->mem, &r, &d, &err));
	bool same = d.at_us == from.at_us && !strcmp(d.settings, from.settings) && r->n_resources == OF_THEM;
	for (size_t i = 0; i < r->n_resources && same; i++) {
		const struct wh_resource_result *a = &r->resources[i], *b = &rec->resources[i];
		same = a->resource == b->resource && a->status == b->status && a->n_rules == b->n_rules &&
		       a->first_day == b->first_day && a->last_day == b->last_day && a->days_with_data == b->days_with_data &&
		       a->n_reasons == b->n_reasons;
		for (size_t k = 0; k < a->n_rules && same; k++)
			same = a->rules[k].port == b->rules[k].port && a->rules[k].proto == b->rules[k].proto &&
			       a->rules[k].direction == b->rules[k].direction;
		for (size_t k = 0; k < a->n_reasons && same; k++)
			same = a->reasons[k].code == b->reasons[k].code && a->reasons[k].count[1] == b->reasons[k].count[1] &&
			       a->reasons[k].from == b->reasons[k].from &&
			       (!b->reasons[k].text || !strcmp(a->reasons[k].text, b->reasons[k].text));
	}
	return same;
}

static char *text_of(struct scene *s)
{
	char *text = NULL;
	MUST(wh_state_get(s->ledger.state, COLLECTION, STANDING, &text, &err));
	assert_non_null(text);
	return text;
}

static void put(struct scene *s, const char *text)
{
	MUST(wh_state_put(s->ledger.state, COLLECTION, STANDING, text, &err));
}

static void what_was_saved_is_read_however_it_is_written(void **state)
{
	(void)state;
	struct scene s;
	struct wh_recommendation rec = saved(&s);
	assert_true(is_read(&s, &rec));
	char *text = text_of(&s);
	json_t *doc = json_loads(text, 0, NULL);
	free(text);
	const size_t forms[] = {JSON_INDENT(2), JSON_COMPACT | JSON_SORT_KEYS};
	for (size_t i = 0; i < 2; i++) {
		text = json_dumps(doc, forms[i]);
		put(&s, text);
		free(text);
		assert_true(is_read(&s, &rec));
	}
	json_decref(doc);
	scene_close(&s);
}

static void rows_are_read_from_their_text(void **state)
{
	(void)state;
	struct scene s;
	struct wh_recommendation rec = saved(&s);
	struct wh_resource_result three[3];
	memcpy(three, rec.resources, sizeof three);
	struct wh_recommendation part = {.resources = three, .n_resources = 3};
	char *text = text_of(&s), *rows = strstr(text, ",\"resources\":{\"a\"");
	assert_non_null(rows);
	rows += strlen(",\"resources\":{");
	assert_false(wh_standing_rows(rows, &part, s.mem)); /* others follow */
	char *end = strstr(rows, ",\"d\\\"q");
	assert_non_null(end);
	strcpy(end, "}}");
	assert_true(wh_standing_rows(rows, &part, s.mem));
	assert_int_equal(three[2].n_rules, 40);
	strcpy(end, "}");
	assert_false(wh_standing_rows(rows, &part, s.mem));
	free(text);
	scene_close(&s);
}

static void no_text_harms(void **state)
{
	(void)state;
	struct scene s;
	struct wh_recommendation rec = saved(&s);
	char *text = text_of(&s);
	size_t n = strlen(text);
	uint32_t random = 1;
	for (int i = 0; i < 4000; i++) {
		static const char bytes[] = "[]{},\"\\09-n";
		struct wh_resource_result copy[OF_THEM];
		struct wh_recommendation r = {.resources = copy, .n_resources = OF_THEM};
		memcpy(copy, rec.resources, sizeof copy);
		char *spoilt = strdup(text);
		random = random * 1664525u + 1013904223u;
		size_t at = (random >> 8) % n;
		if (i % 4)
			spoilt[at] = bytes[(random >> 4) % (sizeof bytes - 1)];
		else
			spoilt[at] = '\0';
		char *rows = strstr(spoilt, ",\"resources\":{");
		if (rows)
			wh_standing_rows(rows + strlen(",\"resources\":{"), &r, s.mem);
		free(spoilt);
	}
	free(text);
	put(&s, "{\"serial\":1,\"resources\":{\"a\":[0,0,0,0,[[");
	assert_false(is_read(&s, &rec));
	scene_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_saved_is_read_however_it_is_written),
		cmocka_unit_test(rows_are_read_from_their_text),
		cmocka_unit_test(no_text_harms),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
