/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Arrays on the heap grow in one way. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include "base/array.h"

static void its_content_stays_while_it_grows(void **state)
{
	uint32_t *a = NULL;
	size_t room = 0;
	(void)state;
	for (uint32_t i = 0; i < 1000; i++) {
		assert_true(wh_array_grow(&a, i, &room, sizeof *a));
		assert_true(room > i);
		a[i] = i;
	}
	for (uint32_t i = 0; i < 1000; i++)
		assert_int_equal(a[i], i);
	free(a);
}

static void a_size_past_all_memory_leaves_it_as_it_was(void **state)
{
	uint32_t one = 7, *a = &one;
	size_t room = SIZE_MAX / 2;
	(void)state;
	assert_false(wh_array_grow(&a, room, &room, sizeof *a));
	assert_ptr_equal(a, &one);
	assert_int_equal(room, SIZE_MAX / 2);
	room = SIZE_MAX;
	assert_false(wh_array_grow(&a, room, &room, sizeof *a)); /* twice as much is less than that */
	assert_int_equal(room, SIZE_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(its_content_stays_while_it_grows),
		cmocka_unit_test(a_size_past_all_memory_leaves_it_as_it_was),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
