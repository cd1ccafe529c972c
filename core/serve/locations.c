/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * locations of Microsoft.Security: this server is one. In Azure each subscription has one, its home region, where its data are
 * kept; so a location chooses no machines, and a list by location has all of them. Scripts also name the region of the machine
 * that they ask about, so those of the estate are known, too. Any other is refused, as Azure does: an empty or a full list would
 * hide the misspelled name.
 */
#include <strings.h>
#include "serve/endpoints.h"
#include "serve/locations.h"
#include "whittle/ledger.h"

const char *wh_call_location_of(const struct wh_call *c)
{
	for (size_t i = 0; i + 1 < c->target.n; i++)
		if (!strcasecmp(c->target.segments[i], "locations"))
			return c->target.segments[i + 1];
	return WH_LOCAL_LOCATION;
}

int wh_call_network(const struct wh_call *c, struct wh_state **s, struct wh_app_network **net, struct wh_error *err)
{
	*net = NULL;
	*s = NULL;
	int rc = wh_ledger_state(c->app->store_url, WH_STATE_READ, s, err);
	return rc ? rc : wh_app_network_open(*s, NULL, 0, net, err);
}

int wh_call_location(struct wh_call *c, bool *known, struct wh_error *err)
{
	const char *name = wh_call_location_of(c);
	struct wh_app_network *net;
	struct wh_state *s;
	*known = !strcasecmp(name, WH_LOCAL_LOCATION);
	if (*known)
		return 0;
	int rc = wh_call_network(c, &s, &net, err);
	*known = !rc && wh_app_network_is_at(net, name);
	wh_app_network_close(net);
	wh_state_close(s);
	if (rc == -ENODATA || rc == -ENOENT) /* no network was imported */
		rc = 0;
	if (!rc && !*known)
		wh_call_refuse(c, 400, "GeneralError",
		               "the location '%.60s' is none of this server's: ask for /subscriptions/%.60s/providers/"
		               "Microsoft.Security/locations and name that location",
		               name, c->values[0]);
	return rc;
}

static json_t *location(const struct wh_call *c)
{
	return json_pack("{s:s, s:s, s:s, s:{s:s}}", "id",
	                 wh_arena_printf(c->mem, "/subscriptions/%s/providers/Microsoft.Security/locations/" WH_LOCAL_LOCATION,
	                                 c->values[0]),
	                 "name", WH_LOCAL_LOCATION, "type", "Microsoft.Security/locations", "properties", "homeRegionName",
	                 WH_LOCAL_LOCATION);
}

WH_ENDPOINT(locations_list)
{
	(void)err;
	return wh_call_list(c, json_pack("[o]", location(c)));
}

WH_ENDPOINT(location_get)
{
	(void)err;
	if (strcasecmp(c->values[1], WH_LOCAL_LOCATION))
		return wh_call_refuse(c, 404, "ResourceNotFound", "there is one location, " WH_LOCAL_LOCATION);
	return wh_call_json(c, 200, location(c));
}
