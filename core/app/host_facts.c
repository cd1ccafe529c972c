/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The facts of this machine, as a document: its addresses, the traffic that its rules allow in and out, settings of the kernel
 * and of programs, listeners, and resolvers. `estate facts` prints it, `estate import` of any machine's ledger reads it
 * (posture/host_facts.c has its layout), and `assess` takes this machine's own as it is now.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "app/host_settings.h"
#include "app/posture.h"
#include "base/json.h"
#include "whittle/app_learning.h"
#include "whittle/enforce.h"
#include "whittle/firewall.h"

enum { MOST_FILE = 4 << 20, MOST_DOCUMENT = 32 << 20 };

static char *text_of_file(const char *path)
{
	struct wh_error ignored;
	char *text;
	size_t len;
	return wh_read_file(path, MOST_FILE, &text, &len, &ignored) ? NULL : text;
}

/* ---- the ruleset ---- */

static bool whole_v6(struct wh_ranges set, struct wh_arena *mem)
{
	return wh_ranges_eq(set, wh_ranges_family(false, mem));
}

static json_t *peers_json(const struct wh_nft_opening *o, size_t n, struct wh_arena *mem)
{
	struct wh_ranges set = {wh_arena_array(mem, n + 1, sizeof *set.r), 0};
	struct wh_prefix *list;
	char buf[WH_PREFIX_STRLEN];
	json_t *out = json_array();
	size_t k;
	for (size_t i = 0; i < n && !o[i].nobody; i++)
		set.r[set.n++] = (struct wh_range){o[i].from, o[i].until};
	if (whole_v6(set, mem)) {
		json_array_append_new(out, json_string("::/0"));
		return out;
	}
	wh_ranges_to_prefixes(set, mem, &list, &k);
	for (size_t i = 0; i < k; i++)
		json_array_append_new(out, json_string(wh_prefix_text(&list[i], buf)));
	return out;
}

static bool same_row(const struct wh_nft_opening *a, const struct wh_nft_opening *b)
{
	return a->kind == b->kind && a->way == b->way && a->proto == b->proto && a->first == b->first && a->last == b->last &&
	       a->certain == b->certain && a->to_port == b->to_port && wh_addr_eq(&a->to, &b->to);
}

static json_t *row_json(const struct wh_nft_opening *o, size_t n, const struct wh_nft_way *ways, struct wh_arena *mem)
{
	char local[WH_ADDR_STRLEN], to[WH_ADDR_STRLEN], proto[8];
	json_t *row = json_pack("{s:s, s:s, s:s, s:i, s:i, s:b, s:o, s:s}", "interface", ways[o->way].interface, "address",
	                        wh_addr_text(&ways[o->way].addr, local), "protocol", wh_proto_text(o->proto, proto), "port",
	                        (int)o->first, "lastPort", (int)o->last, "certain", (int)o->certain, "peers",
	                        peers_json(o, n, mem), "by", o->by);
	if (o->kind == WH_NFT_PUBLISHES) {
		json_object_set_new(row, "to", json_string(wh_addr_text(&o->to, to)));
		json_object_set_new(row, "toPort", json_integer(o->to_port));
	}
	return row;
}

static json_t *chains_json(const char *chains)
{
	json_t *list = json_array();
	for (size_t n; *chains; chains += n + (chains[n] != 0)) {
		n = strcspn(chains, "\n");
		json_array_append_new(list, json_stringn(chains, n));
	}
	return list;
}

