/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inputs: a file or standard input, decoded when its first bytes are those of gzip or zstd. Reads go straight into the
 * caller's buffer when nothing is to be decoded: mapping a file would be no faster, and a file that is cut while it is
 * mapped kills the process.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>
#include "base/opener.h"
#include "base/owner.h"
#include "flow/fields.h"
#include "whittle/flow.h"

#define RAW_SIZE (256u << 10)
#define IDENTITY_BYTES 1024
#define ZSTD_WINDOW_LOG 26 /* 64 MiB: a frame that wants a longer history is refused, so that memory stays bounded */

enum coding { UNKNOWN, PLAIN, GZIP, ZSTD };

struct wh_input {
	int fd;
	enum coding coding;
	bool regular;
	bool within;        /* in a compressed stream that has not ended */
	bool stream_ready;
	uint64_t pos;       /* decoded bytes handed out */
	uint64_t streams;   /* members or frames that ended */
	unsigned char *raw; /* bytes as in the file, from raw_at to raw_end not yet used */
	size_t raw_at, raw_end;
	z_stream gz;
	ZSTD_DCtx *zstd;
	dev_t device;
	ino_t inode;
	bool identified;    /* the identity will not change any more */
	char identity[WH_IDENTITY_MAX];
	char path[];
};

const char *wh_input_path(const struct wh_input *in)
{
	return in->path;
}

bool wh_input_packed(const struct wh_input *in)
{
	return in->coding == GZIP || in->coding == ZSTD;
}

/* Over the first line without its newline, or the first KiB of it: a log that grows keeps its first line. Returns whether the
 * line was complete. */
static bool hash_head(const struct wh_input *in, uint64_t *hash)
{
	char head[IDENTITY_BYTES];
	ssize_t n = pread(in->fd, head, sizeof head, 0);
	const char *end = n > 0 ? memchr(head, '\n', (size_t)n) : NULL;
	*hash = field_hash((struct field){head, end ? (size_t)(end - head) : n > 0 ? (size_t)n : 0});
	return end || n == (ssize_t)sizeof head;
}

static bool identify(struct wh_input *in, char text[static WH_IDENTITY_MAX])
{
	uint64_t hash;
	bool whole = hash_head(in, &hash);
	snprintf(text, WH_IDENTITY_MAX, "%llx:%llx:%016llx", (unsigned long long)in->device, (unsigned long long)in->inode,
	         (unsigned long long)hash);
	return whole;
}

const char *wh_input_identity(struct wh_input *in)
{
	if (in->regular && !in->identified)
		in->identified = identify(in, in->identity);
	return in->identity;
}

bool wh_input_rewritten(struct wh_input *in, uint64_t offset)
{
	char now[WH_IDENTITY_MAX];
	struct stat st;
	if (!in->regular || wh_input_packed(in) || fstat(in->fd, &st))
		return false;
	if ((uint64_t)st.st_size < offset)
		return true;
	if (!in->identified)
		return wh_input_identity(in), false;
	return !identify(in, now) || strcmp(now, in->identity) != 0;
}

bool wh_input_replaced(const struct wh_input *in, const char *path)
{
	struct stat st;
	int fd = stat(path, &st) ? wh_open_input(path, O_NONBLOCK) : -1; /* in a directory that only the opener may search */
	bool seen = fd < 0 ? !stat(path, &st) : !fstat(fd, &st);
	if (fd >= 0)
		close(fd);
	return seen && (st.st_dev != in->device || st.st_ino != in->inode) && st.st_size > 0;
}

int wh_input_open(const char *path, struct wh_input **out, struct wh_error *err)
{
	bool standard = !strcmp(path, "-");
	const char *name = standard ? "standard input" : path;
	struct wh_input *in = calloc(1, sizeof *in + strlen(name) + 1);
	struct stat st;
	int rc;
	if (!in)
		return wh_fail(err, -ENOMEM, "%s: out of memory", name);
	strcpy(in->path, name);
	in->fd = standard ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3) : wh_open_input(path, 0);
	if (in->fd < 0 || fstat(in->fd, &st)) {
		rc = in->fd < 0 && !standard ? in->fd : -errno;
		rc = wh_fail_input(err, rc, "%s: %s%s", name, strerror(-rc), wh_as_owner(rc));
		goto out;
	}
	if (S_ISDIR(st.st_mode)) {
		rc = wh_fail_input(err, -EISDIR, "%s: is a directory", name);
		goto out;
	}
	in->regular = S_ISREG(st.st_mode) && !standard;
	if (in->regular) {
		in->device = st.st_dev;
		in->inode = st.st_ino;
		wh_input_identity(in);
		posix_fadvise(in->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	}
	in->raw = malloc(RAW_SIZE);
	if (!in->raw) {
		rc = wh_fail(err, -ENOMEM, "%s: out of memory", name);
		goto out;
	}
	*out = in;
	return 0;
out:
	wh_input_close(in);
	return rc;
}

