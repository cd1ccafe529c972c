/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include "logs.h"

enum { PLAIN, RENAMED, PACKED, JOINED, N_FORMS };
static const char *const tails[N_FORMS] = {"", ".copy", ".gz", ".both"};

static char *path_of(const struct logs *l, int day, int form, char out[static 320])
{
	snprintf(out, 320, "%s/eve.json-%02d%s", l->dir, day, tails[form]);
	return out;
}

int logs_open(struct logs *l, const char *dir)
{
	char path[320];

	*l = (struct logs){0};
	snprintf(l->dir, sizeof l->dir, "%s", dir);
	if (mkdir(dir, 0777) && errno != EEXIST)
		return -errno;
	for (int day = 0; day < EVAL_TRAIN_DAYS; day++)
		if (!(l->day[day] = fopen(path_of(l, day, PLAIN, path), "w")))
			return -errno;
	return 0;
}

static char *stamp(int64_t us, char buf[static 40])
{
	char text[WH_TIME_STRLEN];
	wh_time_text(us, text);
	snprintf(buf, 40, "%.19s.%06u+0000", text, (unsigned)(us % 1000000));
	return buf;
}

int logs_write(void *arg, const struct wh_record *rec)
{
	static const char *const states[] = {[WH_STATE_UNKNOWN] = "new",
	                                     [WH_STATE_NEW] = "new",
	                                     [WH_STATE_ESTABLISHED] = "established",
	                                     [WH_STATE_CLOSED] = "closed",
	                                     [WH_STATE_BYPASSED] = "bypassed"};
	struct logs *l = arg;
	const struct wh_flow *f = &rec->flow;
	char src[WH_ADDR_STRLEN], dst[WH_ADDR_STRLEN], at[40], start[40], end[40];
	int day = (int)(rec->time_us / WH_US_PER_DAY) - EVAL_FIRST_DAY;
	FILE *out = l->day[day < 0 ? 0 : day >= EVAL_TRAIN_DAYS ? EVAL_TRAIN_DAYS - 1 : day];

	wh_addr_text(&f->src, src);
	wh_addr_text(&f->dst, dst);
	fprintf(out,
	        "{\"timestamp\":\"%s\",\"flow_id\":%" PRIu64 ",\"event_type\":\"%s\",\"src_ip\":\"%s\",\"src_port\":%u,"
	        "\"dest_ip\":\"%s\",\"dest_port\":%u,\"proto\":\"%s\"",
	        stamp(rec->time_us, at), (uint64_t)f->start_us << 8 ^ (uint64_t)f->src_port, rec->event_type, src, f->src_port,
	        dst, f->dst_port, f->proto == WH_PROTO_UDP ? "UDP" : "TCP");
	if (f->app_proto_known)
		fprintf(out, ",\"app_proto\":\"%s\"", f->app_proto);
	if (rec->kind == WH_RECORD_ALERT)
		fprintf(out,
		        ",\"direction\":\"to_server\",\"alert\":{\"action\":\"allowed\",\"gid\":1,\"signature_id\":%u,\"rev\":1,\"severity\":%u}",
		        rec->alert_sid, rec->alert_severity);
	fprintf(out,
	        ",\"flow\":{\"pkts_toserver\":%" PRIu64 ",\"pkts_toclient\":%" PRIu64 ",\"bytes_toserver\":%" PRIu64
	        ",\"bytes_toclient\":%" PRIu64 ",\"start\":\"%s\"",
	        f->pkts_toserver, f->pkts_toclient, f->bytes_toserver, f->bytes_toclient, stamp(f->start_us, start));
	if (rec->kind == WH_RECORD_FLOW)
		fprintf(out, ",\"end\":\"%s\",\"state\":\"%s\"}", stamp(f->end_us, end), states[f->state]);
	else
		fprintf(out, ",\"src_ip\":\"%s\",\"dest_ip\":\"%s\",\"src_port\":%u,\"dest_port\":%u}", src, dst, f->src_port,
		        f->dst_port);
	if (rec->kind == WH_RECORD_FLOW && f->has_tcp_flags)
		fprintf(out, ",\"tcp\":{\"tcp_flags\":\"%02x\",\"tcp_flags_ts\":\"%02x\",\"tcp_flags_tc\":\"%02x\"}",
		        f->tcp_flags_toserver | f->tcp_flags_toclient, f->tcp_flags_toserver, f->tcp_flags_toclient);
	return fputs("}\n", out) < 0 ? -EIO : 0;
}

