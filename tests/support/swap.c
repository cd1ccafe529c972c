/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * swap HOME SECRET FOREIGN: the owner of HOME changes, as fast as it can, what stands in the place of HOME/l, the ledger's
 * directory, and of the files in it: copies of HOME/good.db, links to SECRET and into the directory FOREIGN, hard links, FIFOs,
 * directories, nothing. Until it is killed.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *home, *secret, *foreign;

static const char *in_home(const char *name)
{
	static char buf[4][4096];
	static unsigned k;
	char *b = buf[k++ % 4];
	snprintf(b, sizeof buf[0], "%s/%s", home, name);
	return b;
}

static void copy(const char *to)
{
	struct stat st;
	int from = open(in_home("good.db"), O_RDONLY), out = open(in_home("new"), O_WRONLY | O_CREAT | O_TRUNC, 0644);
	if (from >= 0 && out >= 0 && !fstat(from, &st) && sendfile(out, from, NULL, (size_t)st.st_size) >= 0)
		rename(in_home("new"), to);
	close(from);
	close(out);
}

static void plant(const char *at, unsigned what)
{
	char target[4096];
	snprintf(target, sizeof target, "%s/planted", foreign);
	if (what % 8 < 6)
		unlink(at);
	switch (what % 8) {
	case 0: (void)!symlink(secret, at); break;
	case 1: (void)!symlink(target, at); break;
	case 2: (void)!link(secret, at); break;
	case 3: (void)!mkfifo(at, 0666); break;
	case 4: (void)!mkdir(at, 0777); rmdir(at); break;
	case 5: break;
	default: copy(at);
	}
}

int main(int argc, char **argv)
{
	static const char *const names[] = {"l/l.db", "l/l.db", "l/l.db", "l/l.db-wal", "l/l.db-shm", "l/l.db-journal"};
	if (argc != 4)
		return 2;
	home = argv[1];
	secret = argv[2];
	foreign = argv[3];
	unsigned seed = (unsigned)getpid();
	for (;;) {
		unsigned r = (unsigned)rand_r(&seed);
		for (unsigned i = 3; i < 6; i++)
			if (r >> i & 1)
				unlink(in_home(names[i]));
		copy(in_home("l/l.db"));
		usleep(r / 7 % 40000); /* long enough for a command to get somewhere */
		if (r % 3 == 0) { /* the whole directory is another one for a moment */
			rename(in_home("l"), in_home("aside"));
			(void)!symlink(foreign, in_home("l"));
			usleep(r / 11 % 3000);
			unlink(in_home("l"));
			rename(in_home("aside"), in_home("l"));
		} else {
			plant(in_home(names[r / 11 % 6]), r / 66);
			usleep(r / 528 % 3000);
		}
	}
}
