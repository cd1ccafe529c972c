/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Services of the platform by their own firewalls: whom they answer, as an exact set of addresses. A service answers the Internet
 * where that set has a large part of it, however many rules it is made of, or where it holds every customer of Azure.
 *
 *   storage, key vault, registry, AI …  networkAcls: a default, and ranges that are let in
 *   SQL, PostgreSQL, MySQL, Synapse …   firewallRules below it: ranges; 0.0.0.0 alone is all of Azure. Redis: none is everybody
 *   Search, Event Grid, Data Explorer … a list of ranges; an empty one is everybody
 *   Service Bus, Event Hubs, Relay      networkRuleSets below it; without an entry it answers everybody, whatever its default
 *   Cosmos DB                           ipRules; 0.0.0.0 is all of Azure
 *   Kubernetes                          authorizedIPRanges, or a private cluster
 *   App Service                         ipSecurityRestrictions in the order of their priorities; its deployment site (scm) has
 *                                       a list of its own, or uses the main one
 *   Databricks, Data Factory …          public network access, and no list
 *   API Management, SQL instances …     a network of yours, whose groups decide, or the Internet
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "posture/checks.h"

enum kind { ACL, RULES, OPEN_RULES, LIST, NAMESPACE, COSMOS, KUBERNETES, SITE, SWITCH, INSIDE };
static const struct service {
	const char *type;
	enum kind kind;
	const char *list; /* LIST: the member that has it. INSIDE: the member that says where it is */
} services[] = {
	{"Microsoft.Storage/storageAccounts", ACL, NULL},
	{"Microsoft.KeyVault/vaults", ACL, NULL},
	{"Microsoft.CognitiveServices/accounts", ACL, NULL},
	{"Microsoft.ContainerRegistry/registries", ACL, NULL},
	{"Microsoft.Devices/IotHubs", ACL, NULL},
	{"Microsoft.Sql/servers", RULES, NULL},
	{"Microsoft.DBforPostgreSQL/servers", RULES, NULL},
	{"Microsoft.DBforPostgreSQL/flexibleServers", RULES, NULL},
	{"Microsoft.DBforPostgreSQL/serverGroupsv2", RULES, NULL},
	{"Microsoft.DBforMySQL/servers", RULES, NULL},
	{"Microsoft.DBforMySQL/flexibleServers", RULES, NULL},
	{"Microsoft.DBforMariaDB/servers", RULES, NULL},
	{"Microsoft.Synapse/workspaces", RULES, NULL},
	{"Microsoft.Cache/Redis", OPEN_RULES, NULL},
	{"Microsoft.Search/searchServices", LIST, "ipRules"},
	{"Microsoft.EventGrid/topics", LIST, "inboundIpRules"},
	{"Microsoft.EventGrid/domains", LIST, "inboundIpRules"},
	{"Microsoft.Kusto/clusters", LIST, "allowedIpRangeList"},
	{"Microsoft.MachineLearningServices/workspaces", LIST, "ipAllowlist"},
	{"Microsoft.ServiceBus/namespaces", NAMESPACE, NULL},
	{"Microsoft.EventHub/namespaces", NAMESPACE, NULL},
	{"Microsoft.Relay/namespaces", NAMESPACE, NULL},
	{"Microsoft.DocumentDB/databaseAccounts", COSMOS, NULL},
	{"Microsoft.ContainerService/managedClusters", KUBERNETES, NULL},
	{"Microsoft.Web/sites", SITE, NULL},
	{"Microsoft.Web/sites/slots", SITE, NULL},
	{"Microsoft.AppConfiguration/configurationStores", SWITCH, NULL},
	{"Microsoft.Databricks/workspaces", SWITCH, NULL},
	{"Microsoft.DataFactory/factories", SWITCH, NULL},
	{"Microsoft.ApiManagement/service", INSIDE, "virtualNetworkType"},
	{"Microsoft.Sql/managedInstances", INSIDE, "publicDataEndpointEnabled"},
	{"Microsoft.ContainerInstance/containerGroups", INSIDE, "ipAddress"},
};

/* The addresses that a service answers. */
struct whom {
	struct wh_run *run;
	struct wh_ranges set;
	bool everybody, azure;
	const char *unknown; /* why it can't be told; NULL: it is known */
	const char *where;   /* "" or the part of it that answers */
	const char *cause;   /* why it answers, where that is no firewall of its own; NULL: it is */
};

static const char *first_text(const json_t *o, const char *const *names)
{
	const char *found = NULL;
	for (size_t i = 0; names[i] && !found; i++)
		found = wh_field_text(o, names[i]);
	return found;
}

