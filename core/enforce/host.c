/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The servers that this machine is configured to use. If /etc/resolv.conf names the machine itself, a local resolver is in
 * between: then its upstream servers count. Each of them is recognized by its state or configuration files, which are read as
 * far as they name addresses. A resolver that finds each name's servers itself, or that is not recognized, is reported as
 * unchecked.
 */
#include <glob.h>
#include <ifaddrs.h>
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "base/socket_addr.h"
#include "whittle/enforce.h"

enum { MAX_FILE = 1 << 20, MAX_DEPTH = 4, MAX_FILES = 64, DNS = 53, DNS_TLS = 853 };

struct reading {
	const char *root;
	struct wh_arena *mem;
	struct wh_nft_host *out;
	size_t files;           /* read so far; limits includes */
	bool resolved, others;  /* already read */
	bool forwards_all;      /* unbound: there is a forward zone for all names */
	bool unbound;           /* it is configured */
};

static char *read_text(struct reading *r, const char *path)
{
	struct wh_error err;
	char *text;
	size_t len;
	return r->files++ < MAX_FILES && !wh_read_file(path, MAX_FILE, &text, &len, &err) ? text : NULL;
}

/* ---- addresses ---- */

static void add(struct wh_addr **list, size_t *n, const char *text, size_t len, struct wh_arena *mem)
{
	struct wh_addr a, *more;
	if (wh_addr_parse(text, len, &a))
		return; /* a name: only the resolver knows its address */
	more = wh_arena_array(mem, *n + 1, sizeof *more);
	if (*n)
		memcpy(more, *list, *n * sizeof *more);
	more[(*n)++] = a;
	*list = more;
}

static bool ours(const struct wh_addr *a)
{
	struct ifaddrs *list;
	bool is = wh_nft_loopback(a);
	if (is || getifaddrs(&list))
		return is;
	for (const struct ifaddrs *i = list; i && !is; i = i->ifa_next) {
		struct wh_addr own;
		is = wh_addr_of_socket(i->ifa_addr, &own) && wh_addr_eq(&own, a);
	}
	freeifaddrs(list);
	return is;
}

static void ask_behind(struct reading *r, const struct wh_addr *stub);

/* "9.9.9.9", "9.9.9.9#53", "9.9.9.9@853#dns.quad9.net", "[2620:fe::fe]:853", "9.9.9.9:853", "fe80::1%eth0": `marks` are the
 * characters that this program writes before a port. */
static void upstream(struct reading *r, const char *word, const char *marks, uint16_t port)
{
	struct wh_nft_host *h = r->out;
	const char *end = word + strcspn(word, *word == '[' ? "]" : "%#@,;\"");
	struct wh_addr a;
	word += *word == '[';
	if (*end != ']' && strchr(marks, ':') && memchr(word, '.', (size_t)(end - word)))
		end = word + strcspn(word, "%#@,;:\""); /* IPv4 with a port behind a colon */
	if (wh_addr_parse(word, (size_t)(end - word), &a))
		return;
	end += *end == ']';
	if (*end && strchr(marks, *end)) {
		long said = strtol(end + 1, NULL, 10);
		port = said > 0 && said < 65536 ? (uint16_t)said : port;
	}
	if (ours(&a)) {
		ask_behind(r, &a);
		return;
	}
	for (size_t i = 0; i < h->n_upstreams; i++)
		if (h->upstreams[i].port == port && wh_addr_eq(&h->upstreams[i].addr, &a))
			return;
	struct wh_nft_upstream *more = wh_arena_array(r->mem, h->n_upstreams + 1, sizeof *more);
	if (h->n_upstreams)
		memcpy(more, h->upstreams, h->n_upstreams * sizeof *more);
	more[h->n_upstreams++] = (struct wh_nft_upstream){.addr = a, .port = port};
	h->upstreams = more;
}

/* ---- lines of "key value value" ---- */

/* The addresses behind any of the words in `keys` (separated by spaces), one or more a line: "nameserver 10.0.0.1",
 * "NTP=10.0.0.2". */
static void addresses_in(struct reading *r, const char *path, const char *keys, struct wh_addr **list, size_t *n)
{
	char *text = read_text(r, path), *line, *save, *words, *word;
	for (line = text ? strtok_r(text, "\n", &save) : NULL; line; line = strtok_r(NULL, "\n", &save)) {
		word = strtok_r(line, " \t=", &words);
		size_t k = word ? strlen(word) : 0;
		const char *at = word ? strstr(keys, word) : NULL;
		if (!at || (at != keys && at[-1] != ' ') || (at[k] && at[k] != ' '))
			continue;
		while ((word = strtok_r(NULL, " \t", &words)))
			add(list, n, word, strcspn(word, "%"), r->mem);
	}
	free(text);
}

