/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ports, rules, protocols, and the sensor. */
#include <jansson.h>
#include "site.h"

static int week_day(struct site *s)
{
	return rng_range(&s->r, SITE_WEEK + 1, SITE_DAYS - 1);
}

static void nothing(struct site *s)
{
	(void)s;
}

/* ---- first connections, dormant paths, new ports ---- */

static void moves_sideways(struct site *s)
{
	static const unsigned ports[] = {22, 445, 3389, 5985};
	s->about = "db";
	for (double n = log_uniform(s, 1, 30), day = week_day(s); n > 0; n--)
		talk(s, &(struct talk){(int)day, -1, WEB, DB, ports[rng_below(&s->r, 4)], NULL, rng_lognormal(&s->r, 60, 1),
		                       20000, 30000, false});
}

static void spoke_before(struct site *s)
{
	for (int n = 0, day = week_day(s); n < 20; n++)
		talk(s, &(struct talk){day, -1, APP, FILES, 445, "smb", 60, 20000, 30000, false});
}

static void new_outside_peer(struct site *s) /* not of the estate */
{
	for (int n = 0, day = week_day(s); n < 20; n++)
		talk(s, &(struct talk){day, -1, "140.20.30.22", WEB, 443, "tls", 3, 2000, 30000, false});
}

static void comes_back(struct site *s)
{
	s->about = "gate";
	for (int day = 0; day < 6; day++)
		talk(s, &(struct talk){day, 9, "140.20.30.200", GATE, 22, "ssh", 500, 30000, 60000, false});
	for (int n = rng_range(&s->r, 1, 8), day = rng_range(&s->r, SITE_WEEK + 1, SITE_DAYS - 1); n > 0; n--)
		talk(s, &(struct talk){day, -1, "140.20.30.200", GATE, 22, "ssh", 500, 30000, 60000, false});
}

static void comes_monthly(struct site *s)
{
	for (int day = 25; day < SITE_DAYS; day += 30)
		talk(s, &(struct talk){day, 9, "140.20.30.200", GATE, 22, "ssh", 500, 30000, 60000, false});
}

static void opens_port(struct site *s)
{
	char from[WH_ADDR_STRLEN];
	unsigned port = (unsigned)rng_range(&s->r, 8000, 9999);
	s->about = "web";
	for (double n = log_uniform(s, 1, 200), day = week_day(s); n > 0; n--)
		talk(s, &(struct talk){(int)day, -1, public_address(s, from), WEB, port, "http", 2, 900, 9000, false});
}

static void opens_inside(struct site *s)
{
	for (int n = 0, day = week_day(s); n < 40; n++)
		talk(s, &(struct talk){day, -1, APP, WEB, 9100, "http", 0.2, 300, 60000, false});
}

static void comes_over_ipv6(struct site *s)
{
	char from[WH_ADDR_STRLEN];
	s->about = "gate";
	snprintf(from, sizeof from, "2001:db8:%x::%x", rng_range(&s->r, 1, 9999), rng_range(&s->r, 1, 9999));
	for (double n = log_uniform(s, 1, 50), day = week_day(s); n > 0; n--)
		talk(s, &(struct talk){(int)day, -1, from, "2001:db8:ffff::20", 22, "ssh", 30, 9000, 20000, false});
}

static void knows_ipv6(struct site *s) /* the rule has IPv6 peers: the office uses both */
{
	for (int day = 0; day < SITE_DAYS; day++)
		for (int i = 1; i < 5; i++) {
			char from[WH_ADDR_STRLEN];
			snprintf(from, sizeof from, "2001:db8:50::%x", i);
			if (workday(day))
				talk(s, &(struct talk){day, 10, from, "2001:db8:ffff::20", 22, "ssh", 600, 9000, 20000, false});
		}
}

/* ---- a peer that a rule lets in ---- */

