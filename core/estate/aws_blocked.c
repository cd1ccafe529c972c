/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * VPC Block Public Access of AWS: a region's switch that keeps the Internet from coming in by Internet gateways, or lets nothing
 * through them and egress-only ones either way, whatever security groups and routes say. Where it keeps out what comes in, NAT
 * and egress-only gateways still lead outward; machines with public addresses get no answers. Subnets and VPCs may be excluded
 * from it, or ("allow-egress") from the way out. Source: Amazon's documentation of BlockPublicAccessStates and of
 * VpcBlockPublicAccessExclusion.
 *
 * `describe-subnets` and `describe-vpcs` print the mode that is in force; else it follows from the region's mode and the
 * exclusions.
 */
#include <string.h>
#include <strings.h>
#include "estate/aws.h"

static const char *state_of(const struct wh_item *it)
{
	const json_t *states = it ? json_object_get(it->body, "BlockPublicAccessStates") : NULL;
	return wh_aws_text(states, "InternetGatewayBlockMode");
}

static bool blocks(const char *mode)
{
	return mode && !strncasecmp(mode, "block-", 6);
}

/* Whether an exclusion in force lets packets both ways ("allow-bidirectional"), or out ("allow-egress"). */
static bool is_excluded(struct wh_aws *a, const char *subnet, const char *vpc, const char *how)
{
	struct wh_aws_list l = wh_aws_of_kind(a, "unblocked-access");
	for (size_t i = 0; i < l.n; i++) {
		const json_t *o = l.items[i]->body;
		const char *arn = wh_aws_text(o, "ResourceArn"), *id = arn ? strrchr(arn, '/') : NULL,
			   *state = wh_aws_text(o, "State"), *mode = wh_aws_text(o, "InternetGatewayExclusionMode");
		if (id && mode && !strcasecmp(mode, how) && (!state || !strstr(state, "delete-complete")) &&
		    ((subnet && !strcmp(id + 1, subnet)) || (vpc && !strcmp(id + 1, vpc))))
			return true;
	}
	return false;
}

static enum wh_blocked of_mode(const char *mode)
{
	return !blocks(mode) ? WH_BLOCKED_NOT : !strcasecmp(mode, "block-bidirectional") ? WH_BLOCKED_BOTH : WH_BLOCKED_IN;
}

enum wh_blocked wh_aws_block(struct wh_aws *a, const char *subnet, const char *vpc)
{
	const struct wh_item *own = wh_aws_find(a, "subnet", subnet);
	struct wh_aws_list l = wh_aws_of_kind(a, "blocked-access");
	enum wh_blocked least = WH_BLOCKED_BOTH;
	vpc = vpc || !own ? vpc : wh_aws_text(own->body, "VpcId");
	const char *mode = state_of(own);
	mode = mode ? mode : state_of(wh_aws_find(a, "vpc", vpc));
	if (mode || !l.n)
		return of_mode(mode);
	for (size_t i = 0; i < l.n; i++) { /* of several regions: which one the subnet is in, is not known */
		enum wh_blocked one = of_mode(wh_aws_text(l.items[i]->body, "InternetGatewayBlockMode"));
		least = one < least ? one : least;
	}
	if (is_excluded(a, subnet, vpc, "allow-bidirectional"))
		return WH_BLOCKED_NOT;
	return least == WH_BLOCKED_BOTH && is_excluded(a, subnet, vpc, "allow-egress") ? WH_BLOCKED_IN : least;
}

bool wh_aws_blocked(struct wh_aws *a, const char *subnet, const char *vpc)
{
	return wh_aws_block(a, subnet, vpc) != WH_BLOCKED_NOT;
}
