#!/bin/sh
# Expected: a thread that was joined has ended before whoever joined it goes on, whichever function of the C library joined it; ThreadSanitizer
#   knows them all.
# Seen (gcc 12.2 of Debian 12, gcc 14.2 of Debian 13): after pthread_clockjoin_np(), which waits for a thread until a time of a clock that the
#   caller chooses, each access to what the thread wrote is a data race, and the ended thread counts as leaked. pthread_join() and
#   pthread_timedjoin_np() are known.
# Matters to programs that wait for a thread with a deadline by the monotonic clock: a clean program is reported, and a race that is real stands
#   among reports that are none. Under the sanitizer pthread_timedjoin_np() or pthread_join() must stand in its place.
. "${0%/*}/lib.sh"
need unshare setarch
debian bookworm gcc-12=12.2.0-14+deb12u1 libc6-dev=2.36-9+deb12u14
debian trixie gcc-14=14.2.0-19 libc6-dev=2.41-12+deb13u5
cat >"$tmp/join.c" <<'C'
#define _GNU_SOURCE
#include <pthread.h>
#include <time.h>
static int value;
static void *work(void *arg)
{
	value = 1;
	return arg;
}
int main(void)
{
	pthread_t thread;
	struct timespec until;
	pthread_create(&thread, NULL, work, NULL);
	clock_gettime(CLOCK, &until);
	until.tv_sec += 60;
	if (JOIN)
		return 2;
	value++;
	return value == 2 ? 0 : 3;
}
C
# Reports of one way to join, in one suite. The sanitizer reads /proc, and gcc 12's needs addresses that are not drawn at random.
reports() { # SUITE GCC JOIN CLOCK
	cp "$tmp/join.c" "$tmp/$1/join.c"
	in_debian "$1" "$2" -g -fsanitize=thread "-DJOIN=$3" "-DCLOCK=$4" -o /join /join.c || skip "the program does not compile here"
	status=0
	unshare --mount sh -c 'mount -t proc proc "$1/proc" && exec setarch -R chroot "$1" /join' sh "$tmp/$1" >"$tmp/out" 2>&1 || status=$?
	! grep -q 'unexpected memory mapping' "$tmp/out" || skip "the sanitizer does not run under this kernel"
	case $status in 0 | 66) ;; *) echo "ended with $status;" ;; esac # 66: something was reported
	grep -o 'ThreadSanitizer: [a-z]* [a-z]*' "$tmp/out" | sort -u | tr '\n' ';'
}
for of in "bookworm gcc-12" "trixie gcc-14"; do
	# shellcheck disable=SC2086
	set -- $of
	holds "$2: after pthread_join() nothing is reported" [ -z "$(reports "$1" "$2" 'pthread_join(thread,NULL)' CLOCK_REALTIME)" ]
	holds "$2: nor after pthread_timedjoin_np()" [ -z "$(reports "$1" "$2" 'pthread_timedjoin_np(thread,NULL,&until)' CLOCK_REALTIME)" ]
	found=$(reports "$1" "$2" 'pthread_clockjoin_np(thread,NULL,CLOCK,&until)' CLOCK_MONOTONIC)
	holds "$2: after pthread_clockjoin_np() a data race is" eval 'case $found in *"data race"*) ;; *) false ;; esac'
	holds "$2: and the joined thread counts as leaked" eval 'case $found in *"thread leak"*) ;; *) false ;; esac'
done
