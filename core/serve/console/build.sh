#!/bin/sh
# The console as C: bundles the TypeScript with esbuild and writes its files as arrays. usage: build.sh OUTPUT.c
# Without esbuild there is no console; the server then answers its paths as unknown ones.
set -eu
out=$1 here=$(cd "$(dirname "$0")" && pwd)
if ! command -v esbuild >/dev/null 2>&1; then
	echo "  esbuild is not installed: whittle is built without its console" >&2
	printf '/* without esbuild there is no console */\ntypedef int wh_no_console;\n' >"$out"
	exit 0
fi
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
esbuild --bundle --minify --format=esm --target=es2020 --log-level=error --outfile="$tmp/console.js" "$here/main.ts"
esbuild --minify --log-level=error --outfile="$tmp/console.css" "$here/console.css"
cp "$here/index.html" "$here/icon.svg" "$tmp"
row() { # PATH FILE TYPE
	printf '\t{"%s", "%s", %s, sizeof %s - 1, "\\"%s\\""},\n' "$1" "$3" "$4" "$4" "$(sha256sum "$tmp/$2" | cut -c 1-16)"
}
bytes() { # FILE NAME
	printf 'static const uint8_t %s[] = {' "$2"
	od -An -v -tu1 "$tmp/$1" | tr -s ' \n' ',' | sed 's/^,//; s/,$//' 
	printf ',0};\n'
}
{
	echo '#include "serve/web.h"'
	bytes index.html html; bytes console.js js; bytes console.css css; bytes icon.svg icon
	echo 'extern const struct wh_console_file wh_console_files[];'
	echo 'const struct wh_console_file wh_console_files[] = {'
	row / index.html "text/html; charset=utf-8" html
	row /index.html index.html "text/html; charset=utf-8" html
	row /console.js console.js "text/javascript; charset=utf-8" js
	row /console.css console.css "text/css; charset=utf-8" css
	row /icon.svg icon.svg image/svg+xml icon
	echo '	{0}};'
} >"$out"
