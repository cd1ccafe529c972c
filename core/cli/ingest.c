/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include "base/heap.h"
#include "cli/cli.h"
#include "cli/ingest_paths.h"
#include "whittle/flow.h"

static const char help[] =
	"usage: whittle ingest [--format F] [--aws-format FIELDS] [--follow] [--since TIME] [--until TIME]\n"
	"                      [--discover CIDR,…|off] [--realm R] [--sensor NAME] [--sensor-slack TIME]\n"
	"                      [--memory SIZE] [--json] FILE|DIRECTORY…|-\n"
	"\n"
	"Reads flows from logs into the ledger. Each record counts exactly once: where a run was stopped or killed, the next one\n"
	"goes on. Files packed with gzip or zstd are read as they are. What can't be read is counted, the first of each kind is\n"
	"shown with its line, and the run goes on. Of a directory all files are read, those below it too; files there that are no\n"
	"logs are passed over.\n"
	"\n"
	"  --format F       the log's format; told from the content where it is left out: eve (Suricata), vnet and nsg (Azure's\n"
	"                   flow logs), zeek and zeek-json (conn.log), aws (VPC flow logs), nfdump (CSV)\n"
	"  --aws-format F   the fields of AWS flow logs that have no header line, as \"version srcaddr …\" or \"${version} …\"\n"
	"  --follow         wait for more, through rotation and truncation, until interrupted (one file)\n"
	"  --since TIME     read no flow that began before, such as 2026-11-01 or 2026-11-01T08:00:00Z\n"
	"  --until TIME     read no flow that began then or later\n"
	"  --discover …     ranges in which an answering address becomes a protected resource; by default the private ranges,\n"
	"                   as long as no estate was imported\n"
	"  --realm R        VLANs and tenants, where logs name them: \"one\", they are one network; or \"vlan10\", \"tenant3\",\n"
	"                   \"tenant3/vlan10.20\", \"untagged\": read this one alone. Without, the same private address in two of\n"
	"                   them is refused\n"
	"  --sensor NAME    the sensor that wrote these logs, where records name none (sensor, host). A conversation that two\n"
	"                   sensors report counts once, as the first one reported it\n"
	"  --sensor-slack TIME  their clocks differ by no more than this, up to 10m (2s)\n"
	"  --memory SIZE    limit of the table in memory (64MiB)\n"
	"\n"
	"Example: whittle ingest /var/log/suricata/eve.json /var/log/suricata/eve.json.1.gz\n";

enum { HEAP = 16 << 20 /* what a large log takes of the ledger's pages, and of what is known of its lines */ };

static volatile bool stop;

static void on_signal(int sig)
{
	(void)sig;
	stop = true;
}

/* What is read of all, how fast, and how long the rest takes. */
struct show {
	uint64_t total, done; /* bytes of all files, of those that are read */
	uint64_t records;
	int64_t began_us, shown_us;
};

static int progress(void *arg, uint64_t bytes, uint64_t total, uint64_t records)
{
	struct show *s = arg;
	int64_t now = wh_monotonic_us();
	char n[32], rate[32];
	if (now - s->shown_us < 100000)
		return 0;
	s->shown_us = now;
	if (!cli_progress_wanted())
		return 0;
	double seconds = (double)(now - s->began_us) / 1e6, part = s->total ? (double)(s->done + (total ? bytes : 0)) / (double)s->total : 0;
	wh_number_text(s->records + records, n);
	wh_number_text((uint64_t)((double)(s->records + records) / (seconds > 0.1 ? seconds : 0.1)), rate);
	if (part > 0 && part <= 1)
		cli_progress("%3.0f %%  %s records, %s a second, %.0f s left", 100 * part, n, rate, seconds / part - seconds);
	else
		cli_progress("%s records, %s a second", n, rate);
	return 0;
}

static void add_stats(struct wh_read_stats *to, const struct wh_read_stats *s)
{
	to->records += s->records;
	to->flows += s->flows;
	to->alerts += s->alerts;
	to->other += s->other;
	to->malformed += s->malformed;
	to->bytes += s->bytes;
}

static void say_bad(const char *path, const struct wh_ingest_result *r)
{
	for (unsigned i = 0; i < r->stats.n_bad; i++)
		fprintf(stderr, "whittle: %s:%llu (byte %llu): %s; %llu record%s of this kind passed over\n", path,
		        (unsigned long long)r->stats.bad[i].first_line, (unsigned long long)r->stats.bad[i].first_offset, r->stats.bad[i].reason,
		        (unsigned long long)r->stats.bad[i].count, r->stats.bad[i].count == 1 ? "" : "s");
	if (r->unfinished_line)
		fprintf(stderr, "whittle: %s:%llu: the last line is not complete; it is left for the next run\n", path,
		        (unsigned long long)r->unfinished_line);
}

