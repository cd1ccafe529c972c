/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/store_url.h"

static void a_path_with_or_without_its_kind_is_a_file(void **state)
{
	(void)state;
	assert_true(wh_store_is_file("/var/lib/whittle/ledger.db"));
	assert_true(wh_store_is_file("sqlite:/var/lib/whittle/ledger.db"));
	assert_true(wh_store_is_file("memory"));
	assert_string_equal(wh_store_path("ledger.db"), "ledger.db");
	assert_string_equal(wh_store_path("sqlite:ledger.db"), "ledger.db");
	assert_string_equal(wh_store_path("sqlite:sqlite:x"), "sqlite:x");
}

static void a_path_may_look_like_another_kind_behind_its_own(void **state)
{
	(void)state;
	assert_true(wh_store_is_file("sqlite:a://b"));
	assert_string_equal(wh_store_path("sqlite:a://b"), "a://b");
}

static void other_kinds_are_no_file_and_are_named_whole(void **state)
{
	(void)state;
	assert_false(wh_store_is_file("mysql://host/db"));
	assert_false(wh_store_is_file("memory:"));
	assert_string_equal(wh_store_path("mysql://host/db"), "mysql://host/db");
	assert_false(wh_store_has_file("memory:"));
}

static void a_cluster_has_a_file_of_this_machine_that_its_last_parameter_names(void **state)
{
	(void)state;
	assert_false(wh_store_is_file("clickhouse://host/db"));
	assert_true(wh_store_is_fleet("clickhouse://host/db"));
	assert_true(wh_store_is_fleet("clickhouses://host/db"));
	assert_false(wh_store_is_fleet("clickhouse:host"));
	assert_true(wh_store_has_file("clickhouse://host/db"));
	assert_string_equal(wh_store_path("clickhouse://host/db"), WH_STORE_FILE);
	assert_string_equal(wh_store_path("clickhouse://host/db?cluster=c"), WH_STORE_FILE);
	assert_string_equal(wh_store_path("clickhouse://host/db?local=/srv/a&b.db"), "/srv/a&b.db");
	assert_string_equal(wh_store_path("clickhouse://host/db?cluster=c&local=/srv/l.db"), "/srv/l.db");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_path_with_or_without_its_kind_is_a_file),
		cmocka_unit_test(a_path_may_look_like_another_kind_behind_its_own),
		cmocka_unit_test(other_kinds_are_no_file_and_are_named_whole),
		cmocka_unit_test(a_cluster_has_a_file_of_this_machine_that_its_last_parameter_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
