#!/bin/sh
# A bill of materials (CycloneDX 1.5, JSON) of what the program and the plugin are really linked with: the libraries that the loader finds for them, and those that are
# loaded when they are needed (optional), each with its Debian package, version and hash. usage: sbom.sh BUILD >FILE
set -eu
build=$1
top=$(cd "$(dirname "$0")/.." && pwd)
version=$(sed -n 's/^#define WH_VERSION "\(.*\)"/\1/p' "$top/include/whittle/base.h")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

hash_of() { sha256sum "$1" | cut -d ' ' -f 1; }
# The libraries that the loader maps for an object, the kernel's own page and the loader included.
libraries_of() { ldd "$1" | sed -n 's/.*=> \(\/[^ ]*\) (.*/\1/p; s/^[ \t]*\(\/[^ ]*\) (.*/\1/p'; }

for object in whittle whittle-suricata.so; do libraries_of "$build/$object"; done | sort -u >"$work/linked"
# What dlopen() takes in core, and what the part for reports is linked with.
loads=$(grep -rhoE 'lib[a-z0-9-]+\.so\.[0-9]+' "$top/core" --include='*.c' | sort -u)
{
	libraries_of "$build/whittle-report.so"
	for soname in $loads; do ldconfig -p | sed -n "s|^[ \t]*$soname .*=> ||p" | sed -n 1p; done | while read -r f; do echo "$f"; libraries_of "$f"; done
} | sort -u | grep -vxFf "$work/linked" >"$work/loaded" || true

# "FILE PACKAGE" for each, asked at once, by whichever of the two names of a merged /usr the package knows a file; then "PACKAGE ARCHITECTURE VERSION SOURCE".
cat "$work/linked" "$work/loaded" | while read -r f; do real=$(realpath "$f"); printf '%s %s\n%s %s\n' "$f" "$real" "$f" "${real#/usr}"; done >"$work/names"
cut -d ' ' -f 2 "$work/names" | sort -u | xargs dpkg-query -S 2>/dev/null | sed 's/^\([^:]*\):.*: \(.*\)/\2 \1/' >"$work/owners" || true
awk 'NR == FNR { of[$1] = $2; next } $2 in of { print $1, of[$2] }' "$work/owners" "$work/names" | sort -u >"$work/packages"
cut -d ' ' -f 2 "$work/packages" | sort -u | xargs -r dpkg-query -W -f '${Package} ${Architecture} ${Version} ${source:Package}\n' | sort -u >"$work/versions" || true

component() { # FILE SCOPE
	name=$(sed -n "s|^$1 ||p" "$work/packages" | sed -n 1p)
	if [ -n "$name" ]; then
		read -r _ arch v source <<-V
		$(grep "^$name " "$work/versions" | sed -n 1p)
		V
		id=pkg:deb/debian/$name@$(echo "$v" | sed 's/+/%2B/g; s/:/%3A/g; s/~/%7E/g')?arch=$arch
		printf ',\n    {"type": "library", "bom-ref": "%s#%s", "name": "%s", "version": "%s", "purl": "%s", "scope": "%s", "hashes": [{"alg": "SHA-256", "content": "%s"}], "properties": [{"name": "file", "value": "%s"}, {"name": "debian:source", "value": "%s"}]}' \
			"$id" "$(basename "$1")" "$name" "$v" "$id" "$2" "$(hash_of "$1")" "$(basename "$1")" "$source"
	else
		printf ',\n    {"type": "library", "bom-ref": "file:%s", "name": "%s", "scope": "%s", "hashes": [{"alg": "SHA-256", "content": "%s"}]}' "$(basename "$1")" "$(basename "$1")" "$2" "$(hash_of "$1")"
	fi
}

{
	for object in whittle whittle-suricata.so whittle-report.so; do
		printf '%s\n    {"type": "%s", "bom-ref": "%s", "name": "%s", "version": "%s", "licenses": [{"license": {"id": "GPL-2.0-or-later"}}], "hashes": [{"alg": "SHA-256", "content": "%s"}]}' \
			"$([ $object = whittle ] || echo ,)" "$([ $object = whittle ] && echo application || echo library)" "$object" "$object" "$version" "$(hash_of "$build/$object")"
	done
	while read -r f; do component "$f" required; done <"$work/linked"
	while read -r f; do component "$f" optional; done <"$work/loaded"
} >"$work/components"
# The number is made of what is listed: the same build has the same one.
serial=$(sha256sum "$work/components" | sed 's/^\(........\)\(....\).\(...\).\(...\)\(............\).*/\1-\2-5\3-8\4-\5/')
cat <<J
{
  "bomFormat": "CycloneDX",
  "specVersion": "1.5",
  "serialNumber": "urn:uuid:$serial",
  "version": 1,
  "metadata": {"component": {"type": "application", "bom-ref": "pkg:generic/whittle@$version", "name": "whittle", "version": "$version", "licenses": [{"license": {"id": "GPL-2.0-or-later"}}]}},
  "components": [$(cat "$work/components")
  ]
}
J
