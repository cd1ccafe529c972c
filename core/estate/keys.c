/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stddef.h>
#include "whittle/estate.h"

static const char *const scopes[] = {
	[WH_NSG_SCOPE_UNSET] = "", [WH_NSG_NIC] = "nic", [WH_NSG_SUBNET] = "subnet", [WH_NSG_BOTH] = "both", NULL};
static const char *const platforms[] = {
	[WH_PLATFORM_UNSET] = "auto", [WH_PLATFORM_AZURE] = "azure", [WH_PLATFORM_OTHER] = "other", NULL};

const struct wh_key wh_estate_keys[] = {
	{"discover", WH_KEY_WORDS, offsetof(struct wh_estate_config, discover), .example = "[10.0.0.0/8, fd00::/8]",
         .help = "Ranges in which an address that answers becomes a resource; off for none. Without an estate: the private ranges."},
	{"nsg-scope", WH_KEY_CHOICE, offsetof(struct wh_estate_config, nsg_scope), .words = scopes, .preset = "both",
         .help = "Which network security groups before a resource get its rules, if the estate does not say it."},
	{"platform", WH_KEY_CHOICE, offsetof(struct wh_estate_config, platform), .words = platforms, .preset = "auto",
         .help = "Where the hosts run. At Azure the load balancer's probes stay allowed."},
	{"labels", WH_KEY_WORDS, offsetof(struct wh_estate_config, labels), .example = "[environment=prod|test, tier]",
         .help = "Tags of machines for `connections --unwanted`: two machines with different values of a tag should not reach each other. environment=prod|test: only these values count."},
	{0},
};

int wh_nsg_scope_parse(const char *text, enum wh_nsg_scope *out)
{
	int place = wh_key_choice(scopes, text);
	if (place >= 0)
		*out = (enum wh_nsg_scope)place;
	return place < 0 ? place : 0;
}

int wh_platform_parse(const char *text, enum wh_platform *out)
{
	int place = wh_key_choice(platforms, text);
	if (place >= 0)
		*out = (enum wh_platform)place;
	return place < 0 ? place : 0;
}
