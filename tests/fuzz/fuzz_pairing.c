/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A ledger's pages of open flows may hold anything: they are refused, or make a table that works. */
#include "reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t key[WH_PAIRING_KEY_BYTES];
	struct wh_pairing *p = wh_pairing_new(key);
	uint64_t flows = 0;
	int rc = p ? 0 : -1;
	/* each page: two bytes of its number, two of its length */
	for (size_t at = 0; at + 4 <= size && !rc;) {
		size_t page = data[at] | data[at + 1] << 8, len = data[at + 2] | data[at + 3] << 8;
		at += 4;
		len = len < size - at ? len : size - at;
		rc = wh_pairing_load(p, (uint32_t)page, data + at, len);
		at += len;
	}
	if (!rc && !wh_pairing_loaded(p))
		for (unsigned i = 0; i < 64; i++) {
			struct wh_part part = {.flow = {.src = wh_addr_v4(i % 8),
			                                .dst = wh_addr_v4(1),
			                                .proto = WH_PROTO_TCP,
			                                .pkts_toserver = 3,
			                                .bytes_toserver = 900,
			                                .pkts_toclient = 3,
			                                .bytes_toclient = 900},
			                       .ends = i % 3 == 0,
			                       .one_way = i & 1};
			if (wh_pairing_add(p, &part, NULL, fuzz_count, &flows))
				abort();
		}
	wh_pairing_free(p);
	return 0;
}
