/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Load balancers of AWS out of Terraform's state, as `aws elbv2` and `aws elb` print them. A group has its targets and its
 * attribute for the client's address in members of its own, which AWS prints in answers that don't name the group.
 *
 *   aws_lb_target_group.web {port: 22}, aws_lb_target_group_attachment.a {target_id: i-1}
 *   → {"TargetGroupArn": …, "Port": 22, "Targets": [{"Target": {"Id": "i-1"}}]}
 */
#include <string.h>
#include "estate/aws.h"
#include "estate/terraform_aws.h"

static bool is(const struct wh_tf_aws *s, const char *type)
{
	return !strcmp(s->type, type);
}

static void put(json_t *o, const char *member, const json_t *v)
{
	if (v && !json_is_null(v))
		json_object_set(o, member, (json_t *)(uintptr_t)v);
}

static json_t *text(const char *s, const char *otherwise)
{
	return json_string(s ? s : otherwise);
}

static void take_balancer(struct wh_tf_aws *s, const json_t *v)
{
	json_t *o = wh_tf_aws_object(s, "LoadBalancerArn", wh_aws_text(v, "id")), *zones = json_array(), *e;
	size_t i;
	json_array_foreach(json_object_get(v, "subnets"), i, e)
		json_array_append_new(zones, json_pack("{s:O}", "SubnetId", e));
	if (!i)
		json_array_foreach(json_object_get(v, "subnet_mapping"), i, e)
			if (wh_aws_text(e, "subnet_id"))
				json_array_append_new(zones, json_pack("{s:s}", "SubnetId", wh_aws_text(e, "subnet_id")));
	json_object_set_new(o, "LoadBalancerName", text(wh_aws_text(v, "name"), "(no name)"));
	json_object_set_new(o, "Scheme",
	                    json_string(json_is_true(json_object_get(v, "internal")) ? "internal" : "internet-facing"));
	json_object_set_new(o, "Type", text(wh_aws_text(v, "load_balancer_type"), "application"));
	put(o, "VpcId", json_object_get(v, "vpc_id"));
	put(o, "SecurityGroups", json_object_get(v, "security_groups"));
	json_object_set_new(o, "AvailabilityZones", zones);
}

static void take_group(struct wh_tf_aws *s, const json_t *v)
{
	json_t *o = wh_tf_aws_object(s, "TargetGroupArn", wh_aws_text(v, "id")), *arns = json_object_get(v, "load_balancer_arns");
	const char *keeps = wh_aws_text(v, "preserve_client_ip");
	json_object_set_new(o, "TargetGroupName", text(wh_aws_text(v, "name"), "(no name)"));
	put(o, "Port", json_object_get(v, "port"));
	put(o, "Protocol", json_object_get(v, "protocol"));
	put(o, "VpcId", json_object_get(v, "vpc_id"));
	json_object_set_new(o, "TargetType", text(wh_aws_text(v, "target_type"), "instance"));
	json_object_set_new(o, "LoadBalancerArns", json_is_array(arns) ? json_copy(arns) : json_array());
	json_object_set_new(o, "Attributes",
	                    keeps ? json_pack("[{s:s, s:s}]", "Key", "preserve_client_ip.enabled", "Value", keeps)
	                          : json_array());
	if (!json_object_get(o, "Targets"))
		json_object_set_new(o, "Targets", json_array());
}

/* An attachment: one target of a group. */
static void take_target(struct wh_tf_aws *s, const json_t *v)
{
	json_t *o = wh_tf_aws_object(s, "TargetGroupArn", wh_aws_text(v, "target_group_arn")), *list, *port, *target;
	if (!o || !wh_aws_text(v, "target_id"))
		return;
	if (!(list = json_object_get(o, "Targets")))
		json_object_set_new(o, "Targets", list = json_array());
	target = json_pack("{s:s}", "Id", wh_aws_text(v, "target_id"));
	port = json_object_get(v, "port");
	if (json_is_integer(port) && json_integer_value(port))
		json_object_set(target, "Port", port);
	json_array_append_new(list, json_pack("{s:o}", "Target", target));
}