void wh_input_close(struct wh_input *in)
{
	if (!in)
		return;
	if (in->coding == GZIP && in->stream_ready)
		inflateEnd(&in->gz);
	ZSTD_freeDCtx(in->zstd);
	if (in->fd >= 0)
		close(in->fd);
	free(in->raw);
	free(in);
}

static int64_t read_some(struct wh_input *in, void *buf, size_t len, struct wh_error *err)
{
	ssize_t n = read(in->fd, buf, len < SSIZE_MAX ? len : SSIZE_MAX);
	return n >= 0 ? n : wh_fail(err, -errno, "%s: %s", in->path, strerror(errno));
}

/* More raw bytes, when there are none. Returns how many there are: 0 at the end. */
static int64_t fill(struct wh_input *in, struct wh_error *err)
{
	if (in->raw_at == in->raw_end) {
		int64_t n = read_some(in, in->raw, RAW_SIZE, err);
		if (n < 0)
			return n;
		in->raw_at = 0;
		in->raw_end = (size_t)n;
	}
	return (int64_t)(in->raw_end - in->raw_at);
}

/* The program that unpacks a format that is not read here; NULL if it is none. */
static const char *other_packer(const unsigned char *b, size_t n)
{
	static const struct { const char *magic; size_t n; const char *unpack;
	} packers[] = {
		{"\xfd"
	         "7zXZ",
	         5, "xz -dc"},
		{"BZh", 3, "bzip2 -dc"},
		{"\x04\x22\x4d\x18", 4, "lz4 -dc"},
		{"PK\x03\x04", 4, "unzip -p"},
		{"7z\xbc\xaf", 4, "7z e -so"},
	};
	for (size_t i = 0; i < sizeof packers / sizeof *packers; i++)
		if (n > packers[i].n && !memcmp(b, packers[i].magic, packers[i].n))
			return packers[i].unpack;
	return NULL;
}

/* Detected by four bytes: gzip 1f 8b 08; a zstd frame 28 b5 2f fd or a skippable frame 5x 2a 4d 18. Fewer are plain. */
static int64_t tell_coding(struct wh_input *in, struct wh_error *err)
{
	const unsigned char *b = in->raw;
	while (in->raw_end < 4) {
		int64_t n = read_some(in, in->raw + in->raw_end, RAW_SIZE - in->raw_end, err);
		if (n < 0)
			return n;
		if (n == 0)
			break;
		in->raw_end += (size_t)n;
	}
	if (in->raw_end == 0)
		return 0; /* nothing yet: a file that will grow */
	if (in->raw_end >= 4 && b[0] == 0x1f && b[1] == 0x8b && b[2] == 8)
		in->coding = GZIP;
	else if (in->raw_end >= 4 &&
	         (!memcmp(b, "\x28\xb5\x2f\xfd", 4) || ((b[0] & 0xf0) == 0x50 && !memcmp(b + 1, "\x2a\x4d\x18", 3))))
		in->coding = ZSTD;
	else if (other_packer(b, in->raw_end))
		return wh_fail_input(err, -EBADMSG, "%s: packed neither with gzip nor with zstd: unpack it first (`%s`)",
		                     in->path, other_packer(b, in->raw_end));
	else
		in->coding = PLAIN;
	return 0;
}

static int64_t read_plain(struct wh_input *in, void *buf, size_t len, struct wh_error *err)
{
	size_t have = in->raw_end - in->raw_at;
	if (!have)
		return read_some(in, buf, len, err);
	if (have > len)
		have = len;
	memcpy(buf, in->raw + in->raw_at, have);
	in->raw_at += have;
	return (int64_t)have;
}

static int broken(const struct wh_input *in, struct wh_error *err, const char *what)
{
	return wh_fail_input(err, -EBADMSG, "%s: %s stream %llu, after %llu decoded bytes: %s", in->path,
	                     in->coding == GZIP ? "gzip" : "zstd", (unsigned long long)in->streams + 1,
	                     (unsigned long long)in->pos, what);
}

/* Between members there may be zeros (padding of tapes and block devices), as gzip itself accepts them. */
static bool only_padding(struct wh_input *in)
{
	while (in->raw_at < in->raw_end && in->raw[in->raw_at] == 0)
		in->raw_at++;
	return in->raw_at == in->raw_end;
}

static int64_t read_gzip(struct wh_input *in, void *buf, size_t len, struct wh_error *err)
{
	size_t want = len < (1u << 30) ? len : 1u << 30;
	if (!in->stream_ready) {
		if (inflateInit2(&in->gz, 15 + 16) != Z_OK)
			return wh_fail(err, -ENOMEM, "%s: out of memory", in->path);
		in->stream_ready = true;
	}
	in->gz.next_out = buf;
	in->gz.avail_out = (uInt)want;
	while (in->gz.avail_out == want) {
		int64_t have = fill(in, err);
		if (have < 0)
			return have;
		if (have == 0)
			return in->within ? broken(in, err, "cut short") : 0;
		if (!in->within && in->streams && only_padding(in))
			continue;
		in->gz.next_in = in->raw + in->raw_at;
		in->gz.avail_in = (uInt)(in->raw_end - in->raw_at);
		in->within = true;
		int rc = inflate(&in->gz, Z_NO_FLUSH);
		in->raw_at = in->raw_end - in->gz.avail_in;
		if (rc == Z_STREAM_END) {
			in->within = false;
			in->streams++;
			inflateReset(&in->gz);
		} else if (rc == Z_MEM_ERROR) {
			return wh_fail(err, -ENOMEM, "%s: out of memory", in->path);
		} else if (rc != Z_OK && rc != Z_BUF_ERROR) {
			if (in->gz.avail_out != want)
				break; /* the data before the damage is good; the next read meets the damage again */
			return broken(in, err, in->gz.msg ? in->gz.msg : "damaged");
		}
	}
	return (int64_t)(want - in->gz.avail_out);
}

