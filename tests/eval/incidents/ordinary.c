/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The traffic of a small site on any day. */
#include "site.h"

static void office(struct site *s, int day)
{
	char from[WH_ADDR_STRLEN];
	for (int i = 1; i <= 16; i++) {
		if (!workday(day) || !rng_chance(&s->r, 0.6))
			continue;
		snprintf(from, sizeof from, "140.20.30.%d", 20 + i);
		for (int n = rng_range(&s->r, 1, 3); n > 0; n--)
			talk(s, &(struct talk){day, rng_range(&s->r, 6, 16), from, GATE, 22, "ssh", rng_lognormal(&s->r, 900, 1),
			                       (uint64_t)rng_lognormal(&s->r, 40e3, 1), (uint64_t)rng_lognormal(&s->r, 120e3, 1),
			                       false});
	}
}

/* Short sessions all day; it is trusted. Every quarter of an hour it completes a handshake too. */
static void monitor(struct site *s, int day)
{
	for (int i = 0; i < 96; i++) {
		if (i % 3 == 0)
			talk(s, &(struct talk){day, i / 4.0, MONITOR, GATE, 22, "ssh", 0.4, 900, 1800, false});
		knock(s, day, MONITOR, GATE, 22);
	}
}

static void web(struct site *s, int day)
{
	char from[WH_ADDR_STRLEN];
	for (int n = rng_range(&s->r, 15, 40); n > 0; n--) {
		public_address(s, from);
		for (int k = rng_range(&s->r, 1, 3); k > 0; k--)
			talk(s, &(struct talk){day, -1, from, WEB, 443, "tls", rng_lognormal(&s->r, 4, 1.2), 3000,
			                       (uint64_t)rng_lognormal(&s->r, 60e3, 1.3), false});
	}
	record(s, day, from, WEB, 443, false, "tls", "{\"version\":\"TLS 1.3\",\"sni\":\"www.example.org\"}");
	record(s, day, from, WEB, 443, false, "tls",
	       "{\"version\":\"TLS 1.2\",\"subject\":\"CN=www.example.org\",\"issuerdn\":\"CN=R11\",\"notafter\":\"2027-01-01T00:00:00\"}");
}

static void application(struct site *s, int day)
{
	char to[WH_ADDR_STRLEN];
	for (int n = 0; n < 24; n++)
		talk(s, &(struct talk){day, n, APP, DB, 5432, "pgsql", rng_lognormal(&s->r, 200, 1), 60000, 300000, false});
	for (int n = rng_range(&s->r, 8, 16); n > 0; n--) /* a delivery network: its addresses change */
		talk(s, &(struct talk){day, -1, APP, address_like(s, "140.24.7.%d", to), 443, "tls", 3, 4000,
		                       (uint64_t)rng_lognormal(&s->r, 90e3, 1), false});
	for (int n = 0; n < 48; n++) /* an agent that reports by a clock, and always did */
		talk(s, &(struct talk){day, n / 2.0, APP, "140.22.1.77", 443, "tls", 0.6, 2100, 900, false});
}

static void backups(struct site *s, int day)
{
	static const char *const hosts[] = {DB, FILES, MAIL};
	for (int i = 0; i < 3; i++)
		talk(s, &(struct talk){day, 2 + i, hosts[i], BACKUP, 443, "tls", 2400, (uint64_t)rng_lognormal(&s->r, 1.5e9, 0.4),
		                       2000000, false});
}

static void mail(struct site *s, int day)
{
	char peer[WH_ADDR_STRLEN], name[128];
	for (int n = rng_range(&s->r, 10, 25); n > 0; n--)
		talk(s, &(struct talk){day, -1, public_address(s, peer), MAIL, 25, "smtp", rng_lognormal(&s->r, 4, 0.8),
		                       (uint64_t)rng_lognormal(&s->r, 18e3, 1.2), 1800, false});
	for (int n = rng_range(&s->r, 100, 180); n > 0; n--) /* a large provider */
		talk(s, &(struct talk){day, -1, address_like(s, "140.23.1.%d", peer), MAIL, 25, "smtp",
		                       rng_lognormal(&s->r, 2.5, 0.6), (uint64_t)rng_lognormal(&s->r, 14e3, 1), 1800, false});
	for (int n = rng_range(&s->r, 6, 14); n > 0; n--)
		talk(s, &(struct talk){day, -1, MAIL, public_address(s, peer), 25, "smtp", 3, 9000, 1500, false});
	for (int n = rng_range(&s->r, 20, 60); n > 0; n--) { /* block lists: most names do not exist, all below one domain */
		snprintf(name, sizeof name, "%d.%d.%d.%d.zen.blocklist.example", rng_range(&s->r, 1, 254),
		         rng_range(&s->r, 1, 254), rng_range(&s->r, 1, 254), rng_range(&s->r, 1, 254));
		ask(s, day, MAIL, name, rng_chance(&s->r, 0.8) ? "NXDOMAIN" : NULL, NULL, NULL);
	}
	for (int n = rng_range(&s->r, 0, 6); n > 0; n--) { /* forged senders */
		snprintf(name, sizeof name, "offer%d.example%d.com", rng_range(&s->r, 1, 999), rng_range(&s->r, 1, 9999));
		ask(s, day, MAIL, name, "NXDOMAIN", NULL, NULL);
	}
}

