/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>
#include "harden/returning.h"

static const struct wh_rhythm usual = {{1, 1}, {0.5, 1}};

static double ln_beta(double a, double b)
{
	int sign;
	return lgamma_r(a, &sign) + lgamma_r(b, &sign) - lgamma_r(a + b, &sign);
}

/* The likelihood and the posterior as the paper has them: formulas (5) and, summed over the days to come, (7) and (8). */
static double by_the_paper(const struct wh_rhythm *r, unsigned days, unsigned span, unsigned quiet, unsigned horizon)
{
	double a = r->visits[0], b = r->visits[1], g = r->life[0], d = r->life[1], x = days - 1, t = span, n = span + quiet;
	double all = exp(ln_beta(a + x, b + n - x) - ln_beta(a, b) + ln_beta(g, d + n) - ln_beta(g, d)), sum = 0;
	for (unsigned i = 0; i < quiet; i++)
		all += exp(ln_beta(a + x, b + t - x + i) - ln_beta(a, b) + ln_beta(g + 1, d + t + i) - ln_beta(g, d));
	for (unsigned h = 1; h <= horizon; h++) /* alive on day n + h, and comes */
		sum += exp(ln_beta(a + x + 1, b + n - x) - ln_beta(a, b) + ln_beta(g, d + n + h) - ln_beta(g, d)) / all;
	return sum;
}

static void it_agrees_with_the_paper(void **state)
{
	(void)state;
	static const struct wh_rhythm rhythms[] = {{{1, 1}, {0.5, 1}}, {{0.7, 2.5}, {1.2, 30}}, {{3, 0.4}, {0.1, 0.2}}};
	for (unsigned k = 0; k < 3; k++)
		for (unsigned days = 1; days <= 64; days += 3)
			for (unsigned span = days - 1; span < 64; span += 5)
				for (unsigned quiet = 0; span + quiet < 64; quiet += 4) {
					double want = by_the_paper(&rhythms[k], days, span, quiet, 30),
					       got = wh_expected_days(&rhythms[k], days, span, quiet, 30);
					if (fabs(got - want) > 1e-9 * (1 + want))
						fail_msg("%u days in %u, quiet for %u: %.12g, not %.12g", days, span, quiet, got,
						         want);
				}
}

static void the_table_has_the_computed_values(void **state)
{
	(void)state;
	struct wh_expected_table *t = wh_expected_table_new(&usual, 30);
	assert_non_null(t);
	for (unsigned again = 0; again < 2; again++)
		for (unsigned days = 1; days <= 64; days++)
			for (unsigned span = days - 1; span < 64; span += 3)
				for (unsigned quiet = 0; quiet <= 64; quiet += 4)
					assert_true(wh_expected_looked_up(t, days, span, quiet) ==
					            wh_expected_days(&usual, days, span, quiet, 30));
	free(t);
}

static double expected(unsigned days, unsigned span, unsigned quiet)
{
	return wh_expected_days(&usual, days, span, quiet, 30);
}

static void the_figures_in_the_comments_are_right(void **state)
{
	(void)state;
	assert_true(fabs(expected(1, 0, 1) - 1.85) < 0.05);
	assert_true(fabs(expected(1, 0, 5) - 0.29) < 0.05);
}

static void longer_silence_means_less_and_sooner_for_a_frequent_peer(void **state)
{
	(void)state;
	for (unsigned quiet = 0; quiet < 40; quiet++)
		for (unsigned days = 1; days < 20; days++) {
			assert_true(expected(days, 20, quiet + 1) < expected(days, 20, quiet));
			if (quiet == 0)
				assert_true(expected(days + 1, 20, 0) > expected(days, 20, 0));
		}
	assert_true(expected(15, 20, 6) < expected(3, 20, 6)); /* a frequent peer would have come by now */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_agrees_with_the_paper),
		cmocka_unit_test(the_table_has_the_computed_values),
		cmocka_unit_test(the_figures_in_the_comments_are_right),
		cmocka_unit_test(longer_silence_means_less_and_sooner_for_a_frequent_peer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
