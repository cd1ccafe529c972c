/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Incidents and near-misses whose source is outside of the site. */
#include <string.h>
#include "site.h"

static int week_day(struct site *s)
{
	return rng_range(&s->r, SITE_WEEK + 1, SITE_DAYS - 1);
}

/* n failed logins on each of `days` days. */
static void guess(struct site *s, const char *from, const char *to, unsigned port, const char *app, double n, int days)
{
	int first = rng_range(&s->r, SITE_WEEK, SITE_DAYS - days);
	for (int day = first; day < first + days; day++)
		for (double i = 0; i < n; i++)
			talk(s, &(struct talk){day, -1, from, to, port, app, 0.6 + 3 * rng_unit(&s->r),
			                       1100 + rng_below(&s->r, 600), 1500 + rng_below(&s->r, 900), false});
}

/* Tools for guessing make from a few dozen tries a day (to stay below fail2ban's notice) to tens of thousands. */
static void guesser(struct site *s, const char *to, unsigned port, const char *app)
{
	char from[WH_ADDR_STRLEN];
	guess(s, public_address(s, from), to, port, app, log_uniform(s, 40, 8000), rng_range(&s->r, 1, 3));
}

static void ssh_guesser(struct site *s)
{
	s->about = "gate";
	guesser(s, GATE, 22, "ssh");
}
static void rdp_guesser(struct site *s)
{
	s->about = "files";
	guesser(s, FILES, 3389, "rdp");
}
static void sql_guesser(struct site *s)
{
	s->about = "db";
	guesser(s, DB, 5432, "pgsql");
}
static void other_guesser(struct site *s)
{
	static const struct {
		const char *to, *app, *about;
		unsigned port;
	} at[] = {{MAIL, "smtp", "mail", 587},
	          {MAIL, "imap", "mail", 993},
	          {FILES, "ftp", "files", 21},
	          {FILES, "smb", "files", 445},
	          {GATE, "rfb", "gate", 5900}};
	unsigned i = rng_below(&s->r, 5);
	s->about = at[i].about;
	guesser(s, at[i].to, at[i].port, at[i].app);
}

static void run_of_scripts(struct site *s) /* a colleague's deployment, from the office */
{
	guess(s, "140.20.30.25", GATE, 22, "ssh", log_uniform(s, 100, 600), 1);
}

static void monitor_looks_often(struct site *s)
{
	guess(s, MONITOR, GATE, 22, "ssh", log_uniform(s, 200, 2000), 3);
}

static void traveller(struct site *s) /* a few sessions, long ones, from a hotel */
{
	char from[WH_ADDR_STRLEN];
	public_address(s, from);
	for (int n = rng_range(&s->r, 3, 12), day = week_day(s); n > 0; n--)
		talk(s, &(struct talk){day, -1, from, GATE, 22, "ssh", rng_lognormal(&s->r, 600, 1), 30000, 90000, false});
}

static void application_reconnects(struct site *s) /* a pool that was set wrong: thousands of short sessions of a known client */
{
	guess(s, APP, DB, 5432, "pgsql", log_uniform(s, 500, 6000), 2);
}

static void mail_client_polls(struct site *s) /* every few minutes, from a telephone that is new */
{
	char from[WH_ADDR_STRLEN];
	public_address(s, from);
	double every = log_uniform(s, 2, 15); /* minutes */
	for (int day = SITE_WEEK + 2; day < SITE_DAYS; day++)
		for (double at = 7; at < 23; at += every / 60)
			talk(s, &(struct talk){day, at, from, MAIL, 993, "imap", 0.8, 1900,
			                       (uint64_t)rng_lognormal(&s->r, 6500, 0.7), false});
}

static void mail_of_a_new_provider(struct site *s)
{
	char from[WH_ADDR_STRLEN];
	public_address(s, from);
	for (int day = SITE_WEEK; day < SITE_DAYS; day++)
		for (double n = log_uniform(s, 60, 500); n > 0; n--)
			talk(s, &(struct talk){day, -1, from, MAIL, 25, "smtp", rng_lognormal(&s->r, 2.5, 0.5),
			                       (uint64_t)rng_lognormal(&s->r, 13e3, 1.1), 1800, false});
}

/* ---- from many sources ---- */

static void crowd(struct site *s, const char *to, unsigned port, const char *app, double n, const char *like)
{
	char from[WH_ADDR_STRLEN];
	int day = week_day(s);
	for (; n > 0; n--) {
		like ? address_like(s, like, from) : public_address(s, from);
		for (int k = rng_range(&s->r, 1, 4); k > 0; k--)
			talk(s, &(struct talk){day, -1, from, to, port, app, 1.8, 1400, 2100, false});
	}
}

static void ssh_crowd(struct site *s)
{
	s->about = "gate";
	crowd(s, GATE, 22, "ssh", log_uniform(s, 15, 400), NULL);
}
static void rdp_crowd(struct site *s)
{
	s->about = "files";
	crowd(s, FILES, 3389, "rdp", log_uniform(s, 15, 400), NULL);
}
static void newcomers(struct site *s)
{
	crowd(s, GATE, 22, "ssh", 5, "140.20.30.%d");
}

/* ---- outside the rules ---- */

static void stranger_at_the_database(struct site *s)
{
	char from[WH_ADDR_STRLEN];
	s->about = "db";
	public_address(s, from);
	for (double n = log_uniform(s, 1, 60), day = week_day(s); n > 0; n--)
		talk(s, &(struct talk){(int)day, -1, from, DB, 5432, "pgsql", rng_lognormal(&s->r, 20, 1), 4000, 20000, false});
}

