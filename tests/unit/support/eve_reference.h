/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The meaning of a record, from a naive reader of RFC 8259 (json_rfc.h), written without regard to speed: the reader must agree
 * with it. */
#pragma once
#include "whittle/flow.h"

/* The result of the reference or the reader for one text. rc is 0, or -EBADMSG with a reason: the reader's own static text, or,
 * from the reference, NULL when the text isn't JSON or isn't an object. */
struct eve_verdict {
	int rc;
	struct wh_record rec;
	const char *reason;
};
/* Not for several threads at once. */
void eve_judge(const char *buf, size_t len, struct eve_verdict *reference);
/* Describes the first difference between the reader's verdict and the reference's, or returns NULL when there is none. */
const char *eve_difference(const struct eve_verdict *reader, const struct eve_verdict *reference);
