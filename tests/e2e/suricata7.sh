#!/bin/sh
# The plugin in this system's Suricata, whichever major it is: the same ledger as by its log, settings, ledgers that fail.
set -u
BUILD=${BUILD:-build}
lib=$(cd "$(dirname "$0")" && pwd)/lib/suricata.sh
major="Suricata $(suricata -V 2>/dev/null | sed 's/.*version \([0-9]*\).*/\1/')"
if ! command -v suricata >/dev/null; then echo "ok 1 - the plugin in Suricata # skip suricata is not installed"; exit 0; fi
make -s BUILD="$BUILD" "$BUILD/whittle" "$BUILD/whittle-suricata.so" "$BUILD/tools/flowpcap" "$BUILD/tools/saypcap" "$BUILD/tools/ledger_dump" "$BUILD/tools/ledger_lock" "$BUILD/tools/talk" || exit 1
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
in=$dir
plugin=$(cd "$BUILD" && pwd)/whittle-suricata.so
suricata=suricata
. "$lib"
all_tests