static void resolv_conf(struct reading *r, const char *path)
{
	struct wh_addr *list = NULL;
	char text[WH_ADDR_STRLEN];
	size_t n = 0;
	addresses_in(r, path, "nameserver", &list, &n);
	for (size_t i = 0; i < n; i++)
		if (!ours(&list[i])) /* a resolver's own stub in the file that it reads is not an upstream server */
			upstream(r, wh_addr_text(&list[i], text), "", DNS);
}

/* ---- systemd-resolved ---- */

static void resolved_settings(struct reading *r, const char *path, int depth)
{
	char *text = read_text(r, path), *line, *save, *words, *word;
	(void)depth;
	uint16_t port = text && (strstr(text, "\nDNSOverTLS=yes") || strstr(text, "\nDNSOverTLS=true")) ? DNS_TLS : DNS;
	for (line = text ? strtok_r(text, "\n", &save) : NULL; line; line = strtok_r(NULL, "\n", &save))
		if (!strncmp(line, "DNS=", 4))
			for (word = strtok_r(line + 4, " \t", &words); word; word = strtok_r(NULL, " \t", &words))
				upstream(r, word, ":", port);
	free(text);
}

/* ---- files that include others ---- */

typedef void (*read_fn)(struct reading *r, const char *path, int depth);

static void each_file(struct reading *r, const char *pattern, int depth, read_fn read)
{
	glob_t g;
	if (depth > MAX_DEPTH || glob(pattern, 0, NULL, &g))
		return;
	for (size_t i = 0; i < g.gl_pathc; i++)
		if (!strstr(g.gl_pathv[i], ".dpkg-") && g.gl_pathv[i][strlen(g.gl_pathv[i]) - 1] != '~')
			read(r, g.gl_pathv[i], depth);
	globfree(&g);
}

/* A path that a file names. */
static char *below_root(struct reading *r, const char *path, const char *more)
{
	return wh_arena_printf(r->mem, "%s%s%s", r->root, path, more);
}

/* ---- dnsmasq ---- */

static void dnsmasq(struct reading *r, const char *path, int depth)
{
	char *text = read_text(r, path), *line, *save;
	for (line = text ? strtok_r(text, "\n", &save) : NULL; line; line = strtok_r(NULL, "\n", &save)) {
		line += strspn(line, " \t");
		char *value = strchr(line, '=');
		if (!value || *line == '#')
			continue;
		*value++ = 0;
		value += strspn(value, " \t");
		value[strcspn(value, " \t\r")] = 0;
		line[strcspn(line, " \t")] = 0;
		if (!strcmp(line, "server") || !strcmp(line, "local")) {
			char *last = strrchr(value, '/'); /* "/example.com/10.0.0.1": for some names only */
			upstream(r, last ? last + 1 : value, "#", DNS);
		} else if (!strcmp(line, "rev-server") && strchr(value, ',')) {
			upstream(r, strchr(value, ',') + 1, "#", DNS);
		} else if (!strcmp(line, "resolv-file")) {
			resolv_conf(r, below_root(r, value, ""));
		} else if (!strcmp(line, "servers-file") || !strcmp(line, "conf-file")) {
			each_file(r, below_root(r, value, ""), depth + 1, dnsmasq);
		} else if (!strcmp(line, "conf-dir")) {
			value[strcspn(value, ",")] = 0;
			each_file(r, below_root(r, value, "/*"), depth + 1, dnsmasq);
		}
	}
	free(text);
}

/* ---- unbound ---- */

static void unbound(struct reading *r, const char *path, int depth)
{
	char *text = read_text(r, path), *line, *save;
	bool forwards = false;
	uint16_t port = text && strstr(text, "tls-upstream: yes") ? DNS_TLS : DNS;
	r->unbound |= text != NULL;
	for (line = text ? strtok_r(text, "\n", &save) : NULL; line; line = strtok_r(NULL, "\n", &save)) {
		line += strspn(line, " \t");
		char *value = strchr(line, ':');
		if (!value || *line == '#')
			continue;
		*value++ = 0;
		value += strspn(value, " \t\"'");
		value[strcspn(value, " \t\r\"'")] = 0;
		if (!strcmp(line, "forward-zone"))
			forwards = true;
		else if (!strcmp(line, "stub-zone") || !strcmp(line, "auth-zone"))
			forwards = false;
		else if (!strcmp(line, "name"))
			r->forwards_all |= forwards && !strcmp(value, ".");
		else if (!strcmp(line, "forward-addr") || !strcmp(line, "stub-addr"))
			upstream(r, value, "@", port);
		else if (!strcmp(line, "include") || !strcmp(line, "include-toplevel"))
			each_file(r, below_root(r, *value == '/' ? "" : "/etc/unbound/", value), depth + 1, unbound);
	}
	free(text);
}

/* ---- BIND ---- */

