// SPDX-License-Identifier: GPL-2.0-or-later
// RFC 4180. A cell that a spreadsheet would take for a formula begins with an apostrophe, as in the program's own tables.
const cell = (text: string) => `"${(/^[=+@\t\r\n-]/.test(text) ? "'" : "") + text.replace(/"/g, '""')}"`;
export const csv = (rows: string[][]) => rows.map((r) => r.map(cell).join(",")).join("\r\n");
