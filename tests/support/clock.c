/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Preloaded: the system's clock runs backwards, as one that is set back again and again, and the clock that nobody sets runs a
 * hundred times as fast, so that a test need not wait. No clock of the machine is set. */
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { FASTER = 100 };
#define NS 1000000000L

static long long ns_of(clockid_t id)
{
	struct timespec t;
	syscall(SYS_clock_gettime, id, &t);
	return t.tv_sec * NS + t.tv_nsec;
}

int clock_gettime(clockid_t id, struct timespec *t)
{
	static long long began, real;
	if (id != CLOCK_REALTIME && id != CLOCK_MONOTONIC)
		return (int)syscall(SYS_clock_gettime, id, t);
	if (!began) {
		real = ns_of(CLOCK_REALTIME);
		began = ns_of(CLOCK_MONOTONIC);
	}
	const long long passed = ns_of(CLOCK_MONOTONIC) - began,
			at = id == CLOCK_REALTIME ? real - passed : began + FASTER * passed;
	*t = (struct timespec){.tv_sec = at / NS, .tv_nsec = at % NS};
	return 0;
}
