/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <math.h>
#include "eval.h"

struct rng rng_of(uint64_t seed, uint64_t purpose)
{
	struct rng r = {seed * 0x9e3779b97f4a7c15u ^ (purpose + 1) * 0xd1b54a32d192ed03u};
	rng_u64(&r);
	rng_u64(&r);
	return r;
}

uint64_t rng_u64(struct rng *r)
{
	uint64_t z = (r->s += 0x9e3779b97f4a7c15u);
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

uint32_t rng_below(struct rng *r, uint32_t n)
{
	return (uint32_t)((rng_u64(r) >> 32) * n >> 32);
}

int rng_range(struct rng *r, int from, int to)
{
	return from + (int)rng_below(r, (uint32_t)(to - from + 1));
}

double rng_unit(struct rng *r)
{
	return (double)(rng_u64(r) >> 11) * 0x1p-53;
}

bool rng_chance(struct rng *r, double p)
{
	return rng_unit(r) < p;
}

double rng_lognormal(struct rng *r, double median, double sigma)
{
	double u = 1 - rng_unit(r), v = rng_unit(r);
	return median * exp(sigma * sqrt(-2 * log(u)) * cos(2 * M_PI * v));
}
