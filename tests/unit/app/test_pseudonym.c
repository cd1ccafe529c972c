/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pseudonyms keep what rules are made of, and nothing that names anybody. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "app/pseudonym.h"

static const struct wh_pseudonyms p = {{{UINT64_C(0x0123456789abcdef), UINT64_C(0xfedcba9876543210)}}},
				  other = {{{UINT64_C(0x1123456789abcdef), UINT64_C(0xfedcba9876543210)}}};

static struct wh_addr address(const char *text)
{
	struct wh_addr a;
	assert_int_equal(wh_addr_parse(text, strlen(text), &a), 0);
	return a;
}

static unsigned common(const struct wh_addr *a, const struct wh_addr *b)
{
	unsigned n = 0;
	while (n < 128 && (a->b[n / 8] >> (7 - n % 8) & 1) == (b->b[n / 8] >> (7 - n % 8) & 1))
		n++;
	return n;
}

static struct wh_addr random_addr(unsigned *seed)
{
	struct wh_addr a = wh_addr_v4((uint32_t)rand_r(seed) << 16 ^ (uint32_t)rand_r(seed));
	for (int i = 0; i < 16 && *seed % 2; i++)
		a.b[i] = i ? (uint8_t)rand_r(seed) : 0x2a;
	return a;
}

static void two_addresses_have_as_many_first_bits_in_common_as_before(void **state)
{
	(void)state;
	unsigned seed = 1;
	for (int i = 0; i < 3000; i++) {
		struct wh_addr a = random_addr(&seed), b = i % 2 ? random_addr(&seed) : a, x, y;
		if (i % 2 == 0)
			b.b[12 + i / 2 % 4] ^= (uint8_t)(1 << i / 8 % 8);
		x = a, y = b;
		wh_pseudonym_addr(&p, &x);
		wh_pseudonym_addr(&p, &y);
		assert_int_equal(common(&a, &b), common(&x, &y));
		assert_int_equal(wh_addr_is_v4(&a), wh_addr_is_v4(&x));
	}
}

static void special_ranges_stay_in_themselves_and_nobody_else_gets_into_them(void **state)
{
	(void)state;
	static const char *const kept[] = {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16",
	                                   "224.0.0.0/3", "127.0.0.0/8", "fc00::/7", "fe80::/10", "ff00::/8", "2000::/3"};
	unsigned seed = 7;
	for (int i = 0; i < 20000; i++) {
		struct wh_addr a = random_addr(&seed), x;
		struct wh_prefix r;
		bool host_bits;
		wh_prefix_parse(kept[i % 11], strlen(kept[i % 11]), &r, &host_bits);
		for (unsigned k = 0; i % 3 == 0 && k < r.len; k++) /* of the range itself */
			a.b[k / 8] = (uint8_t)((a.b[k / 8] & ~(1 << (7 - k % 8))) | (r.addr.b[k / 8] & 1 << (7 - k % 8)));
		x = a;
		wh_pseudonym_addr(&p, &x);
		if (wh_prefix_has(&r, &a) != wh_prefix_has(&r, &x))
			fail_msg("%s", kept[i % 11]);
	}
	struct wh_addr probe = address("168.63.129.16"), x = probe;
	wh_pseudonym_addr(&p, &x);
	assert_true(wh_addr_eq(&probe, &x)); /* Azure's own */
}

static void another_key_gives_other_pseudonyms(void **state)
{
	(void)state;
	struct wh_addr a = address("203.0.113.7"), x = a, y = a, again = a;
	char n[WH_PSEUDONYM_STRLEN], m[WH_PSEUDONYM_STRLEN];
	wh_pseudonym_addr(&p, &x);
	wh_pseudonym_addr(&p, &again);
	wh_pseudonym_addr(&other, &y);
	assert_true(wh_addr_eq(&x, &again));
	assert_false(wh_addr_eq(&x, &a));
	assert_false(wh_addr_eq(&x, &y));
	assert_string_not_equal(wh_pseudonym_name(&p, "vm1", n), wh_pseudonym_name(&other, "vm1", m));
	assert_string_not_equal(wh_pseudonym_name(&p, "a-long-name-of-a-vm-1", n),
	                        wh_pseudonym_name(&p, "a-long-name-of-a-vm-2", m));
}

static void a_group_keeps_what_its_rules_say_and_no_name(void **state)
{
	(void)state;
	json_t *doc = json_loads(
		"{\"id\":\"/subscriptions/abc/resourceGroups/secret/providers/Microsoft.Network/networkSecurityGroups/web\",\"name\":\"web\",\"tags\":{\"owner\":\"ada\"},"
		"\"securityRules\":[{\"name\":\"ssh\",\"priority\":300,\"description\":\"ada's\",\"protocol\":\"Tcp\",\"access\":\"Allow\",\"direction\":\"Inbound\","
		"\"destinationPortRange\":\"22-23\",\"sourceAddressPrefixes\":[\"203.0.113.0/24\",\"Internet\",\"*\"],\"destinationAddressPrefix\":\"10.1.2.3\"}]}",
		0, NULL);
	json_t *as = wh_pseudonym_json(&p, doc), *rule = json_array_get(json_object_get(as, "securityRules"), 0),
	       *sources = json_object_get(rule, "sourceAddressPrefixes");
	char *text = json_dumps(as, JSON_COMPACT);
	static const char *const gone[] = {"web", "ssh", "ada", "secret", "abc", "203.0.113", "10.1.2.3"};
	for (size_t i = 0; i < sizeof gone / sizeof *gone; i++)
		if (strstr(text, gone[i]))
			fail_msg("%s is in %s", gone[i], text);
	assert_string_equal(json_string_value(json_object_get(rule, "destinationPortRange")), "22-23");
	assert_string_equal(json_string_value(json_object_get(rule, "protocol")), "Tcp");
	assert_int_equal(json_integer_value(json_object_get(rule, "priority")), 300);
	assert_string_equal(json_string_value(json_array_get(sources, 1)), "Internet");
	assert_string_equal(json_string_value(json_array_get(sources, 2)), "*");
	assert_non_null(strstr(json_string_value(json_array_get(sources, 0)), "/24"));
	assert_non_null(strstr(text, "/providers/Microsoft.Network/networkSecurityGroups/n"));
	char name[WH_PSEUDONYM_STRLEN];
	assert_non_null(strstr(json_string_value(json_object_get(as, "id")), wh_pseudonym_name(&p, "web", name)));
	free(text);
	json_decref(as);
	json_decref(doc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_addresses_have_as_many_first_bits_in_common_as_before),
		cmocka_unit_test(special_ranges_stay_in_themselves_and_nobody_else_gets_into_them),
		cmocka_unit_test(another_key_gives_other_pseudonyms),
		cmocka_unit_test(a_group_keeps_what_its_rules_say_and_no_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
