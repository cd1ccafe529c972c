#!/bin/bash
# The test runner: it counts exactly, fails when it should, keeps each program's output together, runs programs in parallel if they allow it,
# and alone if they must.
set -u
run=$(cd "$(dirname "$0")/.." && pwd)/run.sh
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
n=0
tell() { if [ $? -eq 0 ]; then n=$((n + 1)); echo "ok $n - $1"; else n=$((n + 1)); echo "not ok $n - $1"; sed 's/^/# /' out; fi; } # by the status of what ran before
program() { printf '#!/bin/bash\n%s\n' "$2" >"$1"; chmod +x "$1"; } # program NAME TEXT
run() { env -u WH_TALLY "$run" kind "$@" >out 2>&1; } # these runs are in no other count
ends() { [ "$(tail -n 1 out)" = "$1" ]; }

program passes 'echo "ok 1 - a"; echo "ok 2 - b # skip it is not here"; echo "not ok 3 # SKIP c"; echo "ok 4 - d"'
program fails 'echo "ok 1 - a"; echo "not ok 2 - b"; echo "# why"'
program dies 'echo "ok 1 - a"; kill -KILL $$'
program silent 'true'

run ./passes ./passes
[ $? -eq 0 ] && ends '4 passed, 0 failed, 4 skipped' && [ "$(grep -c 'ok     ./passes: 2 passed, 2 skipped' out)" -eq 2 ] && grep -q 'ok 2 - b # skip it is not here' out
tell "passed and skipped tests are counted, with the reasons"
run ./passes ./fails ./dies
[ $? -eq 1 ] && ends '4 passed, 2 failed, 2 skipped' && grep -q 'FAILED ./fails (status 0)' out && grep -q '^    # why' out && grep -q 'FAILED ./dies (status 137)' out
tell "a test that fails and a program that dies are one failure each, with their output"
run ./silent; [ $? -eq 1 ] && ends '0 passed, 1 failed, 0 skipped' && grep -q 'no test ran' out
tell "a program that tests nothing has failed"
run ./none; [ $? -eq 1 ] && ends '0 passed, 1 failed, 0 skipped'
tell "one that is not there too"
program ends_its_runner 'kill -KILL $PPID'
run ./ends_its_runner -- ./passes; [ $? -eq 1 ] && tail -n 1 out | grep -qE '^[0-9]+ passed, 1 failed, '
tell "a test that ends its runner is not forgotten"

meets='touch "here.$1"; for i in {1..200}; do [ -e "here.$2" ] && break; read -rt 0.05 <> <(:); done; [ -e "here.$2" ] && echo "ok 1 - met"'
program one "set -- 1 2; $meets"
program two "set -- 2 1; $meets"
WH_JOBS=2 run ./one ./two; ends '2 passed, 0 failed, 0 skipped'
tell "two run side by side"
for name in a b; do program loud.$name "for i in {1..50}; do echo '# $name'; read -rt 0.001 <> <(:); done; echo 'not ok 1 - $name'"; done
WH_JOBS=2 run ./loud.a ./loud.b; [ "$(grep '^    # ' out | uniq -c | tr -s ' ' | tr '\n' ';')" = ' 50 # a; 50 # b;' ] || [ "$(grep '^    # ' out | uniq -c | tr -s ' ' | tr '\n' ';')" = ' 50 # b; 50 # a;' ]
tell "and the words of each stay together"
for name in a b c; do program lone.$name "mkdir there || { echo 'not ok 1 - somebody is there'; exit; }; read -rt 0.1 <> <(:); rmdir there; echo 'ok 1 - alone'"; done
program beside 'touch busy; read -rt 0.3 <> <(:); rm busy; echo "ok 1 - beside"'
program after 'if [ -e busy ]; then echo "not ok 1 - somebody is busy"; else echo "ok 1 - alone"; fi'
WH_JOBS=4 run ./beside -- ./after ./lone.a ./lone.b ./lone.c; ends '5 passed, 0 failed, 0 skipped'
tell "after -- each runs alone, when the others have ended"
WH_TALLY=$dir/tally "$run" kind ./passes >out; [ "$(cat tally)" = '2 0 2' ]
tell "the counts are written to the file in WH_TALLY"
echo "1..$n"
