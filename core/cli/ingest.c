/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <unistd.h>
#include "cli/options.h"
#include "flow/listen.h"
#include "whittle/app_learning.h"
#include "whittle/flow.h"

static const char help[] =
	"usage: whittle ingest [--format F] [--aws-format FIELDS] [--follow] [--since TIME] [--until TIME]\n"
	"                      [--discover CIDR,…|off] [--realm R] [--sensor NAME] [--sensor-slack TIME]\n"
	"                      [--memory SIZE] [--json] FILE|DIRECTORY…|-\n"
	"       whittle ingest --listen unix:PATH [--since TIME] … [--json]\n"
	"\n"
	"Reads flows from logs into the ledger. Each record counts exactly once: the next run continues where one was stopped or\n"
	"killed. Files compressed with gzip or zstd are read as they are. Unreadable records are counted, the first of each kind\n"
	"is printed with its line, and the run continues. All files in and below a directory are read, except those that are not\n"
	"logs. Up to four files are read at once, each by one processor.\n"
	"\n"
	"  --format F       the log's format; without it, recognised by the content: eve (Suricata), vnet and nsg (Azure's\n"
	"                   flow logs), zeek and zeek-json (conn.log), aws (VPC flow logs), nfdump (CSV)\n"
	"  --aws-format F   the fields of AWS flow logs that have no header line, as \"version srcaddr …\" or \"${version} …\"\n"
	"  --follow         wait for more, through rotation and truncation, until interrupted (one file)\n"
	"  --listen unix:P  make a socket at P, and read the EVE records that Suricata sends to it (eve-log: filetype: unix_stream), until interrupted.\n"
	"                   The ledger's owner and its group may write to it; nobody else may be able to write to its directory\n"
	"  --since TIME     leave out flows that began before that time, such as 2026-11-01 or 2026-11-01T08:00:00Z\n"
	"  --until TIME     leave out flows that began at that time or later\n"
	"  --discover LIST  the ranges in which an answering address becomes a protected resource, such as 10.0.0.0/8,2001:db8::/32;\n"
	"                   default: the private ranges, until an estate is imported\n"
	"  --realm R        VLANs and tenants, if logs name them. \"one\": they are one network; \"vlan10\", \"tenant3\",\n"
	"                   \"tenant3/vlan10.20\" or \"untagged\": read only this one. Without it, the same private address in two of\n"
	"                   them is refused\n"
	"  --sensor NAME    the sensor that wrote these logs, where records name none (sensor, host). A conversation that two\n"
	"                   sensors report counts once, as the first one reported it\n"
	"  --sensor-slack TIME  the largest difference between the clocks of sensors, up to 10m (2s)\n"
	"  --memory SIZE    limit of the table in memory (48MiB); each of several files that are read at once has its own\n"
	"\n"
	"Example: whittle ingest /var/log/suricata/eve.json /var/log/suricata/eve.json.1.gz\n";

static volatile bool stop, interrupted;
static const char *listen_path;
static int listen_fd = -1;

static void on_signal(int sig)
{
	interrupted |= sig == SIGINT;
	stop = true;
}

static void begins(void *arg)
{
	struct sigaction sa = {.sa_handler = on_signal};
	(void)arg;
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
}

struct printing {
	const struct cli *c;
	int64_t began_us, shown_us;
	int status; /* of the last file that failed */
};

/* The share that is read, the speed, and the time left. */
static void progress(void *arg, double part, uint64_t records)
{
	struct printing *p = arg;
	int64_t now = wh_monotonic_us();
	char n[32], rate[32];
	if (now - p->shown_us < 100000)
		return;
	p->shown_us = now;
	if (!cli_progress_wanted())
		return;
	double seconds = (double)(now - p->began_us) / 1e6;
	wh_number_text(records, n);
	wh_number_text((uint64_t)((double)records / (seconds > 0.1 ? seconds : 0.1)), rate);
	if (part > 0 && part <= 1)
		cli_progress("%3.0f %%  %s records, %s a second, %.0f s left", 100 * part, n, rate, seconds / part - seconds);
	else
		cli_progress("%s records, %s a second", n, rate);
}

/* What could not be read of one file, and why it failed. */
static void print_file(void *arg, const char *path, const struct wh_ingest_result *r, const struct wh_error *err)
{
	struct printing *p = arg;
	cli_progress("%s", "");
	for (unsigned i = 0; r && i < r->stats.n_bad; i++)
		fprintf(stderr, "whittle: %s:%llu (byte %llu): %s; %llu record%s of this kind passed over\n", path,
		        (unsigned long long)r->stats.bad[i].first_line, (unsigned long long)r->stats.bad[i].first_offset,
		        r->stats.bad[i].reason, (unsigned long long)r->stats.bad[i].count, r->stats.bad[i].count == 1 ? "" : "s");
	if (r && r->unfinished_line)
		fprintf(stderr, "whittle: %s:%llu: the last line is not complete; it is left for the next run\n", path,
		        (unsigned long long)r->unfinished_line);
	if (err)
		p->status = cli_error(err);
}

