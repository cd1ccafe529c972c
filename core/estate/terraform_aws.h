/* SPDX-License-Identifier: GPL-2.0-or-later */
/* AWS's resources of one state of Terraform's, collected, then taken as `aws ec2 describe-…` prints them. */
#pragma once
#include "estate/inventory.h"

struct wh_tf_aws {
	struct wh_inventory *inv;
	size_t document;
	const char *path;  /* of the resource that is taken */
	const char *type;  /* its type */
	size_t n_nameless; /* resources without an id: of a plan */
	/* NULL before the first. AWS's objects by member and id, and where they are; by VPC the main tables, chosen and original;
	 * by instance its first interface's id, by that one its object; what joins others */
	json_t *objects, *paths, *mains, *originals, *first, *joins;
};
/* The key of `objects` and `paths`: an object by the member that has its id. */
const char *wh_tf_aws_key(const struct wh_tf_aws *s, const char *member, const char *id);
/* The first of two members that has a text; NULL: none has. */
const char *wh_tf_aws_either(const json_t *v, const char *a, const char *b);
/* An association with this public address, which a plan does not have yet. A new reference. */
json_t *wh_tf_aws_association(const char *public);
/* AWS's object whose member has this id; made where it is not there. NULL: no id. */
json_t *wh_tf_aws_object(struct wh_tf_aws *s, const char *member, const char *id);
/* terraform_aws_balancers.c: load balancers, as wh_tf_aws_take(); and what a listener says of the groups that it leads to. */
bool wh_tf_aws_take_balancer(struct wh_tf_aws *s, const json_t *v);
void wh_tf_aws_join_listener(struct wh_tf_aws *s, const json_t *join);
/* False: the type is none of those that are read. `v`: its attributes. */
bool wh_tf_aws_take(struct wh_tf_aws *s, const char *type, const char *path, const json_t *v);
/* Takes what was collected into the inventory, and frees it. */
int wh_tf_aws_finish(struct wh_tf_aws *s, struct wh_error *err);
