/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names that hosts look up. */
#include <string.h>
#include "site.h"

static int week_day(struct site *s)
{
	return rng_range(&s->r, SITE_WEEK + 1, SITE_DAYS - 1);
}

static char *letters(struct site *s, int n, char *out)
{
	for (int i = 0; i < n; i++)
		out[i] = "abcdefghijklmnopqrstuvwxyz234567"[rng_below(&s->r, 32)];
	out[n] = 0;
	return out;
}

/* Tools for tunnels put 30 to 180 letters into a name. A login of a few kilobytes, or files. */
static void carry(struct site *s, bool out, bool in)
{
	char a[64], b[64], name[256], text[256];
	double bytes = log_uniform(s, 5e3, 3e6);
	int length = out ? rng_range(&s->r, 30, 120) : 8;
	s->about = "app";
	memset(text, 'x', 200);
	text[200] = 0;
	for (int day = week_day(s); bytes > 0; bytes -= in ? 200 : length) {
		snprintf(name, sizeof name, "%s.%s.t.badname.example", letters(s, length / 2, a),
		         letters(s, length - length / 2, b));
		ask(s, day, APP, name, NULL, NULL, in ? text : "ok");
	}
}

static void carries_out(struct site *s)
{
	carry(s, true, false);
}
static void carries_in(struct site *s)
{
	carry(s, false, true);
}
static void carries_both(struct site *s)
{
	carry(s, true, true);
}

static void asks_a_virus_scanner(struct site *s) /* sums of files as names, a few dozen a day */
{
	char a[64], name[256];
	for (int day = SITE_WEEK; day < SITE_DAYS; day++)
		for (double n = log_uniform(s, 5, 80); n > 0; n--) {
			snprintf(name, sizeof name, "%s.avts.vendor.example", letters(s, 32, a));
			ask(s, day, FILES, name, NULL, NULL, NULL);
		}
}

static void asks_many_block_lists(struct site *s) /* after a wave of spam: thousands of short names */
{
	char name[256];
	for (int n = 3000, day = week_day(s); n > 0; n--) {
		snprintf(name, sizeof name, "%d.%d.%d.%d.bl.blocklist.example", rng_range(&s->r, 1, 254),
		         rng_range(&s->r, 1, 254), rng_range(&s->r, 1, 254), rng_range(&s->r, 1, 254));
		ask(s, day, MAIL, name, NULL, NULL, NULL);
	}
}

static void asks_for_keys(struct site *s) /* DKIM: long answers about a few names of each of many domains */
{
	char name[256], text[420];
	memset(text, 'k', sizeof text - 1);
	text[sizeof text - 1] = 0;
	for (int n = 200, day = week_day(s); n > 0; n--) {
		snprintf(name, sizeof name, "sel%d._domainkey.sender%d.example", rng_range(&s->r, 1, 3), n);
		ask(s, day, MAIL, name, NULL, NULL, text);
	}
}

static void computes(struct site *s)
{
	char a[64], name[128];
	s->about = "app";
	for (double n = log_uniform(s, 20, 1000), day = week_day(s); n > 0; n--) {
		snprintf(name, sizeof name, "%s.%s", letters(s, rng_range(&s->r, 8, 18), a),
		         rng_chance(&s->r, 0.5) ? "com" : "net");
		ask(s, (int)day, APP, name, "NXDOMAIN", NULL, NULL);
	}
}

static void mistypes(struct site *s)
{
	char a[64], name[128];
	for (int day = SITE_WEEK; day < SITE_DAYS; day++)
		for (int n = rng_range(&s->r, 2, 12); n > 0; n--) {
			snprintf(name, sizeof name, "www.%s.com", letters(s, 7, a));
			ask(s, day, GATE, name, "NXDOMAIN", NULL, NULL);
		}
}

static void tries_every_suffix(struct site *s) /* names below the own domain, by a client that appends it */
{
	char a[64], name[128];
	for (int n = 800, day = week_day(s); n > 0; n--) {
		snprintf(name, sizeof name, "%s.com.corp.example", letters(s, 9, a));
		ask(s, day, APP, name, "NXDOMAIN", NULL, NULL);
	}
}

static void one_name(struct site *s, const char *name)
{
	s->about = "app";
	for (double n = log_uniform(s, 1, 50), day = week_day(s); n > 0; n--)
		ask(s, (int)day, APP, name, NULL, NULL, NULL);
}

static void asks_a_listed(struct site *s)
{
	one_name(s, "cdn7.listed-name.example");
}
static void asks_a_sinkhole(struct site *s)
{
	one_name(s, "x3.sinkholed.example");
}
static void asks_for_phishing(struct site *s)
{
	one_name(s, "login.phishing-name.example");
}
static void asks_for_onions(struct site *s)
{
	one_name(s, "expyuzz4wqqyqhjn.onion");
}
static void asks_a_gateway(struct site *s)
{
	one_name(s, "expyuzz4wqqyqhjn.onion.ly");
}
static void asks_a_pool(struct site *s)
{
	one_name(s, "xmr-eu1.nanopool.org");
}
static void asks_similar(struct site *s)
{
	one_name(s, "notlisted-name.example");
	one_name(s, "listed-name.example.org");
}
static void asks_about_onions(struct site *s)
{
	one_name(s, "onion.example.com");
	one_name(s, "theonion.com");
}
static void asks_about_pools(struct site *s)
{
	one_name(s, "nanopool.org.example.com");
	one_name(s, "mynanopool.org");
}

