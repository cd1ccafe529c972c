/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tables as comma-separated values: read back by a reader of RFC 4180, and harmless in a spreadsheet. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "whittle/report.h"

/* Reads the next cell of a line as RFC 4180 has it, into `out`. */
static const char *next_cell(const char *p, char out[static 64])
{
	size_t n = 0;
	bool quoted = *p == '"';
	for (p += quoted; *p && (quoted || !strchr(",\r\n", *p)); p++) {
		if (quoted && *p == '"' && *++p != '"')
			break;
		assert_true(n < 63);
		out[n++] = *p;
	}
	out[n] = 0;
	assert_true(*p == ',' || *p == '\n');
	return p + 1;
}

/* The inventory's row of a resource with this name, its name read back. */
static void name_in_csv(const char *name, char out[static 64])
{
	json_t *doc = json_pack("{s:[{s:s, s:s}]}", "resources", "id", "/a", "name", name);
	char *csv = wh_report_csv_inventory(doc), id[64];
	assert_non_null(csv);
	const char *row = strchr(csv, '\n');
	assert_non_null(row);
	next_cell(next_cell(row + 1, id), out);
	assert_string_equal(id, "/a");
	free(csv);
	json_decref(doc);
}

static void no_cell_begins_a_formula(void **state)
{
	static const char *const names[] = {"=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\nx", "=HYPERLINK(\"x\",\"y\")"};
	char cell[64], expected[64];
	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		name_in_csv(names[i], cell);
		snprintf(expected, sizeof expected, "'%s", names[i]);
		assert_string_equal(cell, expected);
	}
}

static void other_cells_are_read_back_as_they_were(void **state)
{
	static const char *const names[] = {"web-1", "", "a,b", "say \"hi\"", "two\nlines", "car\rriage", "1=1", "ü"};
	char cell[64];
	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		name_in_csv(names[i], cell);
		assert_string_equal(cell, names[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_cell_begins_a_formula),
		cmocka_unit_test(other_cells_are_read_back_as_they_were),
	};
	return cmocka_run_group_tests_name("csv", tests, NULL, NULL);
}
