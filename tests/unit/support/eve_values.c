/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Values, as they are written: most are plausible, some odd. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "eve_inside.h"

void eve_gen_address(struct eve_gen *g, char *out, size_t size)
{
	static const char *const odd[] = {
		"",
		"1.2.3",
		"1.2.3.4.5",
		"01.2.3.4",
		"1.2.3.256",
		"1.2.3.400",
		"0.0.0.0",
		"255.255.255.255",
		"1..2.3",
		".1.2.3",
		"1.2.3.",
		"a.b.c.d",
		"1.2.3.4 ",
		"1.2.3.0004",
		"::",
		"::1",
		"::ffff:10.1.2.3",
		"::ffff:0a01:0203",
		"fe80::1%eth0",
		"2001:db8::1::2",
		"12345::",
		"2001:0db8:0000:0000:0000:0000:0000:0001",
		"1:2:3:4:5:6:7:8",
		"1:2:3:4:5:6:7:8:9",
		"::1.2.3.4",
		"1.2.3.00",
		"00.1.2.3",
		"1.2.3.4/32",
		"100.200.255.99",
		"0.10.100.9",
		"1\\u002e2.3.4",
		"2001:DB8::A",
		"999999999999999",
		"1.22.333.4444",
	};
	uint32_t a = (uint32_t)next(g);
	if (one_in(g, 25))
		snprintf(out, size, "%s", PICK(g, odd));
	else if (one_in(g, 6))
		snprintf(out, size, "2001:db8:%x::%x", a >> 20, a & 0xffff);
	else
		snprintf(out, size, "%u.%u.%u.%u", one_in(g, 3) ? 10 : a >> 24, a >> 16 & 0xff,
		         a >> 8 & (one_in(g, 2) ? 0xf : 0xff), a & 0xff);
}

void eve_gen_timestamp(struct eve_gen *g, char *out, size_t size)
{
	static const char *const odd[] = {
		"", "2026-11-01", "2026-11-01T00:00:00Z", "2026-11-01T24:00:00.000000+0000", "2026-02-30T00:00:00.000000+0000",
		"2026-11-01T23:59:60.000000+0000", "2026-11-01T23:60:59.000000+0000", "2026-11-01T23:59:61.000000+0000",
		"2026-11-01T00:00:00.000000-0730", "2026-11-01T00:00:00.000000+01:00", "2026-11-01T00:00:00.0000000+0000",
		"2026-11-01T00:00:00.00000+0000", "2026-11-01 00:00:00.000000+0000", "0000-01-01T00:00:00.000000+0000",
		"2026-11-01T00:00:0x.000000+0000", "2026-11-01T00:00:00.00000x+0000", "2026-11-01T00:00:00.000000+2500",
		"2026-11-01T0:000:00.000000+0000", "2026-13-01T00:00:00.000000+0000", "2026-11-01T00:00:00,000000+0000",
		"2026-11-01T00:00:00.000000+0000 ", "\\u0032026-11-01T00:00:00.000000+0000", "9999-12-31T23:59:59.999999+0000",
	};
	uint64_t r = next(g);
	if (one_in(g, 30))
		snprintf(out, size, "%s", PICK(g, odd));
	else
		snprintf(out, size, "2026-%02u-%02uT%02u:%02u:%02u.%06u%s", 10 + (unsigned)(r & 1), 1 + (unsigned)(r >> 1 & 1),
		         (unsigned)(r >> 8) % 24, (unsigned)(r >> 16) % 60, (unsigned)(r >> 24) % 60,
		         (unsigned)(r >> 32) % 1000000, one_in(g, 20) ? "+0200" : "+0000");
}

void eve_gen_number(struct eve_gen *g, char *out, size_t size, unsigned max_digits)
{
	static const char *const odd[] = {
		"-1",
		"-0",
		"0",
		"00",
		"01",
		"-",
		"1.",
		".5",
		"1.0",
		"1e3",
		"1E+3",
		"1e",
		"1e+",
		"-1.5e-7",
		"9223372036854775807",
		"9223372036854775808",
		"-9223372036854775808",
		"-9223372036854775809",
		"18446744073709551616",
		"65535",
		"65536",
		"99999",
		"999999999999999999",
		"9999999999999999",
		"12345678",
		"123456789",
		"1234567890123456",
		"12345678901234567",
		"1e308",
		"1e309",
		"1.7976931348623157e308",
		"1.7976931348623158e308",
		"1.7976931348623159e308",
		"-1.8e308",
		"1e-400",
		"0e999999999999",
		"1e99999999999999999999",
		"179769313486231580793728971405303415079934132710037826936173778980444968292764750946649017977587207096330286416692887910946555547851"
		"940402630657488671505820681908902000708383676273854845817711531764475730270069855571366959622842914819860834936475292719074168444"
		"365510704342711559699508093042880.0",
		"0.00000179769313486231580793728971405303415079934132710037826936173778980444968292764750946649017977587207096330286416692887910e314",
		"+1",
		"0x10",
		"1_000",
		"NaN",
		"Infinity",
		"-Infinity",
		"4294967295",
		"4294967296",
		"255",
		"256",
		"3",
		"1.7e+308",
		"17976931348623157.0e292",
		"100000000",
		"10000000000000000",
		"4.9e-324",
		"1e00000308",
		"0.1e309",
		"00.1",
		"1 2",
		"1\t",
	};
	if (one_in(g, 20))
		snprintf(out, size, "%s", PICK(g, odd));
	else {
		uint64_t limit = 1;
		for (unsigned d = 1 + (unsigned)eve_gen_random(g, max_digits); d; d--)
			limit *= 10;
		snprintf(out, size, "%" PRIu64, next(g) % limit);
	}
}

