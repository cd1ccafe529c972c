/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A site's EVE log. */
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <string.h>
#include "site.h"

static int64_t time_at(struct site *s, int day, double hour)
{
	double h = hour < 0 ? 24 * rng_unit(&s->r) : hour;
	return ((int64_t)EVAL_FIRST_DAY + day) * WH_US_PER_DAY + (int64_t)(h * 3600e6);
}

static const char *stamp(int64_t us, char buf[static 40])
{
	char text[WH_TIME_STRLEN];
	wh_time_text(us, text);
	snprintf(buf, 40, "%.19s.%06u+0000", text, (unsigned)(us % 1000000));
	return buf;
}

static FILE *log_of(struct site *s, int day)
{
	bool kept = day >= s->from && day < s->to && !(s->silent_from && day >= s->silent_from);
	return kept ? s->log[day >= SITE_WEEK] : NULL;
}

struct ends {
	const char *from, *to;
	unsigned from_port, to_port;
	bool udp;
};

static void head(struct site *s, FILE *f, int64_t us, const char *type, const struct ends *e)
{
	char at[40];
	fprintf(f,
	        "{\"timestamp\":\"%s\",\"flow_id\":%" PRIu64
	        ",\"event_type\":\"%s\",\"src_ip\":\"%s\",\"src_port\":%u,\"dest_ip\":\"%s\","
	        "\"dest_port\":%u,\"proto\":\"%s\"",
	        stamp(us, at), ++s->flows, type, e->from, e->from_port, e->to, e->to_port, e->udp ? "UDP" : "TCP");
}

struct counts {
	uint64_t packets[2], bytes[2];
	double seconds;
	const char *state;
	unsigned flags[2];
};

static void flow(struct site *s, int day, double hour, const struct ends *e, const char *app, const struct counts *c)
{
	FILE *f = log_of(s, day);
	int64_t start = time_at(s, day, hour), end = start + (int64_t)(c->seconds * 1e6);
	char first[40], last[40];
	if (!f)
		return;
	head(s, f, end, "flow", e);
	if (app)
		fprintf(f, ",\"app_proto\":\"%s\"", app);
	fprintf(f,
	        ",\"flow\":{\"pkts_toserver\":%" PRIu64 ",\"pkts_toclient\":%" PRIu64 ",\"bytes_toserver\":%" PRIu64
	        ",\"bytes_toclient\":%" PRIu64 ",\"start\":\"%s\",\"end\":\"%s\",\"state\":\"%s\"}",
	        c->packets[0], c->packets[1], c->bytes[0], c->bytes[1], stamp(start, first), stamp(end, last), c->state);
	if (!e->udp)
		fprintf(f, ",\"tcp\":{\"tcp_flags\":\"%02x\",\"tcp_flags_ts\":\"%02x\",\"tcp_flags_tc\":\"%02x\"}",
		        c->flags[0] | c->flags[1], c->flags[0], c->flags[1]);
	fputs("}\n", f);
}

static unsigned own_port(struct site *s)
{
	return (unsigned)rng_range(&s->r, 32768, 60999);
}

void talk(struct site *s, const struct talk *t)
{
	const struct ends e = {t->from, t->to, own_port(s), t->port, t->udp};
	const struct counts c = {{4 + t->up / 1400, 4 + t->down / 1400},
	                         {t->up + 280, t->down + 280},
	                         t->seconds,
	                         t->udp ? "established" : "closed",
	                         {0x1b, 0x1b}};
	flow(s, t->day, t->hour, &e, t->app, &c);
}

void try(struct site *s, int day, const char *from, const char *to, unsigned port)
{
	const struct ends e = {from, to, own_port(s), port, false};
	flow(s, day, -1, &e, NULL, &(struct counts){{1, 0}, {60, 0}, 0, "new", {0x02, 0}});
}

void knock(struct site *s, int day, const char *from, const char *to, unsigned port)
{
	const struct ends e = {from, to, own_port(s), port, false};
	flow(s, day, -1, &e, NULL, &(struct counts){{4, 2}, {216, 120}, 0.03, "closed", {0x13, 0x13}});
}