static int64_t read_zstd(struct wh_input *in, void *buf, size_t len, struct wh_error *err)
{
	ZSTD_outBuffer to = {buf, len, 0};
	if (!in->zstd) {
		in->zstd = ZSTD_createDCtx();
		if (!in->zstd)
			return wh_fail(err, -ENOMEM, "%s: out of memory", in->path);
		ZSTD_DCtx_setParameter(in->zstd, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG);
	}
	while (to.pos == 0) {
		int64_t have = in->within ? (int64_t)(in->raw_end - in->raw_at) : fill(in, err);
		if (have < 0)
			return have;
		if (have == 0 && !in->within)
			return 0;
		ZSTD_inBuffer from = {in->raw + in->raw_at, (size_t)have, 0};
		size_t rc = ZSTD_decompressStream(in->zstd, &to, &from);
		in->raw_at += from.pos;
		if (ZSTD_isError(rc))
			return broken(in, err, ZSTD_getErrorName(rc));
		in->within = rc != 0;
		in->streams += rc == 0;
		if (in->within && to.pos == 0 && in->raw_at == in->raw_end) { /* all that was inside is out: more must come */
			have = fill(in, err);
			if (have <= 0)
				return have < 0 ? have : broken(in, err, "cut short");
		}
	}
	return (int64_t)to.pos;
}

int64_t wh_input_read(struct wh_input *in, void *buf, size_t len, struct wh_error *err)
{
	int64_t n = in->coding == UNKNOWN ? tell_coding(in, err) : 0;
	if (n < 0 || len == 0 || in->coding == UNKNOWN)
		return n;
	n = in->coding == GZIP ? read_gzip(in, buf, len, err) : in->coding == ZSTD ? read_zstd(in, buf, len, err) :
	    read_plain(in, buf, len, err);
	if (n > 0)
		in->pos += (uint64_t)n;
	return n;
}

/* Back to the first byte. */
static int rewind_input(struct wh_input *in, struct wh_error *err)
{
	if (!in->regular)
		return wh_fail(err, -ESPIPE, "%s: can't go back to what was read before", in->path);
	if (lseek(in->fd, 0, SEEK_SET) < 0)
		return wh_fail(err, -errno, "%s: %s", in->path, strerror(errno));
	if (in->coding == GZIP && in->stream_ready)
		inflateReset(&in->gz);
	if (in->zstd)
		ZSTD_DCtx_reset(in->zstd, ZSTD_reset_session_only);
	in->raw_at = in->raw_end = 0;
	in->pos = in->streams = 0;
	in->within = false;
	in->coding = in->coding == PLAIN ? UNKNOWN : in->coding;
	return 0;
}

static int too_short(const struct wh_input *in, uint64_t offset, uint64_t length, struct wh_error *err)
{
	return wh_fail_input(err, -ERANGE, "%s: holds %llu bytes, but %llu were read before: was it cut?", in->path,
	               (unsigned long long)length, (unsigned long long)offset);
}

int wh_input_seek(struct wh_input *in, uint64_t offset, struct wh_error *err)
{
	char skipped[16384];
	struct stat st;
	int rc = 0;
	if (in->coding == UNKNOWN && (rc = (int)tell_coding(in, err)) < 0)
		return rc;
	if (in->regular && in->coding == PLAIN) {
		if (fstat(in->fd, &st) || offset > INT64_MAX)
			return wh_fail(err, -EINVAL, "%s: can't seek", in->path);
		if (offset > (uint64_t)st.st_size)
			return too_short(in, offset, (uint64_t)st.st_size, err);
		if (lseek(in->fd, (off_t)offset, SEEK_SET) < 0)
			return wh_fail(err, -errno, "%s: %s", in->path, strerror(errno));
		in->raw_at = in->raw_end = 0;
		in->pos = offset;
		return 0;
	}
	if (offset < in->pos && (rc = rewind_input(in, err)))
		return rc;
	while (in->pos < offset) {
		uint64_t left = offset - in->pos;
		int64_t n = wh_input_read(in, skipped, left < sizeof skipped ? (size_t)left : sizeof skipped, err);
		if (n < 0)
			return (int)n;
		if (n == 0)
			return too_short(in, offset, in->pos, err);
	}
	return 0;
}
