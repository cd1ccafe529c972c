/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Azure Firewalls of random worlds: how they are made, their documents, and what they decide, from the documented order. world.c
 * includes it. */

/* ---- making ---- */

static struct fw_side any_fw_side(uint64_t *seed, bool source)
{
	static const enum fw_side_kind kinds[] = {FW_ANY,   FW_ANY,   FW_NET,      FW_NET, FW_TWO,
	                                          FW_RANGE, FW_GROUP, FW_NO_GROUP, FW_TAG, FW_NAME};
	struct fw_side s = {.kind = kinds[R(source ? 8 : 10)], .group = (int)R(IP_GROUPS)};
	if (s.kind >= FW_NO_GROUP && R(3))
		s.kind = FW_ANY;
	for (int i = 0; i < 2; i++)
		s.net[i] = any_net(seed, &s.len[i]);
	return s;
}

static void any_firewall(uint64_t *seed, struct firewall *f, int vnet, int n_tables)
{
	static const int protos[] = {0, 6, 6, 6, 17, 1, TCP_AND_UDP};
	*f = (struct firewall){.vnet = vnet,
	                       .table = n_tables && !R(4) ? (int)R((uint32_t)n_tables) : NONE,
	                       .policy = R(3) != 0,
	                       .internet = R(4) != 0,
	                       .gives_own = !R(8),
	                       .missing = !R(10),
	                       .n = (int)R(FW_COLLECTIONS + 1)};
	f->missing &= f->policy;
	for (int i = 0; i < f->n; i++) {
		struct fw_collection *c = &f->c[i];
		*c = (struct fw_collection){.level = f->policy ? (int)R(2) : 0,
		                            .group = f->policy ? (int)R(FW_GROUPS) : NONE,
		                            .app = !R(3),
		                            .allow = R(3) != 0,
		                            .n = 1 + (int)R(FW_RULES),
		                            .priority = 100 + (int)R(9) * 10 + i};
		for (int k = 0; k < c->n; k++) {
			c->rule[k] = (struct fw_rule){.proto = protos[R(7)],
			                              .src = any_fw_side(seed, true),
			                              .dst = any_fw_side(seed, false),
			                              .every_name = R(2)};
			any_ports(seed, c->rule[k].dport, false);
			if (c->app)
				c->rule[k].dport[1] = c->rule[k].dport[0] = c->rule[k].dport[0] ? c->rule[k].dport[0] : 443;
			if (!c->app && c->rule[k].proto == 1)
				c->rule[k].dport[0] = 0, c->rule[k].dport[1] = 65535;
		}
	}
	for (int l = 0; l < 2; l++)
		for (int g = 0; g < FW_GROUPS; g++)
			f->group_priority[l][g] = 100 + (int)R(9) * 10 + g;
}

static void make_firewalls(struct world *w, uint64_t *seed)
{
	w->n_firewalls = R(2) ? (int)R(FIREWALLS + 1) : 0;
	w->n_firewalls = w->n_firewalls > w->n_vnets ? w->n_vnets : w->n_firewalls;
	for (int i = 0; i < w->n_firewalls; i++)
		any_firewall(seed, &w->firewall[i], i, w->n_tables);
	for (int i = 0; i < IP_GROUPS; i++)
		w->ip_group[i].net = any_net(seed, &w->ip_group[i].len);
}

static uint32_t firewall_addr(int vnet)
{
	return 10u << 24 | (uint32_t)vnet << 16 | 200u << 8 | 4u;
}

/* ---- documents ---- */

static void fw_side_text(FILE *f, const struct fw_side *s, const char *end)
{
	bool group = s->kind == FW_GROUP || s->kind == FW_NO_GROUP;
	fprintf(f, ", \"%s%s\": [\"", end, group ? "IpGroups" : s->kind == FW_NAME ? "Fqdns" : "Addresses");
	if (group)
		fprintf(f, ID "Network/ipGroups/%s%d", s->kind == FW_GROUP ? "ip" : "nowhere", s->group);
	else if (s->kind == FW_ANY || s->kind == FW_TAG || s->kind == FW_NAME)
		fputs(s->kind == FW_ANY ? "*" : s->kind == FW_TAG ? "Storage" : "db.example.com", f);
	else if (s->kind == FW_RANGE)
		fprintf(f, "%u.%u.%u.%u-%u.%u.%u.%u", s->net[0] >> 24, s->net[0] >> 16 & 255, s->net[0] >> 8 & 255,
		        s->net[0] & 255, (s->net[0] + 20) >> 24, (s->net[0] + 20) >> 16 & 255, (s->net[0] + 20) >> 8 & 255,
		        (s->net[0] + 20) & 255);
	else
		net_text(f, s->net[0], s->len[0]);
	if (s->kind == FW_TWO) {
		fputs("\", \"", f);
		net_text(f, s->net[1], s->len[1]);
	}
	fputs("\"]", f);
}

