/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "app/backup_archive.h"
#include "whittle/app_backup.h"

#define HEAD "# whittle-backup 1\n"
#define MANIFEST "MANIFEST"
#define STATE "state/"
enum { HEX = 2 * WH_SHA256_BYTES, END_MAX = 1 << 20, MEMBER_NAME = sizeof((struct wh_backup_member *)0)->name };
#define LEDGER_MAX ((uint64_t)1 << 40)

const char *const wh_backup_state_files[] = {
	"azure.steps",      "enforced.rules",   "enforced.rules.1", "enforced.rules.2", "enforced.rules.3", "enforced.rules.4",
	"enforced.rules.5", "enforced.rules.6", "enforced.rules.7", "enforced.rules.8", "jit-policies",     "jit.closed",
	"journal.head",     "serve-tokens",     NULL};

/* ---- the manifest ---- */

static const char *hex(const uint8_t hash[static WH_SHA256_BYTES], char out[static HEX + 1])
{
	for (size_t i = 0; i < WH_SHA256_BYTES; i++)
		snprintf(out + 2 * i, 3, "%02x", hash[i]);
	return out;
}

static bool unhex(const char *text, uint8_t out[static WH_SHA256_BYTES])
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < HEX; i++) {
		const char *d = text[i] ? strchr(digits, text[i]) : NULL;
		if (!d)
			return false;
		out[i / 2] = (uint8_t)(out[i / 2] << 4 | (d - digits));
	}
	return true;
}

size_t wh_backup_manifest_text(const struct wh_backup_manifest *m, char out[static WH_BACKUP_MANIFEST_MAX])
{
	char time[WH_TIME_STRLEN], digits[HEX + 1];
	int n = snprintf(out, WH_BACKUP_MANIFEST_MAX, HEAD "# release %s\n# time %s\n# journal %lld %s\n", m->release,
	                 wh_time_text(m->time_us, time), (long long)m->tip.seq, hex(m->tip.hash, digits));
	for (size_t i = 0; i < m->n && n < WH_BACKUP_MANIFEST_MAX; i++)
		n += snprintf(out + n, (size_t)(WH_BACKUP_MANIFEST_MAX - n), "%s  %s\n", hex(m->members[i].hash, digits),
		              m->members[i].name);
	return n < WH_BACKUP_MANIFEST_MAX ? (size_t)n : 0;
}

/* The place of a member's name among those that there may be; -1: none. */
static int place_of(const char *name)
{
	if (!strcmp(name, WH_BACKUP_LEDGER))
		return 0;
	if (strncmp(name, STATE, sizeof STATE - 1))
		return -1;
	for (int i = 0; wh_backup_state_files[i]; i++)
		if (!strcmp(name + sizeof STATE - 1, wh_backup_state_files[i]))
			return i + 1;
	return -1;
}

/* The next line without its end; NULL: there is none. */
static char *next_line(char **at)
{
	char *line = *at, *end = strchr(line, '\n');
	if (!end)
		return NULL;
	*end = 0;
	*at = end + 1;
	return line;
}

/* The rest of the next line after `begin`; NULL: it begins otherwise. */
static char *value_of(char **at, const char *begin)
{
	char *line = next_line(at);
	return line && !strncmp(line, begin, strlen(begin)) ? line + strlen(begin) : NULL;
}

static int parse_head(char **at, struct wh_backup_manifest *m)
{
	char *release, *time, *journal, *end = NULL;
	if (!value_of(at, "# whittle-backup 1") || !(release = value_of(at, "# release ")) || !(time = value_of(at, "# time ")) ||
	    !(journal = value_of(at, "# journal ")) || strlen(release) >= sizeof m->release ||
	    wh_time_parse(time, strlen(time), &m->time_us))
		return -EBADMSG;
	strcpy(m->release, release);
	errno = 0;
	m->tip.seq = strtoll(journal, &end, 10);
	return errno || m->tip.seq < 0 || *end != ' ' || strlen(end + 1) != HEX || !unhex(end + 1, m->tip.hash) ? -EBADMSG : 0;
}

