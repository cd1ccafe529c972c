#!/bin/sh
# How long a recommendation takes, and that it grows no faster than the ledger. RECOMMEND_EDGES="1000000 10000000" asks for more.
set -eu
BUILD=${BUILD:-build}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
first_edges='' first_cpu=''
for edges in ${RECOMMEND_EDGES:-1000000 3000000}; do
	"$BUILD/bench/recommend" "$dir" "$edges" 100 >/dev/null # makes the ledger
	set -- $("$BUILD/bench/recommend" "$dir" "$edges" 100)
	rm -f "$dir"/*
	echo "# $edges edges: $1 s wall, $2 s CPU, $3 MiB, $4 resources, $5 rules, $6 lines"
	if [ "$edges" = 1000000 ]; then
		awk -v s="$2" 'BEGIN { printf "recommend on 1,000,000 edges (CPU seconds)\t%.2f\t< 2\t%s\n", s, s < 2 ? "met" : "missed" }'
	fi
	if [ -n "$first_cpu" ]; then
		awk -v a="$first_cpu" -v b="$2" -v x="$first_edges" -v y="$edges" \
			'BEGIN { r = (b / y) / (a / x); printf "recommend, CPU an edge at %d against %d\t%.2f\t< 1.3\t%s\n", y, x, r, r < 1.3 ? "met" : "missed" }'
	else
		first_edges=$edges first_cpu=$2
	fi
done
