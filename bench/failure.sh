#!/bin/sh
# How long the back-test of the failure model takes on one thread and on all: 21 trainings, each with two baselines beside it
# (every machine left out once, and the first half of the time). Prints the table of the back-test last.
#
#     bench/failure.sh [RECORDING]
set -eu
cd "$(dirname "$0")/.."
[ -x build/weft ] || make -s
recording=${1:-packs/machinery/demo}
table=$(mktemp)
trap 'rm -f "$table"' EXIT
printf '%-8s %9s\n' threads wall_s
for threads in 1 "$(nproc)"; do
    began=$(date +%s%N)
    build/weft run failure --threads "$threads" "$recording" >"$table" 2>/dev/null
    wall=$((($(date +%s%N) - began) / 1000000))
    printf '%-8s %6d.%02d\n' "$threads" $((wall / 1000)) $((wall % 1000 / 10))
done
cat "$table"
