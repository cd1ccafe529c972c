/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include "base/yaml.h"
#include "whittle/jit.h"

static bool port_sound(const void *element)
{
	const struct wh_jit_port *p = element;
	return p->port && (p->proto == WH_PROTO_TCP || p->proto == WH_PROTO_UDP);
}

bool wh_jit_port_parse(const char *text, struct wh_jit_port *out)
{
	char *end;
	unsigned long port = strtoul(text, &end, 10);
	*out = (struct wh_jit_port){.proto = WH_PROTO_TCP, .port = (uint16_t)port};
	return *text >= '0' && *text <= '9' && port <= 65535 && (!*end || *end == '/') &&
	       (!*end || !wh_proto_parse(end + 1, &out->proto)) && port_sound(out);
}

static int a_port(const struct wh_key_source *src, const struct wh_yaml *entry, const char *text, void *element,
                  struct wh_error *err)
{
	return wh_jit_port_parse(text, element)
	               ? 0
	               : wh_fail_input(err, -EINVAL, "%s:%d: '%.60s' is not a port such as 22 or 53/udp", src->file,
	                               entry->line, text);
}

static const struct wh_key_list ports = {offsetof(struct wh_jit_policy, n_ports), sizeof(struct wh_jit_port), .text = a_port,
                                         .sound = port_sound, .some = true},
				from = {offsetof(struct wh_jit_policy, n_from), sizeof(struct wh_prefix), .text = wh_key_prefix,
                                        .sound = wh_key_prefix_sound, .some = true},
				who = {offsetof(struct wh_jit_policy, n_who), sizeof(const char *), .text = wh_key_copy,
                                       .some = true};

static const struct wh_key keys[] = {
	{"resource", WH_KEY_TEXT, offsetof(struct wh_jit_policy, resource), .example = "vm1",
         .help = "The resource whose ports are closed."},
	{"ports", WH_KEY_LIST, offsetof(struct wh_jit_policy, ports), .list = &ports, .example = "[22, 3389/tcp]",
         .help = "Ports that are closed until a user opens them."},
	{"from", WH_KEY_LIST, offsetof(struct wh_jit_policy, from), .list = &from, .example = "[203.0.113.0/24]",
         .help = "Sources for which the ports may be opened; without it, any source."},
	{"who", WH_KEY_LIST, offsetof(struct wh_jit_policy, who), .list = &who, .example = "[ada]",
         .help = "Users who may open the ports; without it, only root."},
	{"longest", WH_KEY_DURATION, offsetof(struct wh_jit_policy, longest_s), .max = 30 * 86400, .preset = "3h",
         .help = "The longest time of one opening."},
	{0},
};

static int complete(const struct wh_key_source *src, const struct wh_yaml *entry, void *all, size_t n, struct wh_error *err)
{
	struct wh_jit_policy *policies = all, *p = &policies[n - 1];
	if (!p->longest_s)
		p->longest_s = 3 * 3600;
	if (!p->resource || !p->n_ports)
		return wh_fail_input(err, -EINVAL, "%s:%d: a policy of 'jit' needs a resource and its ports", src->file,
		                     entry->line);
	for (size_t i = 0; i + 1 < n; i++)
		if (!strcmp(policies[i].resource, p->resource))
			return wh_fail_input(err, -EEXIST, "%s:%d: there are two policies of 'jit' for %s", src->file,
			                     entry->line, p->resource);
	return 0;
}

static const struct wh_key_list policies = {offsetof(struct wh_jit_config, n_policies),
                                            sizeof(struct wh_jit_policy),
                                            keys,
                                            .complete = complete,
                                            .of = "policies: [{resource: …, ports: […], from: […], who: […], longest: 3h}]",
                                            .entry = "a policy of 'jit' is a map with resource and ports"};

const struct wh_key wh_jit_keys[] = {
	{"jit", WH_KEY_LIST, offsetof(struct wh_jit_config, policies), .list = &policies,
         .help = "Policies of just-in-time access (whittle jit): ports that stay closed until a user opens them for one source and a limited time."},
	{"jit-sudo-options", WH_KEY_BOOL, offsetof(struct wh_jit_config, sudo_options), .preset = "no",
         .help = "yes: users who run `whittle jit` by sudo may choose its configuration, ledger, files, commands and servers. They can become root by that."},
	{0},
};
