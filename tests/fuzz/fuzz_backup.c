/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A manifest of any bytes is refused, or is written again unchanged. A member's header is refused, or gives a short name and a
 * size that a ledger may have. */
#include <stdlib.h>
#include <string.h>
#include "app/backup_archive.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wh_backup_manifest m;
	char text[WH_BACKUP_MANIFEST_MAX], name[32];
	uint64_t bytes;
	if (!wh_backup_manifest_parse((const char *)data, size, &m)) {
		if (!m.n || m.n > WH_BACKUP_MEMBERS || wh_backup_manifest_text(&m, text) != size || memcmp(text, data, size) != 0)
			abort();
		for (size_t i = 0; i < m.n; i++)
			if (*m.members[i].name == '/' || strstr(m.members[i].name, ".."))
				abort();
	}
	if (size >= WH_TAR_BLOCK && !wh_tar_header_parse(data, name, &bytes) && (strlen(name) >= sizeof name || bytes >> 40))
		abort();
	return 0;
}
