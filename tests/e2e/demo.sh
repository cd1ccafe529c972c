#!/bin/bash
# The demo's claims hold: every step ends as it says, and nothing is left behind.
cd "$(dirname "$0")/../.." || exit 1
n=0
t() { n=$((n + 1)); if [ "$1" = 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; fi; }
command -v suricata >/dev/null || { echo "ok 1 - the demo # skip suricata is not installed"; exit 0; }
log=$(mktemp) && own=$(mktemp -d) || exit 1 # other runs' directories and namespaces are none of ours
make --no-print-directory tools all >/dev/null 2>&1
BUILD=${BUILD:-build} TMPDIR=$own tests/demo/demo.sh >"$log" 2>&1 &
demo=$!
wait $demo; t $? "the demo ends well"
grep -q '140.20.30.8/29' "$log"; t $? "the partner's /29 is recommended"
grep -q 'inside the /29: connects' "$log"; t $? "a host inside the /29 connects"
grep -q 'outside: no connection' "$log"; t $? "one outside does not"
grep -q 'open before: still here' "$log"; t $? "an established connection survives"
grep -q '203.0.113.77 again: connects' "$log"; t $? "the rules vanish by themselves when nobody confirms"
! ip netns | grep -qE "^whd-(srv|net)-$demo( |\$)" && rmdir "$own"; t $? "nothing is left behind"
grep -q '^not ok' "$log" || [ "$(grep -c . "$log")" -gt 20 ] || cat "$log"
rm -f "$log"