static void fw_rule_text(FILE *f, const struct fw_collection *c, const struct fw_rule *r, bool policy, int number)
{
	const char *type = c->app ? "ApplicationRule" : "NetworkRule", *protos = policy ? "ipProtocols" : "protocols";
	fprintf(f, "{\"name\": \"r%d\"", number);
	if (policy)
		fprintf(f, ", \"ruleType\": \"%s\"", type);
	fw_side_text(f, &r->src, "source");
	if (c->app) {
		fprintf(f,
		        ", \"protocols\": [{\"protocolType\": \"Https\", \"port\": %u}], \"targetFqdns\": [\"a.example.com\"%s]}",
		        r->dport[0], r->every_name ? ", \"*\"" : "");
		return;
	}
	fw_side_text(f, &r->dst, "destination");
	fprintf(f, ", \"%s\": [\"%s\"%s], \"destinationPorts\": [\"%u-%u\"]}", protos,
	        r->proto == TCP_AND_UDP ? "TCP"
	        : r->proto              ? proto_text(r->proto)
	                                : "Any",
	        r->proto == TCP_AND_UDP ? ", \"UDP\"" : "", r->dport[0], r->dport[1]);
}

static void fw_collection_text(FILE *f, const struct firewall *x, int i)
{
	const struct fw_collection *c = &x->c[i];
	fprintf(f, "{\"name\": \"c%d\", \"priority\": %d, \"action\": {\"type\": \"%s\"}, \"rules\": [", i, c->priority,
	        c->allow ? "Allow" : "Deny");
	for (int k = 0; k < c->n; k++) {
		fputs(k ? ", " : "", f);
		fw_rule_text(f, c, &c->rule[k], x->policy, k);
	}
	fputs("]}", f);
}

/* Those of one group of a policy, or of the firewall itself and one kind. */
static void fw_collections_text(FILE *f, const struct firewall *x, int level, int group, int app)
{
	bool first = true;
	for (int i = x->n; i-- > 0;) /* in another order than they are evaluated */
		if (x->c[i].level == level && x->c[i].group == group && (app < 0 || x->c[i].app == app)) {
			fputs(first ? "" : ", ", f);
			fw_collection_text(f, x, i);
			first = false;
		}
}

static void policy_text(FILE *f, const struct world *w, int i, int level)
{
	const struct firewall *x = &w->firewall[i];
	fprintf(f,
	        "{\"type\": \"Microsoft.Network/firewallPolicies\", \"id\": \"" ID
	        "Network/firewallPolicies/p%d-%d\", \"name\": \"p%d-%d\"%s",
	        i, level, i, level, x->gives_own && !level ? ", \"snat\": {\"privateRanges\": [\"255.255.255.255/32\"]}" : "");
	if (!level)
		fprintf(f, ", \"basePolicy\": {\"id\": \"" ID "Network/firewallPolicies/P%d-1\"}", i);
	fputs("},\n", f);
	for (int g = 0; g < FW_GROUPS; g++) {
		fprintf(f,
		        "{\"type\": \"Microsoft.Network/firewallPolicies/ruleCollectionGroups\", \"id\": \"" ID
		        "Network/firewallPolicies/p%d-%d/ruleCollectionGroups/g%d\", \"name\": \"g%d\", \"priority\": %d, \"ruleCollections\": [",
		        i, level, g, g, x->group_priority[level][g]);
		fw_collections_text(f, x, level, g, -1);
		fputs("]},\n", f);
	}
}

