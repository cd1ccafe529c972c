/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>
#include "base/notify.h"
#include "base/opener.h"
#include "base/owner.h"
#include "cli/alerts.h"
#include "cli/cli.h"
#include "net/page.h"
#include "whittle/app_alerts.h"
#include "whittle/firewall.h"
#include "whittle/watch.h"

static const char help[] =
	"usage: whittle watch [--learn] [--revert] [--repair] [--alerts FILE] [--metrics ADDR:PORT] [--firewall SOCKET] [--for TIME]\n"
	"\n"
	"Watches the rules that were confirmed on this machine, until it is stopped, and prints one line for each event:\n"
	"  blocked   a peer that belongs (seen on several days on that port, without alerts) is dropped\n"
	"  surge     a port drops far more packets than usually go unanswered there\n"
	"  flushed   another program deleted whittle's table, as `flush ruleset` does; the program is named\n"
	"  changed   another program changed something in the table\n"
	"  clock     this machine's clock was set by a minute or more\n"
	"  unnoted   the open connections could not be written to the ledger\n"
	"Every ten minutes it writes the open connections to the ledger: a peer is present as long as its connection lasts, whether or not the\n"
	"sensor has seen its end.\n"
	"\n"
	"  --learn        learn flows from the connections that this machine's kernel tracks: for a machine without Suricata. It prints `untracked` if no\n"
	"                 rule makes the kernel track, and `uncounted` if it counts no bytes, each with the command that changes it; `service` with the\n"
	"                 service behind an address that is translated here; and `lost` if messages came faster than they were read\n"
	"  --revert       go back to the rules confirmed before, if at least two peers that belong (as `recommend` judges it) are blocked within an\n"
	"                 hour of the confirmation (watch: after-confirm)\n"
	"  --repair       put back the confirmed rules if whittle's table is deleted or changed\n"
	"  --alerts FILE  append each alert to FILE as a line of JSON\n"
	"  --metrics ADDR:PORT  serve counters for Prometheus at http://ADDR:PORT/metrics, on the loopback alone: 127.0.0.1:9464\n"
	"  --firewall SOCKET  let the service whittle-firewall, which listens there, do what needs CAP_NET_ADMIN\n"
	"  --for TIME     end after this time\n"
	"With --json alerts are printed as lines of JSON. The same settings in whittle.yaml:\n"
	"  watch: {revert: yes, repair: yes, alerts: /var/log/whittle/alerts.jsonl, syslog: yes, after-confirm: 1h, hits: 3, connections: 10m,\n"
	"          learn: conntrack, learn-buffer: 64M, learn-bytes: yes}\n"
	"\n"
	"SIGHUP opens the file of alerts anew and reads the estate and the ledger again. The service whittle-watch runs this command. The process\n"
	"that listens has no privilege; the one that changes the firewall has CAP_NET_ADMIN alone.\n"
	"\n"
	"Example: whittle watch --repair --for 1h\n";

static volatile bool stop, hung_up, interrupted;
static void on_signal(int sig)
{
	interrupted |= sig == SIGINT;
	if (sig == SIGHUP)
		hung_up = true;
	else
		stop = true;
}

static const char *const kinds[] = {"blocked", "reverted",  "flushed",   "changed", "repaired", "unnoted",
                                    "surge",   "untracked", "uncounted", "service", "lost",
                                    "clock"};
enum { KINDS = sizeof kinds / sizeof *kinds, METRICS_S = 30 };

struct out {
	const struct cli *c;
	const char *path;
	struct wh_app_noticed noticed[KINDS];
	int64_t metrics_at_us;   /* when to serve them again */
	int file;
	bool to_syslog, in_journal; /* the journal reads our standard error: no socket is needed to reach the log */
};