static void directory(struct site *s, int day)
{
	static const char *const hosts[] = {APP, FILES, GATE, WEB, MAIL};
	for (int i = 0; i < 5; i++) {
		talk(s, &(struct talk){day, -1, hosts[i], DIRECTORY, 389, "ldap", 2, 3000, 5000, false});
		talk(s, &(struct talk){day, -1, hosts[i], DIRECTORY, 88, "krb5", 0.1, 1500, 1600, false});
		record(s, day, hosts[i], DIRECTORY, 88, false, "krb5",
		       "{\"msg_type\":\"KRB_AS_REP\",\"encryption\":\"aes256-cts-hmac-sha1-96\",\"weak_encryption\":false}");
		record(s, day, hosts[i], DIRECTORY, 389, false, "ldap",
		       "{\"request\":{\"operation\":\"bind_request\",\"bind_request\":{\"version\":3,\"name\":\"\",\"sasl\":{\"mechanism\":\"GSS-SPNEGO\"}}},"
		       "\"responses\":[{\"operation\":\"bind_response\",\"bind_response\":{\"result_code\":\"success\"}}]}");
	}
	talk(s, &(struct talk){day, 9, APP, FILES, 445, "smb", 600, 400000, 900000, false});
	record(s, day, APP, FILES, 445, false, "smb",
	       "{\"dialect\":\"3.11\",\"command\":\"SMB2_COMMAND_SESSION_SETUP\",\"status\":\"STATUS_SUCCESS\"}");
}

static void names(struct site *s, int day)
{
	static const char *const hosts[] = {APP, FILES, GATE, WEB, MAIL, DB}, *const usual[] = {"www.example.org",
	                                                                                        "api.partner.example",
	                                                                                        "mirror.distribution.example",
	                                                                                        "time.network.example",
	                                                                                        "login.identity.example",
	                                                                                        "packages.vendor.example",
	                                                                                        "code.hosting.example",
	                                                                                        "registry.modules.example"};
	char name[160];
	for (int i = 0; i < 6; i++) {
		for (int n = rng_range(&s->r, 3, 9); n > 0; n--)
			ask(s, day, hosts[i], usual[rng_below(&s->r, 8)], NULL, NULL, NULL);
		for (int n = rng_range(&s->r, 0, 8); n > 0;
		     n--) { /* a delivery network's names are long, and few are different */
			snprintf(name, sizeof name, "e%d-assets-prod-0%d.region%d.delivery.example", rng_range(&s->r, 1, 30),
			         rng_range(&s->r, 1, 4), rng_range(&s->r, 1, 3));
			ask(s, day, hosts[i], name, NULL, NULL, NULL);
		}
		snprintf(name, sizeof name, "wpad%d.corp.example", rng_range(&s->r, 1, 9));
		ask(s, day, hosts[i], name, "NXDOMAIN", NULL, NULL);
	}
	ask(s, day, WEB, "www.example.org", NULL, "front.example-delivery.net", NULL);
}

/* What the Internet sends to any address. */
static void noise(struct site *s, int day)
{
	static const char *const hosts[] = {WEB, GATE, MAIL};
	static const unsigned ports[] = {22, 23, 80, 445, 1433, 3389, 5900, 6379, 8080, 8443};
	char from[WH_ADDR_STRLEN];
	for (int n = rng_range(&s->r, 20, 50); n > 0; n--)
		try(s, day, public_address(s, from), hosts[rng_below(&s->r, 3)], ports[rng_below(&s->r, 10)]);
}

void ordinary(struct site *s)
{
	for (int day = 0; day < SITE_DAYS; day++) {
		office(s, day);
		monitor(s, day);
		web(s, day);
		application(s, day);
		backups(s, day);
		mail(s, day);
		directory(s, day);
		names(s, day);
		noise(s, day);
		for (int h = 0; h < 24; h += 8) /* one run of Suricata: counters from its start */
			stats(s, day, h, (uint64_t)(day * 24 + h) * 3600, (uint64_t)(day * 24 + h) * 400000,
			      (uint64_t)(day * 24 + h) * 90);
	}
}