static void colleague_is_taken_over(struct site *s)
{
	s->about = "gate";
	for (int n = 0, day = week_day(s); n < 5; n++) {
		talk(s, &(struct talk){day, -1, "140.20.30.28", GATE, 22, "ssh", 30, 9000, 20000, false});
		signature(s, day, "140.20.30.28", GATE, 22, 2010935, (unsigned)rng_range(&s->r, 1, 2));
	}
}

static void colleague_is_listed(struct site *s)
{
	s->about = "gate";
	snprintf(s->listed, sizeof s->listed, "140.20.30.28\n140.28.1.250\n");
	for (int n = 0, day = week_day(s); n < 5; n++)
		talk(s, &(struct talk){day, -1, "140.20.30.28", GATE, 22, "ssh", 300, 9000, 20000, false});
}

static void minor_signature(struct site *s)
{
	for (int n = 0, day = week_day(s); n < 5; n++)
		signature(s, day, "140.20.30.28", GATE, 22, 2210044, 3);
}

static void monitor_raises_signatures(struct site *s)
{
	for (int n = 0, day = week_day(s); n < 20; n++)
		signature(s, day, MONITOR, GATE, 22, 2010935, 1);
}

/* ---- protocols ---- */

static void speaks_an_old_version(struct site *s)
{
	static const struct {
		const char *to, *about, *app, *object;
		unsigned port, sid;
	} ways[] = {
		{WEB, "web", "tls", "{\"version\":\"TLSv1\",\"subject\":\"CN=www.example.org\",\"issuerdn\":\"CN=R11\"}", 443, 0},
		{WEB, "web", "tls", "{\"version\":\"TLS 1.1\",\"session_resumed\":true}", 443, 0},
		{FILES, "files", "smb", "{\"dialect\":\"NT LM 0.12\",\"command\":\"SMB1_COMMAND_NEGOTIATE_PROTOCOL\"}", 445, 0},
		{GATE, "gate", "ssh", "{\"client\":{\"proto_version\":\"1.5\"},\"server\":{\"proto_version\":\"1.5\"}}", 22, 0},
		{DIRECTORY, "directory", "krb5",
	         "{\"msg_type\":\"KRB_AS_REP\",\"encryption\":\"rc4-hmac\",\"weak_encryption\":true}", 88, 0},
		{DIRECTORY, "directory", "ldap",
	         "{\"request\":{\"operation\":\"bind_request\",\"bind_request\":{\"version\":3,\"name\":\"cn=x\"}},\"responses\":[{\"operation\":\"bind_response\","
	         "\"bind_response\":{\"result_code\":\"success\"}}]}",
	         389, 0},
		{FILES, "files", NULL, NULL, 445, 1840012}};
	unsigned i = rng_below(&s->r, 7);
	int day = week_day(s);
	s->about = ways[i].about;
	if (ways[i].app)
		record(s, day, APP, ways[i].to, ways[i].port, false, ways[i].app, ways[i].object);
	else
		signature(s, day, APP, ways[i].to, ways[i].port, ways[i].sid, 3);
}

static void refused_old_version(struct site *s) /* a scanner offers it, and the server refuses */
{
	char from[WH_ADDR_STRLEN];
	for (int n = 0, day = week_day(s); n < 20; n++)
		record(s, day, public_address(s, from), WEB, 443, false, "tls", "{\"version\":\"TLSv1\"}");
}

static void new_versions(struct site *s)
{
	int day = week_day(s);
	record(s, day, APP, FILES, 445, false, "smb", "{\"dialect\":\"2.10\",\"command\":\"SMB2_COMMAND_NEGOTIATE_PROTOCOL\"}");
	record(s, day, APP, FILES, 445, false, "smb", "{\"dialect\":\"2.??\",\"command\":\"SMB1_COMMAND_NEGOTIATE_PROTOCOL\"}");
	record(s, day, APP, GATE, 22, false, "ssh",
	       "{\"client\":{\"proto_version\":\"1.99\"},\"server\":{\"proto_version\":\"2.0\"}}");
	signature(s, day, APP, FILES, 445, 1840013, 3);
}

