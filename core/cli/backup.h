/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The file that `whittle backup WORD` writes: in a directory, one named after the time; the same at every call. */
const char *cli_backup_file(const char *word);
