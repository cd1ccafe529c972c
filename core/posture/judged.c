/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The machines that are judged, and the types of their resources. */
#include <strings.h>
#include "posture/run.h"

bool wh_run_judged(const struct wh_host *h)
{
	return h->kind != WH_HOST_PRIVATE_ENDPOINT && h->kind != WH_HOST_INTERFACE;
}

const char *wh_host_type(const struct wh_host *h)
{
	static const char *const types[] = {[WH_HOST_VM] = "Microsoft.Compute/virtualMachines",
	                                    [WH_HOST_INSTANCE] = "Microsoft.Compute/virtualMachineScaleSets/virtualMachines",
	                                    [WH_HOST_PRIVATE_ENDPOINT] = "Microsoft.Network/privateEndpoints",
	                                    [WH_HOST_CLASSIC] = "Microsoft.ClassicCompute/virtualMachines",
	                                    [WH_HOST_INTERFACE] = "AWS::EC2::NetworkInterface",
	                                    [WH_HOST_SET] = "Microsoft.Compute/virtualMachineScaleSets"};
	return types[h->kind];
}

const char *wh_run_label(const struct wh_host *h, const char *const *keys, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < h->n_tags; k++)
			if (!strcasecmp(h->tags[k].name, keys[i]))
				return h->tags[k].value;
	return NULL;
}