static int report(const struct cli *c, const struct wh_app_ingested *r)
{
	const struct wh_read_stats *s = &r->stats;
	char a[32], b[32], d[32], where[WH_REALM_STRLEN];
	if (c->json)
		return cli_print_json(wh_app_ingested_json(r));
	if (r->nothing_new) {
		puts("Nothing new: all of it had been read before.");
		return CLI_OK;
	}
	printf("%s records in %.1f s: %s flows, %s alerts", wh_number_text(s->records, a), r->seconds,
	       wh_number_text(s->flows, b), wh_number_text(s->alerts, d));
	printf(", %s of other kinds", wh_number_text(s->other, a));
	if (s->malformed)
		printf(", %s that could not be read", wh_number_text(s->malformed, a));
	if (r->passed.twice)
		printf(", %s flows that another sensor had reported", wh_number_text(r->passed.twice, a));
	if (r->passed.elsewhere)
		printf(", %s flows of other networks, such as %s, which the realm leaves out",
		       wh_number_text(r->passed.elsewhere, a), wh_realm_text(&r->passed.where, where));
	printf("; %s edges added to or made\n", wh_number_text(r->edges, a));
	if (r->nothing_protected)
		puts("No flow is of a protected address, so nothing was learned. Private addresses that answer are protected by\n"
		     "themselves; this machine's public ones if an estate names them (`whittle init` writes one), or with\n"
		     "--discover ADDRESS.");
	return CLI_OK;
}

static void warn_of_rest(const struct wh_app_ingested *r)
{
	const struct wh_store_dropped *d = &r->dropped;
	char n[32], more[32];
	if (r->strange)
		fprintf(stderr, "whittle: %s: not a format that is known; %llu such file%s passed over\n", r->first_strange,
		        (unsigned long long)r->strange, r->strange == 1 ? "" : "s");
	if (d->crowded)
		fprintf(stderr,
		        "whittle: %s edges with the least evidence were removed, because their ports had more than port-edges: those peers are unknown\n",
		        wh_number_text(d->crowded, n));
	if (d->aged)
		fprintf(stderr, "whittle: %s edges were removed, because they were last seen before edge-days\n",
		        wh_number_text(d->aged, n));
	if (d->full_edges || d->full_sketches)
		fprintf(stderr,
		        "whittle: the ledger has reached ledger-size: %s edges of peers, and %s ports without an answer, were not added; no rule is made from such days\n",
		        wh_number_text(d->full_edges, n), wh_number_text(d->full_sketches, more));
}

/* A day, or a day with a time. */
static bool time_of(const char *text, int64_t *us)
{
	char whole[64];
	if (!wh_time_parse(text, strlen(text), us))
		return true;
	return snprintf(whole, sizeof whole, "%sT00:00:00Z", text) < (int)sizeof whole &&
	       !wh_time_parse(whole, strlen(whole), us);
}

static const char *known_formats(void)
{
	static char text[256];
	size_t n = 0;
	for (const struct wh_reader *const *r = wh_readers; *r && n < sizeof text; r++)
		n += (size_t)snprintf(text + n, sizeof text - n, "%s%s", n ? ", " : "", (*r)->name);
	return text;
}

/* Reads the options, and prints why one is refused. 0 or CLI_USAGE. */
/* The non-text values. */
struct values { const char *since, *until, *slack, *memory; };

static int read_values(const struct cli *c, const struct values *v, struct wh_ingest_options *opt)
{
	int64_t slack = c->config->ledger.sensor_slack;
	const char *bad = v->since && !time_of(v->since, &opt->since_us)   ? v->since
	                  : v->until && !time_of(v->until, &opt->until_us) ? v->until
	                                                                   : NULL;
	if (bad)
		return cli_usage(c, "'%s' is not a time such as 2026-11-01 or 2026-11-01T08:00:00Z", bad);
	if (v->slack && (wh_duration_parse(v->slack, &slack) || slack < 1))
		return cli_usage(c, "'%s' is not a time such as 2s or 1m", v->slack);
	if (v->memory && (wh_size_parse(v->memory, &opt->byte_limit) || opt->byte_limit < 1 << 20))
		return cli_usage(c, "'%s' is not a size of at least 1MiB", v->memory);
	if (slack > 600)
		return cli_usage(c,
		                 "clocks of sensors that differ by more than 10m (--sensor-slack) can't be compared");
	opt->sensor_slack_us = slack * 1000000;
	return CLI_OK;
}

/* Without its value --discover takes the next word, such as the file's name. */
static bool are_ranges(const char *list)
{
	struct wh_locals *l = NULL;
	bool good = !wh_estate_locals(NULL, list, &l, &(struct wh_error){0});
	wh_locals_free(l);
	return good;
}

