/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <pthread.h>
#include <sys/auxv.h>
#include <sys/random.h>
#include "base/siphash.h"

static struct wh_hash_key the_key;

static void draw(void)
{
	const void *given = (const void *)getauxval(AT_RANDOM);
	if (getrandom(&the_key, sizeof the_key, GRND_NONBLOCK) != sizeof the_key && given)
		memcpy(&the_key, given, sizeof the_key);
}

struct wh_hash_key wh_hash_key(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, draw);
	return the_key;
}
