/* SPDX-License-Identifier: GPL-2.0-or-later */
/* inventory_plan_aws.c: what a plan of Terraform's does not say of AWS's resources yet. */
#pragma once
#include "estate/inventory.h"

/* In place of a public address that AWS will choose. */
#define WH_PLAN_PUBLIC "planned"
/* The id of a resource that is not made yet: of its address in the plan. */
const char *wh_plan_aws_id(const char *type, const char *address, struct wh_arena *mem);
/* Whether a member of a rule or route ("security_groups", "gateway_id") may name the resource with this planned id. */
bool wh_plan_aws_refers(const char *member, const char *id);
/* Adds interfaces, default groups and public addresses of the planned instances (`by_address`: resources by address), and what
 * they need to `resources`. Once references are resolved. */
void wh_plan_aws_add(json_t *by_address, json_t *resources, struct wh_arena *mem);