/* A listener, and at the groups that it leads to its balancer. */
static void take_listener(struct wh_tf_aws *s, const json_t *v)
{
	const char *balancer = wh_aws_text(v, "load_balancer_arn");
	json_t *o = wh_tf_aws_object(s, "ListenerArn", wh_aws_text(v, "id")), *actions = json_array(), *a, *f, *g;
	size_t i, j, k;
	put(o, "LoadBalancerArn", json_object_get(v, "load_balancer_arn"));
	put(o, "Port", json_object_get(v, "port"));
	put(o, "Protocol", json_object_get(v, "protocol"));
	json_object_set_new(o, "DefaultActions", actions);
	json_array_foreach(json_object_get(v, "default_action"), i, a) {
		json_t *arns = json_array();
		if (wh_aws_text(a, "target_group_arn"))
			json_array_append(arns, json_object_get(a, "target_group_arn"));
		json_array_foreach(json_object_get(a, "forward"), j, f)
			json_array_foreach(json_object_get(f, "target_group"), k, g)
				if (wh_aws_text(g, "arn"))
					json_array_append(arns, json_object_get(g, "arn"));
		json_array_foreach(arns, j, g) {
			json_array_append_new(actions, json_pack("{s:O}", "TargetGroupArn", g));
			if (balancer)
				json_array_append_new(s->joins, json_pack("{s:s, s:s, s:O}", "type", s->type, "balancer",
				                                          balancer, "group", g));
		}
		json_decref(arns);
	}
}

void wh_tf_aws_join_listener(struct wh_tf_aws *s, const json_t *join)
{
	json_t *group = json_object_get(s->objects, wh_tf_aws_key(s, "TargetGroupArn", wh_aws_text(join, "group"))),
	       *arns = json_object_get(group, "LoadBalancerArns");
	if (json_is_array(arns))
		json_array_append(arns, json_object_get(join, "balancer"));
}

static void take_classic(struct wh_tf_aws *s, const json_t *v)
{
	json_t *o = wh_tf_aws_object(s, "LoadBalancerName", wh_aws_text(v, "id")), *listeners = json_array(), *to = json_array(),
	       *e;
	size_t i;
	json_array_foreach(json_object_get(v, "listener"), i, e) {
		const char *proto = wh_aws_text(e, "lb_protocol");
		json_array_append_new(listeners, json_pack("{s:{s:s, s:O?, s:O?}}", "Listener", "Protocol", proto ? proto : "tcp",
		                                           "LoadBalancerPort", json_object_get(e, "lb_port"), "InstancePort",
		                                           json_object_get(e, "instance_port")));
	}
	json_array_foreach(json_object_get(v, "instances"), i, e)
		json_array_append_new(to, json_pack("{s:O}", "InstanceId", e));
	json_object_set_new(o, "Scheme",
	                    json_string(json_is_true(json_object_get(v, "internal")) ? "internal" : "internet-facing"));
	json_object_set_new(o, "ListenerDescriptions", listeners);
	json_object_set_new(o, "Instances", to);
	put(o, "Subnets", json_object_get(v, "subnets"));
	put(o, "SecurityGroups", json_object_get(v, "security_groups"));
}

bool wh_tf_aws_take_balancer(struct wh_tf_aws *s, const json_t *v)
{
	static const struct {
		const char *type;
		void (*take)(struct wh_tf_aws *s, const json_t *v);
	} types[] = {{"aws_lb", take_balancer},
	             {"aws_alb", take_balancer},
	             {"aws_lb_target_group", take_group},
	             {"aws_alb_target_group", take_group},
	             {"aws_lb_listener", take_listener},
	             {"aws_alb_listener", take_listener},
	             {"aws_lb_target_group_attachment", take_target},
	             {"aws_alb_target_group_attachment", take_target},
	             {"aws_elb", take_classic}};
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (is(s, types[i].type)) {
			if (wh_aws_text(v, "id"))
				types[i].take(s, v);
			return true;
		}
	return false;
}
