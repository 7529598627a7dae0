#!/bin/sh
# A data folder that an earlier version made (tests/golden/records-1, of 0.1.0: people, devices, machines and documents) is opened,
# widened and goes on. Prints `records_golden: N passed, N failed`.
set -u
cd "$(dirname "$0")/.." || exit 1
[ -n "${WEFT:-}" ] || make -s build/weft || { echo "records_golden: 0 passed, 1 failed"; exit 1; }
weft=${WEFT:-build/weft}
work=$(mktemp -d "${TMPDIR:-/tmp}/weft-golden-XXXXXX") || exit 1
data=$work/data pid=''
stop() { [ -n "$pid" ] && kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null; pid=''; }
trap 'stop; rm -rf "$work"' EXIT
passed=0 failed=0
ok() { passed=$((passed + 1)); }
bad() { failed=$((failed + 1)); echo "FAIL tests/records_golden_e2e.sh: $*"; }
# same NAME GOT WANT
same() { if [ "$2" = "$3" ]; then ok; else bad "$1: got '$2', want '$3'"; fi; }
# has NAME TEXT PART
has() { case $2 in *"$3"*) ok ;; *) bad "$1: '$(printf %s "$2" | head -c 300)' lacks '$3'" ;; esac; }

token=weft_xprn3paghndf34txgtcqhkyo53b2wed5eedgvqhmhfv7tbug3lly # made with the folder, and worth nothing elsewhere
start() {
    : >"$work/ready"
    "$weft" serve --data "$data" --http 127.0.0.1:0 --mqtt 127.0.0.1:0 >"$work/ready" 2>>"$work/log" &
    pid=$!
    for _ in $(seq 1200); do grep -q http "$work/ready" && break; kill -0 $pid 2>/dev/null || break; sleep 0.05; done
    url=http://$(sed -n 's/.*"http":"\([^"]*\)".*/\1/p' "$work/ready")/api/v1
    [ "$url" != http:///api/v1 ] || { bad "it does not open: $(tail -n 3 "$work/log")"; echo "records_golden: $passed passed, $failed failed"; exit 1; }
}
# ask METHOD PATH [JSON]: body in $body, status in $status
ask() {
    set -- "$@" ''
    status=$(curl -s -g --max-time 120 -o "$work/body" -w '%{http_code}' -X "$1" -H "Authorization: Bearer $token" \
        ${3:+-H 'Content-Type: application/json' --data "$3"} "$url$2")
    body=$(cat "$work/body")
}

mkdir -p "$data"
gzip -dc tests/golden/records-1/records.db.gz >"$data/records.db"
cp tests/golden/records-1/secret.key "$data/"
chmod 600 "$data/secret.key"
start
ask GET '/docs/part?sort=code'
same 'an old token still opens' "$status" 200
has 'old documents' "$body" '"code":"p-1"'
has 'with their decimals' "$body" '"on_hand":"12"'
has 'all of them' "$body" '"total":2'
ask GET /docs/work_order/WO-000001
has 'a document of many columns' "$body" '"title_en":"leaks"'
ask GET /things/press-1
has 'machines' "$body" '"model":"model3"'
ask GET '/audit?type=part'
has 'what was done to them' "$body" 'PA-000001'
same 'a password of then' "$(curl -s -o /dev/null -w '%{http_code}' -X POST -H 'Content-Type: application/json' \
    --data '{"user":"li.wei","password":"a long password"}' "$url/session")" 200
ask POST /docs/part '{"code":"p-3","title_en":"new","on_hand":"5"}'
has 'numbers go on' "$body" 'PA-000003'
ask POST /docs/part '{"code":"p-1","title_en":"again"}'
same 'what was unique still is' "$status" 409
ask PATCH /docs/part/1 '{"location":"shelf 3"}'
has 'old documents change' "$body" '"location":"shelf 3"'
ask GET '/docs/part?on_hand>=7&sort=-on_hand'
has 'and are compared' "$body" '"total":2'
stop
start
ask GET '/docs/part?sort=code'
has 'a second opening' "$body" '"total":3'
stop

echo "records_golden: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
