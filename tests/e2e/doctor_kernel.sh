#!/bin/bash
# A kernel that lacks something: played by a library that misspells it on the way, which the kernel then does not know.
cd "$(dirname "$0")/../.." || exit 1
. tests/support/netns.sh
netns_begin
cat >"$dir/lack.c" <<'C'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
ssize_t sendto(int fd, const void *b, size_t l, int f, const struct sockaddr *a, socklen_t al)
{
	ssize_t (*real)(int, const void *, size_t, int, const struct sockaddr *, socklen_t) =
		(ssize_t (*)(int, const void *, size_t, int, const struct sockaddr *, socklen_t))dlsym(RTLD_NEXT, "sendto");
	const char *lack = getenv("LACK");
	char *copy = malloc(l), *at = copy;
	memcpy(copy, b, l);
	while ((at = memmem(at, l - (size_t)(at - copy), lack, strlen(lack) + 1)))
		*at++ = 'X';
	ssize_t n = real(fd, copy, l, f, a, al);
	free(copy);
	return n;
}
C
"${CC:-gcc}" -shared -fPIC -o "$dir/lack.so" "$dir/lack.c" -ldl || { echo "ok 1 - a lacking kernel # skip no C compiler"; exit 0; }
printf 'port in tcp 22\n140.20.30.8/29\n' >"$dir/rules"
lacking() { in_srv env LACK="$1" LD_PRELOAD="$dir/lack.so" "${@:2}" 2>&1; }

has "$(in_srv "$BUILD/whittle" doctor 2>&1)" 'ok +kernel features|kernel features +ok|it has all that enforce needs' "doctor finds all that enforce needs in this kernel"
is "$(in_srv nft list ruleset | wc -l)" 0 "and leaves nothing behind"
for case in "log:logging to a group" "ct:connection tracking" "payload:ports and flags of packets"; do
	has "$(lacking "${case%%:*}" "$BUILD/whittle" doctor)" "this kernel lacks .*${case#*:}" "doctor names what is lacking: ${case#*:}"
	out=$(lacking "${case%%:*}" "$BUILD/tools/nft_tool" apply "$dir/rules" 60); rc=$?
	is $rc 1 "enforce refuses then"
	has "$out" "nothing was applied: this kernel lacks .*${case#*:}.*module" "with the same words, and the module"
	is "$(in_srv nft list ruleset | wc -l)" 0 "and has changed nothing"
done
echo "1..$n"
