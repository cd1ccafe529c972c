#!/bin/sh
# Expected: a JSON document that is read and written back without a change has the numbers that it had.
# Seen (jansson 2.14): 0.1 is written as 0.10000000000000001 and 0.3 as 0.29999999999999999: 17 digits unless the writer asks for fewer, and never the
#   fewest that read as the same number, as the libraries of Python and JavaScript write; 1e2 becomes 100.0.
# Matters to programs whose documents people read or keep under version control, and to those that compare or sign the text: the values are the same,
#   the bytes are not. Asking for 15 digits changes values that need more.
. "${0%/*}/lib.sh"
debian bookworm tcc=0.9.27+git20200814.62c30a4a-1 libc6-dev=2.36-9+deb12u14 libjansson-dev=2.14-2
cat >"$tmp/bookworm/j.c" <<'C'
#include <jansson.h>
#include <stdio.h>
int main(void) {
	const double third = 1.0 / 3;
	json_t *list = json_loads("[0.1,0.3,0.5,1e2,7]", 0, NULL), *one = json_pack("[f]", third);
	char *short_text = json_dumps(one, JSON_COMPACT | JSON_REAL_PRECISION(15));
	json_t *back = json_loads(short_text, 0, NULL);
	puts(json_dumps(list, JSON_COMPACT));
	puts(json_real_value(json_array_get(back, 0)) == third ? "15 digits: the same" : "15 digits: another number");
	return 0;
}
C
in_debian bookworm tcc -o /j /j.c -ljansson || skip "the program does not compile here"
in_debian bookworm /j >"$tmp/out"
holds "[0.1,0.3,0.5,1e2,7] is written back with other digits" grep -xF '[0.10000000000000001,0.29999999999999999,0.5,100.0,7]' "$tmp/out"
holds "a third, written with 15 digits, is another number" grep -x '15 digits: another number' "$tmp/out"
