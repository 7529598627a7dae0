#!/bin/sh
# The demo from its first row to its last: what is kept is what was sent, predictions bring work before the failures, a kill in
# the middle loses and doubles nothing, a second start says what stands, a busy port is passed by, a wrong flag is refused.
set -u
cd "$(dirname "$0")/.." || exit 1
make -s build/weft || { echo "demo: 0 passed, 1 failed"; exit 1; }
work=$(mktemp -d "${TMPDIR:-/tmp}/weft-demo-XXXXXX") || exit 1
passed=0 failed=0

check() { # NAME TEST-ARGUMENTS…
    name=$1
    shift
    if [ "$@" ]; then passed=$((passed + 1)); else
        failed=$((failed + 1))
        echo "FAIL $name: [ $* ]"
    fi
}
number() { sed -n "s/.*\"$2\":\([0-9.]*\).*/\1/p" "$1"; } # FILE MEMBER of a JSON line
at_least() { awk -v x="${1:-0}" -v y="$2" 'BEGIN { print (x >= y) ? "yes" : "no" }'; }
# a machine's codes of a moment ride in its reading's row
rows=$(($(zstd -dc packs/machinery/demo/telemetry.csv.zst | wc -l) - 1))
faults=$(($(wc -l <packs/machinery/demo/failures.csv) - 1))

# ---- at one go
build/weft demo --data "$work/a" --http 127.0.0.1:0 --mqtt 127.0.0.1:0 --until-idle >"$work/a.json" 2>"$work/a.log"
check 'ends well' $? -eq 0
check 'one line' "$(wc -l <"$work/a.json")" -eq 1
check 'rows sent are the recording'\''s' "$(number "$work/a.json" rows_sent)" = "$rows"
check 'rows kept are the rows sent' "$(number "$work/a.json" rows_kept)" = "$rows"
check 'every failure noted' "$(number "$work/a.json" faults)" = "$faults"
check 'alarms' "$(number "$work/a.json" alarms)" -gt 0
check 'work orders opened before the failures they are for' "$(number "$work/a.json" work_orders_before_failure)" -gt 0
check 'parts reserved' "$(number "$work/a.json" parts_reserved)" -gt 0
check 'most promises kept' "$(at_least "$(number "$work/a.json" promises_kept)" "$(number "$work/a.json" promises_missed)")" = yes
check 'recall a day ahead' "$(at_least "$(number "$work/a.json" recall_24h)" 0.5)" = yes
check 'few false predictions' "$(at_least 0.1 "$(number "$work/a.json" false_per_machine_month)")" = yes

# ---- again on the same folder: nothing doubles
build/weft demo --data "$work/a" --http 127.0.0.1:0 --mqtt 127.0.0.1:0 --until-idle >"$work/b.json" 2>"$work/b.log"
check 'starts again' $? -eq 0
for member in rows_sent rows_kept alarms predictions work_orders parts_reserved faults; do
    check "$member stands" "$(number "$work/b.json" $member)" = "$(number "$work/a.json" $member)"
done

# ---- killed twice on the way, stopped once
for signal in KILL KILL TERM; do
    timeout -s $signal 3 build/weft demo --data "$work/c" --http 127.0.0.1:0 --mqtt 127.0.0.1:0 --until-idle >/dev/null 2>>"$work/c.log"
done
build/weft demo --data "$work/c" --http 127.0.0.1:0 --mqtt 127.0.0.1:0 --until-idle >"$work/c.json" 2>>"$work/c.log"
check 'goes on after a kill' $? -eq 0
check 'rows kept after kills' "$(number "$work/c.json" rows_kept)" = "$rows"
check 'every failure noted once' "$(number "$work/c.json" faults)" = "$faults"

# ---- serving
build/weft serve --data "$work/d" --http 127.0.0.1:0 --mqtt 127.0.0.1:0 >"$work/d.json" 2>/dev/null &
holder=$!
while [ ! -s "$work/d.json" ] && kill -0 $holder 2>/dev/null; do sleep 0.1; done
taken=$(sed -n 's/.*"http":"\([^"]*\)".*/\1/p' "$work/d.json")
build/weft demo --data "$work/e" --http "$taken" --mqtt 127.0.0.1:0 --speed 86400 >"$work/e.out" 2>"$work/e.log" &
demo=$!
for _ in $(seq 300); do grep -q 'viewer' "$work/e.out" && break; sleep 0.2; done
check 'says that the port is taken' "$(grep -c 'the usual port is taken' "$work/e.out")" -ge 1
http=$(sed -n 's/^  console *http:\/\/\([^ ]*\).*/\1/p' "$work/e.out")
password=$(sed -n 's/.*user admin *password \([^ ]*\).*/\1/p' "$work/e.out")
check 'healthy' "$(curl -s -o /dev/null -w '%{http_code}' "http://$http/healthz")" = 200
check 'the printed password signs in' "$(curl -s -o /dev/null -w '%{http_code}' -H 'Content-Type: application/json' -H 'X-Weft: 1' \
    -d "{\"user\":\"admin\",\"password\":\"$password\"}" "http://$http/api/v1/session")" = 200
kill -TERM $demo $holder
wait $demo
check 'stops when asked' $? -eq 0
wait $holder

# ---- wrong use
build/weft demo --sped 3 >/dev/null 2>"$work/f.log"
check 'an unknown flag is refused' $? -eq 2
build/weft demo --data "$work/g" --recording "$work" --until-idle >/dev/null 2>"$work/g.log"
check 'an absent recording is refused' $? -ne 0
check 'and named' "$(grep -c "$work" "$work/g.log")" -ge 1

echo "demo: $passed passed, $failed failed"
if [ $failed -eq 0 ]; then rm -rf "$work"; else echo "folders and logs are in $work"; fi
[ $failed -eq 0 ]