static void add_list(struct whom *w, const json_t *list)
{
	static const char *const values[] = {"value", "ipAddressOrRange", "ipMask", NULL};
	size_t i;
	json_t *v;
	json_array_foreach((json_t *)(uintptr_t)list, i, v)
		wh_run_add_prefix(w->run, &w->set, json_is_string(v) ? json_string_value(v) : first_text(v, values));
}

static void by_acl(struct whom *w, const json_t *acl)
{
	const char *otherwise = wh_field_text(acl, "defaultAction");
	w->everybody = !otherwise || strcasecmp(otherwise, "Deny") != 0;
	add_list(w, wh_field(acl, "ipRules"));
}

static void by_own_acl(struct whom *w, const json_t *body)
{
	static const char *const names[] = {"networkAcls", "networkRuleSet", "networkRuleSets", NULL};
	const json_t *acl = NULL;
	for (size_t i = 0; names[i] && !acl; i++)
		acl = wh_field(body, names[i]);
	by_acl(w, acl);
}

static void by_own_list(struct whom *w, const json_t *body, const char *name)
{
	const json_t *list = wh_field(body, name);
	list = list ? list : wh_field(wh_field(body, "networkRuleSet"), name);
	w->everybody = !json_array_size(list);
	add_list(w, list);
}

static bool is_below(const struct wh_asset *child, const struct wh_asset *a)
{
	size_t len = a->id ? strlen(a->id) : 0;
	return len && child->id && !strncasecmp(child->id, a->id, len) && child->id[len] == '/';
}

/* The rules of a server are resources below it. */
static void by_rules(struct whom *w, const struct wh_asset *a, enum kind kind)
{
	static const char *const starts[] = {"startIpAddress", "startIP", NULL}, *const ends[] = {"endIpAddress", "endIP", NULL};
	const struct wh_assets *all = w->run->in->assets;
	size_t from, own = 0, to = wh_assets_of_type(all, wh_arena_printf(w->run->mem, "%s/firewallRules", a->type), &from);
	for (size_t i = from; i < to; i++) {
		const struct wh_asset *rule = &all->list[all->by_type[i]];
		const char *start = first_text(rule->body, starts), *end = first_text(rule->body, ends);
		struct wh_range r;
		if (!is_below(rule, a))
			continue;
		own++;
		if (!start || !end || wh_addr_parse(start, strlen(start), &r.from) || wh_addr_parse(end, strlen(end), &r.to) ||
		    wh_addr_cmp(&r.from, &r.to) > 0)
			continue;
		if (!strcmp(start, "0.0.0.0") && !strcmp(end, "0.0.0.0"))
			w->azure = true;
		w->set = wh_ranges_union(w->set, (struct wh_ranges){&r, 1}, w->run->mem);
	}
	if (from == to)
		w->unknown = "the inventory has no firewall rules of such services (`… firewall-rule list`)";
	else
		w->everybody = kind == OPEN_RULES && !own;
}

/* The tiers below Premium of Service Bus, and the Basic one of Event Hubs, have no firewall. */
static bool has_no_firewall(const struct wh_asset *a)
{
	const char *tier = wh_field_text(wh_field(a->body, "sku"), "tier");
	tier = tier ? tier : wh_field_text(wh_field(a->body, "sku"), "name");
	return tier && (!strcasecmp(tier, "Basic") ||
	                (!strcasecmp(a->type, "Microsoft.ServiceBus/namespaces") && !strcasecmp(tier, "Standard")));
}

static void by_namespace(struct whom *w, const struct wh_asset *a)
{
	const struct wh_assets *all = w->run->in->assets;
	size_t from, to = wh_assets_of_type(all, wh_arena_printf(w->run->mem, "%s/networkRuleSets", a->type), &from);
	const json_t *set = NULL;
	for (size_t i = from; i < to && !set; i++)
		set = is_below(&all->list[all->by_type[i]], a) ? all->list[all->by_type[i]].body : NULL;
	const char *access = wh_field_text(set, "publicNetworkAccess");
	w->everybody = has_no_firewall(a);
	if (w->everybody || (access && strcasecmp(access, "Enabled")))
		return;
	if (!set) {
		w->unknown = "the inventory has no network rules of it (`… namespace network-rule-set show`)";
		return;
	}
	by_acl(w, set);
	w->everybody |= !json_array_size(wh_field(set, "ipRules")) && !json_array_size(wh_field(set, "virtualNetworkRules"));
}