static void dangles(struct site *s)
{
	s->about = "web";
	for (double n = log_uniform(s, 1, 50), day = week_day(s); n > 0; n--)
		ask(s, (int)day, WEB, "shop.example.org", "NXDOMAIN", "shop-old.azurewebsites.net", NULL);
}

static void alias_exists(struct site *s)
{
	for (int n = 20, day = week_day(s); n > 0; n--)
		ask(s, day, WEB, "shop.example.org", NULL, "shop-new.azurewebsites.net", NULL);
}

static void alias_elsewhere(struct site *s) /* to a name that is nobody's to register */
{
	for (int n = 20, day = week_day(s); n > 0; n--)
		ask(s, day, WEB, "old.example.org", "NXDOMAIN", "gone.corp.example", NULL);
}

static void dns_elsewhere(struct site *s, unsigned port)
{
	char to[WH_ADDR_STRLEN];
	s->about = "app";
	public_address(s, to);
	for (double n = log_uniform(s, 1, 200), day = week_day(s); n > 0; n--)
		record(s, (int)day, APP, to, port, true, "dns",
		       "{\"version\":2,\"type\":\"query\",\"id\":1,\"rrname\":\"a.example.net\",\"rrtype\":\"A\"}");
}

static void dns_on_another_port(struct site *s)
{
	dns_elsewhere(s, (unsigned)rng_range(&s->r, 1024, 5000));
}
static void multicast_dns(struct site *s)
{
	dns_elsewhere(s, 5353);
}

static void not_dns_on_53(struct site *s) /* SSH or TLS on DNS's port, which firewalls let out */
{
	char to[WH_ADDR_STRLEN];
	s->about = "app";
	public_address(s, to);
	bool ssh = rng_chance(&s->r, 0.5);
	for (double n = log_uniform(s, 1, 100), day = week_day(s); n > 0; n--) {
		talk(s, &(struct talk){(int)day, -1, APP, to, 53, ssh ? "ssh" : "tls", 300, 50000, 90000, false});
		record(s, (int)day, APP, to, 53, false, ssh ? "ssh" : "tls",
		       ssh ? "{\"client\":{\"proto_version\":\"2.0\"},\"server\":{\"proto_version\":\"2.0\"}}"
		           : "{\"version\":\"TLS 1.3\"}");
	}
}

#define TUNNEL " AzureDNS_DataExfiltration AzureDNS_DataInfiltration AzureDNS_DataObfuscation "
const struct scenario name_scenarios[] = {
	{"AzureDNS_DataExfiltration", true, "5 KB to 3 MB in names", carries_out, TUNNEL},
	{"AzureDNS_DataExfiltration", false, "sums of files for a virus scanner", asks_a_virus_scanner, NULL},
	{"AzureDNS_DataExfiltration", false, "3,000 short names of a block list", asks_many_block_lists, NULL},
	{"AzureDNS_DataInfiltration", true, "5 KB to 3 MB in answers", carries_in, TUNNEL},
	{"AzureDNS_DataInfiltration", false, "long keys of 200 senders", asks_for_keys, NULL},
	{"AzureDNS_DataObfuscation", true, "both ways", carries_both, TUNNEL},
	{"AzureDNS_DomainGenerationAlgorithm", true, "20 to 1,000 domains that do not exist", computes, NULL},
	{"AzureDNS_DomainGenerationAlgorithm", false, "2 to 12 mistyped names a day", mistypes, NULL},
	{"AzureDNS_DomainGenerationAlgorithm", false, "800 failed names below one domain", tries_every_suffix, NULL},
	{"AzureDNS_ThreatIntelSuspectDomain", true, "a name below a listed domain", asks_a_listed, NULL},
	{"AzureDNS_ThreatIntelSuspectDomain", false, "names that only resemble it", asks_similar, NULL},
	{"AzureDNS_SinkholedDomain", true, "a name below a sinkholed domain", asks_a_sinkhole, NULL},
	{"AzureDNS_PhishingDomain", true, "a name listed for phishing", asks_for_phishing, NULL},
	{"AzureDNS_DarkWeb", true, "a name of an anonymity network", asks_for_onions, NULL},
	{"AzureDNS_DarkWeb", false, "names that only contain its word", asks_about_onions, NULL},
	{"AzureDNS_DarkWebProxy", true, "a gateway to it", asks_a_gateway, NULL},
	{"AzureDNS_CurrencyMining", true, "a mining pool", asks_a_pool, NULL},
	{"AzureDNS_CurrencyMining", false, "names that only resemble one", asks_about_pools, NULL},
	{"AzureDNS_ProtocolAnomaly", true, "DNS on another port", dns_on_another_port, NULL},
	{"AzureDNS_ProtocolAnomaly", true, "SSH or TLS on port 53", not_dns_on_53, NULL},
	{"AzureDNS_ProtocolAnomaly", false, "multicast DNS", multicast_dns, NULL},
	{"AppServices_DanglingDomain", true, "an alias to a cloud's name that is gone", dangles, NULL},
	{"AppServices_DanglingDomain", false, "an alias that leads somewhere", alias_exists, NULL},
	{"AppServices_DanglingDomain", false, "an alias to a name that nobody can register", alias_elsewhere, NULL},
	{NULL, false, NULL, NULL, NULL}};
