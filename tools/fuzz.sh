#!/bin/sh
# fuzz.sh SECONDS|corpus NAME…: runs the fuzz targets in build/fuzz/fuzz. With "corpus" each reads its corpus once; else each
# goes on for SECONDS from tests/corpus/NAME, keeping what it finds under build/fuzz/found/NAME.
set -u
seconds=$1
shift
passed=0 failed=0
for name; do
    found=build/fuzz/found/$name
    seeds=tests/corpus/$name
    log=build/fuzz/$name.log
    mkdir -p "$found"
    [ -d "$seeds" ] || { echo "FAIL $name: no corpus: put a few inputs into $seeds/"; failed=$((failed + 1)); continue; }
    # shellcheck disable=SC2086
    options="-artifact_prefix=build/fuzz/$name- -timeout=10 -rss_limit_mb=2048 -print_final_stats=1"
    if [ "$seconds" = corpus ]; then
        "build/fuzz/fuzz/$name" $options -runs=0 "$seeds" >"$log" 2>&1
    else
        "build/fuzz/fuzz/$name" $options -max_total_time="$seconds" "$found" "$seeds" >"$log" 2>&1
    fi
    status=$?
    executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    if [ $status -eq 0 ]; then
        passed=$((passed + 1))
        [ "$seconds" = corpus ] || echo "$name: ${executions:-0} executions in $seconds s, clean"
    else
        failed=$((failed + 1))
        echo "FAIL $name: see $log; the input is beside it:"
        grep -E 'ERROR|SUMMARY|runtime error|bug:|Test unit written' "$log" | head -n 5
    fi
done
echo "fuzz: $passed passed, $failed failed"
[ $failed -eq 0 ]
