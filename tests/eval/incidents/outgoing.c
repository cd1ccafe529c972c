/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a machine of the estate does when somebody else uses it. */
#include <string.h>
#include "site.h"

static int week_day(struct site *s)
{
	return rng_range(&s->r, SITE_WEEK + 1, SITE_DAYS - 1);
}

static void guess(struct site *s, const char *to, unsigned port, const char *app, double n)
{
	for (int day = week_day(s); n > 0; n--)
		talk(s, &(struct talk){day, -1, APP, to, port, app, 0.8 + 2 * rng_unit(&s->r), 1300, 1900, false});
}

static void ssh_guesses(struct site *s)
{
	char to[WH_ADDR_STRLEN];
	s->about = "app";
	guess(s, public_address(s, to), 22, "ssh", log_uniform(s, 40, 8000));
}

static void rdp_guesses(struct site *s)
{
	char to[WH_ADDR_STRLEN];
	s->about = "app";
	guess(s, public_address(s, to), 3389, "rdp", log_uniform(s, 40, 8000));
}

static void long_sessions(struct site *s) /* rsync over SSH, all day */
{
	char to[WH_ADDR_STRLEN];
	public_address(s, to);
	for (int n = 0, day = week_day(s); n < 200; n++)
		talk(s, &(struct talk){day, -1, APP, to, 22, "ssh", 40, 5000000, 30000, false});
}

/* Nothing answers most targets of a sweep: `answered` of them do. */
static void sweep(struct site *s, unsigned port, const char *app, double targets, double answered)
{
	char to[WH_ADDR_STRLEN];
	s->about = "app";
	for (int day = week_day(s); targets > 0; targets--) {
		public_address(s, to);
		if (rng_chance(&s->r, answered))
			talk(s, &(struct talk){day, -1, APP, to, port, app, 1, 1300, 1900, false});
		else
			try(s, day, APP, to, port);
	}
}

static void ssh_sweep(struct site *s)
{
	sweep(s, 22, "ssh", log_uniform(s, 30, 3000), 0.3);
}
static void rdp_sweep(struct site *s)
{
	sweep(s, 3389, "rdp", log_uniform(s, 30, 3000), 0.3);
}
static void other_sweep(struct site *s)
{
	static const unsigned ports[] = {445, 23, 6379, 8080, 5555};
	sweep(s, ports[rng_below(&s->r, 5)], NULL, log_uniform(s, 30, 3000), 0.3);
}
static void silent_sweep(struct site *s)
{
	sweep(s, 445, NULL, log_uniform(s, 30, 3000), 0);
}

static void administers(struct site *s) /* Ansible, which did so every week before */
{
	char to[WH_ADDR_STRLEN];
	for (int day = 3; day < SITE_DAYS; day += 7)
		for (int i = 1; i <= 40; i++) {
			snprintf(to, sizeof to, "140.26.1.%d", 100 + i);
			talk(s, &(struct talk){day, 5, APP, to, 22, "ssh", 8, 20000, 9000, false});
		}
}

static void fetches(struct site *s) /* a page with many parts: some tens of new addresses on 443, as on other days */
{
	char to[WH_ADDR_STRLEN];
	for (int day = 0; day < SITE_DAYS; day++)
		for (int i = rng_range(&s->r, 10, 40); i > 0; i--)
			talk(s, &(struct talk){day, -1, APP, public_address(s, to), 443, "tls", 2, 2000, 70000, false});
}

static void sends_letters(struct site *s) /* a letter to all customers, twice as many as ever */
{
	char to[WH_ADDR_STRLEN];
	for (int i = rng_range(&s->r, 20, 28), day = week_day(s); i > 0; i--)
		talk(s, &(struct talk){day, -1, MAIL, public_address(s, to), 25, "smtp", 3, 9000, 1500, false});
}

/* ---- floods, uploads, clocks ---- */

static void floods(struct site *s, bool answered)
{
	char to[WH_ADDR_STRLEN];
	s->about = "app";
	public_address(s, to);
	for (double n = log_uniform(s, 20000, 150000), day = week_day(s); n > 0; n--) {
		if (answered)
			knock(s, (int)day, APP, to, 80);
		else
			try(s, (int)day, APP, to, 80);
	}
}

static void flood(struct site *s)
{
	floods(s, true);
}
static void flood_that_drowns(struct site *s)
{
	floods(s, false);
}

