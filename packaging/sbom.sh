#!/bin/sh
# A bill of materials (CycloneDX 1.5, JSON) of what the program and the plugin are really linked with: the libraries that the loader finds for them, and those that are
# loaded when they are needed (optional), each with its Debian package, version and hash, and what each of them needs itself. usage: sbom.sh BUILD >FILE
# MULTIARCH=aarch64-linux-gnu: BUILD holds objects of that architecture, which this machine's loader cannot map.
set -eu
build=$1
top=$(cd "$(dirname "$0")/.." && pwd)
version=$(sed -n 's/^#define WH_VERSION "\(.*\)"/\1/p' "$top/include/whittle/base.h")
objects="whittle whittle-suricata.so whittle-report.so"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# "FILE NEEDED" for each entry of the dynamic section.
needed_of() { readelf -dW "$@" /dev/null 2>/dev/null | sed -n 's/^File: \(.*\)/\1/; t file; s/.*(NEEDED).*\[\(.*\)\].*/\1/p; d; :file; s/^/ /p' | awk '/^ / { file = substr($0, 2); next } { print file, $0 }'; }
if [ -z "${MULTIARCH:-}" ]; then
	file_of() { ldconfig -p | sed -n "s|^[ \t]*$1 .*=> ||p" | sed -n 1p; }
	# The libraries that the loader maps for an object, the kernel's own page and the loader included.
	libraries_of() { ldd "$1" | sed -n 's/.*=> \(\/[^ ]*\) (.*/\1/p; s/^[ \t]*\(\/[^ ]*\) (.*/\1/p'; }
else
	file_of() { for d in "/usr/lib/$MULTIARCH" "/lib/$MULTIARCH"; do [ ! -e "$d/$1" ] || { echo "$d/$1"; return; }; done; }
	# The same, found by the names that each object says it needs.
	libraries_of() {
		next=$1 seen=' '
		while [ -n "$next" ]; do
			files=$next next=
			# shellcheck disable=SC2086 # several files
			for name in $(needed_of $files | cut -d ' ' -f 2 | sort -u); do
				case $seen in *" $name "*) continue ;; esac
				seen="$seen$name " file=$(file_of "$name")
				[ -n "$file" ] || { echo "sbom.sh: $name, which $1 needs, is not installed for $MULTIARCH" >&2; return 1; }
				echo "$file"; next="$next $file"
			done
		done
	}
fi

for object in whittle whittle-suricata.so; do libraries_of "$build/$object" >>"$work/all"; done
sort -u "$work/all" >"$work/linked"
# What dlopen() takes in core, and what the part for reports is linked with.
libraries_of "$build/whittle-report.so" >"$work/all"
for name in $(grep -rhoE 'lib[a-z0-9-]+\.so\.[0-9]+' "$top/core" --include='*.c' | sort -u); do file_of "$name"; done >"$work/loads"
while read -r f; do echo "$f" >>"$work/all"; libraries_of "$f" >>"$work/all"; done <"$work/loads"
sort -u "$work/all" | grep -vxFf "$work/linked" >"$work/loaded" || true

# Tables of what is asked at once for all: "FILE PACKAGE" by whichever of the two names of a merged /usr the package knows a file,
# "PACKAGE NAME ARCHITECTURE VERSION SOURCE", "HASH FILE", "FILE NEEDED".
for o in $objects; do echo "$build/$o"; done >"$work/objects"
cat "$work/linked" "$work/loaded" | while read -r f; do real=$(realpath "$f"); printf '%s %s\n%s %s\n' "$f" "$real" "$f" "${real#/usr}"; done >"$work/names"
cut -d ' ' -f 2 "$work/names" | sort -u | xargs dpkg-query -S 2>/dev/null | sed -n '/^diversion/d; s/^\([^ ,]*\)\(, [^/]*\)\{0,1\}: \(\/.*\)/\3 \1/p' >"$work/owners" || true
awk 'NR == FNR { of[$1] = $2; next } $2 in of { print $1, of[$2] }' "$work/owners" "$work/names" | sort -u >"$work/packages"
cut -d ' ' -f 2 "$work/packages" | sort -u | xargs -r dpkg-query -W -f '${binary:Package} ${Package} ${Architecture} ${Version} ${source:Package}\n' >"$work/versions" || true
cat "$work/objects" "$work/linked" "$work/loaded" | xargs sha256sum >"$work/hashes"
# shellcheck disable=SC2046 # several files
needed_of $(cat "$work/objects" "$work/linked" "$work/loaded") >"$work/needed"

