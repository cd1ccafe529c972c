#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Breaks lines that are longer than the column limit of .clang-format, by clang-format, and leaves all others as they are.

usage: reflow.py [--check] FILE-OR-DIRECTORY...

A file is written only where its tokens, and the words of its comments, are the same afterwards, in the same order. What stands in one text
is not broken: such a line stays long. --check writes nothing, names each line that could be shorter, and ends with status 1 where there is one.
"""
import os
import re
import subprocess
import sys

LIMIT, TAB = 130, 8
TOKEN = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|\w+|[^\s\w]', re.S)
TRAILING = re.compile(r'^(\s*)(\S.*[;{,])\s*(/\*(?:(?!\*/).)*\*/)$')


def width(line):
    """Columns on a screen."""
    columns = 0
    for c in line:
        columns = (columns // TAB + 1) * TAB if c == '\t' else columns + 1
    return columns


def content(text):
    """Its tokens but comments, and the words of all its comments: white space and the stars at the beginnings of lines are left out."""
    code, words = [], []
    for t in TOKEN.findall(text):
        if t.startswith('/*'):
            words += re.sub(r'\n\s*\*(?!/)', '\n', t[2:-2]).split()
        elif t.startswith('//'):
            words += t[2:].split()
        elif t != '\\':
            code.append(t)
    return code, words


def long_lines(lines):
    return [n for n, line in enumerate(lines) if width(line) > LIMIT]


def comments_above(lines):
    """A comment behind what fits by itself goes above it, in a line of its own: clang-format would tear the declaration apart."""
    out = []
    for line in lines:
        m = TRAILING.match(line) if width(line) > LIMIT and not line.endswith('\\') else None
        if m and '/*' not in m.group(2) and m.group(2)[0] not in '#}/':
            out += [m.group(1) + m.group(3), m.group(1) + m.group(2)]
        else:
            out.append(line)
    return out


def broken(line, first, rest, end):
    """A line of words as several, each within the limit: `first` and `rest` stand before them, `end` behind the last."""
    out, words = [first], line.split(' ')
    for i, word in enumerate(words):
        tail = end if i == len(words) - 1 else ''
        fresh = out[-1] in (first, rest)
        if not fresh and width(out[-1] + ' ' + word + tail) > LIMIT:
            out.append(rest + word)
        else:
            out[-1] += word if fresh else ' ' + word
    out[-1] += end
    return out


TABLE = re.compile(r'\S+(?: \S+)*?  +')


def comments_broken(lines):
    """Lines of comments that have lines of their own, with the lines of the same paragraph behind them. What stands behind the words of a table, which
    two spaces set apart, goes on below itself."""
    out, inside, i = [], False, 0
    while i < len(lines):
        line = lines[i]
        i += 1
        whole = re.match(r'^(\s*)/\*( )(?=\S)((?:(?!\*/).)*?)( \*/)?$', line)
        within = re.match(r'^(\s*)\*( +)((?:(?!\*/).)*?)( \*/)?$', line) if inside else None
        inside = (inside or line.lstrip().startswith('/*')) and '*/' not in line
        m = whole or within
        if width(line) <= LIMIT or not m:
            out.append(line)
            continue
        space, text, end = m.group(1), m.group(3), m.group(4) or ''
        before, after = space + ('/* ' if whole else '*' + m.group(2)), space + (' * ' if whole else '*' + m.group(2))
        table = TABLE.match(text)
        if table:
            text, column = text[table.end():], ' ' * table.end()
            before, after = before + table.group(0), after + column
        while inside and i < len(lines):
            more = re.match(r'^(\s*\*\s+)(\S(?:(?!\*/).)*?)( \*/)?$', lines[i])
            if not more or more.group(1) != after or TABLE.match(more.group(2)) or more.group(2)[0] in '-*':
                break
            text, end, inside, i = text + ' ' + more.group(2), more.group(3) or '', '*/' not in lines[i], i + 1
        out += broken(text, before, after, end)
    return out


def reflow(path, text):
    lines = text.split('\n')
    if not long_lines(lines):
        return text
    text = '\n'.join(comments_broken(comments_above(lines)))
    for _ in range(4):
        ranges = ['--lines=%d:%d' % (n + 1, n + 1) for n in long_lines(text.split('\n'))]
        if not ranges:
            break
        r = subprocess.run(['clang-format', '--style=file', '--assume-filename=' + path] + ranges, input=text, capture_output=True, text=True)
        if r.returncode:
            sys.exit('%s: clang-format: %s' % (path, r.stderr))
        if r.stdout == text:
            break
        text = r.stdout
    return text


def files(names):
    for name in names:
        if not os.path.isdir(name):
            yield name
        for root, _, found in os.walk(name) if os.path.isdir(name) else ():
            yield from (os.path.join(root, f) for f in sorted(found) if f.endswith(('.c', '.h')))


def main():
    check = '--check' in sys.argv
    bad = 0
    for path in files([a for a in sys.argv[1:] if a != '--check']):
        with open(path, encoding='utf-8') as f:
            before = f.read()
        after = reflow(path, before)
        (code, words), (code2, words2) = content(before), content(after)
        if code != code2 or sorted(words) != sorted(words2):
            at = next((i for i, (a, b) in enumerate(zip(code, code2)) if a != b), 0)
            print('%s: left as it is: clang-format changed more than white space, near %s' % (path, ' '.join(code[at:at + 8])))
        elif after != before and check:
            n = long_lines(before.split('\n'))
            print('%s:%d: longer than %d columns (tests/lint/reflow.py %s)' % (path, n[0] + 1, LIMIT, path))
            bad += 1
        elif after != before:
            with open(path, 'w', encoding='utf-8') as f:
                f.write(after)
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main())