/* Whether these go together; `words`: how many files were named. */
static int check_options(const struct cli *c, const struct wh_app_ingest *ask, int words)
{
	const struct wh_ingest_options *opt = &ask->options;
	if (ask->listen && (words || opt->format || opt->follow))
		return cli_usage(c, "--listen reads EVE from a socket alone: it takes no file, --format or --follow");
	if (ask->listen && !listen_path)
		return cli_usage(c, "write --listen unix:PATH");
	if (ask->discover && !are_ranges(ask->discover))
		return cli_usage(c, "'%s' is not a list of ranges: write --discover 10.0.0.0/8,2001:db8::/32, or off",
		                 ask->discover);
	if (!words && !ask->listen)
		return cli_usage(c, "name one or more files or directories, or - for standard input");
	if (opt->realm && !wh_realm_is(opt->realm))
		return cli_usage(c, "'%s' is not a realm: write one, vlan10, tenant3, tenant3/vlan10.20 or untagged", opt->realm);
	if (opt->follow && words != 1)
		return cli_usage(c, "--follow takes one file");
	if (opt->format && !wh_reader_find(opt->format))
		return cli_usage(c, "unknown format '%s'; known: %s", opt->format, known_formats());
	return CLI_OK;
}

static int take_options(const struct cli *c, struct wh_app_ingest *ask, int argc, char **argv)
{
	struct wh_ingest_options *opt = &ask->options;
	struct values v = {0};
	const struct cli_option options[] = {
		{"format", .text = &opt->format},     {"aws-format", .text = &opt->columns}, {"follow", .flag = &opt->follow},
		{"discover", .text = &ask->discover}, {"memory", .text = &v.memory},         {"realm", .text = &opt->realm},
		{"sensor", .text = &opt->sensor},     {"sensor-slack", .text = &v.slack},    {"listen", .text = &ask->listen},
		{"since", .text = &v.since},          {"until", .text = &v.until},           {0}};
	if (cli_read_options(c, argc, argv, options))
		return CLI_USAGE;
	opt->format = opt->columns ? "aws" : opt->format;
	int rc = read_values(c, &v, opt);
	return rc ? rc : check_options(c, ask, argc - optind);
}

static int run(struct cli *c, int argc, char **argv)
{
	const struct wh_ledger_config *set = &c->config->ledger;
	const struct wh_app a = cli_app(c);
	struct printing p = {.c = c, .began_us = wh_monotonic_us()};
	struct wh_app_ingest ask = {
		.options = {.stop = &stop, .byte_limit = set->memory_limit, .realm = set->realm, .sensor = set->sensor},
		.begins = begins,
		.progress = progress,
		.read = print_file,
		.arg = &p};
	struct wh_app_ingested r;
	struct wh_error err;
	int rc = take_options(c, &ask, argc, argv);
	if (rc) {
		if (listen_path)
			unlink(listen_path);
		return rc;
	}
	ask.listen = listen_path;
	ask.listen_fd = listen_fd;
	ask.paths = (const char *const *)argv + optind;
	ask.n_paths = (size_t)(argc - optind);
	if (wh_app_ingest(&a, &ask, &r, &err))
		return cli_error(&err);
	if (listen_path)
		unlink(listen_path); /* if the directory's permissions allow it; else the next run removes it */
	warn_of_rest(&r);
	rc = !r.failed || r.stats.records ? report(c, &r) : CLI_OK;
	return p.status ? p.status : !rc && interrupted ? CLI_INTERRUPTED : rc;
}

/* The value of --listen, by its full name; NULL: there is none. */
static const char *listens_at(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (!strncmp(argv[i], "--listen=", 9))
			return argv[i] + 9;
		if (!strcmp(argv[i], "--listen") && i + 1 < argc)
			return argv[i + 1];
	}
	return NULL;
}

static int prepare(struct cli *c, int argc, char **argv, uid_t uid, gid_t gid, struct wh_error *err)
{
	const char *where = listens_at(argc, argv);
	(void)c;
	if (!where)
		return 0;
	if (strncmp(where, "unix:", 5) != 0 || !where[5])
		return wh_fail_input(err, -EINVAL, "--listen %s: write unix: and the path of a socket", where);
	listen_path = where + 5;
	return wh_listen_open(listen_path, uid, gid, &listen_fd, err);
}

static bool lasts(int argc, char **argv)
{
	return cli_has_option(argc, argv, "--listen") || cli_has_option(argc, argv, "--follow");
}

const struct cli_command cli_ingest = {.prepare = prepare,
                                       .confined = true,
                                       .lasts = lasts,
                                       .name = "ingest",
                                       .summary = "read flows from logs into the ledger",
                                       .help = help,
                                       .run = run};
