/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tables, in words that ClickHouse 18.16 knows and newer ones do not refuse.
 *
 *   edge         what is read and written: without a cluster the rows themselves, else a Distributed table over the shards, by
 *                the local address (the first 16 bytes of a key)
 *   edge_shard   with a cluster: the rows of one shard; replicated where the cluster has replicas
 *   edges        for people: a row an edge, its sensors together
 *
 * and so on for the other kinds. Tables of a cluster are made on each host that the URL names.
 */
#include <stdlib.h>
#include <string.h>
#include "ledger/clickhouse/fleet.h"

const char *const fleet_tables[FLEET_KINDS] = {
	[FLEET_EDGE] = "edge", [FLEET_OPEN] = "open_edge", [FLEET_SKETCH] = "sketch", [FLEET_DAY] = "day",
	[FLEET_FACT] = "fact", [FLEET_FULL] = "full",      [FLEET_SENSOR] = "sensor",
};

static const char columns[] = "key String, sensor UInt64, version UInt64, gone UInt8, value String";
static const char more_of_edges[] =
	", flows UInt64, bytes_in UInt64, bytes_out UInt64, first_us Int64, last_us Int64, day Int32, days UInt64"
	", local String ALIAS IPv6NumToString(toFixedString(substring(key, 1, 16), 16))"
	", inbound UInt8 ALIAS substring(key, 17, 1) = unhex('00')"
	", protocol UInt8 ALIAS reinterpretAsUInt8(substring(key, 18, 1))"
	", port UInt16 ALIAS reinterpretAsUInt16(reverse(substring(key, 19, 2)))"
	", peer String ALIAS IPv6NumToString(toFixedString(substring(key, 21, 16), 16))";
static const char people[] =
	"SELECT local, inbound, protocol, port, peer, sum(last_flows) AS flows, sum(last_in) AS bytes_in, sum(last_out) AS bytes_out,"
	" min(last_first) AS first_us, max(last_last) AS last_us, max(last_day) AS day, uniq(sensor) AS sensors"
	" FROM (SELECT key, sensor, any(local) AS local, any(inbound) AS inbound, any(protocol) AS protocol, any(port) AS port,"
	" any(peer) AS peer, argMax(flows, version) AS last_flows, argMax(bytes_in, version) AS last_in,"
	" argMax(bytes_out, version) AS last_out, argMax(first_us, version) AS last_first, argMax(last_us, version) AS last_last,"
	" argMax(day, version) AS last_day, argMax(gone, version) AS is_gone"
	" FROM %s.edge GROUP BY key, sensor) WHERE is_gone = 0 GROUP BY local, inbound, protocol, port, peer";

