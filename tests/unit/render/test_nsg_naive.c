/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The planner against a reader of groups that shares no code with it: for one packet, the first matching rule by priority
 * decides, as Azure's documentation says. Groups hold rules of unknown reach; their meaning is drawn anew for each check. Some
 * rules have source ports. Exports follow exports; the az script is carried out command by command.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <cmocka.h>
#include "whittle/render.h"

/* ---- packets, and what unknown names mean ---- */

enum { PEERS = 12, NAMES = 3 };
static const char *const peers[PEERS] = {"45.0.0.0", "45.0.0.1", "45.0.0.2", "45.0.0.3", "45.0.0.4", "45.0.0.7", "45.0.0.9",
                                         "10.0.9.9", "168.63.129.16", "2001:db8::1", "2001:db8::2", "2001:db8::7"};
static const char *const locals[] = {"10.0.0.4", "2001:db8:1::4", "10.0.0.9"};
static const char *const unknown_names[NAMES] = {"Storage", "AzureCloud.westeurope", "asg"};
static const uint16_t source_ports[] = {53, 1024, 40000};

struct meaning { bool in[NAMES][PEERS]; }; /* which peers an unknown name holds */
struct packet { bool out; const char *proto; unsigned peer, local; uint16_t sport, dport; };

static struct wh_addr address(const char *s)
{
	struct wh_addr a;
	assert_int_equal(wh_addr_parse(s, strlen(s), &a), 0);
	return a;
}

static bool in_vnet(const struct wh_addr *a)
{
	struct wh_addr v4 = address("10.0.0.0"), v6 = address("2001:db8:1::");
	struct wh_prefix p = wh_prefix_of(&v4, 104), q = wh_prefix_of(&v6, 48);
	return wh_prefix_has(&p, a) || wh_prefix_has(&q, a);
}

static bool word_holds(const char *w, const struct wh_addr *a, int peer, const struct meaning *m)
{
	static const struct wh_addr probe = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 168, 63, 129, 16}};
	struct wh_prefix p;
	if (!strcmp(w, "*"))
		return true;
	if (!strcasecmp(w, "VirtualNetwork"))
		return in_vnet(a) || wh_addr_eq(a, &probe);
	if (!strcasecmp(w, "AzureLoadBalancer"))
		return wh_addr_eq(a, &probe);
	if (!strcasecmp(w, "Internet"))
		return !in_vnet(a) && !wh_addr_eq(a, &probe);
	for (int i = 0; i < NAMES; i++)
		if (!strcmp(w, unknown_names[i]))
			return peer >= 0 && m->in[i][peer];
	assert_int_equal(wh_prefix_parse(w, strlen(w), &p, NULL), 0);
	return (strchr(w, ':') != NULL) == !wh_addr_is_v4(a) && wh_prefix_has(&p, a);
}

static bool side_holds(const json_t *r, const char *one, const char *many, const char *group, const struct wh_addr *a, int peer,
                       const struct meaning *m)
{
	const char *s = json_string_value(json_object_get(r, one));
	const json_t *list = json_object_get(r, many);
	bool in = (s && *s && word_holds(s, a, peer, m)) ||
	          (json_array_size(json_object_get(r, group)) && word_holds("asg", a, peer, m));
	for (size_t i = 0; i < json_array_size(list); i++)
		in |= word_holds(json_string_value(json_array_get(list, i)), a, peer, m);
	return in;
}

static bool port_in(const char *s, uint16_t port)
{
	unsigned from, to;
	if (!strcmp(s, "*"))
		return true;
	if (sscanf(s, "%u-%u", &from, &to) != 2)
		to = from = (unsigned)atoi(s);
	return port >= from && port <= to;
}

static bool ports_hold(const json_t *r, const char *one, const char *many, uint16_t port)
{
	const char *s = json_string_value(json_object_get(r, one));
	const json_t *list = json_object_get(r, many);
	bool in = s && port_in(s, port);
	for (size_t i = 0; i < json_array_size(list); i++)
		in |= port_in(json_string_value(json_array_get(list, i)), port);
	return in;
}

