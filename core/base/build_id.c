/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <link.h>
#include <stdio.h>
#include <string.h>
#include "base/build_id.h"

extern const ElfW(Ehdr) __ehdr_start __attribute__((weak, visibility("hidden"))); /* by the linker: where this file is mapped */

/* The id in a segment of notes. */
static const char *id_in(const uint8_t *at, size_t left, char out[static WH_BUILD_ID_STRLEN])
{
	ElfW(Nhdr) note;
	while (left >= sizeof note) {
		memcpy(&note, at, sizeof note);
		size_t name = (note.n_namesz + 3u) & ~3u, id = (note.n_descsz + 3u) & ~3u;
		const uint8_t *p = at + sizeof note + name;
		if (left - sizeof note < name + id)
			break;
		if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && !memcmp(p - name, "GNU", 4) &&
		    note.n_descsz * 2 < WH_BUILD_ID_STRLEN) {
			for (size_t i = 0; i < note.n_descsz; i++)
				snprintf(out + 2 * i, 3, "%02x", p[i]);
			break;
		}
		at = p + id;
		left -= sizeof note + name + id;
	}
	return out;
}

const char *wh_build_id(char out[static WH_BUILD_ID_STRLEN])
{
	const uint8_t *base = (const uint8_t *)&__ehdr_start;
	*out = '\0';
	for (int i = 0; base && i < __ehdr_start.e_phnum && !*out; i++) {
		ElfW(Phdr) seg;
		memcpy(&seg, base + __ehdr_start.e_phoff + (size_t)i * sizeof seg, sizeof seg);
		if (seg.p_type == PT_NOTE)
			id_in(base + seg.p_vaddr, seg.p_memsz, out);
	}
	return out;
}