static void busy_client(struct site *s) /* an interface that is asked for everything, and answers */
{
	for (int n = 0, day = week_day(s); n < 60000; n++)
		talk(s, &(struct talk){day, -1, APP, "140.22.1.88", 443, "tls", 0.1, 900, 2600, false});
}

static void carries_off(struct site *s)
{
	char to[WH_ADDR_STRLEN];
	s->about = "db";
	public_address(s, to);
	double bytes = log_uniform(s, 1e9, 200e9), days = rng_range(&s->r, 1, 3);
	for (int day = SITE_WEEK + 1; day < SITE_WEEK + 1 + days; day++)
		talk(s, &(struct talk){day, -1, DB, to, 443, "tls", 7200, (uint64_t)(bytes / days), 3000000, false});
}

static void larger_backup(struct site *s) /* to where it always goes */
{
	talk(s,
	     &(struct talk){week_day(s), 3, DB, BACKUP, 443, "tls", 9000, (uint64_t)log_uniform(s, 5e9, 60e9), 3000000, false});
}

static void second_backup(struct site *s) /* to a resource of the estate */
{
	talk(s, &(struct talk){week_day(s), 3, DB, FILES, 445, "smb", 9000, (uint64_t)log_uniform(s, 5e9, 60e9), 3000000, false});
}

static void storage_moves(struct site *s) /* a store of objects with an address of its own each day, and as much as ever */
{
	char to[WH_ADDR_STRLEN];
	for (int day = 0; day < SITE_DAYS; day++)
		talk(s, &(struct talk){day, 4, DB, address_like(s, "140.29.1.%d", to), 443, "tls", 3000,
		                       (uint64_t)rng_lognormal(&s->r, 3e9, 0.4), 3000000, false});
}

static void small_upload(struct site *s)
{
	char to[WH_ADDR_STRLEN];
	talk(s, &(struct talk){week_day(s), 10, DB, public_address(s, to), 443, "tls", 60, (uint64_t)log_uniform(s, 1e6, 3e8),
	                       30000, false});
}

/* Every minute to every quarter of an hour, with up to a third of jitter; a rare answer is a task. */
static void calls_home(struct site *s)
{
	char to[WH_ADDR_STRLEN];
	s->about = "app";
	public_address(s, to);
	double every = log_uniform(s, 1, 15) / 60, jitter = rng_unit(&s->r) / 3;
	for (double at = SITE_WEEK * 24 + 30; at < SITE_DAYS * 24; at += every * (1 + jitter * (rng_unit(&s->r) - 0.5)))
		talk(s, &(struct talk){(int)(at / 24), at - 24 * (int)(at / 24), APP, to, 443, "tls", 0.5 + 0.2 * rng_unit(&s->r),
		                       900 + rng_below(&s->r, 60), rng_chance(&s->r, 0.03) ? 40000 : 700 + rng_below(&s->r, 40),
		                       false});
}

static void looks_for_updates(struct site *s) /* every hour at a new mirror */
{
	char to[WH_ADDR_STRLEN];
	public_address(s, to);
	for (int h = SITE_WEEK * 24; h < SITE_DAYS * 24; h++)
		talk(s, &(struct talk){h / 24, h % 24, APP, to, 443, "tls", 1, 1200, 4000, false});
}

static void office_hours(struct site *s) /* a new service that people use: often, but by day, and of all sizes */
{
	char to[WH_ADDR_STRLEN];
	public_address(s, to);
	for (int day = SITE_WEEK; day < SITE_DAYS; day++)
		for (int n = 0; n < 300; n++)
			talk(s, &(struct talk){day, 7 + 10 * rng_unit(&s->r), APP, to, 443, "tls", rng_lognormal(&s->r, 3, 1),
			                       1800, (uint64_t)rng_lognormal(&s->r, 20e3, 1.5), false});
}

/* ---- addresses on lists ---- */

static void list_one(struct site *s, char *at)
{
	public_address(s, at);
	snprintf(s->listed, sizeof s->listed, "%s\n140.28.1.250\n", at);
}

static void talks_to_a_listed_one(struct site *s)
{
	char at[WH_ADDR_STRLEN];
	s->about = "app";
	list_one(s, at);
	for (double n = log_uniform(s, 1, 100), day = week_day(s); n > 0; n--)
		talk(s, &(struct talk){(int)day, -1, APP, at, 443, "tls", 2, 1900, 3000, false});
}