static bool matches(const json_t *r, const struct packet *k, const struct meaning *m)
{
	struct wh_addr peer = address(peers[k->peer]), local = address(locals[k->local]);
	const char *proto = json_string_value(json_object_get(r, "protocol"));
	if (!strcmp(json_string_value(json_object_get(r, "direction")), "Outbound") != k->out ||
	    (strcmp(proto, "*") && strcasecmp(proto, k->proto)))
		return false;
	return ports_hold(r, "sourcePortRange", "sourcePortRanges", k->sport) &&
	       ports_hold(r, "destinationPortRange", "destinationPortRanges", k->dport) &&
	       side_holds(r, "sourceAddressPrefix", "sourceAddressPrefixes", "sourceApplicationSecurityGroups",
	                  k->out ? &local : &peer, k->out ? -1 : (int)k->peer, m) &&
	       side_holds(r, "destinationAddressPrefix", "destinationAddressPrefixes", "destinationApplicationSecurityGroups",
	                  k->out ? &peer : &local, k->out ? (int)k->peer : -1, m);
}

/* Azure's verdict on one packet. */
static bool passes(const json_t *group, const struct packet *k, const struct meaning *m)
{
	const json_t *rules = json_object_get(group, "securityRules"), *first = NULL;
	struct wh_addr peer = address(peers[k->peer]), local = address(locals[k->local]);
	size_t i;
	json_t *r;
	json_array_foreach((json_t *)(uintptr_t)rules, i, r)
		if (matches(r, k, m) && (!first || json_integer_value(json_object_get(r, "priority")) <
		                                           json_integer_value(json_object_get(first, "priority"))))
			first = r;
	if (first)
		return !strcmp(json_string_value(json_object_get(first, "access")), "Allow");
	if (word_holds("VirtualNetwork", &peer, -1, m) && word_holds("VirtualNetwork", &local, -1, m))
		return true;
	return k->out ? word_holds("Internet", &peer, -1, m) : word_holds("AzureLoadBalancer", &peer, -1, m);
}

/* ---- random groups and rules ---- */

struct world {
	struct wh_arena *mem;
	json_t *group;
	struct wh_nsg *nsg;
	const struct wh_nsg *list[1];
	struct wh_addr own[2];
	struct wh_resource res;
	struct wh_prefix vnet[2];
	struct wh_estate estate;
	struct wh_recommended_rule rules[3];
	struct wh_resource_result result;
	struct wh_recommendation rec;
	bool unknown; /* some rule's reach is not known */
};

static json_t *random_rule(int i, int priority, bool unknown)
{
	static const char *const words[] = {
		"*",           "*",           "Internet", "VirtualNetwork", "AzureLoadBalancer", "0.0.0.0/0",  "45.0.0.0/29",
		"45.0.0.0/30", "45.0.0.2/31", "45.0.0.9", "10.0.9.9",       "2001:db8::/125",    "2001:db8::2"};
	static const char *const own[] = {"*", "*", "VirtualNetwork", "10.0.0.4", "10.0.0.0/28", "2001:db8:1::4"};
	static const char *const from[] = {"*", "*", "*", "*", "*", "1024-65535", "53"};
	char name[16], port[16];
	bool out = rand() % 6 == 0;
	int p = 21 + rand() % 3;
	snprintf(name, sizeof name, "r%d", i);
	snprintf(port, sizeof port, "%d-%d", p, p + rand() % 2);
	const char *peer = unknown && rand() % 3 == 0 ? unknown_names[rand() % 2]
	                                              : words[(unsigned)rand() % (sizeof words / sizeof *words)];
	const char *local = own[(unsigned)rand() % (sizeof own / sizeof *own)];
	json_t *r = json_pack("{s:s,s:i,s:s,s:s,s:s,s:s,s:s}", "name", name, "priority", priority, "access",
	                      rand() % 3 ? "Allow" : "Deny", "direction", out ? "Outbound" : "Inbound", "protocol",
	                      rand() % 3 ? "Tcp" : "*", "sourcePortRange", from[(unsigned)rand() % (sizeof from / sizeof *from)],
	                      "destinationPortRange", port);
	if (unknown && rand() % 8 == 0)
		json_object_set_new(r, out ? "destinationApplicationSecurityGroups" : "sourceApplicationSecurityGroups",
		                    json_pack("[{s:s}]", "id", "/asg"));
	else
		json_object_set_new(r, out ? "destinationAddressPrefix" : "sourceAddressPrefix", json_string(peer));
	json_object_set_new(r, out ? "sourceAddressPrefix" : "destinationAddressPrefix", json_string(local));
	return r;
}

