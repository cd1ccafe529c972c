#!/bin/bash
# What the console makes of names that an attacker chose: cells of a table that is saved, and elements of the page.
cd "$(dirname "$0")/../.." || exit 1
n=0
t() { n=$((n + 1)); if [ "$1" = 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; [ -z "${3:-}" ] || printf '%s\n' "$3" | sed 's/^/# /'; fi; }
is() { if [ "$1" = "$2" ]; then t 0 "$3"; else t 1 "$3" "got '$1', wanted '$2'"; fi; }
sources=core/serve/console

found=$(grep -nE 'innerHTML|outerHTML|insertAdjacentHTML|createContextualFragment|document\.write|srcdoc|setHTML|DOMParser|eval\(|new Function|javascript:' $sources/*.ts $sources/index.html)
is "$found" "" "no text is ever parsed as HTML or as a program"
found=$(grep -nE '<script[^>]*>[^<]|<[a-z][^>]* on[a-z]+=|<style|(src|href)="(https?:)?//' $sources/index.html)
is "$found" "" "the page has no script, style or handler of its own, and loads nothing from elsewhere"

if ! command -v esbuild >/dev/null || ! command -v node >/dev/null; then echo "ok $((n += 1)) - cells of a saved table # skip needs esbuild and node"; echo "1..$n"; exit; fi
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
esbuild --bundle --format=cjs --log-level=error --outfile="$dir/csv.js" $sources/csv.ts || exit 1
rows() { node -e 'const { csv } = require(process.argv[1]); process.stdout.write(csv(JSON.parse(process.argv[2])));' "$dir/csv.js" "$1"; }
wanted=$(printf '"name","why"\r\n"vm1","a ""word"", and more"')
is "$(rows '[["name", "why"], ["vm1", "a \"word\", and more"]]')" "$wanted" "cells are quoted, and lines end as RFC 4180 asks"
for begin in '=' '+' '-' '@' '\t' '\r' '\n'; do
	got=$(rows "[[\"vm1\", \"${begin}1+cmd\"]]" | head -c 8)
	is "$got" "\"vm1\",\"'" "a cell that begins with $begin is no formula"
done
is "$(rows '[["a=1", "", "1-2"]]')" '"a=1","","1-2"' "other cells stay as they are"
echo "1..$n"
