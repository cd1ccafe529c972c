/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Against the examples of FIPS 180-4 and RFC 4231. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "base/sha256.h"

static const char *hex(const uint8_t *p)
{
	static char text[65];
	for (int i = 0; i < 32; i++)
		snprintf(text + 2 * i, 3, "%02x", p[i]);
	return text;
}

static void digests_are_those_of_the_standard(void **state)
{
	uint8_t out[32];
	char *million = malloc(1000000);
	(void)state;
	memset(million, 'a', 1000000);
	wh_sha256("", 0, out);
	assert_string_equal(hex(out), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	wh_sha256("abc", 3, out);
	assert_string_equal(hex(out), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	wh_sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56, out);
	assert_string_equal(hex(out), "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
	wh_sha256(million, 1000000, out);
	assert_string_equal(hex(out), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
	free(million);
}

static void signatures_are_those_of_the_standard(void **state)
{
	char out[65], key[131];
	(void)state;
	memset(key, 0x0b, 20);
	wh_hmac_sha256_hex(key, 20, "Hi There", 8, out);
	assert_string_equal(out, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
	wh_hmac_sha256_hex("Jefe", 4, "what do ya want for nothing?", 28, out);
	assert_string_equal(out, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	memset(key, 0xaa, 131);
	wh_hmac_sha256_hex(key, 131, "Test Using Larger Than Block-Size Key - Hash Key First", 54, out);
	assert_string_equal(out, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

static void parts_give_the_digest_of_the_whole(void **state)
{
	uint8_t text[300], whole[32], parts[32];
	(void)state;
	for (size_t i = 0; i < sizeof text; i++)
		text[i] = (uint8_t)(i * 7);
	for (size_t len = 0; len <= sizeof text; len++) {
		wh_sha256(text, len, whole);
		for (size_t cut = 0; cut <= len; cut++) {
			struct wh_sha256_parts s;
			wh_sha256_begin(&s);
			wh_sha256_add(&s, text, cut);
			wh_sha256_add(&s, NULL, 0);
			wh_sha256_add(&s, text + cut, len - cut);
			wh_sha256_end(&s, parts);
			assert_memory_equal(parts, whole, sizeof whole);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(digests_are_those_of_the_standard),
	                                   cmocka_unit_test(signatures_are_those_of_the_standard),
	                                   cmocka_unit_test(parts_give_the_digest_of_the_whole)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