static int report(const struct cli *c, const struct wh_read_stats *s, uint64_t edges, uint64_t twice, double seconds, bool nothing_new)
{
	char a[32], b[32], d[32];
	if (c->json)
		return cli_print_json(json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:f}", "records", (json_int_t)s->records, "flows", (json_int_t)s->flows, "edges",
		                                (json_int_t)edges, "other", (json_int_t)(s->other + s->alerts), "malformed", (json_int_t)s->malformed, "bytes",
		                                (json_int_t)s->bytes, "reportedTwice", (json_int_t)twice, "seconds", seconds));
	if (nothing_new) {
		puts("Nothing new: all of it had been read before.");
		return CLI_OK;
	}
	printf("%s records in %.1f s: %s flows, %s alerts", wh_number_text(s->records, a), seconds, wh_number_text(s->flows, b), wh_number_text(s->alerts, d));
	printf(", %s of other kinds", wh_number_text(s->other, a));
	if (s->malformed)
		printf(", %s that could not be read", wh_number_text(s->malformed, a));
	if (twice)
		printf(", %s flows that another sensor had reported", wh_number_text(twice, a));
	printf("; %s edges added to or made\n", wh_number_text(edges, a));
	return CLI_OK;
}

struct job {
	struct cli *c;
	struct wh_ingest_options opt;
	const char *discover;
	struct wh_read_stats all;
	uint64_t edges, twice;
	double seconds;
	bool resumed;
	struct show show;
	uint64_t strange;          /* files of directories that are no logs, */
	const char *first_strange; /* and the first of them */
};

