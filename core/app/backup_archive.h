/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The layout of a backup, which is untrusted input when it is read. It names no path of this machine: members have whittle's
 * names, in its order, and are plain files; anything else is refused.
 *
 *   MANIFEST            # whittle-backup 1
 *                       # release 1.3
 *                       # time 2026-11-30T01:50:00Z
 *                       # journal 17 SHA-256                 the journal's last entry; 0 and zeros: it has none
 *                       SHA-256  ledger.db
 *                       SHA-256  state/enforced.rules
 *   ledger.db           SQLite's file
 *   state/…             files of the state directory
 */
#pragma once
#include "base/sha256.h"
#include "whittle/base.h"
#include "whittle/state.h"

enum { WH_TAR_BLOCK = 512, WH_BACKUP_MEMBERS = 20, WH_BACKUP_MANIFEST_MAX = 8192 };
#define WH_BACKUP_LEDGER "ledger.db"
#define WH_BACKUP_STATE_MAX ((uint64_t)64 << 20) /* bytes of one file of the state directory */

struct wh_backup_member {
	char name[32];
	uint64_t bytes, at; /* at: where its bytes begin in the archive; not in the manifest */
	uint8_t hash[WH_SHA256_BYTES];
};
struct wh_backup_manifest {
	char release[32];
	int64_t time_us;
	struct wh_journal_mark tip;
	size_t n;
	struct wh_backup_member members[WH_BACKUP_MEMBERS];
};

/* The text, whose length does not depend on the hashes; returns its length, or 0 if it is too long. */
size_t wh_backup_manifest_text(const struct wh_backup_manifest *m, char out[static WH_BACKUP_MANIFEST_MAX]);
/* Accepts exactly the output of the function above, else -EBADMSG. */
int wh_backup_manifest_parse(const char *text, size_t len, struct wh_backup_manifest *out);
/* The header of a plain file (POSIX ustar; GNU's binary size from 8 GiB on). */
void wh_tar_header(const char *name, uint64_t bytes, int64_t time_us, uint8_t out[static WH_TAR_BLOCK]);
/* Reads a header's name and size. -EBADMSG: it is not that of a plain file as above, or its checksum is wrong. */
int wh_tar_header_parse(const uint8_t block[static WH_TAR_BLOCK], char name[static 32], uint64_t *bytes);
static inline uint64_t wh_tar_padded(uint64_t bytes)
{
	return (bytes + WH_TAR_BLOCK - 1) / WH_TAR_BLOCK * WH_TAR_BLOCK;
}

/* ---- reading ---- */

/* Reads the headers and the manifest, and checks every hash. *size: of the file. -EBADMSG with the reason. */
int wh_backup_read(int fd, const char *file, struct wh_backup_manifest *out, struct wh_error *err);
/* All `len` bytes at `at`; -EIO where there are fewer. */
int wh_backup_bytes(int fd, uint64_t at, void *out, size_t len);