static json_t *random_group(bool unknown)
{
	json_t *rules = json_array();
	bool used[5000] = {0}, tight = rand() % 3 == 0;
	int n = 1 + rand() % 6;
	for (int i = 0; i < n; i++) {
		int p;
		do
			p = tight ? 100 + rand() % 9 : 100 + rand() % 3000;
		while (used[p]);
		used[p] = true;
		json_array_append_new(rules, random_rule(i, p, unknown));
	}
	return json_pack("{s:s,s:s,s:o}", "name", "web", "id",
	                 "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/networkSecurityGroups/web",
	                 "securityRules", rules);
}

static void read_group(struct world *w)
{
	struct wh_error err;
	size_t n;
	char *text = json_dumps(w->group, 0);
	if (wh_nsg_parse("web.json", text, strlen(text), w->mem, &w->nsg, &n, &err))
		fail_msg("%s\n%s", err.text, text);
	free(text);
	w->list[0] = w->nsg;
	w->own[0] = address(locals[0]), w->own[1] = address(locals[1]);
	w->vnet[0] = wh_prefix_of(&w->own[0], 104), w->vnet[1] = wh_prefix_of(&w->own[1], 48);
	w->res = (struct wh_resource){.name = "vm1", .addrs = w->own, .n_addrs = 2, .nsgs = w->list, .n_nsgs = 1};
	w->estate = (struct wh_estate){
		.resources = &w->res, .n_resources = 1, .nsgs = w->nsg, .n_nsgs = 1, .vnets = w->vnet, .n_vnets = 2};
	w->result.resource = &w->res;
	w->result.rules = w->rules;
	w->rec = (struct wh_recommendation){.resources = &w->result, .n_resources = 1};
}

/* Rules that a proof lets through, as recommend and review do. */
static void random_rules(struct world *w)
{
	w->result.n_rules = 0;
	for (unsigned i = 0; i < 3; i++) {
		struct wh_recommended_rule *r = &w->rules[w->result.n_rules];
		struct wh_prefix *p = wh_arena_array(w->mem, 4, sizeof *p), *x = wh_arena_array(w->mem, 2, sizeof *x);
		struct wh_counterexample ce;
		*r = (struct wh_recommended_rule){.name = "n",
		                                  .proto = WH_PROTO_TCP,
		                                  .port = (uint16_t)(21 + i),
		                                  .direction = i == 2 && rand() % 2 ? WH_OUTBOUND : WH_INBOUND,
		                                  .prefixes = p,
		                                  .except = x};
		for (int k = rand() % 4; k > 0; k--) {
			struct wh_addr a = address(peers[rand() % PEERS]);
			p[r->n_prefixes++] = wh_prefix_of(&a, 125 + (unsigned)rand() % 4);
		}
		r->n_prefixes = wh_prefix_merge(p, r->n_prefixes);
		if (rand() % 3 == 0) {
			struct wh_addr a = address(peers[rand() % PEERS]);
			x[r->n_except++] = wh_prefix_of(&a, 128);
		}
		w->result.n_rules += rand() % 4 && !wh_prove(&w->estate, &w->res, r, 1, w->mem, &ce, NULL);
	}
}

static const struct wh_recommended_rule *rule_for(const struct world *w, const struct packet *k)
{
	for (size_t i = 0; i < w->result.n_rules; i++)
		if (k->local < 2 && w->rules[i].port == k->dport && (w->rules[i].direction == WH_OUTBOUND) == k->out &&
		    !strcasecmp(k->proto, "Tcp"))
			return &w->rules[i];
	return NULL;
}

static bool proposed(const struct wh_recommended_rule *r, const struct packet *k)
{
	struct wh_addr p = address(peers[k->peer]);
	bool in = false;
	if (!k->out && !strcmp(peers[k->peer], "168.63.129.16"))
		return true;
	for (size_t i = 0; i < r->n_prefixes; i++)
		in |= wh_prefix_has(&r->prefixes[i], &p);
	for (size_t i = 0; i < r->n_except; i++)
		in &= !wh_prefix_has(&r->except[i], &p);
	return in;
}

static bool random_packet(struct packet *k)
{
	*k = (struct packet){rand() % 4 == 0,      rand() % 4 ? "Tcp" : "Udp", (unsigned)rand() % PEERS,
	                     (unsigned)rand() % 3, source_ports[rand() % 3],   (uint16_t)(20 + rand() % 6)};
	return (strchr(peers[k->peer], ':') != NULL) == (strchr(locals[k->local], ':') != NULL);
}

