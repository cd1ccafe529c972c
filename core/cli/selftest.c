/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>
#include "cli/cli.h"
#include "whittle/harden.h"

static const char help[] =
	"usage: whittle selftest ADDRESS[:PORT] [--from ADDRESS] [--udp] [--eve FILE] [--timeout TIME] [--json]\n"
	"\n"
	"Tells silence from deafness: sends three flows to an address whose traffic passes the sensor, and waits until they show in the\n"
	"ledger, or in a log. It says 'arrived in N s', or 'deaf' with the reason, and then the exit status is 3.\n"
	"\n"
	"ADDRESS is a resource's; run this from a machine whose packets to it the sensor sees. Without PORT one is taken on which hardly\n"
	"anything listens: what is refused or dropped teaches nothing, and is counted all the same.\n"
	"\n"
	"  --from ADDRESS  send from this address\n"
	"  --udp           datagrams instead of connections\n"
	"  --eve FILE      follow this eve.json, not the ledger (which must be read by 'ingest --follow' or filled by the plugin)\n"
	"  --timeout TIME  how long to wait (default 2m: Suricata tells of a flow that nobody answered after a minute)\n"
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
	return cli_usage(c, "'%.60s' is no address such as 10.0.0.4, 10.0.0.4:9 or [2001:db8::4]:9", text);
}

static int progress(void *arg, const struct wh_selftest *t)
{
	(void)arg;
	cli_progress("%u of %u flows arrived after %.0f s; %llu other records", t->arrived, t->sent, t->seconds, (unsigned long long)t->others);
	return 0;
}

/* Why nothing came, as far as what did come tells. */
static const char *reason(const struct wh_selftest_options *o, const struct wh_selftest *t)
{
	if (t->arrived)
		return "some of the flows did not come: the sensor drops packets, or sees only one of several ways";
	if (t->others)
		return o->eve ? "other records came, so the sensor runs: it does not see the traffic of this address, or does not log flows"
		              : "other flows came, so the sensor runs: it does not see the traffic of this address";
	return o->eve ? "nothing at all was written: the sensor does not run, writes elsewhere, or listens on another interface"
	              : "nothing at all came into the ledger: the sensor does not run, writes elsewhere, or nobody reads its log";
}

static int print(const struct cli *c, const struct wh_selftest_options *o, const struct wh_selftest *t)
{
	char to[WH_ADDR_STRLEN], from[WH_ADDR_STRLEN];
	bool ok = t->arrived == t->sent;

	wh_addr_text(&o->to, to);
	wh_addr_text(&t->from, from);
	if (c->json)
		cli_print_json(json_pack("{s:b, s:s?, s:s, s:s, s:i, s:s, s:i, s:i, s:b, s:I, s:f}", "hears", ok, "reason", ok ? NULL : reason(o, t), "from",
		                         from, "to", to, "port", (int)t->port, "protocol", o->udp ? "UDP" : "TCP", "sent", (int)t->sent, "arrived",
		                         (int)t->arrived, "answered", t->answered, "otherRecords", (json_int_t)t->others, "seconds", t->seconds));
	else if (ok)
		printf("arrived in %.1f s: %u flows from %s to %s, port %u/%s\n", t->seconds, t->sent, from, to, t->port, o->udp ? "UDP" : "TCP");
	else
		printf("deaf: %u of %u flows from %s to %s, port %u/%s, arrived within %.0f s: %s\n", t->arrived, t->sent, from, to, t->port,
		       o->udp ? "UDP" : "TCP", t->seconds, reason(o, t));
	if (!c->json && ok && t->answered)
		printf("Port %u is answered there, so this machine is now a peer that was seen on it.\n", t->port);
	return ok ? CLI_OK : CLI_FINDINGS;
}

/* The ledger tells flows by the resource: an address that is none would be waited for in vain. */
static int check_resource(struct wh_state *s, const struct cli *c, const struct wh_addr *to)
{
	struct wh_locals *locals = NULL;
	struct wh_error err = {0};
	char text[WH_ADDR_STRLEN];
	int rc = wh_estate_locals(s, c->config->estate.discover, &locals, &err);

	if (!rc && !wh_locals_has(locals, to))
		rc = wh_fail_input(&err, -ENOENT, "%s is no address of a resource, and none that would be discovered: the ledger takes no flows of it",
		                   wh_addr_text(to, text));
	wh_locals_free(locals);
	return rc ? cli_error(&err) : 0;
}

static int run(struct cli *c, int argc, char **argv)
{
	enum { FROM = 256, UDP, EVE, TIMEOUT };
	static const struct option longs[] = {{"from", required_argument, NULL, FROM}, {"udp", no_argument, NULL, UDP},
	                                      {"eve", required_argument, NULL, EVE}, {"timeout", required_argument, NULL, TIMEOUT}, {0}};
	struct wh_selftest_options opt = {.timeout_s = 120, .progress = progress};
	struct wh_selftest t;
	struct wh_error err = {0};
	struct wh_ledger ledger = {NULL, NULL};
	int64_t seconds;
	int o, rc;

	while ((o = cli_getopt(c, argc, argv, "", longs)) != -1) {
		if (o == '?')
			return CLI_USAGE;
		opt.udp = opt.udp || o == UDP;
		if (o == EVE)
			opt.eve = optarg;
		if (o == FROM && wh_addr_parse(optarg, strlen(optarg), &opt.from))
			return cli_usage(c, "--from takes an address, not '%.60s'", optarg);
		opt.has_from = opt.has_from || o == FROM;
		if (o == TIMEOUT && (wh_duration_parse(optarg, &seconds) || seconds < 1 || seconds > 3600))
			return cli_usage(c, "--timeout takes a time from 1s to 1h, not '%.60s'", optarg);
		if (o == TIMEOUT)
			opt.timeout_s = (unsigned)seconds;
	}
	if (argc - optind != 1)
		return cli_usage(c, "one address is wanted, whose traffic passes the sensor");
	if ((rc = parse_target(c, argv[optind], &opt)))
		return rc;
	if (opt.has_from && wh_addr_is_v4(&opt.from) != wh_addr_is_v4(&opt.to))
		return cli_usage(c, "--from and the address are of different families");
	if (!opt.eve && ((rc = cli_open_ledger(c, WH_STATE_READ, &ledger)) || (rc = check_resource(ledger.state, c, &opt.to))))
		goto out;
	rc = wh_selftest(ledger.store, &opt, &t, &err);
	cli_progress("%s", "");
	rc = rc ? cli_error(&err) : print(c, &opt, &t);
out:
	wh_ledger_close(&ledger);
	return rc;
}

const struct cli_command cli_selftest = {
	.confined = true, .probes = true,
	.name = "selftest",
	.summary = "send flows past the sensor and say whether they arrive: silence is told from deafness",
	.help = help,
	.run = run,
};