void eve_gen_string(struct eve_gen *g, char *out, size_t size)
{
	static const char *const odd[] = {
		"",
		"\\\"src_ip\\\":\\\"6.6.6.6\\\"",
		"\\\\",
		"\\\\\\\"",
		"x\\\\\\\\\\\",\\\"event_type\\\":\\\"flow\\\"",
		"\\/",
		"\\b\\f\\n\\r\\t",
		"\\u0041",
		"\\u00e9",
		"\\ud83d\\ude00",
		"\\ud83d",
		"\\ude00",
		"\\ud83d\\u0041",
		"\\u0000",
		"\\u00",
		"\\uZZZZ",
		"\\x41",
		"\\",
		"\xc3\xa9",
		"\xe2\x82\xac",
		"\xf0\x9f\x98\x80",
		"\xc3",
		"\xc0\x80",
		"\xe0\x80\x80",
		"\xed\xa0\x80",
		"\xf4\x90\x80\x80",
		"\xf8\x88\x80\x80\x80",
		"\x80",
		"\xff",
		"\xfe",
		"\xef\xbf\xbf",
		"\xef\xbb\xbf",
		"\xf0\x80\x80\x80",
		"\xe2\x82",
		"\xf0\x9f\x98",
		"\x7f",
		"\x01",
		"\t",
		"\r",
		"\n",
		"\xc1\xbf",
		"\xdf\xbf",
		"\xe0\xa0\x80",
		"\xed\x9f\xbf",
		"\xf4\x8f\xbf\xbf",
		"\xe1\x80\xc0",
		"{\\\"flow\\\":{",
		"}}}}",
		"]",
		"abc\x1f",
		"\xed\xb0\x80",
		"failed",
		"ssh",
		"\\u0066ailed",
		"a string of thirty-two bytes....",
		"thirty-one bytes of plain text.",
		"closed",
		"flow",
		"alert",
		"sixty-four bytes of text that hold nothing but plain characters.",
		"established",
		"TCP",
		"to_client",
	};
	if (one_in(g, 4)) {
		snprintf(out, size, "%s", PICK(g, odd));
		return;
	}
	size_t n = eve_gen_random(g, one_in(g, 10) ? size - 50 : 24), i;
	for (i = 0; i < n; i++)
		out[i] = "abcdefghijklmnopqrstuvwxyz0123456789 .-_:,{}[]"[next(g) % 46];
	out[i] = 0;
	if (one_in(g, 12))
		snprintf(out + i, size - i, "%s", PICK(g, odd));
}

void eve_gen_value(struct eve_gen *g, char *out, size_t size)
{
	static const char *const odd[] = {
		"true",
		"false",
		"null",
		"{}",
		"[]",
		"[1,2,[3,{\"a\":null}]]",
		"{\"src_ip\":\"9.9.9.9\",\"pkts_toserver\":77}",
		"tru",
		"True",
		"nul",
		"nulll",
		"[1,]",
		"{,}",
		"{\"a\"}",
		"{\"a\":}",
		"[",
		"{",
		"}",
		"]",
		"[}",
		"{]",
		"\"",
		"",
		"{\"flow\":{\"start\":1}}",
		"[{\"event_type\":\"flow\"}]",
		"[\"src_ip\",\"1.1.1.1\"]",
		"'x'",
		"//",
		"/* */ 1",
		"[ ]",
		"{ }",
		"[true,false,null,\"x\",-1.5e3]",
	};
	switch (eve_gen_random(g, 4)) {
	case 0:
		eve_gen_number(g, out, size, 18);
		break;
	case 1:
		out[0] = '"';
		eve_gen_string(g, out + 1, size - 2);
		strcat(out, "\"");
		break;
	default:
		snprintf(out, size, "%s", PICK(g, odd));
	}
}
