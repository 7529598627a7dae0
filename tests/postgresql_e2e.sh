#!/bin/sh
# Records in a real PostgreSQL, started here from Debian's package: the store's conformance suite, the tests of the rooms that
# write records, and a whole server, whose database is killed under it. Prints `postgresql: N passed, N failed`.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/lib/postgresql.sh
[ -n "$postgresql_bin" ] || { echo "postgresql: 0 passed, 0 failed, 1 skipped"; echo "SKIP postgresql: no server here: apt-get install postgresql-15"; exit 0; }
build=${BUILD:-build/release}
rooms='store trust document act domain serve'
# shellcheck disable=SC2046
make -s build/weft $(for r in $rooms; do echo "$build/test/$r"; done) || { echo "postgresql: 0 passed, 1 failed"; exit 1; }
weft=build/weft

work=$(mktemp -d "${TMPDIR:-/tmp}/weft-postgresql-XXXXXX") || exit 1
chmod 755 "$work"
data=$work/data pid=''
stop() { [ -n "$pid" ] && kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null; pid=''; }
trap 'stop; postgresql_stop immediate; rm -rf "$work"' EXIT
passed=0 failed=0
ok() { passed=$((passed + 1)); }
bad() { failed=$((failed + 1)); echo "FAIL tests/postgresql_e2e.sh: $*"; }
# same NAME GOT WANT
same() { if [ "$2" = "$3" ]; then ok; else bad "$1: got '$2', want '$3'"; fi; }
# has NAME TEXT PART
has() { case $2 in *"$3"*) ok ;; *) bad "$1: '$(printf %s "$2" | head -c 300)' lacks '$3'" ;; esac; }

# within SECONDS COMMAND…: until it succeeds
within() {
    tries=$(($1 * 20))
    shift
    for _ in $(seq $tries); do "$@" >/dev/null 2>&1 && return 0; sleep 0.05; done
    return 1
}

postgresql_start "$work/server" || { echo "postgresql: 0 passed, 1 failed"; exit 1; }
version=$(postgresql_psql 'SHOW server_version')
echo "PostgreSQL $version"

# ---- the conformance suite of the store, and the rooms above it
for room in $rooms; do
    WEFT_TEST_POSTGRESQL=$postgresql_url "$build/test/$room" >"$work/$room.log" 2>&1
    same "unit tests of $room" "$?" 0
    grep -E "^FAIL|: [0-9]+ passed" "$work/$room.log" | sed 's/^/    /; s/: \([0-9]* passed\)/ \1/'
    [ "$room" = store ] && grep -q "SKIP.*PostgreSQL" "$work/store.log" && bad 'the suite did not run on PostgreSQL'
done

# ---- every request of the API's own test
postgresql_psql 'CREATE SCHEMA api'
WEFT=$weft WEFT_STORE_RECORDS="$postgresql_url&options=-csearch_path%3Dapi" sh tests/api_e2e.sh >"$work/api.log" 2>&1
same 'the test of the API' "$?" 0
sed -n 's/^FAIL/    &/p; s/^api: /    api /p' "$work/api.log"
same 'nothing of it in the folder' "$(postgresql_psql "SELECT count(*) > 0 FROM api.doc_work_order")" t

