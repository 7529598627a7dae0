#!/bin/sh
# Durable ingest at QoS 1: Weft, which acknowledges what is on the disk, against Debian's mosquitto as it comes, which keeps
# nothing. One tool (weft load) drives both, in pairs one after the other, so that a busy machine slows both alike. Payloads of
# 300 bytes, no subscriber. Prints one row a case: medians of ROUNDS (5) rounds of SECONDS (5) seconds.
#
#     bench/ingest.sh [ROUNDS [SECONDS]]
#
# Server CPU is user and system time of the server's process, from /proc, while the load ran. WEFT=PROGRAM measures another build.
set -u
cd "$(dirname "$0")/.." || exit 1
rounds=${1:-5} seconds=${2:-5}
weft=${WEFT:-build/weft}
[ -n "${WEFT:-}" ] || make -s build/weft || exit 1
mosquitto=$(command -v mosquitto || echo /usr/sbin/mosquitto)
[ -x "$mosquitto" ] || { echo "mosquitto is not installed: apt-get install mosquitto" >&2; exit 1; }

temp=$(mktemp -d "${TMPDIR:-/tmp}/weft-ingest-XXXXXX") || exit 1
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null; rm -rf "$temp"' EXIT
trap 'exit 1' INT TERM
ticks=$(getconf CLK_TCK)
port=$((20000 + $$ % 10000))
printf 'listener %s 127.0.0.1\nallow_anonymous true\n' "$port" >"$temp/mosquitto.conf"

# field NAME FILE: a number of the JSON line
field() { sed -n "s/.*\"$1\":\([0-9.]*\).*/\1/p" "$2"; }
cpu() { awk '{ sub(/.*\) /, ""); print $12 + $13 }' "/proc/$server/stat"; }
median() { sort -g | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }

start_weft() {
    rm -rf "$temp/data"
    "$weft" device create --data "$temp/data" --name gateway --model load --gateway >"$temp/device" 2>/dev/null || return 1
    user=$(sed 's/.*"user":"\([^"]*\)".*/\1/' "$temp/device") password=$(sed 's/.*"password":"\([^"]*\)".*/\1/' "$temp/device")
    : >"$temp/ready" # what a server before printed must not be taken for this one's
    "$weft" serve --data "$temp/data" --http 127.0.0.1:0 --mqtt 127.0.0.1:0 >"$temp/ready" 2>"$temp/weft.log" &
    server=$!
    for _ in $(seq 100); do
        at=$(sed -n 's/.*"mqtt":"\([^"]*\)".*/\1/p' "$temp/ready")
        [ -n "$at" ] && return 0
        sleep 0.1
    done
    return 1
}
start_mosquitto() {
    "$mosquitto" -c "$temp/mosquitto.conf" >"$temp/mosquitto.log" 2>&1 &
    server=$! at=127.0.0.1:$port
    sleep 0.5
}
stop() { kill "$server"; wait "$server" 2>/dev/null; server=; }

# measure NAME CONNECTIONS WINDOW FLAGS…: appends messages/s, server CPU µs a message and p99 to the case's files
measure() {
    name=$1 connections=$2 window=$3
    shift 3
    before=$(cpu)
    "$weft" load mqtt --to "$at" --things 2000 --metrics 10 --size 300 --connections "$connections" --window "$window" \
        --qos 1 --seconds "$seconds" "$@" >"$temp/line" || { echo "$name: the load failed" >&2; tail -n 3 "$temp/weft.log" >&2; exit 1; }
    after=$(cpu)
    field messages_per_s "$temp/line" >>"$temp/$name.$connections.$window.rate"
    awk -v t=$((after - before)) -v hz="$ticks" -v n="$(field sent "$temp/line")" 'BEGIN { printf "%.3f\n", t * 1e6 / hz / n }' \
        >>"$temp/$name.$connections.$window.cpu"
    field latency_p99_ms "$temp/line" >>"$temp/$name.$connections.$window.p99"
}

for round in $(seq "$rounds"); do
    for window in 20 1; do
        for connections in 100 1000; do
            start_weft || { echo "weft did not start:" >&2; tail -n 3 "$temp/weft.log" >&2; exit 1; }
            measure weft "$connections" "$window" --user "$user" --password "$password"
            stop
            start_mosquitto
            measure mosquitto "$connections" "$window" --to-broker
            stop
        done
    done
    [ -t 2 ] && printf '\rround %s of %s' "$round" "$rounds" >&2
done
[ -t 2 ] && printf '\r' >&2

printf '%-7s %-12s | %10s %10s %7s | %8s %8s %9s | %9s %9s\n' window connections 'weft/s' 'mosquitto' ratio 'CPU µs' mosquitto 'msg/CPU-s' 'p99 ms' mosquitto
failed=0
for window in 20 1; do
    for connections in 100 1000; do
        case=$connections.$window
        row=$(for what in rate cpu p99; do for name in weft mosquitto; do median <"$temp/$name.$case.$what"; done; done | tr '\n' ' ')
        # shellcheck disable=SC2086
        set -- $row
        awk -v w="$window" -v c="$connections" -v a="$1" -v b="$2" -v x="$3" -v y="$4" -v p="$5" -v q="$6" 'BEGIN {
            printf "%-7d %-12d | %10d %10d %6.2fx | %8.2f %8.2f %8.2fx | %9.1f %9.1f\n", w, c, a, b, a / b, x, y, y / x, p, q
            exit w == 20 && (a / b < 1.0 || y / x < 1.5) }' || failed=$((failed + 1))
    done
done
echo "target at window 20: at least 1.00x mosquitto's messages/s and 1.50x its messages per server CPU second: $([ $failed -eq 0 ] && echo met || echo missed)"
exit $failed
