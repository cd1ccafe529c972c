/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "base/array.h"

bool wh_array_grow(void *array, size_t n, size_t *room, size_t size)
{
	if (n < *room)
		return true;
	size_t wanted = *room ? 2 * *room : 16;
	void *old;
	memcpy(&old, array, sizeof old); /* has the caller's pointer type, so it must not be read through another pointer type */
	void *more = wanted > *room && wanted <= PTRDIFF_MAX / size ? realloc(old, wanted * size) : NULL;
	if (!more)
		return false;
	memcpy(array, &more, sizeof more);
	*room = wanted;
	return true;
}
