/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which groups get the rules of which resources. A packet must pass the group of the subnet and that of the network interface;
 * either of them can do the narrowing. A group's location is known from its lists of interfaces and subnets, which `az network
 * nsg show` prints.
 */
#include <string.h>
#include <strings.h>
#include "render/nsg_plan.h"

bool wh_nsg_resource_asked(const struct wh_resource *r, const struct wh_render_options *opt)
{
	bool in = !opt || !opt->n_resources;
	for (size_t i = 0; opt && i < opt->n_resources; i++)
		in |= !strcmp(opt->resources[i], r->name) || (r->id && !strcasecmp(opt->resources[i], r->id));
	return in;
}

bool wh_nsg_named(const struct wh_nsg *nsg, const struct wh_render_options *opt)
{
	return !opt || !opt->nsg || !strcasecmp(opt->nsg, nsg->name) || (nsg->id && !strcasecmp(opt->nsg, nsg->id));
}

static enum wh_nsg_scope scope_of(const struct wh_resource *r, const struct wh_render_options *opt)
{
	enum wh_nsg_scope s = opt && opt->nsg_scope ? opt->nsg_scope
	                      : r->nsg_scope        ? r->nsg_scope
	                      : opt                 ? opt->nsg_scope_default
	                                            : WH_NSG_BOTH;
	return s ? s : WH_NSG_BOTH;
}

static bool in_scope(const struct wh_nsg *nsg, enum wh_nsg_scope s)
{
	return s == WH_NSG_BOTH || (s == WH_NSG_NIC ? nsg->at_nic : nsg->at_subnet);
}

int wh_nsg_in_scope(const struct wh_nsg *nsg, const struct wh_resource *r, const struct wh_render_options *opt, bool *in,
                    struct wh_error *err)
{
	enum wh_nsg_scope s = scope_of(r, opt);
	*in = in_scope(nsg, s);
	if (s == WH_NSG_BOTH || nsg->at_nic || nsg->at_subnet)
		return 0;
	return wh_fail_input(
		err, -EINVAL,
		"%s does not say whether a network interface or a subnet has it: import it as `az network nsg show` prints it, or choose nsg-scope both",
		nsg->name);
}

bool wh_nsg_asked(const struct wh_nsg *nsg, const struct wh_estate *e, const struct wh_render_options *opt)
{
	bool in = false;
	for (size_t i = 0; i < e->n_resources && !nsg->aws; i++)
		in |= wh_resource_guarded_by(&e->resources[i], nsg) && wh_nsg_resource_asked(&e->resources[i], opt) &&
		      (in_scope(nsg, scope_of(&e->resources[i], opt)) || (!nsg->at_nic && !nsg->at_subnet));
	return in && wh_nsg_named(nsg, opt);
}

const char *wh_nsg_scope_notes(const struct wh_recommendation *r, const struct wh_render_options *opt, struct wh_arena *mem)
{
	const char *s = "";
	for (size_t i = 0; i < r->n_resources; i++) {
		const struct wh_resource *res = r->resources[i].resource;
		bool aws = res->n_nsgs > 0, any = !res->n_nsgs || !r->resources[i].n_rules || !wh_nsg_resource_asked(res, opt);
		for (size_t k = 0; k < res->n_nsgs; k++)
			any |= in_scope(res->nsgs[k], scope_of(res, opt)) || (!res->nsgs[k]->at_nic && !res->nsgs[k]->at_subnet);
		for (size_t k = 0; k < res->n_nsgs; k++)
			aws &= res->nsgs[k]->aws;
		if (aws && r->resources[i].n_rules && wh_nsg_resource_asked(res, opt))
			s = wh_arena_printf(mem, "%s%s: its groups are AWS's: `whittle export --format aws` has their changes\n",
			                    s, res->name);
		else if (!any)
			s = wh_arena_printf(mem, "%s%s: none of its groups is at a %s (nsg-scope), so its rules go nowhere\n", s,
			                    res->name, scope_of(res, opt) == WH_NSG_NIC ? "network interface" : "subnet");
	}
	return s;
}