# ---- a server of our own
postgresql_psql 'CREATE SCHEMA weft'
records="$postgresql_url&options=-csearch_path%3Dweft"
start() {
    : >"$work/ready"
    "$weft" serve --data "$data" --http 127.0.0.1:0 --mqtt 127.0.0.1:0 "$@" >"$work/ready" 2>>"$work/log" &
    pid=$!
    within 10 grep -q http "$work/ready"
    url=http://$(sed -n 's/.*"http":"\([^"]*\)".*/\1/p' "$work/ready")
    [ "$url" != http:// ] || { bad "the server does not start: $(tail -n 3 "$work/log")"; echo "postgresql: $passed passed, $failed failed"; exit 1; }
}
# ask METHOD PATH [JSON]: body in $body, status in $status
ask() {
    set -- "$@" ''
    status=$(curl -s -g --max-time 120 -o "$work/body" -w '%{http_code}' -X "$1" -H "Authorization: Bearer $token" \
        ${3:+-H 'Content-Type: application/json' --data "$3"} "$url$2")
    body=$(cat "$work/body")
}
token=$("$weft" token create --data "$data" --store-records "$records" --party acme --user ann --role manager) || bad 'no token'
same 'the folder remembers its database' "$(cat "$data/records.url")" "$records"
same 'and nobody else reads of it' "$(stat -c %a "$data/records.url")" 600
same 'no records in the folder' "$(find "$data" -name 'records.db*' | wc -l)" 0
start

for i in 1 2 3 4 5 6; do
    ask POST /api/v1/docs/part "{\"code\":\"p-$i\",\"title_zh\":\"油封 seal $i\",\"on_hand\":\"$i\"}"
    same "part $i" "$status" 201
done
ask GET '/api/v1/docs/part?on_hand>=4&sort=-on_hand'
has 'decimals are compared and sorted' "$body" '"total":3'
same 'columns are real' "$(postgresql_psql "SELECT sum(on_hand) FROM weft.doc_part WHERE title_zh LIKE '油封%'")" 21
ask POST /api/v1/docs/part '{"code":"p-1","title_en":"again"}'
same 'a code stands once' "$status" 409
ask GET '/api/v1/docs/part?count=state'
has 'counts' "$body" '"count":6'
if grep -q '"group"' src/serve/*.c; then
    ask GET '/api/v1/docs/part?group=state&measure=count,sum:on_hand'
    has 'sums' "$body" '"21"'
fi
ask GET '/api/v1/docs/part?q=seal'
[ "$status" = 200 ] && has 'search' "$body" '"code":"p-6"'

# ---- two servers, one schema
"$weft" serve --data "$work/second" --store-records "$records" --http 127.0.0.1:0 --mqtt 127.0.0.1:0 >"$work/second.log" 2>&1
same 'a second server is refused' "$?" 1
has 'and told why' "$(cat "$work/second.log")" 'another server writes to this database'

# ---- the database ends and comes back
postgresql_stop immediate
ask POST /api/v1/docs/part '{"code":"p-7","title_en":"none"}'
same 'without a database' "$status" 503
ask GET /api/v1/docs/part
same 'nothing is read either' "$status" 503
postgresql_as "$postgresql_bin/pg_ctl" -D "$work/server/data" -w -l "$work/server/socket/log" \
    -o "-c listen_addresses= -k $work/server/socket" start >>"$work/log" 2>&1
created() { ask POST /api/v1/docs/part '{"code":"p-8","title_en":"back"}'; [ "$status" = 201 ]; }
within 10 created
same 'it goes on when the database is back' "$status" 201
ask GET /api/v1/docs/part
has 'with what it had' "$body" '"total":7'

# ---- the server is killed; what it confirmed stands
kill -9 "$pid"
wait "$pid" 2>/dev/null
start
ask GET /api/v1/docs/part
has 'after a kill' "$body" '"total":7'
stop

# ---- a folder that keeps its records itself does not change over by mistake
"$weft" token create --data "$work/plain" --party acme --user ann --role manager >/dev/null
"$weft" serve --data "$work/plain" --store-records "$records" --http 127.0.0.1:0 --mqtt 127.0.0.1:0 >"$work/plain.log" 2>&1
same 'records stay where they are' "$?" 2
has 'and it says so' "$(cat "$work/plain.log")" 'keeps its records itself'

# ---- backup and restore
pg_dump -n weft "$postgresql_url" >"$work/dump.sql" 2>>"$work/log"
postgresql_psql 'DROP SCHEMA weft CASCADE' 2>/dev/null
psql -X -q "$postgresql_url" -f "$work/dump.sql" >>"$work/log" 2>&1
start
ask GET '/api/v1/docs/part?code=p-8'
has 'a restored dump' "$body" '"title_en":"back"'
ask POST /api/v1/docs/part '{"code":"p-9","title_en":"more"}'
same 'goes on counting' "$status" 201
stop

echo "postgresql: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
