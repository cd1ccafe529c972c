#!/bin/bash
# The source archive: it holds every file of the last commit, and its bytes do not depend on who makes it, or from what. The bill of materials: it lists
# what the loader finds, and what that needs.
cd "$(dirname "$0")/../.." || exit 1
n=0
t() { n=$((n + 1)); if [ "$1" = 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; [ -z "${3:-}" ] || printf '%s\n' "$3" | sed 's/^/# /'; fi; }
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
# A tree with a name longer than tar's oldest formats can hold. It is a repository of its own, so that this runs in an unpacked archive too.
long=$(printf 'a%.0s' {1..180})
mkdir "$dir/tree" && cp -r packaging include CHANGELOG.md "$dir/tree" && echo text >"$dir/tree/include/$long"
git() { command git -C "$dir/tree" -c user.name=t -c user.email=t@example.org -c commit.gpgsign=false "$@"; }
git init -q && git add -A && git commit -qm 'tests: a tree'
files() { tar -tf "$1" | grep -v '/$' | sed 's#^[^/]*/##' | LC_ALL=C sort; }

"$dir/tree/packaging/dist.sh" "$dir/a.tar.gz" >"$dir/out" 2>&1; t $? "an archive is made of a commit" "$(cat "$dir/out")"
diff <(git ls-tree -r --name-only HEAD | LC_ALL=C sort) <(files "$dir/a.tar.gz") >"$dir/diff"; t $? "it holds every file, of a name of any length" "$(head -n 5 "$dir/diff")"
echo junk >"$dir/tree/junk"
(umask 077; TZ=Asia/Tokyo LC_ALL=C "$dir/tree/packaging/dist.sh" "$dir/b.tar.gz") >"$dir/out" 2>&1
cmp "$dir/a.tar.gz" "$dir/b.tar.gz"; t $? "another umask, time zone and file that is not committed make the same bytes" "$(cat "$dir/out")"
mkdir "$dir/x" && tar -xf "$dir/a.tar.gz" -C "$dir/x" --strip-components=1 && "$dir/x/packaging/dist.sh" "$dir/c.tar.gz" >"$dir/out" 2>&1
cmp "$dir/a.tar.gz" "$dir/c.tar.gz"; t $? "an archive made from the archive has the same bytes" "$(cat "$dir/out")"
# A step that fails: tar's, which ends in a pipe of the archive, not at its end.
mkdir "$dir/bin" && printf '#!/bin/sh\ncase $* in *--sort*) %s "$@"; exit 2 ;; esac\nexec %s "$@"\n' "$(command -v tar)" "$(command -v tar)" >"$dir/bin/tar" && chmod +x "$dir/bin/tar"
PATH=$dir/bin:$PATH "$dir/tree/packaging/dist.sh" "$dir/d.tar.gz" >/dev/null 2>&1; status=$?
[ $status != 0 ] && [ ! -e "$dir/d.tar.gz" ]; t $? "no archive is made where tar could not take every file" "status $status"

unset -f git
build=${BUILD:-build}
packaging/sbom.sh "$build" >"$dir/sbom" 2>"$dir/err" && jq -e '.bomFormat == "CycloneDX" and .specVersion == "1.5"' "$dir/sbom" >/dev/null; t $? "make sbom prints a bill of materials" "$(cat "$dir/err")"
for object in whittle whittle-suricata.so whittle-report.so; do ldd "$build/$object" | grep -oE '/[^ ]+' | sed 's#.*/##'; done | sort -u >"$dir/mapped"
jq -r '.components[].properties[]? | select(.name == "file").value' "$dir/sbom" | sort -u >"$dir/listed"
lacks=$(comm -23 "$dir/mapped" "$dir/listed"); [ -s "$dir/mapped" ] && [ -z "$lacks" ]; t $? "each library that the loader maps is in it, with its package" "$lacks"
jq -r '.components[] | select(.purl) | .name + " " + .version' "$dir/sbom" | sort -u >"$dir/listed"
wrong=$(cut -d ' ' -f 1 "$dir/listed" | xargs dpkg-query -W -f '${Package} ${Version}\n' | sort -u | comm -13 - "$dir/listed"); [ -s "$dir/listed" ] && [ -z "$wrong" ]; t $? "with the version that is installed" "$wrong"
wrong=$(jq -r '[.metadata.component["bom-ref"], .components[]["bom-ref"]] as $all | ($all | group_by(.) | map(select(length > 1)[0])[]), (.dependencies | map(.ref, .dependsOn[]) | unique - $all)[]' "$dir/sbom")
[ -z "$wrong" ]; t $? "each is named once, and what each needs is listed" "$wrong"
needs() { jq -r --arg from "$1" '.dependencies[] | select(.ref == $from).dependsOn[]' "$dir/sbom" | sed 's/.*#//' | sort; }
wrong=$(diff <(needs whittle) <(readelf -d "$build/whittle" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | sort)); t $? "the program needs what its own file says" "$wrong"
MULTIARCH=$(gcc -print-multiarch) packaging/sbom.sh "$build" >"$dir/cross" 2>"$dir/err"
wrong=$(diff <(jq -S '.components | sort_by(.["bom-ref"])' "$dir/sbom") <(jq -S '.components | sort_by(.["bom-ref"])' "$dir/cross")); t $? "without the loader, as for another architecture, it is the same" "$wrong$(cat "$dir/err")"
echo "1..$n"
