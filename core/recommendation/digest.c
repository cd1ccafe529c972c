/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include "base/bytes.h"
#include "base/sha256.h"
#include "whittle/recommendation.h"

static void put_list(struct wh_bytes *b, const struct wh_prefix *p, size_t n)
{
	wh_put_number(b, n, 8);
	for (size_t i = 0; i < n; i++)
		wh_put_prefix(b, &p[i]);
}

const char *wh_rules_digest(const struct wh_resource_result *r, char out[static WH_DIGEST_STRLEN])
{
	struct wh_bytes b = {0};
	uint8_t hash[WH_SHA256_BYTES];
	for (size_t i = 0; i < r->n_rules; i++) {
		const struct wh_recommended_rule *k = &r->rules[i];
		wh_put_number(&b, k->direction, 1);
		wh_put_number(&b, k->proto, 1);
		wh_put_number(&b, k->port, 2);
		put_list(&b, k->prefixes, k->n_prefixes);
		put_list(&b, k->except, k->n_except);
	}
	*out = 0;
	if (b.failed) { /* nobody has this digest: any comparison with it fails */
		free(b.p);
		return out;
	}
	wh_sha256(b.n ? b.p : (const uint8_t *)"", b.n, hash);
	for (size_t i = 0; i < sizeof hash; i++)
		snprintf(out + 2 * i, 3, "%02x", hash[i]);
	free(b.p);
	return out;
}

int wh_rule_by_port(const void *a, const void *b)
{
	const struct wh_recommended_rule *x = a, *y = b;
	if (x->direction != y->direction)
		return (int)x->direction - (int)y->direction;
	if (x->port != y->port)
		return x->port < y->port ? -1 : 1;
	return (int)x->proto - (int)y->proto;
}
