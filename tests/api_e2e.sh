#!/bin/sh
# The API of a running server, from outside with curl: signing in, documents through their life, live updates, hostile
# requests, limits. Prints `api: N passed, N failed`.
set -u
cd "$(dirname "$0")/.." || exit 1
[ -n "${WEFT:-}" ] || make -s build/weft || { echo "api: 0 passed, 1 failed"; exit 1; }
weft=${WEFT:-build/weft}
command -v curl >/dev/null || { echo "api: 0 passed, 0 failed, 1 skipped"; echo "SKIP api: curl is missing: apt-get install curl"; exit 0; }

work=$(mktemp -d "${TMPDIR:-/tmp}/weft-api-XXXXXX") || exit 1
data=$work/data pid=''
stop() { [ -n "$pid" ] && kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null; pid=''; }
trap 'stop; rm -rf "$work"' EXIT
passed=0 failed=0

ok() { passed=$((passed + 1)); }
bad() { failed=$((failed + 1)); echo "FAIL tests/api_e2e.sh: $*"; }
# same NAME GOT WANT
same() { if [ "$2" = "$3" ]; then ok; else bad "$1: got '$2', want '$3'"; fi; }
# has NAME TEXT PART
has() { case $2 in *"$3"*) ok ;; *) bad "$1: '$(printf %s "$2" | head -c 300)' lacks '$3'" ;; esac; }

start() {
    : >"$work/ready" # of the server before
    "$weft" serve --data "$data" --http 127.0.0.1:0 --mqtt 127.0.0.1:0 "$@" >"$work/ready" 2>>"$work/log" &
    pid=$!
    for _ in $(seq 1200); do
        [ -s "$work/ready" ] && break
        kill -0 $pid 2>/dev/null || break
        sleep 0.05
    done
    host=$(sed -n 's/.*"http":"\([^"]*\)".*/\1/p' "$work/ready")
    url=http://$host
    [ -n "$host" ] || { bad "the server does not start: $(tail -n 3 "$work/log")"; echo "api: $passed passed, $failed failed"; exit 1; }
}

manager=$("$weft" token create --data "$data" --party acme --user ann --role manager) || exit 1
viewer=$("$weft" token create --data "$data" --party acme --user vic --role viewer) || exit 1
start

# ask TOKEN METHOD PATH [JSON] [CURL OPTIONS…]: body in $body, status in $status
ask() {
    token=$1 method=$2 path=$3 json=${4:-}
    [ $# -gt 4 ] && shift 4 || shift $#
    set -- -s -g --max-time 120 -o "$work/body" -w '%{http_code}' -X "$method" "$@"
    [ -n "$token" ] && set -- "$@" -H "Authorization: Bearer $token"
    [ -n "$json" ] && set -- "$@" -H 'Content-Type: application/json' --data "$json"
    : >"$work/body"
    status=$(curl "$@" "$url$path")
    body=$(cat "$work/body" 2>/dev/null | tr -d '\000')
}
# expect STATUS PART: of the last ask
expect() {
    same "$method $path: status" "$status" "$1"
    [ -n "${2:-}" ] && has "$method $path" "$body" "$2"
}

# ---- without signing in
ask '' GET /healthz; expect 200 '"status":"ok"'
ask '' GET /metrics; expect 200 'weft_series_rows_total'
ask '' GET /api/v1/openapi.json; expect 200 '"openapi":"3.1.0"'
ask '' GET /problems/state; expect 200 '<h1>'
ask '' GET /api/v1/things; expect 401 '/problems/unauthenticated'
ask '' GET /api/v1/nowhere; expect 404 '/problems/not-found'
ask '' POST /api/v1/session '{"user":"ann","password":"wrong"}'; expect 401 '/problems/unauthenticated'
ask weft_none GET /api/v1/status; expect 401

# ---- a person signs in with a cookie
ask "$manager" POST /api/v1/users '{"name":"li.wei","password":"a long password","roles":["operator"]}'; expect 201 'li.wei'
ask '' POST /api/v1/session '{"user":"li.wei","password":"a long password"}' -c "$work/jar"; expect 200 '"roles":["operator"]'
ask '' GET /api/v1/session '' -b "$work/jar"; expect 200 '"name":"acme"'
ask '' POST /api/v1/devices '{"name":"press-1","model":"model3"}' -b "$work/jar"; expect 403 'X-Weft: 1'
ask '' POST /api/v1/devices '{"name":"press-1","model":"model3"}' -b "$work/jar" -H 'X-Weft: 1'; expect 201 '"password"'
ask '' DELETE /api/v1/session '' -b "$work/jar" -H 'X-Weft: 1'; expect 204
ask '' GET /api/v1/session '' -b "$work/jar"; expect 401

# ---- machines
ask "$viewer" GET /api/v1/things; expect 200 '"name":"press-1"'
ask "$viewer" GET /api/v1/things/press-1; expect 200 '"components":['
ask "$viewer" PATCH /api/v1/things/press-1 '{"latitude":31}'; expect 403
ask "$manager" PATCH /api/v1/things/press-1 '{"latitude":31.3,"longitude":120.6}'; expect 200 '"latitude":31.3'
ask "$viewer" GET '/api/v1/series?thing=press-1&metric=volt'; expect 200 '"points":[]'
ask "$viewer" GET '/api/v1/series?thing=press-9&metric=volt'; expect 404
ask "$viewer" GET /api/v1/models; expect 200 '主轴轴承组'
ask "$viewer" GET /api/v1/dashboard; expect 200 '"promises"'
ask "$viewer" GET /api/v1/kernels; expect 200 '"items":['

# ---- a work order through its life, heard live
: >"$work/live"
curl -s -N --max-time 120 -H "Authorization: Bearer $viewer" "$url/api/v1/live" >"$work/live" &
live=$!
for _ in $(seq 1200); do grep -q '^event: status' "$work/live" && break; sleep 0.05; done
has 'live' "$(cat "$work/live")" 'event: status'
ask "$manager" POST /api/v1/docs/technician '{"name":"Wang","skills":"mechanical|hydraulic","latitude":31.2,"longitude":120.5}'; expect 201 'TE-000001'
ask "$manager" POST /api/v1/docs/work_order '{"thing":"press-1","kind":"request","component":"comp3","title_en":"leaks"}' \
    -H 'Idempotency-Key: a1'; expect 201 '"number":"WO-000001"'
ask "$manager" POST /api/v1/docs/work_order '{"thing":"press-1","kind":"request","component":"comp3","title_en":"leaks"}' \
    -H 'Idempotency-Key: a1'; expect 201 '"number":"WO-000001"'
for _ in $(seq 1200); do # the platform dispatches it by itself
    ask "$viewer" GET /api/v1/docs/work_order/WO-000001
    case $body in *'"state":"dispatched"'*) break ;; esac
    sleep 0.05