static struct meaning random_meaning(void)
{
	struct meaning m;
	for (int i = 0; i < NAMES; i++)
		for (int p = 0; p < PEERS; p++)
			m.in[i][p] = rand() % 2;
	return m;
}

static void fail_at(const struct packet *k, const char *what, const json_t *before, const json_t *after)
{
	const json_t *both[] = {before, after};
	for (int i = 0; i < 2; i++) { /* a rule a line: messages are cut */
		json_t *rules = json_object_get(both[i], "securityRules");
		for (size_t j = 0; j < json_array_size(rules); j++) {
			char *r = json_dumps(json_array_get(rules, j), JSON_COMPACT);
			print_error("%s %s\n", i ? "after " : "before", r);
			free(r);
		}
	}
	fail_msg("%s: %s %s peer %s local %s from %u to %u", what, k->out ? "out" : "in", k->proto, peers[k->peer],
	         locals[k->local], k->sport, k->dport);
}

/* For any meaning of unknown names: nothing passes that did not before, proposed peers that passed still pass, and all else
 * stays. */
static void compare(const struct world *w, const json_t *before, const json_t *after)
{
	for (int i = 0; i < 500; i++) {
		struct packet k;
		struct meaning m = random_meaning();
		if (!random_packet(&k))
			continue;
		bool was = passes(before, &k, &m), now = passes(after, &k, &m);
		const struct wh_recommended_rule *r = rule_for(w, &k);
		if (now && !was)
			fail_at(&k, "widened", before, after);
		if (!r && was != now)
			fail_at(&k, "touched though not narrowed", before, after);
		if (r && proposed(r, &k) && was && !now)
			fail_at(&k, "a proposed peer was cut off", before, after);
		if (r && !w->unknown && now != (was && proposed(r, &k)))
			fail_at(&k, "not what was proposed", before, after);
	}
}

/* ---- the az script ---- */

/* The next command as words in `words`, a quoted one without its quotes; false at the end. */
static bool next_command(const char **at, char *buf, size_t size, char **words, size_t *n)
{
	size_t used = 0;
	*n = 0;
	while (**at == '\n')
		++*at;
	while (**at && **at != '\n') {
		if (**at == '\\' && (*at)[1] == '\n') {
			*at += 2;
		} else if (**at == ' ' || **at == '\t') {
			++*at;
		} else {
			words[(*n)++] = buf + used;
			while (**at && !strchr(" \t\n", **at)) {
				bool quoted = **at == '\'';
				if (**at == '\\' && (*at)[1]) { /* an apostrophe between two quoted parts */
					buf[used++] = (*at)[1];
					*at += 2;
					continue;
				}
				*at += quoted;
				while (**at && (quoted ? **at != '\'' : !strchr(" \t\n'\\", **at))) {
					assert_true(used + 2 < size);
					buf[used++] = *(*at)++;
				}
				*at += quoted;
			}
			buf[used++] = 0;
		}
	}
	return *n > 0;
}

static void set_words(json_t *r, const char *one, const char *many, char **words, size_t n)
{
	json_object_del(r, one);
	json_object_del(r, many);
	if (n == 1) {
		json_object_set_new(r, one, json_string(words[0]));
		return;
	}
	json_t *list = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_string(words[i]));
	json_object_set_new(r, many, list);
}

static void set_option(json_t *r, const char *o, char **v, size_t n)
{
	static const struct { const char *option, *one, *many;
	} all[] = {
		{"--source-port-ranges", "sourcePortRange", "sourcePortRanges"},
		{"--destination-port-ranges", "destinationPortRange", "destinationPortRanges"},
		{"--source-address-prefixes", "sourceAddressPrefix", "sourceAddressPrefixes"},
		{"--destination-address-prefixes", "destinationAddressPrefix", "destinationAddressPrefixes"},
		{"--direction", "direction", ""},
		{"--access", "access", ""},
		{"--protocol", "protocol", ""},
		{"--description", "description", ""},
	};
	if (!strcmp(o, "--priority"))
		json_object_set_new(r, "priority", json_integer(atoi(v[0])));
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (!strcmp(o, all[i].option))
			set_words(r, all[i].one, all[i].many, v, n);
}

/* One command upon a group. Azure holds each name and each priority of a direction once. False for what is no command of a rule,
 * or is refused since there is no such rule. */
