/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_reader(&wh_reader_nsg, data, size);
}
