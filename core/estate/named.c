/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Resources as a caller names them. */
#include "whittle/estate.h"

const struct wh_resource *wh_estate_require(const struct wh_estate *e, const char *name_or_id, struct wh_error *err)
{
	const struct wh_resource *r = wh_estate_find(e, name_or_id);
	if (!r)
		wh_fail_input(err, -ENXIO, "there is no resource '%.300s'; `whittle estate show` lists them", name_or_id);
	return r;
}

int wh_estate_require_all(const struct wh_estate *e, const char *const *names, size_t n, struct wh_error *err)
{
	for (size_t i = 0; i < n; i++)
		if (!wh_estate_require(e, names[i], err))
			return -ENXIO;
	return 0;
}

bool wh_estate_is_named(const struct wh_estate *e, const struct wh_resource *r, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (wh_estate_find(e, names[i]) == r)
			return true;
	return n == 0;
}