cat >"$work/print.awk" <<'A'
function base(path) { sub(/.*\//, "", path); return path }
FILENAME ~ /\/packages$/ { package_of[$1] = $2; next }
FILENAME ~ /\/versions$/ { name[$1] = $2; arch[$1] = $3; version_of[$1] = $4; source[$1] = $5; next }
FILENAME ~ /\/hashes$/ { hash[$2] = $1; next }
FILENAME ~ /\/needed$/ { needs[$1] = needs[$1] " " $2; next }
FILENAME ~ /\/loads$/ { loads[$1] = 1; next }
{ file[++count] = $1; scope[count] = FILENAME ~ /linked$/ ? "required" : FILENAME ~ /loaded$/ ? "optional" : "" }
function reference(f,  p, id) {
	p = package_of[f]
	if (p == "") return scope_of[f] == "" ? base(f) : "file:" base(f)
	id = version_of[p]; gsub(/\+/, "%2B", id); gsub(/:/, "%3A", id); gsub(/~/, "%7E", id)
	purl[f] = "pkg:deb/debian/" name[p] "@" id "?arch=" arch[p]
	return purl[f] "#" base(f)
}
END {
	for (i = 1; i <= count; i++) { f = file[i]; scope_of[f] = scope[i]; ref[f] = reference(f); by_name[base(f)] = ref[f] }
	print "  \"components\": ["
	for (i = 1; i <= count; i++) {
		f = file[i]; p = package_of[f]
		printf "    {\"type\": \"%s\", \"bom-ref\": \"%s\", \"name\": \"%s\", ", i == 1 ? "application" : "library", ref[f], p == "" ? base(f) : name[p]
		if (scope[i] == "") printf "\"version\": \"%s\", \"licenses\": [{\"license\": {\"id\": \"GPL-2.0-or-later\"}}], ", version
		if (p != "") printf "\"version\": \"%s\", \"purl\": \"%s\", \"properties\": [{\"name\": \"file\", \"value\": \"%s\"}, {\"name\": \"debian:source\", \"value\": \"%s\"}], ", version_of[p], purl[f], base(f), source[p]
		if (scope[i] != "") printf "\"scope\": \"%s\", ", scope[i]
		printf "\"hashes\": [{\"alg\": \"SHA-256\", \"content\": \"%s\"}]}%s\n", hash[f], i < count ? "," : ""
	}
	print "  ],\n  \"dependencies\": ["
	for (i = 1; i <= count; i++) {
		n = split(needs[file[i]], wants, " "); on = ""
		for (k = 1; k <= n; k++) if (wants[k] in by_name) on = on (on == "" ? "" : ", ") "\"" by_name[wants[k]] "\""
		printf "    {\"ref\": \"%s\", \"dependsOn\": [%s]},\n", ref[file[i]], on
	}
	for (i = 1; i <= count; i++) if (scope[i] == "" || file[i] in loads) whole = whole (whole == "" ? "" : ", ") "\"" ref[file[i]] "\""
	printf "    {\"ref\": \"pkg:generic/whittle@%s\", \"dependsOn\": [%s]}\n  ]\n}\n", version, whole
}
A
cd "$work"
awk -v version="$version" -f print.awk ./packages ./versions ./hashes ./needed ./loads ./objects ./linked ./loaded >components
# The number is made of what is listed: the same build has the same one.
serial=$(sha256sum components | sed 's/^\(........\)\(....\).\(...\).\(...\)\(............\).*/\1-\2-5\3-8\4-\5/')
cat <<J
{
  "bomFormat": "CycloneDX",
  "specVersion": "1.5",
  "serialNumber": "urn:uuid:$serial",
  "version": 1,
  "metadata": {"component": {"type": "application", "bom-ref": "pkg:generic/whittle@$version", "name": "whittle", "version": "$version", "licenses": [{"license": {"id": "GPL-2.0-or-later"}}]}},
J
cat components