static void put_ruleset(json_t *doc, const struct wh_nft_openings *o, const struct wh_nft_way *ways, struct wh_arena *mem)
{
	static const char *const names[] = {"inbound", "outbound", "published"},
				 *const answers[] = {
					 [WH_DENIED] = "denied", [WH_ALLOWED] = "allowed", [WH_UNDECIDED] = "unknown"};
	json_t *lists[] = {json_array(), json_array(), json_array()};
	for (size_t i = 0, n; i < o->n; i += n) {
		for (n = 1; i + n < o->n && same_row(&o->o[i], &o->o[i + n]);)
			n++;
		json_array_append_new(lists[o->o[i].kind], row_json(&o->o[i], n, ways, mem));
	}
	json_t *r = json_pack("{s:o, s:s, s:s}", "chains", chains_json(o->chains), "forwards4", answers[o->forwards[0]],
	                      "forwards6", answers[o->forwards[1]]);
	for (size_t i = 0; i < 3; i++)
		json_object_set_new(r, names[i], lists[i]);
	if (*o->unread)
		json_object_set_new(r, "unread", json_string(o->unread));
	json_object_set_new(doc, "ruleset", r);
}

static json_t *ways_json(const struct wh_nft_way *ways, size_t n)
{
	json_t *list = json_array();
	char addr[WH_ADDR_STRLEN];
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list,
		                      json_pack("{s:s, s:s, s:b}", "interface", ways[i].interface, "address",
		                                wh_addr_text(&ways[i].addr, addr), "outside", (int)ways[i].outside));
	return list;
}

/* ---- settings of the kernel ---- */

static void put_setting(json_t *o, const char *name)
{
	char path[256];
	snprintf(path, sizeof path, "/proc/sys/%s", name);
	for (char *c = path + 10; *c; c++)
		*c = *c == '.' ? '/' : *c;
	char *text = text_of_file(path);
	if (text) {
		text[strcspn(text, "\n")] = 0;
		json_object_set_new(o, name, json_string(text));
	}
	free(text);
}

static json_t *settings_json(void)
{
	static const char *const names[] = {"net.ipv4.ip_forward",
	                                    "net.ipv6.conf.all.forwarding",
	                                    "net.ipv4.conf.all.rp_filter",
	                                    "net.ipv4.conf.default.rp_filter",
	                                    "net.ipv4.conf.all.accept_redirects",
	                                    "net.ipv4.conf.all.accept_source_route",
	                                    "net.ipv4.tcp_syncookies",
	                                    "net.netfilter.nf_conntrack_count",
	                                    "net.netfilter.nf_conntrack_max"};
	json_t *o = json_object();
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		put_setting(o, names[i]);
	return o;
}

/* ---- listeners ---- */

/* "0100007F": words of 32 bits in the machine's own byte order. */
static bool address_of(const char *hex, struct wh_addr *out)
{
	size_t n = strspn(hex, "0123456789ABCDEFabcdef") / 8;
	uint32_t words[4];
	if (n != 1 && n != 4)
		return false;
	for (size_t i = 0; i < n; i++) {
		char word[9] = "";
		memcpy(word, hex + 8 * i, 8);
		words[i] = (uint32_t)strtoul(word, NULL, 16);
	}
	*out = wh_addr_v4(0);
	memcpy(out->b + (n == 1 ? 12 : 0), words, 4 * n);
	return true;
}

/* A line is "0: 0100007F:0016 00000000:0000 0A …": TCP's state 0A listens, UDP's 07 has no peer. */
static void put_listeners(json_t *list, const char *path, const char *proto, unsigned wanted)
{
	char *text = text_of_file(path), *save = NULL, addr[WH_ADDR_STRLEN];
	for (char *line = text ? strtok_r(text, "\n", &save) : NULL; line; line = strtok_r(NULL, "\n", &save)) {
		char local[40];
		struct wh_addr a;
		unsigned port, state;
		if (sscanf(line, " %*[0-9]: %32[0-9A-Fa-f]:%x %*32[0-9A-Fa-f]:%*x %x", local, &port, &state) != 3 ||
		    state != wanted || !address_of(local, &a) || wh_nft_loopback(&a))
			continue;
		json_array_append_new(list, json_pack("{s:s, s:s, s:i}", "protocol", proto, "address", wh_addr_text(&a, addr),
		                                      "port", (int)port));
	}
	free(text);
}

static json_t *listeners_json(void)
{
	json_t *list = json_array();
	put_listeners(list, "/proc/net/tcp", "TCP", 0x0a);
	put_listeners(list, "/proc/net/tcp6", "TCP", 0x0a);
	put_listeners(list, "/proc/net/udp", "UDP", 0x07);
	put_listeners(list, "/proc/net/udp6", "UDP", 0x07);
	return list;
}