/* A day or a time of it. */
static bool time_of(const char *text, int64_t *us)
{
	char whole[64];
	if (!wh_time_parse(text, strlen(text), us))
		return true;
	return snprintf(whole, sizeof whole, "%sT00:00:00Z", text) < (int)sizeof whole && !wh_time_parse(whole, strlen(whole), us);
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
static int take_options(struct job *j, int argc, char **argv)
{
	static const struct option opts[] = {{"format", 1, 0, 'f'}, {"follow", 0, 0, 'F'}, {"discover", 1, 0, 'd'}, {"memory", 1, 0, 'm'}, {"realm", 1, 0, 'r'},
	                                     {"sensor", 1, 0, 's'}, {"sensor-slack", 1, 0, 'S'}, {"aws-format", 1, 0, 'a'}, {"since", 1, 0, 'b'}, {"until", 1, 0, 'u'}, {0}};
	struct wh_ingest_options *opt = &j->opt;
	int64_t slack = j->c->config->ledger.sensor_slack;
	int o;
	while ((o = cli_getopt(j->c, argc, argv, "", opts)) != -1) {
		switch (o) {
		case 'f': opt->format = optarg; break;
		case 'F': opt->follow = true; break;
		case 'd': j->discover = optarg; break;
		case 'a':
			opt->columns = optarg;
			opt->format = "aws";
			break;
		case 'b':
		case 'u':
			if (!time_of(optarg, o == 'b' ? &opt->since_us : &opt->until_us))
				return cli_usage(j->c, "'%s' is not a time such as 2026-11-01 or 2026-11-01T08:00:00Z", optarg);
			break;
		case 'r': opt->realm = optarg; break;
		case 's': opt->sensor = optarg; break;
		case 'S':
			if (wh_duration_parse(optarg, &slack) || slack < 1)
				return cli_usage(j->c, "'%s' is not a time such as 2s or 1m", optarg);
			break;
		case 'm':
			if (wh_size_parse(optarg, &opt->byte_limit) || opt->byte_limit < 1 << 20)
				return cli_usage(j->c, "'%s' is not a size of at least 1MiB", optarg);
			break;
		default: return CLI_USAGE;
		}
	}
	opt->sensor_slack_us = slack * 1000000;
	if (optind == argc)
		return cli_usage(j->c, "name one or more files or directories, or - for standard input");
	if (slack > 600)
		return cli_usage(j->c, "clocks of sensors that differ by more than 10m (--sensor-slack) tell nothing of one another");
	if (opt->realm && !wh_realm_is(opt->realm))
		return cli_usage(j->c, "'%s' is no realm: name one, vlan10, tenant3, tenant3/vlan10.20 or untagged", opt->realm);
	if (opt->follow && optind + 1 != argc)
		return cli_usage(j->c, "--follow takes one file");
	if (opt->format && !wh_reader_find(opt->format))
		return cli_usage(j->c, "unknown format '%s'; known: %s", opt->format, known_formats());
	return 0;
}

static void say_dropped(const struct wh_store *s)
{
	uint64_t crowded, aged;
	char n[32];
	wh_store_dropped(s, &crowded, &aged);
	if (crowded)
		fprintf(stderr, "whittle: %s edges with the least evidence were dropped, as their ports had more than port-edges: those peers are not known\n",
		        wh_number_text(crowded, n));
	if (aged)
		fprintf(stderr, "whittle: %s edges were dropped, as they were last seen before edge-days\n", wh_number_text(aged, n));
}

/* Reads one. Returns a status; *go_on false: the next file would meet the same trouble. */
static int read_file(struct job *j, struct wh_store *s, const struct ingest_path *p, bool *go_on)
{
	struct wh_ingest_result r;
	struct wh_error err;
	int failed = wh_ingest(s, p->path, &j->opt, &r, &err);
	*go_on = true;
	cli_progress("%s", "");
	j->show.done += p->bytes;
	if (failed == -ENOMSG && p->found) {
		j->first_strange = j->strange++ ? j->first_strange : p->path;
		return CLI_OK;
	}
	say_bad(p->path, &r);
	*go_on = !failed || err.input;
	int rc = failed ? cli_error(&err) : CLI_OK;
	if (!*go_on)
		return rc;
	add_stats(&j->all, &r.stats);
	j->show.records += r.stats.records;
	j->edges += r.edges;
	j->twice += r.twice;
	j->seconds += r.seconds;
	j->resumed |= r.resumed;
	return rc;
}

static int read_files(struct job *j, struct wh_store *s, const struct ingest_paths *paths)
{
	int rc = CLI_OK;
	bool all_good = true, go_on = true;
	j->show.total = paths->bytes;
	j->show.began_us = wh_monotonic_us();
	for (size_t i = 0; i < paths->n && !stop && go_on; i++) {
		int one = read_file(j, s, &paths->list[i], &go_on);
		all_good &= one == CLI_OK;
		rc = one ? one : rc;
	}
	if (j->strange && j->strange == paths->n) {
		struct wh_error err;
		wh_fail_input(&err, -ENOMSG, "%s: not a format that is known, nor is any other file there: nothing was read", j->first_strange);
		return cli_error(&err);
	}
	if (j->strange)
		fprintf(stderr, "whittle: %s: not a format that is known; %llu such file%s passed over\n", j->first_strange, (unsigned long long)j->strange,
		        j->strange == 1 ? "" : "s");
	bool nothing_new = j->resumed && !j->all.records && !j->all.malformed;
	say_dropped(s);
	int told = all_good || j->all.records ? report(j->c, &j->all, j->edges, j->twice, j->seconds, nothing_new) : CLI_OK;
	return rc ? rc : told;
}

static int run(struct cli *c, int argc, char **argv)
{
	const struct wh_ledger_config *set = &c->config->ledger;
	struct job j = {.c = c, .discover = c->config->estate.discover,
	                .opt = {.stop = &stop, .progress = progress, .progress_arg = &j.show, .byte_limit = set->memory_limit, .realm = set->realm, .sensor = set->sensor}};
	struct sigaction sa = {.sa_handler = on_signal};
	struct ingest_paths paths = {.n = 0};
	struct wh_locals *locals = NULL;
	struct wh_ledger ledger = {NULL, NULL};
	struct wh_error err;
	int rc = take_options(&j, argc, argv);
	if (rc)
		return rc;
	rc = ingest_paths_find(&paths, argc - optind, argv + optind, &err);
	if (!rc && !paths.n)
		rc = wh_fail_input(&err, -ENOENT, "%s: there is no file in it: nothing was read", argv[optind]);
	if (rc)
		rc = cli_error(&err);
	if (rc || (rc = cli_open_ledger(c, WH_STATE_CREATE, &ledger))) {
		ingest_paths_free(&paths);
		return rc;
	}
	wh_heap_in_large_pages(HEAP);
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	if (wh_estate_locals(ledger.state, j.discover, &locals, &err)) {
		rc = cli_error(&err);
	} else {
		j.opt.locals = locals;
		rc = read_files(&j, ledger.store, &paths);
	}
	ingest_paths_free(&paths);
	wh_locals_free(locals);
	wh_ledger_close(&ledger);
	return rc;
}

const struct cli_command cli_ingest = {.confined = true, .name = "ingest", .summary = "read flows from logs into the ledger", .help = help, .run = run};
