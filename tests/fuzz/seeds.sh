#!/bin/sh
# For `make test`: every fuzzer over its seeds and a few seconds more.
exec "$(dirname "$0")/run.sh" "${BUILD:-build}" 5