/* Older answers have a text with commas. */
static void by_cosmos(struct whom *w, const json_t *body)
{
	static const char *const values[] = {"ipAddressOrRange", NULL};
	const json_t *list = wh_field(body, "ipRules");
	const char *at = list ? "" : wh_field_text(body, "ipRangeFilter");
	size_t n = json_array_size(list);
	w->everybody = !n && (!at || !*at) && !wh_field_bool(body, "isVirtualNetworkFilterEnabled", false);
	for (size_t i = 0; i < n || (at && *at); i++) {
		size_t len = i < n ? 0 : strcspn(at += strspn(at, ", "), ", ");
		const char *text = i < n ? first_text(json_array_get(list, i), values)
		                         : wh_arena_printf(w->run->mem, "%.*s", (int)len, at);
		at = at ? at + len : at;
		w->azure |= text && (!strcmp(text, "0.0.0.0") || !strcmp(text, "0.0.0.0/32"));
		wh_run_add_prefix(w->run, &w->set, text);
	}
}

/* A store with a private endpoint, whose switch was never set, is closed. */
static void by_switch(struct whom *w, const struct wh_asset *a)
{
	bool automatic = !strcasecmp(a->type, "Microsoft.AppConfiguration/configurationStores");
	w->everybody = wh_field(a->body, "publicNetworkAccess") || !automatic || !wh_field(a->body, "privateEndpointConnections");
	w->cause = "it answers the Internet: its public network access is not disabled";
}

static void by_place(struct whom *w, const struct wh_asset *a, const char *member)
{
	const json_t *v = wh_field(a->body, member);
	const char *where = json_is_string(v) ? json_string_value(v) : json_is_true(v) ? "External" : wh_field_text(v, "type");
	bool instance = !strcasecmp(member, "publicDataEndpointEnabled");
	if (where && !strcasecmp(where, "External"))
		w->unknown = "the group before its subnet decides whom it answers";
	w->everybody = !strcasecmp(member, "ipAddress") ? where && !strcasecmp(where, "Public")
	               : !instance && (!where || !strcasecmp(where, "None"));
	w->cause = "it has a public address, and nothing stands before it";
}

static void by_cluster(struct whom *w, const json_t *body)
{
	const json_t *access = wh_field(body, "apiServerAccessProfile"), *list = wh_field(access, "authorizedIPRanges");
	size_t i;
	json_t *v;
	if (wh_field_bool(access, "enablePrivateCluster", false))
		return;
	w->everybody = !json_array_size(list);
	json_array_foreach((json_t *)(uintptr_t)list, i, v)
		wh_run_add_prefix(w->run, &w->set, json_string_value(v));
}

/* ---- App Service ---- */

struct restriction {
	int64_t priority;
	bool allow, azure;
	struct wh_ranges set;
};

static int by_priority(const void *a, const void *b)
{
	int64_t x = ((const struct restriction *)a)->priority, y = ((const struct restriction *)b)->priority;
	return (x > y) - (x < y);
}

/* A rule of a service's tag or a subnet lets in no stranger, nor one that asks for a header. */
static struct restriction restriction_of(struct wh_run *run, const json_t *o)
{
	const char *text = wh_field_text(o, "ipAddress"), *action = wh_field_text(o, "action"), *tag = wh_field_text(o, "tag");
	const json_t *priority = wh_field(o, "priority"), *headers = wh_field(o, "headers");
	struct restriction r = {.priority = json_is_integer(priority) ? json_integer_value(priority) : INT32_MAX,
	                        .allow = !action || strcasecmp(action, "Deny") != 0};
	if (!text || (r.allow && json_object_size(headers)))
		return r;
	if (!strcasecmp(text, "Any") || (tag && !strcasecmp(tag, "ServiceTag") && !strcasecmp(text, "Internet")))
		r.set = wh_ranges_union(wh_ranges_family(true, run->mem), wh_ranges_family(false, run->mem), run->mem);
	else if (!strncasecmp(text, "AzureCloud", 10))
		r.azure = true;
	for (const char *at = text; *at && !r.azure;) { /* one or more, between commas */
		size_t len = strcspn(at += strspn(at, ", "), ", ");
		wh_run_add_prefix(run, &r.set, wh_arena_printf(run->mem, "%.*s", (int)len, at));
		at += len;
	}
	return r;
}

static void by_list(struct whom *w, const json_t *list, const char *otherwise)
{
	struct wh_arena *mem = w->run->mem;
	struct restriction *r = wh_arena_array(mem, json_array_size(list) + 1, sizeof *r);
	struct wh_ranges left = wh_ranges_union(wh_ranges_family(true, mem), wh_ranges_family(false, mem), mem);
	size_t n = 0, i;
	json_t *v;
	bool azure = true;
	json_array_foreach((json_t *)(uintptr_t)list, i, v)
		r[n++] = restriction_of(w->run, v);
	if (n)
		qsort(r, n, sizeof *r, by_priority);
	for (i = 0; i < n; i++) {
		if (r[i].allow)
			w->set = wh_ranges_union(w->set, wh_ranges_intersect(r[i].set, left, mem), mem);
		w->azure |= r[i].azure && r[i].allow && azure;
		azure = azure && !(r[i].azure && !r[i].allow);
		left = wh_ranges_minus(left, r[i].set, mem);
	}
	if (otherwise ? !strcasecmp(otherwise, "Allow") : !n) /* a list ends in a deny, none is no restriction */
		w->set = wh_ranges_union(w->set, left, mem);
}