/* Whether systemd connects our standard error to the journal: $JOURNAL_STREAM names the device and inode of that stream. */
static bool journal_reads_errors(void)
{
	const char *says = getenv("JOURNAL_STREAM");
	char is[64];
	struct stat st;
	return says && !fstat(STDERR_FILENO, &st) &&
	       snprintf(is, sizeof is, "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino) > 0 && !strcmp(says, is);
}

static void log_it(const struct out *o, int level, const char *kind, const char *text)
{
	if (o->in_journal)
		fprintf(stderr, "<%d>%s: %s\n", level, kind, text);
	else
		syslog(level, "%s: %s", kind, text);
}

static void ready(void *arg, size_t peers)
{
	const struct out *o = arg;
	if (!o->c->json)
		printf("Watching. %zu peer%s known to belong.\n", peers, peers == 1 ? " is" : "s are");
	fflush(stdout);
	wh_notify("READY=1");
}

static bool again(void *arg)
{
	struct out *o = arg;
	bool asked = hung_up;
	wh_notify("WATCHDOG=1");
	if (!asked)
		return false;
	hung_up = false;
	o->metrics_at_us = 0;
	int fresh = o->path ? wh_open_append(o->path) : -1;
	if (fresh >= 0 && o->file >= 0)
		close(o->file);
	if (fresh >= 0)
		o->file = fresh;
	return true;
}

static void serve_metrics(void *arg, const struct wh_watch_learned *learned)
{
	struct out *o = arg;
	const struct wh_app a = cli_app(o->c);
	struct wh_error err = {0};
	char *text = NULL;
	size_t len = 0;
	if (!wh_page_ready() || wh_monotonic_us() < o->metrics_at_us)
		return;
	wh_app_metrics(&a, &(struct wh_app_watched){o->noticed, KINDS, learned}, &text, &len, &err);
	if (text)
		wh_page_put(text, len, &err);
	free(text);
	o->metrics_at_us = wh_monotonic_us() + METRICS_S * INT64_C(1000000);
}

static void alert(void *arg, const struct wh_watch_alert *a)
{
	struct out *o = arg;
	for (size_t i = 0; i < KINDS; i++)
		o->noticed[i].count += !strcmp(kinds[i], a->kind);
	json_t *doc = wh_app_watch_json(a);
	/* ASCII: a log may be shown on a terminal */
	char *line = json_dumps(doc, JSON_COMPACT | JSON_ENSURE_ASCII), t[WH_TIME_STRLEN], text[1024];
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
		log_it(o, !strcmp(a->kind, "repaired") ? LOG_NOTICE : LOG_WARNING, a->kind, text);
	free(line);
	json_decref(doc);
}

/* CLI_OK, or the status of a wrong option. *length: how long to watch, in seconds; 0: until it is stopped. */
static int take_options(struct cli *c, int argc, char **argv, struct wh_watch_config *cfg, int64_t *length)
{
	static const struct option opts[] = {
		{"revert", 0, 0, 'r'}, {"repair", 0, 0, 'R'},  {"learn", 0, 0, 'l'},    {"alerts", 1, 0, 'a'},
		{"for", 1, 0, 'f'},    {"metrics", 1, 0, 'm'}, {"firewall", 1, 0, 'F'}, {0}};
	int o;
	while ((o = cli_getopt(c, argc, argv, "", opts)) != -1) {
		switch (o) {
		case 'r': cfg->revert = true; break;
		case 'R': cfg->repair = true; break;
		case 'l': cfg->learn = WH_LEARN_CONNTRACK; break;
		case 'a': cfg->alerts = optarg; break;
		case 'm': case 'F': break; /* cli_start_metrics() and cli_become_owner() handled them */
		case 'f':
			if (wh_duration_parse(optarg, length) || *length < 1 || *length > INT64_C(86400) * 366)
				return cli_usage(c, "'%s' is not a time such as 30m or 3h", optarg);
			break;
		default: return CLI_USAGE;
		}
	}
	return optind == argc ? CLI_OK : cli_usage(c, "takes no further words");
}

/* Where the alerts go. */
static int open_outputs(struct out *out, const struct wh_watch_config *cfg, struct wh_error *err)
{
	out->path = cfg->alerts;
	if (cfg->alerts && (out->file = wh_open_append(cfg->alerts)) < 0)
		return wh_fail_input(err, out->file, "%s: cannot be written: %s%s", cfg->alerts, strerror(-out->file),
		                     wh_as_owner(out->file));
	out->to_syslog = cfg->syslog;
	out->in_journal = journal_reads_errors();
	if (out->to_syslog && !out->in_journal)
		openlog("whittle", LOG_PID, LOG_DAEMON);
	for (size_t i = 0; i < KINDS; i++)
		out->noticed[i].kind = kinds[i];
	return 0;
}

static void take_signals(void)
{
	const struct sigaction sa = {.sa_handler = on_signal};
	static const int numbers[] = {SIGINT, SIGTERM, SIGALRM, SIGHUP};
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		sigaction(numbers[i], &sa, NULL);
}

static int run(struct cli *c, int argc, char **argv)
{
	struct wh_watch_config cfg = c->config->watch;
	struct out out = {.c = c, .file = -1};
	struct wh_error err;
	int64_t length = 0;
	int rc = take_options(c, argc, argv, &cfg, &length);
	if (rc)
		return rc;
	if (open_outputs(&out, &cfg, &err))
		return cli_error(&err);
	take_signals();
	if (length)
		alarm((unsigned)length);
	const struct wh_app a = cli_app(c);
	rc = wh_app_watch(&a,
	                  &(struct wh_app_watch){.config = &cfg,
	                                         .stop = &stop,
	                                         .ready = ready,
	                                         .again = again,
	                                         .alert = alert,
	                                         .tick = serve_metrics,
	                                         .arg = &out},
	                  &err);
	wh_notify("STOPPING=1");
	if (out.file >= 0)
		close(out.file);
	return rc ? cli_error(&err) : interrupted ? CLI_INTERRUPTED : CLI_OK;
}

int cli_start_metrics(int argc, char **argv, struct wh_error *err)
{
	const char *value = !strcmp(argv[0], "watch") ? cli_option_value(argc, argv, "--metrics") : NULL;
	return value ? wh_page_start(value, "/metrics", "text/plain; version=0.0.4; charset=utf-8", err) : 0;
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

const struct cli_command cli_watch = {.may = WH_MAY_LOOK | WH_MAY_HEAR | WH_MAY_ADOPT | WH_MAY_PUT_BACK | WH_MAY_ROLL_BACK,
                                      .may_now = may_now,
                                      .confined = true,
                                      .lasts = cli_always,
                                      .name = "watch",
                                      .summary = "watch the confirmed rules: which peers they drop, who changed them",
                                      .help = help,
                                      .run = run};