void record(struct site *s, int day, const char *from, const char *to, unsigned port, bool udp, const char *app,
            const char *object)
{
	const struct ends e = {from, to, own_port(s), port, udp};
	FILE *f = log_of(s, day);
	if (!f)
		return;
	head(s, f, time_at(s, day, -1), app, &e);
	fprintf(f, ",\"%s\":%s}\n", app, object);
}

void signature(struct site *s, int day, const char *from, const char *to, unsigned port, unsigned sid, unsigned severity)
{
	const struct ends e = {from, to, own_port(s), port, false};
	FILE *f = log_of(s, day);
	char at[40];
	int64_t us = time_at(s, day, -1);
	if (!f)
		return;
	head(s, f, us, "alert", &e);
	fprintf(f,
	        ",\"direction\":\"to_server\",\"alert\":{\"action\":\"allowed\",\"gid\":1,\"signature_id\":%u,\"rev\":1,\"severity\":%u},"
	        "\"flow\":{\"pkts_toserver\":9,\"pkts_toclient\":8,\"bytes_toserver\":2100,\"bytes_toclient\":2600,\"start\":\"%s\",\"src_ip\":\"%s\","
	        "\"dest_ip\":\"%s\",\"src_port\":%u,\"dest_port\":%u}}\n",
	        sid, severity, stamp(us, at), from, to, e.from_port, port);
}

void ask(struct site *s, int day, const char *from, const char *name, const char *rcode, const char *alias, const char *text)
{
	char answer[1400] = "", object[2600];
	snprintf(object, sizeof object, "{\"version\":2,\"type\":\"query\",\"id\":1,\"rrname\":\"%s\",\"rrtype\":\"%s\"}", name,
	         text ? "TXT" : "A");
	record(s, day, from, DIRECTORY, 53, true, "dns", object);
	if (alias)
		snprintf(answer, sizeof answer, "{\"rrname\":\"%s\",\"rrtype\":\"CNAME\",\"ttl\":60,\"rdata\":\"%s\"}", name,
		         alias);
	else if (text)
		snprintf(answer, sizeof answer, "{\"rrname\":\"%s\",\"rrtype\":\"TXT\",\"ttl\":60,\"rdata\":\"%s\"}", name, text);
	else if (!rcode)
		snprintf(answer, sizeof answer, "{\"rrname\":\"%s\",\"rrtype\":\"A\",\"ttl\":60,\"rdata\":\"192.0.2.9\"}", name);
	snprintf(
		object, sizeof object,
		"{\"version\":2,\"type\":\"answer\",\"id\":1,\"rrname\":\"%s\",\"rrtype\":\"%s\",\"rcode\":\"%s\",\"answers\":[%s]}",
		name, text ? "TXT" : "A", rcode ? rcode : "NOERROR", answer);
	record(s, day, from, DIRECTORY, 53, true, "dns", object);
}

void stats(struct site *s, int day, double hour, uint64_t uptime, uint64_t packets, uint64_t drops)
{
	FILE *f = log_of(s, day);
	char at[40];
	if (f)
		fprintf(f,
		        "{\"timestamp\":\"%s\",\"event_type\":\"stats\",\"stats\":{\"uptime\":%" PRIu64
		        ",\"capture\":{\"kernel_packets\":%" PRIu64 ",\"kernel_drops\":%" PRIu64 "}}}\n",
		        stamp(time_at(s, day, hour), at), uptime, packets, drops);
}

/* ---- what scenarios draw ---- */

char *public_address(struct site *s, char buf[static WH_ADDR_STRLEN])
{
	struct wh_addr a = wh_addr_v4(random_public(&s->r));
	return (char *)wh_addr_text(&a, buf);
}

char *address_like(struct site *s, const char *fmt, char buf[static WH_ADDR_STRLEN])
{
	snprintf(buf, WH_ADDR_STRLEN, fmt, rng_range(&s->r, 1, 254)); // NOLINT: a constant of the caller's
	return buf;
}

double log_uniform(struct site *s, double least, double most)
{
	return least * pow(most / least, rng_unit(&s->r));
}

bool workday(int day)
{
	int weekday = (EVAL_FIRST_DAY + day + 3) % 7; /* 0: Monday */
	return weekday < 5;
}
