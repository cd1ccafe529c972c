/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files that survive a reboot, and requests to the process that changes the firewall, of any bytes: each is refused, or gives
 * rules of which no two judge one packet, and which are the same after writing and reading them again. The first byte chooses:
 *
 *   r bytes   a ruleset, as in the files of the state directory
 *   m bytes   a request to the process that changes the firewall
 *   e text    a file of a version before the state directory, behind a head with its length and checksum
 *   h bytes   the same, with a head of its own
 *   k bytes   what is known of the kernel's sets, behind a head with their checksum
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include "guard/firewall_message.h"
#include "guard/known_file.h"
#include "guard/rules_bytes.h"
#include "nft/names.h"
#include "whittle/earlier.h"

static char dir[64], file[96];

static void need(bool ok)
{
	if (!ok)
		abort();
}

static void at_end(void)
{
	wh_known_forget(dir);
	unlink(file);
	rmdir(dir);
}

static void begin(void)
{
	snprintf(dir, sizeof dir, "%s/wh-fuzz-XXXXXX", access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	need(mkdtemp(dir) != NULL);
	snprintf(file, sizeof file, "%s/enforced.rules", dir);
	atexit(at_end);
}

/* Rules that were read are the same after writing and reading them again. The written form is as long as the one that was read;
 * its ports are sorted. */
static void round_trip(struct wh_nft_ruleset *rs, struct wh_arena *mem, size_t n)
{
	struct wh_bytes out = {0}, again = {0};
	need(wh_nft_in_order(rs));
	wh_put_rules_bytes(&out, rs);
	need(!out.failed && out.n == n);
	struct wh_taking t = {.p = out.p, .n = out.n};
	struct wh_nft_ruleset *second = wh_take_rules(&t, mem);
	need(!t.failed && !t.n);
	wh_put_rules_bytes(&again, second);
	need(again.n == out.n && !memcmp(again.p, out.p, out.n));
	free(out.p);
	free(again.p);
}

static void rules(const uint8_t *data, size_t size, struct wh_arena *mem)
{
	struct wh_taking t = {.p = data, .n = size};
	struct wh_nft_ruleset *rs = wh_take_rules(&t, mem);
	if (!t.failed)
		round_trip(rs, mem, size - t.n);
}

static void request(const uint8_t *data, size_t size, struct wh_arena *mem)
{
	struct wh_request r;
	struct wh_bytes out = {0};
	if (wh_take_request(data, size, mem, &r))
		return;
	need(wh_request_needs(&r) != 0);
	wh_put_request(&out, &r);
	need(!out.failed && out.n == size && (r.rs || !memcmp(out.p, data, size))); /* rules are sorted */
	free(out.p);
}

static void earlier(const uint8_t *data, size_t size, bool head, struct wh_arena *mem)
{
	struct wh_nft_ruleset *rs = NULL;
	struct wh_error err = {0};
	char line[96];
	bool jit;
	int n = head ? snprintf(line, sizeof line, "whittle-enforced 1 %zu %08lx\n", size,
	                        crc32(crc32(0, NULL, 0), data, (uInt)size))
	             : 0;
	int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	need(fd >= 0 && write(fd, line, (size_t)n) == n && write(fd, data, size) == (ssize_t)size && !close(fd));
	int rc = wh_earlier_load(dir, mem, &rs, &jit, &err);
	need(rc ? err.text[0] != 0 : rs != NULL && wh_nft_in_order(rs));
}

/* What was read is written, read again, and is the same. */
static void known(const uint8_t *data, size_t size)
{
	struct wh_nft_known k, again;
	char path[128];
	uint32_t crc = htole32((uint32_t)crc32(crc32(0, NULL, 0), data, (uInt)size));
	snprintf(path, sizeof path, "%s/enforced.known", dir);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	need(fd >= 0 && write(fd, "whittle-known 1\n", 16) == 16 && write(fd, &crc, 4) == 4 &&
	     write(fd, data, size) == (ssize_t)size && !close(fd));
	wh_known_load(dir, &k);
	need(!k.n || (k.generation && k.space));
	wh_known_save(dir, &k);
	wh_known_load(dir, &again);
	need(again.n == k.n);
	for (size_t i = 0; i < k.n; i++)
		need(!strcmp(again.sets[i].name, k.sets[i].name) && again.sets[i].digest[1] == k.sets[i].digest[1]);
	wh_nft_known_free(&k);
	wh_nft_known_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wh_arena *mem = wh_arena_new();
	if (!*dir)
		begin();
	switch (size ? data[0] : 0) {
	case 'r': rules(data + 1, size - 1, mem); break;
	case 'm': request(data + 1, size - 1, mem); break;
	case 'k': known(data + 1, size - 1); break;
	case 'e': case 'h': earlier(data + 1, size - 1, data[0] == 'e', mem); break;
	default: break;
	}
	wh_arena_free(mem);
	return 0;
}