static const json_t *configuration_of(const struct wh_run *run, const struct wh_asset *a)
{
	const struct wh_assets *all = run->in->assets;
	size_t from, to = wh_assets_of_type(all, wh_arena_printf(run->mem, "%s/config", a->type), &from),
		     len = a->id ? strlen(a->id) : 0;
	for (size_t i = from; i < to && a->id; i++) {
		const struct wh_asset *c = &all->list[all->by_type[i]];
		if (c->id && !strncasecmp(c->id, a->id, len) && !strcasecmp(c->id + len, "/config/web"))
			return c->body;
	}
	const json_t *inside = wh_field(a->body, "siteConfig"); /* a template's; of an answer its members are null */
	return wh_field(inside, "ipSecurityRestrictions") ? inside : NULL;
}

static bool answers(struct whom *w);

static void by_site(struct whom *w, const struct wh_asset *a)
{
	const json_t *c = configuration_of(w->run, a);
	struct whom scm = {.run = w->run, .where = " at its deployment site (scm)"};
	if (!c) {
		w->unknown = "the inventory has no configuration of it (`az webapp config show`)";
		return;
	}
	by_list(w, wh_field(c, "ipSecurityRestrictions"), wh_field_text(c, "ipSecurityRestrictionsDefaultAction"));
	if (answers(w) || wh_field_bool(c, "scmIpSecurityRestrictionsUseMain", false))
		return;
	by_list(&scm, wh_field(c, "scmIpSecurityRestrictions"), wh_field_text(c, "scmIpSecurityRestrictionsDefaultAction"));
	*w = scm;
}

/* ---- verdicts ---- */

static bool answers(struct whom *w)
{
	static const struct wh_port_range any = {0, 0};
	struct wh_ranges known = wh_reach_outside_ranges(w->run->in->reach);
	struct wh_reach_piece piece = {wh_ranges_intersect(w->set, known, w->run->mem), wh_ports(&any, 1, w->run->mem)};
	return w->everybody || w->azure || wh_reach_large_part(&piece, 1, w->run->mem).n;
}

static bool is_private(const json_t *body)
{
	const json_t *network = wh_field(body, "network");
	const char *access = wh_field_text(body, "publicNetworkAccess");
	access = access ? access : wh_field_text(network, "publicNetworkAccess");
	return (access && (!strcasecmp(access, "Disabled") || !strcasecmp(access, "SecuredByPerimeter"))) ||
	       wh_field_text(network, "delegatedSubnetResourceId");
}

static void ask(struct whom *w, const struct wh_asset *a, const struct service *s)
{
	switch (s->kind) {
	case ACL:
		by_own_acl(w, a->body);
		break;
	case RULES:
	case OPEN_RULES:
		by_rules(w, a, s->kind);
		break;
	case LIST:
		by_own_list(w, a->body, s->list);
		break;
	case NAMESPACE:
		by_namespace(w, a);
		break;
	case COSMOS:
		by_cosmos(w, a->body);
		break;
	case KUBERNETES:
		by_cluster(w, a->body);
		break;
	case SITE:
		by_site(w, a);
		break;
	case SWITCH:
		by_switch(w, a);
		break;
	case INSIDE:
		by_place(w, a, s->list);
		break;
	}
}

static void judge(struct wh_run *run, const struct wh_asset *a, const struct service *s)
{
	struct whom w = {.run = run, .where = ""};
	if (!is_private(a->body))
		ask(&w, a, s);
	if (w.unknown)
		wh_run_add(run, a->id, a->type, WH_POSTURE_NO_EVIDENCE, "%s", w.unknown);
	else if (!answers(&w))
		wh_run_add(run, a->id, a->type, WH_POSTURE_HEALTHY, NULL);
	else if (w.cause)
		wh_run_add(run, a->id, a->type, WH_POSTURE_UNHEALTHY, "%s", w.cause);
	else
		wh_run_add(run, a->id, a->type, WH_POSTURE_UNHEALTHY, "its firewall lets in %s%s",
		           w.azure && !w.everybody ? "all of Azure, where anybody can rent a machine" : "the Internet", w.where);
}

int wh_check_open_services(struct wh_run *run, struct wh_error *err)
{
	(void)err;
	for (size_t k = 0; k < sizeof services / sizeof *services; k++) {
		size_t from, to = wh_assets_of_type(run->in->assets, services[k].type, &from);
		for (size_t i = from; i < to; i++)
			judge(run, &run->in->assets->list[run->in->assets->by_type[i]], &services[k]);
	}
	return 0;
}
