/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is known of the kernel's sets (nft/known.h) from one command to the next: the file enforced.known of the state directory.
 * It is a hint: a file that is not there, damaged, or of another boot makes the next apply read every set, and is no error. So
 * nothing waits until it is on the disk. Only root, or the services' user, can write there, as with the rules themselves.
 *
 *   "whittle-known 1\n", then, least significant byte first: CRC32 of the rest 4, boot 16, namespace 8, generation 4, keys 32,
 *   sets 4, and for each its name, 80 bytes, and digest, 16
 */
#pragma once
#include "nft/known.h"

void wh_known_load(const char *dir, struct wh_nft_known *out); /* wh_nft_known_free() it */
void wh_known_save(const char *dir, const struct wh_nft_known *k);
void wh_known_forget(const char *dir);
