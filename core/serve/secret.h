/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

enum { WH_SECRET_DIGITS = 43 }; /* of 6 random bits: 258 in all */
/* Writes that many characters of base64url and a NUL. 0, or -EIO: the kernel gives no random numbers. */
int wh_secret(char out[static WH_SECRET_DIGITS + 1]);
