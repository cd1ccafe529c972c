/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * VPC Block Public Access of AWS: a region's switch that keeps the Internet from coming in by Internet gateways, whatever security
 * groups and routes say. Subnets and VPCs may be excluded from it.
 *
 * `describe-subnets` and `describe-vpcs` print the mode that is in force; else it follows from the region's mode and the exclusions.
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

/* Whether an exclusion in force lets the Internet in; "allow-egress" lets nobody in. */
static bool is_excluded(struct wh_aws *a, const char *subnet, const char *vpc)
{
	struct wh_aws_list l = wh_aws_of_kind(a, "unblocked-access");
	for (size_t i = 0; i < l.n; i++) {
		const json_t *o = l.items[i]->body;
		const char *arn = wh_aws_text(o, "ResourceArn"), *id = arn ? strrchr(arn, '/') : NULL,
			   *state = wh_aws_text(o, "State"), *mode = wh_aws_text(o, "InternetGatewayExclusionMode");
		if (id && mode && !strcasecmp(mode, "allow-bidirectional") && (!state || !strstr(state, "delete-complete")) &&
		    ((subnet && !strcmp(id + 1, subnet)) || (vpc && !strcmp(id + 1, vpc))))
			return true;
	}
	return false;
}

bool wh_aws_blocked(struct wh_aws *a, const char *subnet, const char *vpc)
{
	const struct wh_item *own = wh_aws_find(a, "subnet", subnet);
	struct wh_aws_list l = wh_aws_of_kind(a, "blocked-access");
	vpc = vpc || !own ? vpc : wh_aws_text(own->body, "VpcId");
	const char *mode = state_of(own);
	mode = mode ? mode : state_of(wh_aws_find(a, "vpc", vpc));
	if (mode || !l.n)
		return blocks(mode);
	for (size_t i = 0; i < l.n; i++) /* of several regions: which one the subnet is in, is not known */
		if (!blocks(wh_aws_text(l.items[i]->body, "InternetGatewayBlockMode")))
			return false;
	return !is_excluded(a, subnet, vpc);
}
