#!/bin/sh
# Two tables become documents: bench/import.sh [SCALE]. 15,000 firms and 500,000 employees, and the same ten times smaller.
# Wanted on two cores: all of it within 60 s, single creates meanwhile within 250 ms at the 99th percentile.
set -eu
cd "$(dirname "$0")/.."
make -s build/release/bench/import_rate
folder=build/bench-import
status=0
for scale in ${1:-10 1}; do
    rm -rf "$folder" && mkdir -p "$folder"
    echo "1/$scale of 15,000 firms and 500,000 employees:"
    build/release/bench/import_rate "$folder" $((15000 / scale)) $((500000 / scale)) || status=1
done
rm -rf "$folder"
exit $status