static int parse_member(char *line, struct wh_backup_member *m)
{
	if (strlen(line) < HEX + 3 || !unhex(line, m->hash) || line[HEX] != ' ' || line[HEX + 1] != ' ' ||
	    strlen(line + HEX + 2) >= sizeof m->name)
		return -EBADMSG;
	strcpy(m->name, line + HEX + 2);
	return 0;
}

int wh_backup_manifest_parse(const char *text, size_t len, struct wh_backup_manifest *out)
{
	char copy[WH_BACKUP_MANIFEST_MAX], again[WH_BACKUP_MANIFEST_MAX], *at = copy;
	int before = -1;
	*out = (struct wh_backup_manifest){.n = 0};
	if (len >= sizeof copy || memchr(text, 0, len))
		return -EBADMSG;
	memcpy(copy, text, len);
	copy[len] = 0;
	int rc = parse_head(&at, out);
	while (!rc && *at) {
		char *line = next_line(&at);
		struct wh_backup_member *m = &out->members[out->n];
		rc = !line || out->n == WH_BACKUP_MEMBERS ? -EBADMSG : parse_member(line, m);
		if (rc || place_of(m->name) <= before)
			return -EBADMSG;
		before = place_of(m->name);
		out->n++;
	}
	if (rc || !out->n || strcmp(out->members[0].name, WH_BACKUP_LEDGER))
		return -EBADMSG;
	/* numbers and times have one way to be written */
	return wh_backup_manifest_text(out, again) == len && !memcmp(again, text, len) ? 0 : -EBADMSG;
}

/* ---- tar ---- */

static unsigned sum_of(const uint8_t b[static WH_TAR_BLOCK])
{
	unsigned sum = 0;
	for (int i = 0; i < WH_TAR_BLOCK; i++)
		sum += i >= 148 && i < 156 ? ' ' : b[i];
	return sum;
}

void wh_tar_header(const char *name, uint64_t bytes, int64_t time_us, uint8_t out[static WH_TAR_BLOCK])
{
	char *b = (char *)out;
	memset(out, 0, WH_TAR_BLOCK);
	snprintf(b, 100, "%s", name);
	snprintf(b + 100, 8, "%07o", 0600);
	snprintf(b + 108, 8, "%07o", 0);
	snprintf(b + 116, 8, "%07o", 0);
	if (bytes >> 33) {
		out[124] = 0x80;
		for (int i = 0; i < 8; i++)
			out[135 - i] = (uint8_t)(bytes >> 8 * i);
	} else {
		snprintf(b + 124, 12, "%011llo", (unsigned long long)bytes);
	}
	snprintf(b + 136, 12, "%011llo", (unsigned long long)(time_us / 1000000) & 077777777777);
	b[156] = '0';
	memcpy(b + 257, "ustar\00000", 8);
	snprintf(b + 148, 8, "%06o", sum_of(out));
	b[155] = ' ';
}

static bool octal(const uint8_t *p, size_t n, uint64_t *out)
{
	*out = 0;
	for (size_t i = 0; i < n; i++) {
		if (p[i] < '0' || p[i] > '7')
			return false;
		*out = *out << 3 | (uint64_t)(p[i] - '0');
	}
	return true;
}

int wh_tar_header_parse(const uint8_t block[static WH_TAR_BLOCK], char name[static 32], uint64_t *bytes)
{
	uint64_t sum;
	if (memcmp(block + 257, "ustar", 5) != 0 || block[156] != '0' || !octal(block + 148, 6, &sum) || sum != sum_of(block) ||
	    !memchr(block, 0, MEMBER_NAME) || block[345])
		return -EBADMSG;
	strcpy(name, (const char *)block);
	if (block[124] & 0x80) {
		*bytes = 0;
		for (int i = 0; i < 8; i++)
			*bytes = *bytes << 8 | block[128 + i];
		if (block[124] != 0x80 || block[125] || block[126] || block[127])
			return -EBADMSG;
	} else if (!octal(block + 124, 11, bytes)) {
		return -EBADMSG;
	}
	return *bytes < LEDGER_MAX ? 0 : -EBADMSG;
}

