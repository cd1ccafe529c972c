/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <ifaddrs.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>
#include "base/opener.h"
#include "base/owner.h"
#include "cli/cli.h"
#include "whittle/firewall.h"
#include "whittle/watch.h"

static const char help[] =
	"usage: whittle watch [--revert] [--repair] [--alerts FILE] [--for TIME]\n"
	"\n"
	"Looks after the rules that were confirmed on this machine, until it is stopped, and prints a line for each thing that it notices:\n"
	"  blocked   a peer that belongs (seen on several days on that port, never alerted on) is being dropped\n"
	"  surge     a port drops far more than what used to go unanswered there\n"
	"  flushed   somebody deleted our table, as another service's `flush ruleset` does, with the program's name\n"
	"  changed   somebody changed something in it\n"
	"  unnoted   the ledger did not take the connections that are open\n"
	"Every ten minutes the connections that are open go to the ledger: a peer is present as long as its connection lasts, whether or not the sensor\n"
	"has seen it end.\n"
	"\n"
	"  --revert       go back to the rules confirmed before when two peers or more that belong, as `recommend` judges it, are blocked within an hour of\n"
	"                 the confirmation (watch: after-confirm)\n"
	"  --repair       put back what was confirmed when our table was deleted or changed\n"
	"  --alerts FILE  append each alert to FILE as a line of JSON\n"
	"  --for TIME     end after this time\n"
	"With --json alerts are printed as lines of JSON. The same settings in whittle.yaml:\n"
	"  watch: {revert: yes, repair: yes, alerts: /var/log/whittle/alerts.jsonl, syslog: yes, after-confirm: 1h, hits: 3, connections: 10m}\n"
	"\n"
	"The service whittle-watch runs it. The process that listens has no privilege; what changes the firewall has CAP_NET_ADMIN alone.\n"
	"\n"
	"Example: whittle watch --repair --for 1h\n";

static volatile bool stop;
static void on_signal(int sig)
{
	(void)sig;
	stop = true;
}

struct out {
	const struct cli *c;
	int file;
	bool to_syslog;
};

static void ready(void *arg, size_t peers)
{
	const struct out *o = arg;
	if (!o->c->json)
		printf("Watching; %zu peer%s known to belong.\n", peers, peers == 1 ? " is" : "s are");
	fflush(stdout);
}

static json_t *alert_json(const struct wh_watch_alert *a)
{
	char t[WH_TIME_STRLEN], addr[WH_ADDR_STRLEN], proto[8];
	json_t *o = json_pack("{s:s,s:s,s:s}", "time", wh_time_text(a->time_us, t), "kind", a->kind, "text", a->text);
	if (a->has_peer) {
		json_object_set_new(o, "peer", json_string(wh_addr_text(&a->peer, addr)));
		json_object_set_new(o, "daysSeen", json_integer(a->days));
	}
	if (a->proto) {
		json_object_set_new(o, "direction", json_string(wh_direction_text(a->direction)));
		json_object_set_new(o, "protocol", json_string(wh_proto_text(a->proto, proto)));
		json_object_set_new(o, "port", json_integer(a->port));
		json_object_set_new(o, "drops", json_integer((json_int_t)a->drops));
	}
	if (a->by) {
		json_object_set_new(o, "by", json_string(a->by)); /* left out where it is no UTF-8 */
		json_object_set_new(o, "pid", json_integer(a->pid));
	}
	return o;
}

static void alert(void *arg, const struct wh_watch_alert *a)
{
	struct out *o = arg;
	json_t *doc = alert_json(a);
	char *line = json_dumps(doc, JSON_COMPACT | JSON_ENSURE_ASCII), t[WH_TIME_STRLEN], text[1024]; /* ASCII: a log may be shown on a terminal */
	snprintf(text, sizeof text, "%s", a->text);
	wh_text_make_printable(text);
	if (o->c->json)
		puts(line ? line : "{}");
	else
		printf("%s  %-8s  %s\n", wh_time_text(a->time_us, t), a->kind, text);
	fflush(stdout);
	if (o->file >= 0 && line && dprintf(o->file, "%s\n", line) < 0)
		fprintf(stderr, "whittle: the alert can't be written: %s\n", strerror(errno));
	if (o->to_syslog)
		syslog(!strcmp(a->kind, "repaired") ? LOG_NOTICE : LOG_WARNING, "%s: %s", a->kind, text);
	free(line);
	json_decref(doc);
}

