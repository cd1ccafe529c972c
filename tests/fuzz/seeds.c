/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stands in for libFuzzer, so that a fuzzer's seeds are run by every compiler: each named file, whole and cut off at up to CUTS
 * places, goes through LLVMFuzzerTestOneInput(). A fault ends the program, as it does under libFuzzer; what is run is named on
 * standard error before.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CUTS = 16 };

/* A copy of just `size` bytes, so that reading past them is found. */
static void give(const char *path, const uint8_t *data, size_t size, size_t whole)
{
	uint8_t *copy = malloc(size ? size : 1);
	fprintf(stderr, "%s, %zu of %zu bytes\n", path, size, whole);
	if (!copy) {
		fprintf(stderr, "%s: out of memory\n", path);
		exit(2);
	}
	memcpy(copy, data, size);
	LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

static int run(const char *path)
{
	FILE *f = fopen(path, "rb");
	char *data = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&data, &size);
	char buf[4096];
	size_t n;
	while (f && to && (n = fread(buf, 1, sizeof buf, f)))
		fwrite(buf, 1, n, to);
	if (!f || !to || ferror(f) || fclose(to)) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return 2;
	}
	fclose(f);
	give(path, (uint8_t *)data, size, size);
	for (size_t i = 0; i < CUTS; i++)
		give(path, (uint8_t *)data, size * i / CUTS, size);
	free(data);
	return 0;
}

int main(int argc, char **argv)
{
	int rc = 0;
	for (int i = 1; i < argc && !rc; i++)
		rc = run(argv[i]);
	return rc;
}