static bool carry_out(json_t *group, char **w, size_t n)
{
	json_t *rules = json_object_get(group, "securityRules"), *r = NULL;
	size_t at, name = 0;
	if (n < 5 || strcmp(w[0], "az") || strcmp(w[3], "rule"))
		return false;
	for (size_t i = 5; i + 1 < n; i++)
		if (!strcmp(w[i], "--name"))
			name = i + 1;
	for (at = 0; at < json_array_size(rules); at++)
		if (!strcasecmp(json_string_value(json_object_get(json_array_get(rules, at), "name")), w[name]))
			break;
	if (!strcmp(w[4], "delete")) {
		json_array_remove(rules, at);
		return true;
	}
	if (at == json_array_size(rules)) {
		if (strcmp(w[4], "create"))
			return false;
		json_array_append_new(rules, json_pack("{s:s}", "name", w[name]));
	}
	r = json_array_get(rules, at);
	for (size_t i = 5, j; i < n; i = j) {
		for (j = i + 1; j < n && strncmp(w[j], "--", 2); j++)
			;
		set_option(r, w[i], &w[i + 1], j - i - 1);
	}
	for (size_t i = 0; i < json_array_size(rules); i++) {
		json_t *other = json_array_get(rules, i);
		if (other != r && json_equal(json_object_get(other, "priority"), json_object_get(r, "priority")) &&
		    json_equal(json_object_get(other, "direction"), json_object_get(r, "direction")))
			fail_msg("SecurityRuleConflict: %s and %s", json_string_value(json_object_get(other, "name")), w[name]);
	}
	return true;
}

/* Each moment decides each packet as before or as after. */
static void check_moment(const json_t *before, const json_t *now, const json_t *after, const char *script)
{
	for (int i = 0; i < 150; i++) {
		struct packet k;
		struct meaning m = random_meaning();
		if (!random_packet(&k))
			continue;
		bool was = passes(before, &k, &m), is = passes(now, &k, &m), will = passes(after, &k, &m);
		if (is != was && is != will)
			fail_at(&k, script, before, now);
	}
}

static void run_script(const json_t *before, const char *script, json_t **out)
{
	char buf[16384], *words[600];
	json_t *now = json_deep_copy(before), *after = json_deep_copy(before);
	size_t n;
	for (const char *at = script; next_command(&at, buf, sizeof buf, words, &n);)
		carry_out(after, words, n);
	for (const char *at = script; next_command(&at, buf, sizeof buf, words, &n);)
		if (carry_out(now, words, n))
			check_moment(before, now, after, script);
	for (const char *at = script;
	     next_command(&at, buf, sizeof buf, words, &n);) /* once more, upon its result: it stops where it is refused */
		if (!carry_out(now, words, n) && strstr(words[0], "az") && n > 4 && !strcmp(words[4], "update"))
			break;
		else
			check_moment(before, now, after, script);
	json_decref(now);
	*out = after;
}

/* ---- tests ---- */

static int render(struct world *w, const char *format, char **out)
{
	struct wh_error err = {0};
	int rc = wh_renderer_find(format)->render(&w->rec, &w->estate, NULL, out, &err);
	if (rc && rc != -EBUSY && rc != -ENOSPC && rc != -ENOTSUP)
		fail_msg("%s: %s", format, err.text);
	return rc;
}

static void rounds(unsigned seed, bool unknown, int n)
{
	unsigned done = 0, refused = 0;
	srand(seed);
	for (int round = 0; round < n; round++) {
		struct world w = {.mem = wh_arena_new(), .group = random_group(unknown), .unknown = unknown};
		for (int again = 0; again < 3; again++) { /* each export upon the one before */
			char *text = NULL, *script = NULL;
			read_group(&w);
			random_rules(&w);
			if (!render(&w, "nsg", &text)) {
				json_t *after = json_loads(text, 0, NULL), *by_script = NULL;
				compare(&w, w.group, after);
				if (!render(&w, "az", &script)) {
					run_script(w.group, script, &by_script);
					compare(&w, w.group, by_script);
				}
				json_t *next = by_script && rand() % 2 ? by_script : after;
				json_decref(w.group);
				w.group = json_incref(next);
				json_decref(after);
				json_decref(by_script);
				done++;
			} else {
				refused++;
			}
			free(text);
			free(script);
			wh_nsgs_free(w.nsg, 1);
		}
		json_decref(w.group);
		wh_arena_free(w.mem);
	}
	assert_true(done > (unsigned)n);
	assert_true(unknown ? refused > 0 : done > 2 * (unsigned)n);
}