done
has 'the platform dispatches' "$body" '"state":"dispatched"'
has 'the nearest technician' "$body" 'TE-000001'
ask "$viewer" POST /api/v1/docs/work_order/1/arrive '{}'; expect 403
ask "$manager" POST /api/v1/docs/work_order/1/confirm; expect 409 '/problems/state'
ask "$manager" POST /api/v1/docs/work_order/1/arrive; expect 200 '"state":"on_site"'
ask "$manager" PATCH /api/v1/docs/work_order/1 '{"note":"late"}' -H 'If-Match: "1"'; expect 412
ask "$manager" POST /api/v1/docs/work_order/1/finish '{"finding":"seal worn","remedy":"seal replaced","signature":"Chen"}'; expect 200 '"state":"done"'
ask "$viewer" GET '/api/v1/docs/work_order?state=done&thing=press-1'; expect 200 '"total":1'
ask "$viewer" GET '/api/v1/docs/work_order?count=state'; expect 200 '"counts":['
ask "$viewer" GET '/api/v1/docs/work_order?requested_at>=2200-01-01'; expect 200 '"total":0'
ask "$manager" GET '/api/v1/audit?type=work_order'; expect 200 'transition:finish'
for _ in $(seq 1200); do grep -q '"state":"done"' "$work/live" && break; sleep 0.05; done
kill $live 2>/dev/null
wait $live 2>/dev/null
has 'live document' "$(grep -A1 '^event: doc' "$work/live")" '"number":"WO-000001","state":"done","thing":"press-1"'

# ---- input that is not as it should be
ask "$manager" POST /api/v1/docs/work_order '{"thing":"press-9","kind":"x","colour":1}'; expect 400 'kind'
ask "$manager" POST /api/v1/docs/work_order '{"thing":'; expect 400 '/problems/invalid'
ask "$manager" POST /api/v1/docs/unicorn '{}'; expect 404
ask "$manager" GET '/api/v1/things?colour=red'; expect 400 'colour'
ask "$manager" GET '/api/v1/things?sort=health'; expect 200 '"name":"press-1"'
ask "$manager" GET '/api/v1/things?sort=colour'; expect 400 'probability'
ask "$manager" GET '/api/v1/things/%ff'; expect 400
ask "$manager" DELETE /api/v1/docs/alarm; expect 405
ask "$manager" OPTIONS /api/v1/docs/alarm; expect 204
head -c 3000000 /dev/zero | tr '\0' ' ' >"$work/large"
status=$(curl -s --max-time 120 -o "$work/body" -w '%{http_code}' -H "Authorization: Bearer $manager" -H 'Content-Type: application/json' \
    --data-binary "@$work/large" "$url/api/v1/docs/work_order")
same 'a large body' "$status" 413
gzip -c "$work/large" >"$work/bomb"
status=$(curl -s --max-time 120 -o "$work/body" -w '%{http_code}' -H "Authorization: Bearer $manager" -H 'Content-Type: application/json' \
    -H 'Content-Encoding: gzip' --data-binary "@$work/bomb" "$url/api/v1/docs/work_order")
same 'a body that unpacks to too much' "$status" 413
head -c 30000 /dev/zero | tr '\0' a >"$work/name"
status=$(curl -s --max-time 120 -o "$work/body" -w '%{http_code}' -H "X-Long: $(cat "$work/name")" "$url/healthz")
same 'headers too large' "$status" 431

# ---- many at once
for i in $(seq 20); do
    (for _ in $(seq 25); do curl -s -o "$work/many.$i" -w '%{http_code}\n' -H "Authorization: Bearer $viewer" "$url/api/v1/things" "$url/api/v1/status" -o /dev/null; done >"$work/codes.$i") &
    jobs="${jobs:-} $!"
done
# shellcheck disable=SC2086
wait $jobs
same 'a thousand requests from twenty clients' "$(cat "$work"/codes.* | grep -c '^200$')" 1000

# ---- all of it stays
ask "$viewer" GET /api/v1/status; expect 200 '"things":1'
stop
same 'no failure was logged' "$(grep -c 'level=error' "$work/log")" 0
start
ask "$viewer" GET /api/v1/docs/work_order/WO-000001; expect 200 'seal replaced'
stop
echo "api: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
