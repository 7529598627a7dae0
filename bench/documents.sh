#!/bin/sh
# Documents over HTTP: Weft, and beside it the least that does the same straight on PostgreSQL 15 (bench/peer_libpq.c: document,
# audit, outbox and search words in one transaction, synchronous_commit on). 64 kept connections, a document of 12 fields and
# about 1 KB; creates are durable when they are answered, reads of Weft go through the gate. In pairs one after the other, so that
# a busy machine slows both alike; prints medians of ROUNDS (5) rounds of SECONDS (4) seconds, and what gate and role checks
# cost of a read.
#
#     bench/documents.sh [--json] [ROUNDS [SECONDS]]
#
# WEFT=PROGRAM measures another build.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/lib/postgresql.sh
json=
[ "${1:-}" = --json ] && { json=yes; shift; }
rounds=${1:-5} seconds=${2:-4}
weft=${WEFT:-build/weft}
build=${BUILD:-build/release}
make -s build/weft "$build/bench/http_load" "$build/bench/peer_libpq" "$build/bench/gate_cost" >&2 || exit 1
[ -n "$postgresql_bin" ] || { echo "PostgreSQL is not installed: apt-get install postgresql-15" >&2; exit 1; }

temp=$(mktemp -d "${TMPDIR:-/tmp}/weft-documents-XXXXXX") || exit 1
chmod 755 "$temp"
server='' peer=''
trap '[ -z "$server" ] || kill "$server" 2>/dev/null; [ -z "$peer" ] || kill "$peer" 2>/dev/null; postgresql_stop immediate; rm -rf "$temp"' EXIT
trap 'exit 1' INT TERM

cat >"$temp/body" <<'BODY'
{"kind":"goods received at the dock","type":"ObjectEvent","action":"OBSERVE","event_time":"2026-03-08T08:00:00Z","quantity":"120.500","uom":"KGM","biz_step":"receiving {i}","disposition":"in_progress","epcs":["urn:epc:id:sgtin:0614141.107346.{n}","urn:epc:id:sgtin:0614141.107347.{n}"],"details":{"note":"Seal ring for hydraulic cylinder, nitrile rubber, size {n}, heat resistant to 120 degrees, delivered in bags of ten with a certificate of the maker and the date of pressing; keep dark and dry, away from ozone, use within five years","zh":"液压缸密封圈，丁腈橡胶，规格 {n}，耐热一百二十度，每袋十件，附生产厂合格证与压制日期；避光防潮保存，远离臭氧，自压制之日起五年内使用，超期须经检验合格方可装机；领用登记到人"},"reason":"incorrect_data","sensors":[{"type":"Temperature","value":23.5,"uom":"CEL"},{"type":"Humidity","value":48.1,"uom":"P1"}]}
BODY

start_weft() {
    token=$("$weft" token create --data "$temp/data" --party acme --user ann --role manager) || exit 1
    "$weft" serve --data "$temp/data" --http 127.0.0.1:0 --mqtt 127.0.0.1:0 >"$temp/ready" 2>"$temp/weft.log" &
    server=$!
    for _ in $(seq 100); do
        at=$(sed -n 's/.*"http":"\([^"]*\)".*/\1/p' "$temp/ready")
        [ -n "$at" ] && return 0
        sleep 0.1
    done
    tail -n 3 "$temp/weft.log" >&2
    exit 1
}
start_peer() {
    postgresql_options='-c synchronous_commit=on -c max_connections=150'
    postgresql_start "$temp/server" || exit 1
    port=$((20000 + $$ % 10000))
    "$build/bench/peer_libpq" $port "$postgresql_url" "Authorization" >"$temp/peer" 2>"$temp/peer.log" &
    peer=$!
    for _ in $(seq 100); do grep -q ready "$temp/peer" && return 0; sleep 0.1; done
    cat "$temp/peer.log" >&2
    exit 1
}
field() { sed -n "s/.*\"$1\":\([0-9.]*\).*/\1/p"; }
median() { sort -g "$1" | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }

# measure NAME HOST:PORT METHOD PATH BODY HEADER
measure() {
    START=$next "$build/bench/http_load" "$2" "$seconds" 64 "$3" "$4" "$5" "$6" >"$temp/line" || { echo "$1: the load failed" >&2; exit 1; }
    next=$((next + $(field done <"$temp/line")))
    field per_s <"$temp/line" >>"$temp/$1.rate"
    field p99_ms <"$temp/line" >>"$temp/$1.p99"
    # reads draw from what both have
    case $1 in *-create) [ "$(field done <"$temp/line")" -lt "$IDS" ] && [ ! -f "$temp/$1.seeded" ] && IDS=$(field done <"$temp/line") ;; esac
    : >"$temp/$1.seeded"
}

start_peer
start_weft
next=1
IDS=2000
export IDS
for _ in $(seq "$rounds"); do
    measure weft-create "$at" POST /api/v1/docs/event "$temp/body" "Authorization: Bearer $token"
    measure peer-create "127.0.0.1:$port" POST /docs "$temp/body" "Authorization: Authorization"
    measure weft-read "$at" GET '/api/v1/docs/event/{i}' '' "Authorization: Bearer $token"
    measure peer-read "127.0.0.1:$port" GET '/docs/{i}' '' "Authorization: Authorization"
done
"$build/bench/gate_cost" "$temp/gate" >"$temp/gate.line" || exit 1
gate=$(field percent <"$temp/gate.line")

ratio() { awk -v a="$(median "$temp/weft-$1.rate")" -v b="$(median "$temp/peer-$1.rate")" 'BEGIN { printf "%.2f", a / b }'; }
if [ -n "$json" ]; then
    for what in create read; do
        printf '{"bench":"documents","what":"%s","weft_per_s":%s,"peer_per_s":%s,"ratio":%s,"weft_p99_ms":%s,"peer_p99_ms":%s}\n' \
            $what "$(median "$temp/weft-$what.rate")" "$(median "$temp/peer-$what.rate")" "$(ratio $what)" \
            "$(median "$temp/weft-$what.p99")" "$(median "$temp/peer-$what.p99")"
    done | tr '\n' ' ' | sed 's/} {/},{/; s/^/[/; s/ $/'",{\"bench\":\"documents\",\"what\":\"gate\",\"percent\":$gate}]/"
    echo
else
    printf '%-10s %12s %12s %8s %12s %12s\n' '' 'Weft, /s' 'peer, /s' ratio 'Weft p99 ms' 'peer p99 ms'
    for what in create read; do
        printf '%-10s %12.0f %12.0f %7sx %12s %12s\n' $what "$(median "$temp/weft-$what.rate")" "$(median "$temp/peer-$what.rate")" \
            "$(ratio $what)" "$(median "$temp/weft-$what.p99")" "$(median "$temp/peer-$what.p99")"
    done
    printf 'gate: %s %% of an own-party read (through the document engine and as JSON: a lens asked of the gate each time, against one made before)\n' "$gate"
fi