/* ---- reading ---- */

struct reading {
	struct wh_store *s;
	struct wh_ingest_options opt;
	struct wh_error *err;
};

static int ingest(const struct reading *r, const char *path)
{
	struct wh_ingest_result result = {0};
	return wh_ingest(r->s, path, &r->opt, &result, r->err);
}

/* Copies `from`, or its first `part`, to another file; packed or not. */
static int copy(const char *from, const char *to, double part, const char *mode, bool packed)
{
	char buf[1 << 16];
	struct stat st;
	FILE *in = fopen(from, "r"), *out = packed ? NULL : fopen(to, mode);
	gzFile gz = packed ? gzopen(to, "wb1") : NULL;
	int rc = in && (out || gz) && !fstat(fileno(in), &st) ? 0 : -EIO;
	size_t left = rc ? 0 : (size_t)((double)st.st_size * part), n;

	while (!rc && left && (n = fread(buf, 1, left < sizeof buf ? left : sizeof buf, in))) {
		if (packed ? gzwrite(gz, buf, (unsigned)n) != (int)n : fwrite(buf, 1, n, out) != n)
			rc = -EIO;
		left -= n;
	}
	if (in)
		fclose(in);
	if (out && fclose(out))
		rc = -EIO;
	if (gz && gzclose(gz) != Z_OK)
		rc = -EIO;
	return rc;
}

/* A log that grows: half of it is read, then the rotation moves all of it, and the rest is read there. */
static int read_in_two(const struct reading *r, struct logs *l, int day)
{
	char whole[320], half[320];
	path_of(l, day, PLAIN, whole);
	path_of(l, day, RENAMED, half);
	if (copy(whole, half, 0.5, "w", false))
		return wh_fail(r->err, -EIO, "%s: cannot be copied", whole);
	int rc = ingest(r, half);
	return rc ? rc : ingest(r, whole);
}

static int read_copies(const struct reading *r, struct logs *l, int day, struct rng *rng)
{
	char from[320], to[320];
	int rc = 0;
	path_of(l, day, PLAIN, from);
	if (rng_chance(rng, 0.5)) {
		path_of(l, day, RENAMED, to);
		rc = copy(from, to, 1, "w", false) ? wh_fail(r->err, -EIO, "%s: cannot be copied", from) : ingest(r, to);
	}
	if (!rc && rng_chance(rng, 0.5)) {
		path_of(l, day, PACKED, to);
		rc = copy(from, to, 1, NULL, true) ? wh_fail(r->err, -EIO, "%s: cannot be packed", from) : ingest(r, to);
	}
	if (!rc && day && rng_chance(rng, 0.2)) { /* restored together with the day before */
		path_of(l, day, JOINED, to);
		char before[320];
		path_of(l, day - 1, PLAIN, before);
		rc = copy(before, to, 1, "w", false) || copy(from, to, 1, "a", false)
		             ? wh_fail(r->err, -EIO, "%s: cannot be copied", from)
		             : ingest(r, to);
	}
	return rc;
}

int logs_ingest(struct logs *l, struct wh_store *s, const struct wh_locals *locals, uint64_t seed, struct wh_error *err)
{
	const struct reading r = {s, {.locals = locals}, err};
	struct rng rng = rng_of(seed, 6);
	char path[320];
	int rc = 0;

	for (int day = 0; day < EVAL_TRAIN_DAYS; day++) {
		rc = l->day[day] && fclose(l->day[day]) ? -EIO : rc;
		l->day[day] = NULL;
	}
	if (rc)
		return wh_fail(err, rc, "%s: %s", l->dir, strerror(-rc));
	for (int day = 0; day < EVAL_TRAIN_DAYS && !rc; day++)
		rc = rng_chance(&rng, 0.3) ? read_in_two(&r, l, day) : ingest(&r, path_of(l, day, PLAIN, path));
	for (int day = 0; day < EVAL_TRAIN_DAYS && !rc; day++)
		rc = read_copies(&r, l, day, &rng);
	return rc;
}

void logs_remove(struct logs *l)
{
	char path[320];
	for (int day = 0; day < EVAL_TRAIN_DAYS; day++) {
		if (l->day[day])
			fclose(l->day[day]);
		for (int form = 0; form < N_FORMS; form++)
			unlink(path_of(l, day, form, path));
	}
	rmdir(l->dir);
}
