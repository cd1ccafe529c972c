/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of readers: one row is one format. */
#include <string.h>
#include "whittle/flow.h"

const struct wh_reader *const wh_readers[] = {
	&wh_reader_eve,
	&wh_reader_vnet,
	&wh_reader_nsg,
	&wh_reader_zeek,
	&wh_reader_zeek_json,
	&wh_reader_aws,
	&wh_reader_nfdump,
	NULL,
};

const struct wh_reader *wh_reader_find(const char *name)
{
	for (const struct wh_reader *const *r = wh_readers; *r; r++)
		if (!strcmp((*r)->name, name))
			return *r;
	return NULL;
}

/* The surest reader, if any is sure by half. */
const struct wh_reader *wh_reader_probe(const void *head, size_t len)
{
	const struct wh_reader *found = NULL;
	int sure = 49;
	for (const struct wh_reader *const *r = wh_readers; *r; r++) {
		int p = (*r)->probe(head, len);
		if (p > sure) {
			sure = p;
			found = *r;
		}
	}
	return found;
}