/* ---- the sensor ---- */

static void sensor_stops(struct site *s)
{
	s->silent_from = rng_range(&s->r, SITE_WEEK + 1, SITE_DAYS - 2);
}

static void sensor_loses(struct site *s)
{
	double lost = log_uniform(s, 1, 1e6);
	s->sensor = json_pack("{s:I, s:I}", "records", (json_int_t)10000000, "lost", (json_int_t)lost);
}

static void sensor_loses_nothing(struct site *s)
{
	s->sensor = json_pack("{s:i, s:i}", "records", 10000000, "lost", 0);
}

static void capture(struct site *s, double share)
{
	int day = week_day(s);
	for (int h = 1; h < 24; h += 4) /* after a restart: counters begin anew */
		stats(s, day, h, (uint64_t)h * 3600, 1000 + (uint64_t)h * 5000000, (uint64_t)(share * h * 5000000));
}

static void capture_loses(struct site *s)
{
	capture(s, log_uniform(s, 0.005, 0.5));
}
static void capture_loses_little(struct site *s)
{
	capture(s, log_uniform(s, 0.0001, 0.004));
}

const struct scenario other_scenarios[] = {
	{NULL, false, "ordinary days", nothing, NULL},
	{"Whittle_FirstConnection", true, "one host of the estate reaches another", moves_sideways,
         " Network_TrafficFromUnrecommendedIP "},
	{"Whittle_FirstConnection", false, "two that have always spoken", spoke_before, NULL},
	{"Whittle_FirstConnection", false, "a peer outside of the estate", new_outside_peer, NULL},
	{"Whittle_DormantPath", true, "a peer comes after 47 days or more", comes_back, " Network_TrafficFromUnrecommendedIP "},
	{"Whittle_DormantPath", false, "a peer comes once a month", comes_monthly, " Network_TrafficFromUnrecommendedIP "},
	{"Whittle_UnjudgedPort", true, "a new port, 1 to 200 public peers", opens_port, NULL},
	{"Whittle_UnjudgedPort", false, "a new port for the estate alone", opens_inside, " Whittle_FirstConnection "},
	{"Whittle_IPv6Bypass", true, "1 to 50 sessions over IPv6", comes_over_ipv6, " Network_TrafficFromUnrecommendedIP "},
	{"Whittle_IPv6Bypass", false, "an office that uses both", knows_ipv6, NULL},
	{"Whittle_LearningContaminated", true, "grave signatures on a colleague's sessions", colleague_is_taken_over, NULL},
	{"Whittle_LearningContaminated", true, "a colleague's address is listed", colleague_is_listed,
         " Network_CommunicationWithC2 "},
	{"Whittle_LearningContaminated", false, "a signature of severity 3", minor_signature, NULL},
	{"Whittle_LearningContaminated", false, "the trusted monitor raises signatures", monitor_raises_signatures, NULL},
	{"Whittle_InsecureProtocol", true, "TLS 1.0 and 1.1, SMB 1, SSH 1, NTLMv1, RC4, simple binds", speaks_an_old_version,
         " Whittle_FirstConnection "},
	{"Whittle_InsecureProtocol", false, "an old version that the server refuses", refused_old_version, NULL},
	{"Whittle_InsecureProtocol", false, "versions that only look old", new_versions, NULL},
	{"Whittle_SensorBlind", true, "the sensor stops for 2 to 6 days", sensor_stops, NULL},
	{"Whittle_SensorLoss", true, "1 to 1,000,000 lost records", sensor_loses, NULL},
	{"Whittle_SensorLoss", false, "none of ten million", sensor_loses_nothing, NULL},
	{"Whittle_CaptureLoss", true, "0.5 to 50 % of a day's packets", capture_loses, NULL},
	{"Whittle_CaptureLoss", false, "0.01 to 0.4 %", capture_loses_little, NULL},
	{NULL, false, NULL, NULL, NULL}};