static int run(struct fleet_client *c, int host, struct wh_error *err, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
static int run(struct fleet_client *c, int host, struct wh_error *err, const char *fmt, ...)
{
	char *sql = NULL;
	va_list ap;
	va_start(ap, fmt);
	int n = vasprintf(&sql, fmt, ap);
	va_end(ap);
	int rc = n < 0 ? wh_fail(err, -ENOMEM, "out of memory") : fleet_query(c, host, sql, NULL, NULL, err);
	if (n >= 0)
		free(sql);
	return rc;
}

/* The only field of the only row of an answer in TabSeparated, cut to the room that there is. */
static int ask_text(struct fleet_client *c, int host, const char *sql, char *out, size_t room, struct wh_error *err)
{
	struct fleet_answer a = {0};
	int rc = fleet_query(c, host, sql, NULL, &a, err);
	const char *end = a.n ? memchr(a.bytes, '\n', a.n) : NULL;
	size_t len = end ? (size_t)(end - (const char *)a.bytes) : 0;
	len = len < room ? len : room - 1;
	*(char *)mempcpy(out, len ? (const char *)a.bytes : "", len) = 0;
	wh_text_make_printable(out);
	fleet_answer_free(&a);
	return rc;
}

/* Whether the cluster that the URL names is known to this host, and has replicas. */
static int cluster_of(struct fleet_client *c, int host, bool *replicated, struct wh_error *err)
{
	char sql[256], known[400];
	uint64_t most = 0;
	snprintf(sql, sizeof sql, "SELECT toUInt64(max(replica_num)) FROM system.clusters WHERE cluster = '%s' FORMAT RowBinary",
	         c->url.cluster);
	int rc = fleet_query_number(c, host, sql, &most, err);
	*replicated = most > 1;
	if (rc || most)
		return rc;
	rc = ask_text(
		c, host,
		"SELECT arrayStringConcat(arraySort(groupUniqArray(cluster)), ', ') FROM system.clusters FORMAT TabSeparated",
		known, sizeof known, err);
	return rc ? rc
	          : wh_fail_input(err, -EINVAL, "%s: knows no cluster '%s'; it knows %s", c->url.origins[host], c->url.cluster,
	                          *known ? known : "none");
}

/* Refuses tables that are of another cluster than the URL's: of some of their shards, edges would be missing. */
static int check_cluster(const struct fleet_client *c, int host, const char *cluster, struct wh_error *err)
{
	const struct fleet_url *u = &c->url;
	if (!strcmp(cluster, u->cluster))
		return 0;
	if (!*cluster)
		return wh_fail_input(err, -EINVAL, "%s: the tables of database '%s' are of no cluster: leave out cluster=%s",
		                     u->origins[host], u->database, u->cluster);
	return wh_fail_input(err, -EINVAL, "%s: the tables of database '%s' are of the cluster '%s'%s%s: write cluster=%s",
	                     u->origins[host], u->database, cluster, *u->cluster ? ", not of " : "", u->cluster, cluster);
}

/* Whether all tables are there, by the one that is made last; then they are of the URL's cluster. */
static int look_for_tables(struct fleet_client *c, int host, bool *there, struct wh_error *err)
{
	char sql[500], text[FLEET_NAME + 8];
	snprintf(sql, sizeof sql,
	         "SELECT concat(toString(sum(name = 'edges')), max(if(name = 'edge' AND engine = 'Distributed', "
	         "replaceRegexpAll(substring(engine_full, 13, position(engine_full, ',') - 13), '[^A-Za-z0-9._:+-]', ''), ''))) "
	         "FROM system.tables WHERE database = '%s' AND name IN ('edge', 'edges') FORMAT TabSeparated",
	         c->url.database);
	int rc = ask_text(c, host, sql, text, sizeof text, err);
	*there = *text == '1';
	return rc || !*there ? rc : check_cluster(c, host, text + 1, err);
}

static int make_table(struct fleet_client *c, int host, enum fleet_kind kind, bool replicated, struct wh_error *err)
{
	const char *db = c->url.database, *name = fleet_tables[kind], *shard = *c->url.cluster ? "_shard" : "";
	char engine[400];
	if (replicated)
		snprintf(engine, sizeof engine,
		         "ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/%s/%s', '{replica}', version)", db, name);
	else
		snprintf(engine, sizeof engine, "ReplacingMergeTree(version)");
	int rc = run(c, host, err, "CREATE TABLE IF NOT EXISTS %s.%s%s (%s%s) ENGINE = %s ORDER BY (key, sensor)", db, name,
	             shard, columns, kind == FLEET_EDGE ? more_of_edges : "", engine);
	if (rc || !*shard)
		return rc;
	return run(c, host, err,
	           "CREATE TABLE IF NOT EXISTS %s.%s AS %s.%s_shard ENGINE = Distributed('%s', '%s', '%s_shard', "
	           "sipHash64(substring(key, 1, 16)))",
	           db, name, db, name, c->url.cluster, db, name);
}

static int make_tables(struct fleet_client *c, int host, struct wh_error *err)
{
	bool replicated = false, there = false;
	int rc = look_for_tables(c, host, &there, err);
	if (rc || there)
		return rc;
	rc = *c->url.cluster ? cluster_of(c, host, &replicated, err) : 0;
	rc = rc ? rc : run(c, host, err, "CREATE DATABASE IF NOT EXISTS %s", c->url.database);
	for (int kind = 0; kind < FLEET_KINDS && !rc; kind++)
		rc = make_table(c, host, (enum fleet_kind)kind, replicated, err);
	if (rc)
		return rc;
	char *select = NULL;
	if (asprintf(&select, people, c->url.database) < 0)
		return wh_fail(err, -ENOMEM, "out of memory");
	rc = run(c, host, err, "CREATE VIEW IF NOT EXISTS %s.edges AS %s", c->url.database, select);
	free(select);
	return rc;
}

/* A host's own shard, and how many shards and replicas its cluster has. */
static bool shard_of(struct fleet_client *c, int host, uint64_t *own, uint64_t *shards)
{
	enum { MOST = 1000 };
	char sql[300];
	uint64_t n = 0;
	struct wh_error ignored;
	snprintf(sql, sizeof sql,
	         "SELECT toUInt64(max(shard_num * is_local) * %d + max(shard_num)) * %d + toUInt64(max(replica_num)) FROM "
	         "system.clusters WHERE cluster = '%s' FORMAT RowBinary",
	         MOST, MOST, c->url.cluster);
	if (fleet_query_number(c, host, sql, &n, &ignored) || n % MOST != 1)
		return false;
	*own = n / MOST / MOST;
	*shards = n / MOST % MOST;
	return *shards <= FLEET_HOSTS;
}

/* Only if each shard's server is one of the URL's hosts. */
static void find_shards(struct fleet_client *c)
{
	bool known[FLEET_HOSTS] = {false};
	size_t n = 0;
	uint64_t own, shards = 0, all = 0;
	for (size_t i = 0; *c->url.cluster && i < c->url.n; i++) {
		if (!shard_of(c, (int)i, &own, &shards) || (all && shards != all))
			return;
		all = shards;
		if (own && own <= all && !known[own - 1]) {
			known[own - 1] = true;
			c->shard_hosts[own - 1] = i;
			n++;
		}
	}
	c->shards = n == all ? n : 0;
}

/* An unreachable host gets its tables another time; one that refuses returns the reason. */
int fleet_tables_ready(struct fleet_client *c, struct wh_error *err)
{
	bool all = true, any = false;
	int rc = 0;
	for (size_t i = 0; i < c->url.n && !c->ready && !rc; i++) {
		rc = make_tables(c, (int)i, err);
		any |= !rc;
		all &= !rc;
		if (rc == -EHOSTUNREACH)
			rc = 0;
	}
	if (!rc && !any && !c->ready)
		return -EHOSTUNREACH;
	if (!c->ready && all && !rc) {
		c->ready = true;
		find_shards(c);
	}
	return rc;
}