static void firewall_text(FILE *f, const struct world *w, int i)
{
	const struct firewall *x = &w->firewall[i];
	uint32_t a = firewall_addr(x->vnet);
	fprintf(f,
	        "{\"type\": \"Microsoft.Network/azureFirewalls\", \"id\": \"" ID
	        "Network/azureFirewalls/fw%d\", \"name\": \"fw%d\", \"ipConfigurations\": [{\"name\": \"c\", \"privateIPAddress\": \"%u.%u.%u.%u\", "
	        "\"subnet\": {\"id\": \"" ID "Network/virtualNetworks/v%d/subnets/AzureFirewallSubnet\"}%s}]",
	        i, i, a >> 24, a >> 16 & 255, a >> 8 & 255, a & 255, x->vnet,
	        x->internet ? ", \"publicIPAddress\": {\"id\": \"" ID "Network/publicIPAddresses/fw\"}" : "");
	if (x->policy)
		fprintf(f, ", \"firewallPolicy\": {\"id\": \"" ID "Network/firewallPolicies/p%d-0\"}", i);
	for (int app = 0; app < 2 && !x->policy; app++) {
		fprintf(f, ", \"%sRuleCollections\": [", app ? "application" : "network");
		fw_collections_text(f, x, 0, NONE, app);
		fputs("]", f);
	}
	fprintf(f, "%s},\n",
	        x->gives_own && !x->policy
	                ? ", \"additionalProperties\": {\"Network.SNAT.PrivateRanges\": \"255.255.255.255/32\"}"
	                : "");
	for (int level = x->missing ? 0 : 1; x->policy && level >= 0; level--)
		policy_text(f, w, i, level);
}

static void firewalls_text(FILE *f, const struct world *w)
{
	for (int i = 0; i < w->n_firewalls; i++)
		firewall_text(f, w, i);
	for (int i = 0; i < IP_GROUPS; i++) {
		fprintf(f,
		        "{\"type\": \"Microsoft.Network/ipGroups\", \"id\": \"" ID
		        "Network/ipGroups/IP%d\", \"name\": \"ip%d\", \"ipAddresses\": [\"",
		        i, i);
		net_text(f, w->ip_group[i].net, w->ip_group[i].len);
		fputs("\"]},\n", f);
	}
}

/* ---- what one decides ---- */

/* 0 no, 1 maybe, 2 yes */
static int fw_side_matches(const struct world *w, const struct fw_side *s, uint32_t a)
{
	switch (s->kind) {
	case FW_ANY:
		return 2;
	case FW_NET:
		return 2 * in_net(a, s->net[0], s->len[0]);
	case FW_TWO:
		return 2 * (in_net(a, s->net[0], s->len[0]) || in_net(a, s->net[1], s->len[1]));
	case FW_RANGE:
		return 2 * (a >= s->net[0] && a <= s->net[0] + 20);
	case FW_GROUP:
		return 2 * in_net(a, w->ip_group[s->group].net, w->ip_group[s->group].len);
	default:
		return 1;
	}
}

static int fw_rule_matches(const struct world *w, const struct fw_collection *c, const struct fw_rule *r, const struct pkt *p)
{
	int a = fw_side_matches(w, &r->src, p->src), b = c->app ? 2 : fw_side_matches(w, &r->dst, p->dst);
	int proto = c->app ? 6 : r->proto;
	if (proto && proto != p->proto && !(proto == TCP_AND_UDP && (p->proto == 6 || p->proto == 17)))
		return 0;
	if (p->dport < r->dport[0] || p->dport > r->dport[1])
		return 0;
	if (c->app && (c->allow || !r->every_name)) /* which name is asked for? */
		b = 1;
	return a < b ? a : b;
}

/* Whether one collection is evaluated before another. */
static bool fw_before(const struct firewall *f, const struct fw_collection *a, const struct fw_collection *b)
{
	if (a->app != b->app)
		return !a->app;
	if (a->level != b->level)
		return a->level > b->level; /* the parent's */
	if (a->group != b->group)
		return f->group_priority[a->level][a->group] < f->group_priority[b->level][b->group];
	return a->priority < b->priority;
}

static unsigned ask_firewall_from(const struct world *w, const struct firewall *f, bool done[FW_COLLECTIONS], const struct pkt *p)
{
	int next = NONE;
	unsigned all = 0;
	for (int i = 0; i < f->n; i++)
		if (!done[i] && (next == NONE || fw_before(f, &f->c[i], &f->c[next])))
			next = i;
	if (next == NONE) { /* the built-in rules, the default */
		bool inside = in_net(p->dst, 10u << 24, 8);
		return DENY | (p->proto == 6 && (p->dport == 80 || p->dport == 443) && !inside ? PASS : 0);
	}
	done[next] = true;
	for (int k = 0; k < f->c[next].n; k++) {
		int m = fw_rule_matches(w, &f->c[next], &f->c[next].rule[k], p);
		all |= m ? f->c[next].allow ? PASS : DENY : 0;
		if (m == 2)
			return all;
	}
	return all | ask_firewall_from(w, f, done, p);
}

static unsigned ask_firewall(const struct world *w, int i, const struct pkt *p)
{
	bool done[FW_COLLECTIONS] = {false};
	return w->firewall[i].missing ? DENY | PASS : ask_firewall_from(w, &w->firewall[i], done, p);
}