static size_t own_addresses(struct wh_addr *out, size_t max)
{
	struct ifaddrs *list;
	size_t n = 0;
	if (getifaddrs(&list))
		return 0;
	for (const struct ifaddrs *i = list; i && n < max; i = i->ifa_next) {
		if (i->ifa_addr && i->ifa_addr->sa_family == AF_INET)
			out[n++] = wh_addr_v4(ntohl(((const struct sockaddr_in *)(const void *)i->ifa_addr)->sin_addr.s_addr));
		else if (i->ifa_addr && i->ifa_addr->sa_family == AF_INET6)
			memcpy(out[n++].b, &((const struct sockaddr_in6 *)(const void *)i->ifa_addr)->sin6_addr, 16);
	}
	freeifaddrs(list);
	return n;
}

static int run(struct cli *c, int argc, char **argv)
{
	static const struct option opts[] = {{"revert", 0, 0, 'r'}, {"repair", 0, 0, 'R'}, {"alerts", 1, 0, 'a'}, {"for", 1, 0, 'f'}, {0}};
	struct wh_watch_config cfg = c->config->watch;
	struct wh_addr locals[256];
	struct out out = {.c = c, .file = -1};
	struct wh_error err;
	int64_t length = 0;
	int o;
	while ((o = cli_getopt(c, argc, argv, "", opts)) != -1) {
		switch (o) {
		case 'r': cfg.revert = true; break;
		case 'R': cfg.repair = true; break;
		case 'a': cfg.alerts = optarg; break;
		case 'f':
			if (wh_duration_parse(optarg, &length) || length < 1 || length > INT64_C(86400) * 366)
				return cli_usage(c, "'%s' is not a time such as 30m or 3h", optarg);
			break;
		default: return CLI_USAGE;
		}
	}
	if (optind != argc)
		return cli_usage(c, "takes no further words");
	if (cfg.alerts && (out.file = wh_open_append(cfg.alerts)) < 0) {
		wh_fail_input(&err, out.file, "%s: cannot be written: %s%s", cfg.alerts, strerror(-out.file), wh_as_owner(out.file));
		return cli_error(&err);
	}
	if ((out.to_syslog = cfg.syslog))
		openlog("whittle", LOG_PID, LOG_DAEMON);
	struct sigaction sa = {.sa_handler = on_signal};
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGALRM, &sa, NULL);
	if (length)
		alarm((unsigned)length);
	struct wh_watch_options opt = {.store_url = c->store_url, .locals = locals, .n_locals = own_addresses(locals, 256), .discover = c->config->estate.discover, .config = &cfg, .judge = &c->config->harden,
	                               .nflog_group = WH_NFLOG_GROUP, .stop = &stop, .ready = ready, .alert = alert, .arg = &out};
	int rc = wh_firewall_ready(&err);
	const struct wh_app a = cli_app(c);
	if (!rc && wh_app_adopt_earlier(&a, &err) < 0)
		cli_error(&err);
	if (!rc)
		rc = wh_watch(&opt, &err);
	if (out.file >= 0)
		close(out.file);
	return rc ? cli_error(&err) : CLI_OK;
}

static unsigned may_now(const struct cli *c, int argc, char **argv)
{
	unsigned may = WH_MAY_LOOK | WH_MAY_HEAR | WH_MAY_ADOPT;
	if (c->config->watch.repair || cli_has_option(argc, argv, "--repair"))
		may |= WH_MAY_PUT_BACK;
	if (c->config->watch.revert || cli_has_option(argc, argv, "--revert"))
		may |= WH_MAY_ROLL_BACK;
	return may;
}

const struct cli_command cli_watch = {.may = WH_MAY_LOOK | WH_MAY_HEAR | WH_MAY_ADOPT | WH_MAY_PUT_BACK | WH_MAY_ROLL_BACK, .may_now = may_now, .confined = true, .name = "watch", .summary = "look after the confirmed rules: who is hit, who changed them", .help = help, .run = run};
