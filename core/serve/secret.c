/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The random part of tokens and of sessions. */
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/random.h>
#include "serve/secret.h"

int wh_secret(char out[static WH_SECRET_DIGITS + 1])
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	uint8_t r[WH_SECRET_DIGITS];
	if (getrandom(r, sizeof r, 0) != sizeof r)
		return -EIO;
	for (size_t i = 0; i < sizeof r; i++)
		out[i] = digits[r[i] & 63];
	out[sizeof r] = 0;
	explicit_bzero(r, sizeof r);
	return 0;
}
