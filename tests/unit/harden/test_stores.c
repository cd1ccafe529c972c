/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kind of store does not change the recommendation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "ledger/store.h"
#include "tests/unit/support/scene.h"

static char *recommended(struct scene *s, unsigned threads)
{
	struct wh_harden_options opt = scene_options(s, "22,443,3389");
	opt.threads = threads;
	return wh_recommendation_json(scene_recommend_as(s, &opt), NULL);
}

static void edges_in_memory_give_the_same_recommendation_to_the_byte(void **state)
{
	struct scene s;
	struct wh_store *sqlite, *memory;
	struct wh_error err = {.text = ""};
	(void)state;
	scene_open(&s, SCENE_NSG("*", "\"22\", \"443\", \"3389\""), 0);
	sqlite = s.ledger.store;
	assert_int_equal(wh_store_open("memory:", NULL, &memory, &err), 0);
	scene_partner_days(&s, 0, 31);
	for (int day = 0; day < 31; day++)
		for (int i = 0; i < 20; i++) {
			char from[32];
			snprintf(from, sizeof from, "198.51.%d.%d", i, day + 1);
			if (i % 3)
				scene_guess(&s, from, 22, day, 3 + i % 5);
			else
				scene_syn(&s, scene_prefix("45.9.8.7/32").addr, 3389, day, i ? 2 : 0);
			snprintf(from, sizeof from, "203.0.113.%d", i + 1);
			scene_session(&s, from, 443, day, 8 + i % 9, 32, 60);
		}
	assert_int_equal(wh_store_commit(memory, s.table, NULL, &(struct wh_read_stats){0}, &err), 0);
	char *one = recommended(&s, 1); /* commits to SQLite first, and clears the table */
	s.ledger.store = memory;
	char *other = recommended(&s, 1), *parallel = recommended(&s, 4);
	assert_non_null(strstr(one, "140.20.30.8/29"));
	assert_string_equal(one, other);
	assert_string_equal(one, parallel);
	free(one);
	free(other);
	free(parallel);
	s.ledger.store = sqlite;
	wh_store_close(memory);
	scene_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(edges_in_memory_give_the_same_recommendation_to_the_byte)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
