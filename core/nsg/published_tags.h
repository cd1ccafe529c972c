/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of service tags, whether the list of their addresses is at hand or not. */
#pragma once
#include <stdbool.h>

/* Whether Azure has a service tag of this name or, before a dot, of this part of it (Storage.WestEurope); ignoring case; or AWS a
 * list. Source: "Virtual network service tags" of Azure's documentation. */
bool wh_tag_is_published(const char *tag);
/* Whether AWS keeps a prefix list of this name: the addresses of one of its services
 * ("com.amazonaws.global.cloudfront.origin-facing"). Source: "AWS-managed prefix lists" of Amazon VPC's documentation; no
 * customer's list may have such a name. */
bool wh_tag_is_aws(const char *tag);
/* AzureCloud and its regions: addresses of every customer's machines. */
bool wh_tag_is_cloud(const char *tag);
/* In a tag's place: an expression of a template ("[parameters('source')]", "${var.source}"), whose value is not known here. */
bool wh_tag_is_expression(const char *tag);