/* ---- resolvers ---- */

static json_t *resolvers_json(struct wh_arena *mem)
{
	struct wh_nft_host h;
	json_t *list = json_array();
	char addr[WH_ADDR_STRLEN];
	wh_nft_host_read("", mem, &h);
	for (size_t i = 0; i < h.n_resolvers; i++)
		if (!wh_nft_loopback(&h.resolvers[i]))
			json_array_append_new(list, json_string(wh_addr_text(&h.resolvers[i], addr)));
	for (size_t i = 0; i < h.n_upstreams; i++)
		json_array_append_new(list, json_string(wh_addr_text(&h.upstreams[i].addr, addr)));
	return list;
}

int wh_app_host_facts(const char *name, json_t **out, struct wh_error *err)
{
	struct wh_arena *mem = wh_arena_new();
	struct wh_nft_openings openings = {.n = 0};
	struct wh_nft_way *ways = NULL;
	char host[256] = "", now[WH_TIME_STRLEN];
	size_t n = 0;
	*out = NULL;
	int rc = wh_firewall_ready(err);
	rc = rc ? rc : wh_firewall_openings(mem, &openings, &ways, &n, err);
	if (!rc) {
		if (gethostname(host, sizeof host - 1) || !*host)
			snprintf(host, sizeof host, "localhost");
		*out = json_pack("{s:s, s:i, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "kind", WH_HOST_FACTS, "version", 1,
		                 "name", name ? name : host, "at", wh_time_text(wh_now_us(), now), "by", "whittle " WH_VERSION,
		                 "addresses", ways_json(ways, n), "sysctls", settings_json(), "settings",
		                 wh_host_settings_json(""), "programs", wh_host_programs(""), "listeners", listeners_json(),
		                 "resolvers", resolvers_json(mem));
		if (*out)
			put_ruleset(*out, &openings, ways, mem);
		rc = *out ? 0 : wh_fail(err, -ENOMEM, "out of memory");
	}
	wh_arena_free(mem);
	return rc;
}

/* ---- into the ledger ---- */

static int load(const char *path, json_t **out, struct wh_error *err)
{
	char *text;
	size_t len;
	*out = NULL;
	int rc = wh_read_file(path, MOST_DOCUMENT, &text, &len, err);
	if (rc)
		return rc;
	rc = wh_json_parse(path, text, len, out, err);
	free(text);
	return rc;
}

bool wh_app_is_host_facts(const char *path)
{
	struct wh_error ignored;
	struct stat st;
	json_t *doc = NULL;
	bool is = !stat(path, &st) && S_ISREG(st.st_mode) && !load(path, &doc, &ignored) && wh_host_facts_are(doc);
	json_decref(doc);
	return is;
}

int wh_app_host_facts_import(const struct wh_app *a, const char *const *paths, size_t n, struct wh_error *err)
{
	struct wh_arena *mem = wh_arena_new();
	json_t **docs = wh_arena_array(mem, n + 1, sizeof *docs);
	struct wh_host_facts facts;
	struct wh_state *s = NULL;
	int rc = 0;
	for (size_t i = 0; i < n && !rc; i++) {
		rc = load(paths[i], &docs[i], err);
		rc = rc ? rc : wh_host_facts_read(paths[i], docs[i], mem, &facts, err);
	}
	rc = rc ? rc : wh_ledger_state(a->store_url, WH_STATE_CREATE, &s, err);
	rc = rc ? rc : wh_state_begin(s, err);
	if (!rc) {
		for (size_t i = 0; i < n && !rc; i++)
			rc = wh_host_facts_put(s, docs[i], a->who, err);
		rc = wh_state_finish(s, rc, err);
	}
	wh_state_close(s);
	for (size_t i = 0; i < n; i++)
		json_decref(docs[i]);
	wh_arena_free(mem);
	return rc;
}