static void listed_one_is_answered(struct site *s)
{
	char at[WH_ADDR_STRLEN];
	s->about = "web";
	list_one(s, at);
	for (double n = log_uniform(s, 1, 100), day = week_day(s); n > 0; n--)
		talk(s, &(struct talk){(int)day, -1, at, WEB, 443, "tls", 2, 1900, 30000, false});
}

static void listed_one_knocks(struct site *s) /* and nothing answers */
{
	char at[WH_ADDR_STRLEN];
	list_one(s, at);
	for (int n = 0, day = week_day(s); n < 50; n++)
		try(s, day, at, WEB, 3389);
}

static void neighbour_of_a_listed_one(struct site *s)
{
	snprintf(s->listed, sizeof s->listed, "140.22.1.87\n140.28.1.250\n");
	for (int n = 0, day = week_day(s); n < 30; n++)
		talk(s, &(struct talk){day, -1, APP, "140.22.1.88", 443, "tls", 2, 1900, 3000, false});
}

static void own_address_is_listed(struct site *s)
{
	s->about = "gate";
	snprintf(s->listed, sizeof s->listed, "20.50.60.9\n140.28.1.250\n");
}

static void neighbour_is_listed(struct site *s)
{
	snprintf(s->listed, sizeof s->listed, "20.50.60.8\n20.50.60.10\n");
}

#define SEEN " Whittle_FirstConnection Network_TrafficFromUnrecommendedIP Whittle_UnjudgedPort "
const struct scenario outgoing_scenarios[] = {
	{"SSH_Outgoing_BF_OneToOne", true, "40 to 8,000 tries at one target", ssh_guesses, SEEN},
	{"SSH_Outgoing_BF_OneToOne", false, "rsync to a new host, 200 times", long_sessions, SEEN},
	{"RDP_Outgoing_BF_OneToOne", true, "40 to 8,000 tries at one target", rdp_guesses, SEEN},
	{"SSH_Outgoing_BF_OneToMany", true, "30 to 3,000 targets, a third of them answers", ssh_sweep, SEEN},
	{"SSH_Outgoing_BF_OneToMany", false, "Ansible, as every week", administers, SEEN},
	{"RDP_Outgoing_BF_OneToMany", true, "30 to 3,000 targets, a third of them answers", rdp_sweep, SEEN},
	{"PortScanning", true, "30 to 3,000 targets, a third of them answers", other_sweep, SEEN},
	{"PortScanning", true, "30 to 3,000 targets, none of them answers", silent_sweep, SEEN},
	{"PortScanning", false, "10 to 40 new web servers a day, as ever", fetches, SEEN},
	{"PortScanning", false, "a letter to twice as many servers as ever", sends_letters, SEEN},
	{"DDOS", true, "20,000 to 150,000 handshakes with one target", flood, SEEN},
	{"DDOS", true, "the same, and the target no longer answers", flood_that_drowns, SEEN},
	{"DDOS", false, "60,000 answered questions to an interface", busy_client, SEEN},
	{"Whittle_OutboundVolume", true, "1 to 200 GB to a new address", carries_off, SEEN},
	{"Whittle_OutboundVolume", false, "a larger backup to the usual place", larger_backup, SEEN},
	{"Whittle_OutboundVolume", false, "a copy to another host of the estate", second_backup, SEEN},
	{"Whittle_OutboundVolume", false, "3 GB a day to a store with many addresses", storage_moves, SEEN},
	{"Whittle_OutboundVolume", false, "an upload of 1 to 300 MB", small_upload, SEEN},
	{"Whittle_Beaconing", true, "every 1 to 15 minutes, with jitter", calls_home, SEEN},
	{"Whittle_Beaconing", false, "a mirror is asked every hour", looks_for_updates, SEEN},
	{"Whittle_Beaconing", false, "a new service of the office", office_hours, SEEN},
	{"Network_CommunicationWithC2", true, "1 to 100 connections to a listed address", talks_to_a_listed_one, SEEN},
	{"Network_CommunicationWithC2", true, "1 to 100 connections of a listed address", listed_one_is_answered, SEEN},
	{"Network_CommunicationWithC2", false, "a listed address that nothing answers", listed_one_knocks, SEEN},
	{"Network_CommunicationWithC2", false, "the neighbour of a listed address", neighbour_of_a_listed_one, SEEN},
	{"Network_ResourceIpIndicatedAsMalicious", true, "an address of the gate is listed", own_address_is_listed, NULL},
	{"Network_ResourceIpIndicatedAsMalicious", false, "its neighbours are listed", neighbour_is_listed, NULL},
	{NULL, false, NULL, NULL, NULL}};
