#!/bin/sh
# Expected: qsort() is a computation: it makes no system call, as the sorting functions of other C libraries make none.
# Seen (glibc 2.36 of Debian 12): the first array of 1024 bytes or more makes it call sysinfo(), since it sorts in a copy and wants to know how
#   much memory the machine has; then it allocates. Shorter arrays make no call. glibc 2.41 of Debian 13 does not ask any more.
# Matters to programs that confine themselves with an allow-list of system calls: they pass their tests on small input and are killed,
#   or stop, at the first list that is long enough; and to those that sort in a signal handler or between fork and exec.
. "${0%/*}/lib.sh"
debian bookworm tcc=0.9.27+git20200814.62c30a4a-1 libc6=2.36-9+deb12u14 libc6-dev=2.36-9+deb12u14 strace=6.1-0.1
debian trixie libc6=2.41-12+deb13u5 strace=6.13+ds-1
cat >"$tmp/bookworm/sort.c" <<'C'
#include <stdlib.h>
#include <unistd.h>
static int compare(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }
int main(void) {
	static int array[1000];
	int i;
	for (i = 0; i < 1000; i++) array[i] = 1000 - i;
	write(1, "short\n", 6);
	qsort(array, 255, sizeof *array, compare);
	write(1, "long\n", 5);
	qsort(array, 256, sizeof *array, compare);
	write(1, "longer\n", 7);
	qsort(array, 1000, sizeof *array, compare);
	write(1, "end\n", 4);
	for (i = 1; i < 1000; i++) if (array[i - 1] > array[i]) return 1;
	return 0;
}
C
in_debian bookworm tcc -o /sort /sort.c || skip "the program does not compile here"
cp "$tmp/bookworm/sort" "$tmp/trixie/sort"
for suite in bookworm trixie; do
	in_debian $suite strace -o /trace -e trace=sysinfo,write /sort >/dev/null || skip "programs can't be traced here"
done
# How often it asked between two of the program's lines.
asked() { sed -n "/\"$2/,/\"$3/p" "$tmp/$1/trace" | grep -c '^sysinfo' || :; }
holds "glibc 2.36 sorts 1020 bytes without asking" eval '[ "$(asked bookworm short long.n)" = 0 ]'
holds "for 1024 bytes it asks for the size of memory" eval '[ "$(asked bookworm long.n longer)" = 1 ]'
holds "it asks once in a process's life" eval '[ "$(asked bookworm longer end)" = 0 ]'
holds "glibc 2.41 never asks" eval '[ "$(asked trixie short end)" = 0 ]'