static void no_new_packet_passes_and_no_proposed_peer_is_cut_off(void **state)
{
	(void)state;
	rounds(7, false, 60);
}

static void for_any_meaning_of_unknown_rules_nothing_is_widened_and_no_proposed_peer_is_cut_off(void **state)
{
	(void)state;
	rounds(8, true, 80);
}

#define R(name, prio, access, src, from, port)                                                                                   \
	"{\"name\":\"" name "\",\"priority\":" prio ",\"access\":\"" access                                                      \
	"\",\"direction\":\"Inbound\",\"protocol\":\"Tcp\",\"sourcePortRange\":\"" from "\","                                    \
	"\"sourceAddressPrefix\":\"" src "\",\"destinationAddressPrefix\":\"*\",\"destinationPortRange\":\"" port "\"}"
#define GROUP(rules) "{\"name\":\"web\",\"securityRules\":[" rules "]}"

static int plan(struct world *w, const char *group, struct wh_prefix *p, char **out, struct wh_error *err)
{
	*w = (struct world){.mem = wh_arena_new(), .group = json_loads(group, 0, NULL)};
	read_group(w);
	w->rules[0] = (struct wh_recommended_rule){
		.name = "n", .proto = WH_PROTO_TCP, .port = 22, .prefixes = p, .n_prefixes = 1};
	w->result.n_rules = 1;
	*out = NULL;
	return wh_renderer_find("nsg")->render(&w->rec, &w->estate, NULL, out, err);
}

static void drop(struct world *w, char *out)
{
	free(out);
	wh_nsgs_free(w->nsg, 1);
	json_decref(w->group);
	wh_arena_free(w->mem);
}

static void an_unknown_allow_behind_the_narrowed_rule_refuses_the_edit_by_its_name(void **state)
{
	(void)state;
	struct world w;
	struct wh_error err;
	struct wh_prefix p = {.addr = wh_addr_v4(0x2d000001), .len = 128};
	char *out;
	assert_int_equal(plan(&w,
	                      GROUP(R("ssh", "300", "Allow", "45.0.0.0/29", "*", "22") "," R("agents", "310", "Allow", "Storage",
	                                                                                     "*", "22")),
	                      &p, &out, &err),
	                 -EBUSY);
	assert_non_null(strstr(err.text, "narrowing ssh would cut off peers that agents"));
	assert_non_null(strstr(err.text, "service tag Storage"));
	drop(&w, out);
	/* nothing is left open for it: it decides nothing */
	assert_int_equal(
		plan(&w, GROUP(R("ssh", "300", "Allow", "*", "*", "22") "," R("agents", "310", "Allow", "Storage", "*", "22")),
	             &p, &out, &err),
		0);
	drop(&w, out);
}

static void a_rule_for_some_source_ports_is_narrowed_for_those(void **state)
{
	(void)state;
	struct world w;
	struct wh_error err;
	struct wh_prefix p = {.addr = wh_addr_v4(0x2d000001), .len = 128};
	char *out;
	assert_int_equal(
		plan(&w,
	             GROUP(R("ssh", "300", "Allow", "45.0.0.0/29", "1024-65535", "22") "," R("no", "400", "Deny", "*", "*", "*")),
	             &p, &out, &err),
		0);
	json_t *after = json_loads(out, 0, NULL);
	struct meaning m = {0};
	for (unsigned i = 0; i < 3; i++)
		for (unsigned peer = 0; peer < 6; peer++) {
			struct packet k = {false, "Tcp", peer, 0, source_ports[i], 22};
			assert_int_equal(passes(after, &k, &m), peer == 1 && source_ports[i] >= 1024);
		}
	json_decref(after);
	drop(&w, out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_new_packet_passes_and_no_proposed_peer_is_cut_off),
		cmocka_unit_test(for_any_meaning_of_unknown_rules_nothing_is_widened_and_no_proposed_peer_is_cut_off),
		cmocka_unit_test(an_unknown_allow_behind_the_narrowed_rule_refuses_the_edit_by_its_name),
		cmocka_unit_test(a_rule_for_some_source_ports_is_narrowed_for_those),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
