/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>
#include <strings.h>
#include <stdlib.h>
#include <time.h>
#include "whittle/base.h"

int64_t wh_now_us(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int64_t wh_monotonic_us(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

/* Days since 1970-01-01 of a proleptic Gregorian date (the well-known era arithmetic: 400 years are 146,097 days). */
static int64_t days_of(int64_t y, unsigned m, unsigned d)
{
	y -= m <= 2;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	unsigned yoe = (unsigned)(y - era * 400);
	unsigned doy = (153 * (m + (m > 2 ? -3u : 9u)) + 2) / 5 + d - 1;
	unsigned doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
	return era * 146097 + (int64_t)doe - 719468;
}

/* The inverse of days_of(), for a day of the years 0 to 9999; y is -1 for others. */
static void date_of(int64_t day, int *y, unsigned *m, unsigned *d)
{
	const int64_t z = day + 719468; /* from 1 March of the year 0 on */
	const unsigned doe = (unsigned)(z % 146097), yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	const unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
	*d = doy - (153 * mp + 2) / 5 + 1;
	*m = mp < 10 ? mp + 3 : mp - 9;
	*y = z < 0 || z > INT64_C(3652424) ? -1 : (int)(yoe + z / 146097 * 400) + (*m <= 2);
}

static char *two(char *to, unsigned v, char then)
{
	*to++ = (char)('0' + v / 10);
	*to++ = (char)('0' + v % 10);
	*to++ = then;
	return to;
}

static char *far_text(time_t t, char buf[static WH_TIME_STRLEN])
{
	struct tm tm;
	char rest[20];
	if (!gmtime_r(&t, &tm) || !strftime(rest, sizeof rest, "-%m-%dT%H:%M:%SZ", &tm))
		snprintf(buf, WH_TIME_STRLEN, "?");
	else /* four digits in any year: %Y writes "143" */
		snprintf(buf, WH_TIME_STRLEN, "%04lld%s", (long long)tm.tm_year + 1900, rest);
	return buf;
}

/* By hand where the year has four digits: a table of resources has thousands of days, and strftime() takes ten times as long. */
char *wh_time_text(int64_t us, char buf[static WH_TIME_STRLEN])
{
	const int64_t t = us / 1000000 - (us % 1000000 < 0), day = t / 86400 - (t % 86400 < 0);
	const unsigned s = (unsigned)(t - day * 86400);
	unsigned m, d;
	int y;
	date_of(day, &y, &m, &d);
	if (y < 0 || y > 9999)
		return far_text((time_t)t, buf);
	two(buf, (unsigned)y / 100, '-');
	char *to = two(buf + 2, (unsigned)y % 100, '-');
	to = two(two(to, m, '-'), d, 'T');
	*two(two(two(to, s / 3600, ':'), s / 60 % 60, ':'), s % 60, 'Z') = '\0';
	return buf;
}

static int digits(const char **p, const char *end, unsigned n, unsigned *out)
{
	unsigned v = 0;
	if ((size_t)(end - *p) < n)
		return -EINVAL;
	for (unsigned i = 0; i < n; i++) {
		unsigned c = (unsigned char)(*p)[i] - '0';
		if (c > 9)
			return -EINVAL;
		v = v * 10 + c;
	}
	*p += n;
	*out = v;
	return 0;
}

static int literal(const char **p, const char *end, char c)
{
	if (*p == end || **p != c)
		return -EINVAL;
	(*p)++;
	return 0;
}

int wh_time_parse(const char *text, size_t len, int64_t *us)
{
	const char *p = text, *end = text + len;
	unsigned y, mo, d, h, mi, s, frac = 0, scale = 1000000;
	static const unsigned char days_in[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	if (digits(&p, end, 4, &y) || literal(&p, end, '-') || digits(&p, end, 2, &mo) || literal(&p, end, '-') ||
	    digits(&p, end, 2, &d) || literal(&p, end, 'T') || digits(&p, end, 2, &h) || literal(&p, end, ':') ||
	    digits(&p, end, 2, &mi) || literal(&p, end, ':') || digits(&p, end, 2, &s))
		return -EINVAL;
	if (mo < 1 || mo > 12 || d < 1 || d > days_in[mo - 1] || h > 23 || mi > 59 || s > 60)
		return -EINVAL;
	if (p < end && *p == '.') {
		p++;
		if (p == end || *p < '0' || *p > '9')
			return -EINVAL;
		for (; p < end && *p >= '0' && *p <= '9'; p++)
			if (scale > 1) {
				scale /= 10;
				frac += (unsigned)(*p - '0') * scale;
			}
	}
	int64_t zone = 0;
	if (p < end && *p == 'Z') {
		p++;
	} else if (p < end && (*p == '+' || *p == '-')) {
		int sign = *p++ == '-' ? -1 : 1;
		unsigned zh, zm;
		if (digits(&p, end, 2, &zh))
			return -EINVAL;
		if (p < end && *p == ':')
			p++;
		if (digits(&p, end, 2, &zm) || zh > 23 || zm > 59)
			return -EINVAL;
		zone = sign * (int64_t)(zh * 3600 + zm * 60);
	} else if (p != end) {
		return -EINVAL;
	}
	if (p != end)
		return -EINVAL;
	*us = ((days_of(y, mo, d) * 24 + h) * 60 + mi) * INT64_C(60000000) + (int64_t)s * 1000000 + frac - zone * 1000000;
	return 0;
}

int wh_duration_parse(const char *text, int64_t *seconds)
{
	char *end;
	errno = 0;
	if (*text < '0' || *text > '9')
		return -EINVAL;
	long long n = strtoll(text, &end, 10);
	int64_t unit = 1;
	if (*end) {
		switch (*end++) {
		case 's': unit = 1; break;
		case 'm': unit = 60; break;
		case 'h': unit = 3600; break;
		case 'd': unit = 86400; break;
		default: return -EINVAL;
		}
	}
	int64_t total;
	if (errno || *end || __builtin_mul_overflow((int64_t)n, unit, &total))
		return -EINVAL;
	*seconds = total;
	return 0;
}

int wh_size_parse(const char *text, uint64_t *bytes)
{
	char *end;
	errno = 0;
	if (*text < '0' || *text > '9')
		return -EINVAL;
	unsigned long long n = strtoull(text, &end, 10);
	unsigned shift = 0;
	switch (*end) {
	case 'k': case 'K': shift = 10; end++; break;
	case 'm': case 'M': shift = 20; end++; break;
	case 'g': case 'G': shift = 30; end++; break;
	}
	if (errno || (*end && strcasecmp(end, "iB") && strcasecmp(end, "B")) || (n << shift) >> shift != n)
		return -EINVAL;
	*bytes = n << shift;
	return 0;
}
