/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The layout of a backup: what is written is read, and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "app/backup_archive.h"

#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"
#define HEAD "# whittle-backup 1\n# release 1.3\n# time 2026-11-30T01:50:00Z\n# journal 17 " ZEROS "\n"
#define LEDGER ZEROS "  ledger.db\n"

static int parse(const char *text)
{
	struct wh_backup_manifest m;
	return wh_backup_manifest_parse(text, strlen(text), &m);
}

static void a_written_archive_is_read_back(void **state)
{
	(void)state;
	struct wh_backup_manifest m = {.release = "1.3", .time_us = INT64_C(1796003400000000), .tip = {.seq = 17, .hash = {1, 2}},
	                               .n = 2, .members = {{.name = "ledger.db", .hash = {0xab}}, {.name = "state/jit.closed"}}},
				  back;
	char text[WH_BACKUP_MANIFEST_MAX];
	size_t n = wh_backup_manifest_text(&m, text);
	assert_true(n > 0);
	assert_int_equal(wh_backup_manifest_parse(text, n, &back), 0);
	assert_memory_equal(&m, &back, sizeof m);
	assert_int_equal(parse(HEAD LEDGER ZEROS "  state/enforced.rules\n" ZEROS "  state/journal.head\n"), 0);
}

static void an_archive_of_another_form_is_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"",
		"# whittle-backup 2\n" LEDGER,
		HEAD,                                /* no ledger */
		HEAD ZEROS "  state/jit.closed\n",   /* the same */
		HEAD LEDGER LEDGER,                  /* twice */
		HEAD LEDGER ZEROS "  /etc/passwd\n", /* elsewhere */
		HEAD LEDGER ZEROS "  state/../../etc/passwd\n",
		HEAD LEDGER ZEROS "  state/jit.closed/x\n",
		HEAD LEDGER ZEROS "  state/enforced.pending\n",                            /* of no backup */
		HEAD LEDGER ZEROS "  state/jit.closed\n" ZEROS "  state/enforced.rules\n", /* in another order */
		HEAD LEDGER ZEROS "  state/jit.closed",                                    /* without an end */
		HEAD LEDGER "\n",
		HEAD LEDGER ZEROS " *state/jit.closed\n",
		HEAD LEDGER ZEROS "0  state/jit.closed\n",
		HEAD LEDGER "F" ZEROS "  state/jit.closed\n",
		"# whittle-backup 1\n# release 1.3\n# time 2026-11-30T01:50:00Z\n# journal -1 " ZEROS "\n" LEDGER,
		"# whittle-backup 1\n# release 1.3\n# time 2026-11-30T01:50:00Z\n# journal 017 " ZEROS "\n" LEDGER,
		"# whittle-backup 1\n# release 1.3\n# time 2026-11-30T01:50:00Z\n# journal 99999999999999999999 " ZEROS
		"\n" LEDGER,
		"# whittle-backup 1\n# release 1.3\n# time yesterday\n# journal 17 " ZEROS "\n" LEDGER,
		"# whittle-backup 1\n# release 0123456789012345678901234567890123456789\n# time 2026-11-30T01:50:00Z\n# journal 17 " ZEROS
		"\n" LEDGER,
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (parse(bad[i]) != -EBADMSG)
			fail_msg("taken: %s", bad[i]);
	assert_int_equal(
		wh_backup_manifest_parse(HEAD LEDGER "\0", sizeof(HEAD LEDGER "\0") - 1, &(struct wh_backup_manifest){.n = 0}),
		-EBADMSG);
}

static void a_header_is_that_of_a_plain_file_or_refused(void **state)
{
	(void)state;
	uint8_t block[WH_TAR_BLOCK], other[WH_TAR_BLOCK];
	static const uint64_t sizes[] = {0, 1, 4096, 077777777777, UINT64_C(1) << 33, (UINT64_C(1) << 40) - 1};
	uint64_t bytes;
	char name[32];
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		wh_tar_header("state/jit.closed", sizes[i], 0, block);
		assert_int_equal(wh_tar_header_parse(block, name, &bytes), 0);
		assert_true(bytes == sizes[i]);
		assert_string_equal(name, "state/jit.closed");
	}
	wh_tar_header("ledger.db", UINT64_C(1) << 40, 0, block);
	assert_int_equal(wh_tar_header_parse(block, name, &bytes), -EBADMSG); /* larger than any ledger */
	wh_tar_header("ledger.db", 4096, 0, block);
	for (size_t i = 0; i < sizeof block; i++) { /* the checksum covers every byte */
		memcpy(other, block, sizeof block);
		other[i] ^= 1;
		assert_true(wh_tar_header_parse(other, name, &bytes) || i == 154 || i == 155);
	}
	memset(block, 0, sizeof block);
	assert_int_equal(wh_tar_header_parse(block, name, &bytes), -EBADMSG);
}

static void a_link_is_no_plain_file(void **state)
{
	(void)state;
	uint8_t block[WH_TAR_BLOCK];
	char name[32];
	uint64_t bytes;
	for (char type = '1'; type <= '7'; type++) {
		wh_tar_header("ledger.db", 0, 0, block);
		unsigned sum = (unsigned)strtoul((char *)block + 148, NULL, 8) - '0' + (unsigned char)type;
		block[156] = (uint8_t)type;
		snprintf((char *)block + 148, 8, "%06o", sum);
		assert_int_equal(wh_tar_header_parse(block, name, &bytes), -EBADMSG);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_written_archive_is_read_back),
		cmocka_unit_test(an_archive_of_another_form_is_refused),
		cmocka_unit_test(a_header_is_that_of_a_plain_file_or_refused),
		cmocka_unit_test(a_link_is_no_plain_file),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
