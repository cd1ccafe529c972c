#!/bin/sh
# Expected: `security.limit-noproc: true` ("prevents process creation") leaves threads alone; a plugin whose Init can start threads can later.
# Seen (Suricata 7.0.10, Linux 6.18): it sets RLIMIT_NPROC to 0 after the outputs' Init, and Linux counts threads as processes: under
#   --user, pthread_create works in a plugin's Init and fails with EAGAIN in its first Write and in its Deinit. As root it works always.
# Matters to an output plugin with a thread of its own (a flusher, an HTTP client): start it in Init, and never count on another one; a test
#   run as root does not see it.
. "${0%/*}/lib.sh"
need python3 cc
debian bookworm-backports suricata=1:7.0.10-1~bpo12+1
root=$tmp/bookworm-backports
cat >"$tmp/plugin.c" <<'C'
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>

/* What Suricata 7 expects of a plugin that writes EVE records. */
struct filetype {
	const char *name;
	int (*init)(void *, bool, void **);
	int (*write)(const char *, int, void *, void *);
	void (*deinit)(void *);
	int (*thread_init)(void *, int, void **);
	int (*thread_deinit)(void *, void *);
	void *list[2];
};
struct plugin { const char *name, *license, *author; void (*init)(void); };
extern bool SCRegisterEveFileType(struct filetype *);

static FILE *report;
static void *nothing(void *arg) { return arg; }
static void start_a_thread(const char *where)
{
	pthread_t t;
	int rc = pthread_create(&t, NULL, nothing, NULL);

	if (rc == 0)
		pthread_join(t, NULL);
	fprintf(report, "%s: %s\n", where, rc == 0 ? "started" : rc == EAGAIN ? "EAGAIN" : "another error");
	fflush(report);
}
static int init(void *conf, bool threaded, void **data)
{
	(void)conf, (void)threaded, *data = NULL;
	report = fopen("/tmp/report", "w");
	if (!report)
		return -1;
	start_a_thread("Init");
	return 0;
}
static int write_record(const char *text, int len, void *data, void *thread)
{
	static bool again;

	(void)text, (void)len, (void)data, (void)thread;
	if (!again)
		start_a_thread("Write");
	again = true;
	return 0;
}
static void deinit(void *data) { (void)data; start_a_thread("Deinit"); }
static struct filetype filetype = { .name = "threads", .init = init, .write = write_record, .deinit = deinit };
static void setup(void) { SCRegisterEveFileType(&filetype); }
struct plugin *SCPluginRegister(void)
{
	static struct plugin p = { "threads", "GPL-2.0-only", "none", setup };
	return &p;
}
C
cc -shared -fPIC -o "$root/tmp/plugin.so" "$tmp/plugin.c" || skip "no compiler here"
printf '%%YAML 1.1\n---\nplugins: [ /tmp/plugin.so ]\noutputs:\n  - eve-log: { enabled: yes, filetype: threads, types: [ flow ] }\n' >"$root/tmp/s.yaml"
echo 'nobody:x:65534:65534::/nonexistent:/bin/false' >"$root/etc/passwd"
echo 'nogroup:x:65534:' >"$root/etc/group"
PYTHONPATH="${0%/*}" PYTHONDONTWRITEBYTECODE=1 python3 - "$root/tmp/in.pcap" <<'P'
import sys
from pcap import Capture
c = Capture(sys.argv[1])
c.tcp(80, b"GET / HTTP/1.0\r\n\r\n", b"HTTP/1.0 204 No Content\r\n\r\n")
c.close()
P
run() { # USER-OPTION…: run with the limit set; what the plugin reported is in $tmp/report
	rm -f "$root/tmp/report"
	chmod 1777 "$root/tmp"
	chmod 755 "$tmp" "$root"
	in_debian bookworm-backports suricata -c /tmp/s.yaml -r /tmp/in.pcap -S /dev/null -l /tmp --set security.limit-noproc=true "$@" \
		>"$tmp/log" 2>&1 || changed "$(grep -i error "$tmp/log" | head -n 1)"
	cp "$root/tmp/report" "$tmp/report"
}
echo "kernel: $(uname -r)"
run --user nobody --group nogroup
holds "with --user: a thread starts in Init" grep 'Init: started' "$tmp/report"
holds "with --user: no thread starts in Write (EAGAIN)" grep 'Write: EAGAIN' "$tmp/report"
holds "with --user: no thread starts in Deinit (EAGAIN)" grep 'Deinit: EAGAIN' "$tmp/report"
run
holds "as root: threads start in Write and in Deinit too" eval '[ "$(grep -c ": started" "$tmp/report")" = 3 ]'