/* ---- reading ---- */

int wh_backup_bytes(int fd, uint64_t at, void *out, size_t len)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = pread(fd, (char *)out + done, len - done, (off_t)(at + done));
		if (n > 0)
			done += (size_t)n;
		else if (n == 0 || errno != EINTR)
			return n ? -errno : -EIO;
	}
	return 0;
}

static int member_at(int fd, uint64_t at, uint64_t size, const char *wanted, uint64_t *bytes)
{
	uint8_t block[WH_TAR_BLOCK];
	char name[MEMBER_NAME];
	if (wh_backup_bytes(fd, at, block, sizeof block) || wh_tar_header_parse(block, name, bytes) || strcmp(name, wanted))
		return -EBADMSG;
	return at + WH_TAR_BLOCK + wh_tar_padded(*bytes) <= size ? 0 : -EBADMSG;
}

static int hash_member(int fd, const struct wh_backup_member *m)
{
	static uint8_t part[1 << 18];
	uint8_t hash[WH_SHA256_BYTES];
	struct wh_sha256_parts s;
	wh_sha256_begin(&s);
	for (uint64_t done = 0; done < m->bytes;) {
		size_t n = m->bytes - done < sizeof part ? (size_t)(m->bytes - done) : sizeof part;
		int rc = wh_backup_bytes(fd, m->at + done, part, n);
		if (rc)
			return rc;
		wh_sha256_add(&s, part, n);
		done += n;
	}
	wh_sha256_end(&s, hash);
	return memcmp(hash, m->hash, sizeof hash) ? -EBADMSG : 0;
}

/* Zeros, as far as a copying tar may fill up: tar would restore more members, and whittle would not. */
static bool ends_at(int fd, uint64_t at, uint64_t size)
{
	uint8_t block[WH_TAR_BLOCK];
	bool zero = size - at <= END_MAX;
	for (; zero && at < size; at += sizeof block) {
		size_t n = size - at < sizeof block ? (size_t)(size - at) : sizeof block;
		zero = !wh_backup_bytes(fd, at, block, n);
		for (size_t i = 0; zero && i < n; i++)
			zero = !block[i];
	}
	return zero;
}

int wh_backup_read(int fd, const char *file, struct wh_backup_manifest *out, struct wh_error *err)
{
	char text[WH_BACKUP_MANIFEST_MAX];
	struct stat st;
	uint64_t size, at, bytes;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		return wh_fail_input(err, -EBADMSG, "%s: not a plain file, so not a backup", file);
	size = (uint64_t)st.st_size;
	if (member_at(fd, 0, size, MANIFEST, &bytes) || bytes >= sizeof text || wh_backup_bytes(fd, WH_TAR_BLOCK, text, bytes) ||
	    wh_backup_manifest_parse(text, bytes, out))
		return wh_fail_input(err, -EBADMSG, "%s: is not a backup that whittle " WH_VERSION " can read", file);
	at = WH_TAR_BLOCK + wh_tar_padded(bytes);
	for (size_t i = 0; i < out->n; i++) {
		struct wh_backup_member *m = &out->members[i];
		if (member_at(fd, at, size, m->name, &m->bytes) || (i && m->bytes > WH_BACKUP_STATE_MAX))
			return wh_fail_input(err, -EBADMSG, "%s: truncated or damaged: %s is not at its place", file, m->name);
		m->at = at + WH_TAR_BLOCK;
		at = m->at + wh_tar_padded(m->bytes);
		if (hash_member(fd, m))
			return wh_fail_input(err, -EBADMSG, "%s: damaged: the digest of %s is not the manifest's", file, m->name);
	}
	return ends_at(fd, at, size) ? 0 : wh_fail_input(err, -EBADMSG, "%s: holds more than its manifest lists", file);
}
