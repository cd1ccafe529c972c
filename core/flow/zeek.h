/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * zeek: the data of a line of Zeek's conn.log, as columns (zeek.c) or JSON (zeek_json.c). A line is a whole connection. The
 * history shows whether and how the responder answered: a letter for each kind of packet in order, upper case from the
 * originator, lower case from the responder.
 *
 *   S SYN   h SYN and ACK   A ACK   D data   F FIN   R RST   ^ Zeek turned the direction round
 */
#pragma once
#include "flow/lines.h"

enum zeek_column {
	ZEEK_TS,
	ZEEK_ORIG_H,
	ZEEK_ORIG_P,
	ZEEK_RESP_H,
	ZEEK_RESP_P,
	ZEEK_PROTO,
	ZEEK_SERVICE,
	ZEEK_DURATION,
	ZEEK_ORIG_BYTES,
	ZEEK_RESP_BYTES,
	ZEEK_STATE,
	ZEEK_HISTORY,
	ZEEK_ORIG_PKTS,
	ZEEK_ORIG_IP_BYTES,
	ZEEK_RESP_PKTS,
	ZEEK_RESP_IP_BYTES,
	ZEEK_IP_PROTO,
	ZEEK_VLAN,
	ZEEK_INNER_VLAN,
	ZEEK_SYSTEM,
	ZEEK_COLUMNS,
};
extern const char *const zeek_names[ZEEK_COLUMNS + 1];

/* `f`: the columns' texts, len 0 where one is unset. Tags are set where the line has any. NULL, or why it can't be read. */
const char *zeek_record(const struct field f[static ZEEK_COLUMNS], struct wh_record *rec, struct wh_tags *tags);