/* forwarders [port 53] { 9.9.9.9; 10.0.0.1 port 5353; }; */
static void named(struct reading *r, const char *path, int depth)
{
	char *text = read_text(r, path), *at = text, *save, *item;
	(void)depth;
	while (at && (at = strstr(at, "forwarders"))) {
		char *start = at;
		while (start > text && start[-1] != '\n')
			start--;
		bool comment = strstr(start, "//") && strstr(start, "//") < at;
		char *open = strchr(at, '{'), *close = open ? strchr(open, '}') : NULL;
		at += strlen("forwarders");
		if (comment || !close)
			continue;
		*close = 0;
		for (item = strtok_r(open + 1, ";", &save); item; item = strtok_r(NULL, ";", &save)) {
			char *port = strstr(item, " port ");
			item += strspn(item, " \t\r\n");
			item[strcspn(item, " \t\r\n")] = 0;
			upstream(r, item, "", port ? (uint16_t)atoi(port + 6) : DNS);
		}
		at = close + 1;
	}
	free(text);
}

/* ---- which of them ---- */

static bool of_resolved(const struct wh_addr *a)
{
	return wh_addr_is_v4(a) && a->b[12] == 127 && !a->b[13] && !a->b[14] && (a->b[15] == 53 || a->b[15] == 54);
}

static void ask_resolved(struct reading *r)
{
	size_t before = r->out->n_upstreams;
	if (r->resolved)
		return;
	r->resolved = true;
	resolv_conf(r, below_root(r, "/run/systemd/resolve/resolv.conf", ""));
	if (r->out->n_upstreams == before) {
		resolved_settings(r, below_root(r, "/etc/systemd/resolved.conf", ""), 0);
		each_file(r, below_root(r, "/etc/systemd/resolved.conf.d/*.conf", ""), 0, resolved_settings);
	}
	if (r->out->n_upstreams == before)
		resolv_conf(r, below_root(r, "/run/NetworkManager/no-stub-resolv.conf", ""));
}

static void ask_others(struct reading *r)
{
	static const struct { const char *pattern; read_fn read;
	} places[] = {
		{"/etc/dnsmasq.conf", dnsmasq},
		{"/etc/dnsmasq.d/*", dnsmasq},
		{"/etc/NetworkManager/dnsmasq.d/*", dnsmasq},
		{"/etc/unbound/unbound.conf", unbound},
		{"/etc/unbound/unbound.conf.d/*.conf", unbound},
		{"/etc/unbound/conf.d/*.conf", unbound},
		{"/etc/bind/named.conf*", named},
		{"/etc/named.conf", named},
		{"/etc/named/*.conf", named},
	};
	if (r->others)
		return;
	r->others = true;
	for (size_t i = 0; i < sizeof places / sizeof *places; i++)
		each_file(r, below_root(r, places[i].pattern, ""), 0, places[i].read);
	resolv_conf(r, below_root(r, "/run/dnsmasq/resolv.conf", ""));
	resolv_conf(r, below_root(r, "/run/NetworkManager/no-stub-resolv.conf", ""));
}

static void ask_behind(struct reading *r, const struct wh_addr *stub)
{
	size_t before = r->out->n_upstreams;
	char addr[WH_ADDR_STRLEN];
	wh_addr_text(stub, addr);
	if (of_resolved(stub)) {
		bool first = !r->resolved;
		ask_resolved(r);
		if (first && r->out->n_upstreams == before)
			r->out->unchecked = wh_arena_printf(
				r->mem, "%s is systemd-resolved, but none of its files names the servers that it asks", addr);
		return;
	}
	bool first = !r->others;
	ask_others(r);
	if (first && r->unbound && !r->forwards_all)
		r->out->unchecked = wh_arena_printf(
			r->mem, "unbound at %s asks the servers of each name, which are not known before", addr);
	else if (first && r->out->n_upstreams == before && !r->out->unchecked)
		r->out->unchecked = wh_arena_printf(
			r->mem,
			"%s answers on this machine, but no known file (of dnsmasq, unbound, BIND, NetworkManager) names the servers that it asks",
			addr);
}

void wh_nft_host_read(const char *root, struct wh_arena *mem, struct wh_nft_host *out)
{
	static const char *const time_files[] = {"/etc/systemd/timesyncd.conf", "/etc/chrony/chrony.conf", "/etc/ntp.conf",
	                                         "/etc/ntpsec/ntp.conf"};
	struct reading r = {.root = root, .mem = mem, .out = out};
	memset(out, 0, sizeof *out);
	addresses_in(&r, below_root(&r, "/etc/resolv.conf", ""), "nameserver", &out->resolvers, &out->n_resolvers);
	for (size_t i = 0; i < sizeof time_files / sizeof *time_files; i++)
		addresses_in(&r, below_root(&r, time_files[i], ""), "server pool peer NTP FallbackNTP", &out->time_servers,
		             &out->n_time_servers);
	size_t kept = 0;
	for (size_t i = 0; i < out->n_resolvers; i++) {
		struct wh_addr a = out->resolvers[i];
		bool own = ours(&a);
		if (own)
			ask_behind(&r, &a);
		if (!own || wh_nft_loopback(&a)) /* traffic to an address of the machine itself uses loopback */
			out->resolvers[kept++] = a;
	}
	out->n_resolvers = kept;
}