static void stranger_at_the_gate(struct site *s)
{
	char from[WH_ADDR_STRLEN];
	s->about = "gate";
	public_address(s, from);
	for (double n = log_uniform(s, 2, 30), day = week_day(s); n > 0; n--)
		talk(s, &(struct talk){(int)day, -1, from, GATE, 22, "ssh", rng_lognormal(&s->r, 60, 1.5), 6000, 9000, false});
}

static void stopped_stranger(struct site *s)
{
	char from[WH_ADDR_STRLEN];
	s->about = "db";
	public_address(s, from);
	for (double n = log_uniform(s, 1, 200), day = week_day(s); n > 0; n--)
		try(s, (int)day, from, DB, 5432);
}

static void known_colleague(struct site *s)
{
	for (int n = 8, day = week_day(s); n > 0; n--)
		talk(s, &(struct talk){day, -1, "140.20.30.30", GATE, 22, "ssh", 500, 30000, 60000, false});
}

static void monitor_elsewhere(struct site *s) /* trusted, and new at that port */
{
	for (int day = SITE_WEEK; day < SITE_DAYS; day++)
		knock(s, day, MONITOR, DB, 5432);
}

static void reader(struct site *s) /* of the web server, which is for everybody */
{
	char from[WH_ADDR_STRLEN];
	public_address(s, from);
	for (int n = 200, day = week_day(s); n > 0; n--)
		talk(s, &(struct talk){day, -1, from, WEB, 443, "tls", 2, 2000, 50000, false});
}

/* ---- scans ---- */

static void scan(struct site *s, const char *from, int ports, int days)
{
	for (int i = 0; i < ports; i++)
		try(s, SITE_WEEK + 1 + i % days, from, GATE, (unsigned)(20 + i * 7));
}

static void scanner(struct site *s)
{
	char from[WH_ADDR_STRLEN];
	s->about = "gate";
	scan(s, public_address(s, from), (int)log_uniform(s, 15, 1000), rng_range(&s->r, 1, 5));
}

static void own_scanner(struct site *s)
{
	scan(s, MONITOR, (int)log_uniform(s, 100, 1000), 2);
} /* trusted */

static void wrong_port(struct site *s) /* a client that tries one closed port all day */
{
	char from[WH_ADDR_STRLEN];
	public_address(s, from);
	for (int day = SITE_WEEK; day < SITE_DAYS; day++)
		for (int i = 0; i < 100; i++)
			try(s, day, from, GATE, 8443);
}

static void few_ports(struct site *s)
{
	char from[WH_ADDR_STRLEN];
	scan(s, public_address(s, from), rng_range(&s->r, 3, 9), 1);
}

#define STRANGE " Network_TrafficFromUnrecommendedIP Whittle_FirstConnection Whittle_UnjudgedPort "
const struct scenario incoming_scenarios[] = {
	{"SSH_Incoming_BF_OneToOne", true, "guessing at SSH, 40 to 8,000 tries a day", ssh_guesser, STRANGE},
	{"SSH_Incoming_BF_OneToOne", false, "a colleague's script, 100 to 600 short sessions", run_of_scripts, STRANGE},
	{"SSH_Incoming_BF_OneToOne", false, "the trusted monitor looks more often", monitor_looks_often, NULL},
	{"SSH_Incoming_BF_OneToOne", false, "a traveller's long sessions", traveller, STRANGE},
	{"RDP_Incoming_BF_OneToOne", true, "guessing at RDP", rdp_guesser, STRANGE},
	{"SQL_Incoming_BF_OneToOne", true, "guessing at a database", sql_guesser, STRANGE},
	{"SQL_Incoming_BF_OneToOne", false, "the application's pool reconnects all day", application_reconnects, NULL},
	{"Generic_Incoming_BF_OneToOne", true, "guessing at mail, FTP, SMB, VNC", other_guesser, STRANGE},
	{"Generic_Incoming_BF_OneToOne", false, "a new telephone polls its mail", mail_client_polls, STRANGE},
	{"Generic_Incoming_BF_OneToOne", false, "a new provider delivers mail", mail_of_a_new_provider, STRANGE},
	{"SSH_Incoming_BF_ManyToOne", true, "15 to 400 sources on one day", ssh_crowd, STRANGE},
	{"SSH_Incoming_BF_ManyToOne", false, "a few newcomers in the office", newcomers, STRANGE},
	{"RDP_Incoming_BF_ManyToOne", true, "15 to 400 sources on one day", rdp_crowd, STRANGE},
	{"Network_TrafficFromUnrecommendedIP", true, "a stranger at the database", stranger_at_the_database, STRANGE},
	{"Network_TrafficFromUnrecommendedIP", true, "a stranger at SSH", stranger_at_the_gate, STRANGE},
	{"Network_TrafficFromUnrecommendedIP", true, "a stranger whom nothing answers", stopped_stranger, NULL},
	{"Network_TrafficFromUnrecommendedIP", false, "a colleague comes more often", known_colleague, NULL},
	{"Network_TrafficFromUnrecommendedIP", false, "the trusted monitor looks at one more port", monitor_elsewhere, NULL},
	{"Network_TrafficFromUnrecommendedIP", false, "a busy reader of the web server", reader, NULL},
	{"Whittle_IncomingScan", true, "15 to 1,000 ports of one host, within 1 to 5 days", scanner, STRANGE},
	{"Whittle_IncomingScan", false, "the trusted scanner", own_scanner, NULL},
	{"Whittle_IncomingScan", false, "a client tries one closed port", wrong_port, NULL},
	{"Whittle_IncomingScan", false, "3 to 9 ports", few_ports, STRANGE},
	{NULL, false, NULL, NULL, NULL}};
