/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>
#include "cli/cli.h"
#include "whittle/app_health.h"
#include "whittle/harden.h"

static const char help[] =
	"usage: whittle selftest ADDRESS[:PORT] [--from ADDRESS] [--udp] [--eve FILE] [--timeout TIME] [--json]\n"
	"\n"
	"Shows whether the network is quiet or the sensor is deaf. It sends three flows to an address whose traffic passes the sensor, and waits until\n"
	"they are in the ledger, or in a log. It prints 'arrived in N s', or 'deaf' with the reason and exit status 3.\n"
	"\n"
	"ADDRESS is that of a resource. Run this on a machine whose packets to that address pass the sensor. The default PORT is one on which hardly\n"
	"anything listens: refused or dropped connections are counted, and nothing is learned from them.\n"
	"\n"
	"  --from ADDRESS  send from this address\n"
	"  --udp           datagrams instead of connections\n"
	"  --eve FILE      follow this eve.json, not the ledger (which must be read by 'ingest --follow' or filled by the plugin)\n"
	"  --timeout TIME  how long to wait (default 2m: Suricata reports an unanswered flow after a minute)\n"
	"\n"
	"example:\n"
	"  whittle selftest 10.0.0.4 --eve /var/log/suricata/eve.json\n";

/* "10.0.0.4", "10.0.0.4:9", "2001:db8::4", "[2001:db8::4]:9" */
static int parse_target(const struct cli *c, const char *text, struct wh_selftest_options *o)
{
	const char *colon = strrchr(text, ':'), *from = text;
	size_t len = strlen(text);
	char *end;

	if (!wh_addr_parse(text, len, &o->to))
		return 0;
	if (colon && colon[1] >= '0' && colon[1] <= '9') {
		unsigned long port = strtoul(colon + 1, &end, 10);
		len = (size_t)(colon - text);
		if (*text == '[' && len > 2 && text[len - 1] == ']') {
			from++;
			len -= 2;
		}
		if (!*end && port >= 1 && port <= 65535 && !wh_addr_parse(from, len, &o->to)) {
			o->port = (uint16_t)port;
			return 0;
		}
	}
	return cli_usage(c, "'%.60s' is not an address such as 10.0.0.4, 10.0.0.4:9 or [2001:db8::4]:9", text);
}

static int progress(void *arg, const struct wh_selftest *t)
{
	(void)arg;
	cli_progress("%u of %u flows arrived after %.0f s; %llu other records", t->arrived, t->sent, t->seconds,
	             (unsigned long long)t->others);
	return 0;
}

static int print(const struct cli *c, const struct wh_selftest_options *o, const struct wh_selftest *t)
{
	char to[WH_ADDR_STRLEN], from[WH_ADDR_STRLEN];
	const char *why = wh_app_selftest_reason(o, t);

	wh_addr_text(&o->to, to);
	wh_addr_text(&t->from, from);
	if (c->json)
		cli_print_json(wh_app_selftest_json(o, t));
	else if (!why)
		printf("arrived in %.1f s: %u flows from %s to %s, port %u/%s\n", t->seconds, t->sent, from, to, t->port,
		       o->udp ? "UDP" : "TCP");
	else
		printf("deaf: %u of %u flows from %s to %s, port %u/%s, arrived within %.0f s: %s\n", t->arrived, t->sent, from,
		       to, t->port, o->udp ? "UDP" : "TCP", t->seconds, why);
	if (!c->json && !why && t->answered)
		printf("A server answers on port %u there, so this machine is now a peer that was seen on it.\n", t->port);
	return why ? CLI_FINDINGS : CLI_OK;
}

static int read_options(const struct cli *c, int argc, char **argv, struct wh_selftest_options *opt)
{
	enum { FROM = 256, UDP, EVE, TIMEOUT };
	static const struct option longs[] = {{"from", required_argument, NULL, FROM},
	                                      {"udp", no_argument, NULL, UDP},
	                                      {"eve", required_argument, NULL, EVE},
	                                      {"timeout", required_argument, NULL, TIMEOUT},
	                                      {0}};
	int64_t seconds;
	int o;
	while ((o = cli_getopt(c, argc, argv, "", longs)) != -1) {
		if (o == '?')
			return CLI_USAGE;
		opt->udp = opt->udp || o == UDP;
		if (o == EVE)
			opt->eve = optarg;
		if (o == FROM && wh_addr_parse(optarg, strlen(optarg), &opt->from))
			return cli_usage(c, "--from takes an address, not '%.60s'", optarg);
		opt->has_from = opt->has_from || o == FROM;
		if (o == TIMEOUT && (wh_duration_parse(optarg, &seconds) || seconds < 1 || seconds > 3600))
			return cli_usage(c, "--timeout takes a time from 1s to 1h, not '%.60s'", optarg);
		if (o == TIMEOUT)
			opt->timeout_s = (unsigned)seconds;
	}
	if (argc - optind != 1)
		return cli_usage(c, "name one address whose traffic passes the sensor");
	if (parse_target(c, argv[optind], opt))
		return CLI_USAGE;
	return opt->has_from && wh_addr_is_v4(&opt->from) != wh_addr_is_v4(&opt->to)
	               ? cli_usage(c, "--from and the address are of different families")
	               : 0;
}

static int run(struct cli *c, int argc, char **argv)
{
	struct wh_selftest_options opt = {.timeout_s = 120, .progress = progress};
	const struct wh_app a = cli_app(c);
	struct wh_selftest t;
	struct wh_error err = {0};
	if (read_options(c, argc, argv, &opt))
		return CLI_USAGE;
	int rc = wh_app_selftest(&a, &opt, &t, &err);
	cli_progress("%s", "");
	return rc ? cli_error(&err) : print(c, &opt, &t);
}

const struct cli_command cli_selftest = {
	.confined = true, .probes = true,
	.name = "selftest",
	.summary = "send flows past the sensor and report whether it saw them",
	.help = help,
	.run = run,
};
