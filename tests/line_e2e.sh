#!/bin/sh
# Line protocol over HTTP, as Telegraf and the clients of InfluxDB send it, against a whole server.
set -u
cd "$(dirname "$0")/.." || exit 1
make -s build/weft || { echo "line: 0 passed, 1 failed"; exit 1; }
weft=build/weft
temp=$(mktemp -d "${TMPDIR:-/tmp}/weft-line-XXXXXX") || exit 1
server= passed=0 failed=0
trap '[ -z "$server" ] || kill "$server" 2>/dev/null; rm -rf "$temp"' EXIT
trap 'exit 1' INT TERM

# check NAME GOT WANT
check() {
    if [ "$2" = "$3" ]; then passed=$((passed + 1)); else failed=$((failed + 1)); printf 'FAIL %s\n  got  %s\n  want %s\n' "$1" "$2" "$3"; fi
}
start() {
    : >"$temp/ready"
    "$weft" serve --data "$temp/data" --http 127.0.0.1:0 --mqtt 127.0.0.1:0 >"$temp/ready" 2>>"$temp/log" &
    server=$!
    for _ in $(seq 600); do
        at=$(sed -n 's/.*"http":"\([^"]*\)".*/\1/p' "$temp/ready")
        [ -n "$at" ] && return
        sleep 0.1
    done
    echo "FAIL the server did not start:"; tail -n 5 "$temp/log"; echo "line: $passed passed, 1 failed"; exit 1
}
stop() { kill "$server"; wait "$server"; check "a clean stop" $? 0; server=; }
device() { # NAME FLAGS…: sets user and password
    name=$1
    shift
    "$weft" device create --data "$temp/data" --name "$name" --model test "$@" >"$temp/device" 2>>"$temp/log"
    user=$(sed 's/.*"user":"\([^"]*\)".*/\1/' "$temp/device") password=$(sed 's/.*"password":"\([^"]*\)".*/\1/' "$temp/device")
}
# post PATH?QUERY LINES CURL-FLAGS…: prints the status; the body goes to $temp/body
post() {
    path=$1 lines=$2
    shift 2
    printf '%s' "$lines" | curl -s -o "$temp/body" -w '%{http_code}' --data-binary @- "$@" "http://$at$path"
}
rows() { "$weft" export series --data "$temp/data" --thing "$1" 2>>"$temp/log" | tail -n +2 | tr '\n' ' '; }

device gate-1 --gateway
gate_user=$user gate_password=$password
device press-7
start
worker=$("$weft" token create --data "$temp/data" --user feeder --role worker)
viewer=$("$weft" token create --data "$temp/data" --user looker --role viewer)
line='m,host=press-7 rpm=1480,on=t 1700000000000000000'
check "InfluxDB 2: token" "$(post '/api/v2/write?org=o&bucket=b&precision=ns' "$line" -H "Authorization: Token $worker")" 204
check "our own address, bearer" "$(post /api/v1/write 'm,host=press-7 rpm=1500 1700000010000000000' -H "Authorization: Bearer $worker")" 204
check "precision" "$(post '/write?db=x&precision=s' 'm,host=press-7 rpm=1510i 1700000020' -H "Authorization: Token $worker")" 204
check "InfluxDB 1: user and password of a gateway" \
    "$(post "/write?db=x&u=$gate_user&p=$gate_password" 'm,host=oven-1 t=21.5 1700000000000000000')" 204
check "Basic, of the machine itself" "$(post '/write?db=x' 'm,host=press-7 load=3 1700000000000000000' -u "$user:$password")" 204
check "packed" "$(printf 'm,host=press-7 packed=1 1700000030000000000' | gzip | curl -s -o /dev/null -w '%{http_code}' --data-binary @- \
    -H 'Content-Encoding: gzip' -H "Authorization: Token $worker" "http://$at/write?db=x")" 204
check "a machine speaks for itself only" "$(post '/write?db=x' 'm,host=oven-2 t=1 1' -u "$user:$password")" 400
check "… and is told why" "$(grep -c 'speak for itself' "$temp/body")" 1
check "a wrong line" "$(post '/write?db=x' "$(printf 'nonsense\nm,host=press-7 a=1 1700000040000000000')" -H "Authorization: Token $worker")" 400
check "… names it, and the rest is kept" "$(grep -c 'partial write: byte 1' "$temp/body")" 1
check "another kind" "$(post '/write?db=x' 'm,host=press-7 rpm="fast" 1700000050000000000' -H "Authorization: Token $worker")" 400
check "nobody" "$(post '/write?db=x' "$line")" 401
check "a wrong password" "$(post '/write?db=x' "$line" -u "$user:wrong")" 401
check "who only looks" "$(post '/write?db=x' "$line" -H "Authorization: Token $viewer")" 403
check "an unknown precision" "$(post '/write?db=x&precision=fortnight' "$line" -H "Authorization: Token $worker")" 400
check "an unknown parameter" "$(post '/write?bd=x' "$line" -H "Authorization: Token $worker")" 400
check "an empty body" "$(post '/write?db=x' '' -H "Authorization: Token $worker")" 204
check "ping" "$(curl -s -o /dev/null -w '%{http_code}' "http://$at/ping")" 204
check "the dead letters" "$(curl -s -H "Authorization: Bearer $("$weft" token create --data "$temp/data" --user chief --role manager)" \
    "http://$at/api/v1/dead-letters" | grep -o '"topic":"line protocol"' | wc -l)" 3
kill -9 "$server"
wait "$server" 2>/dev/null
start
check "everything acknowledged is there after a kill" "$(rows press-7)" "\
press-7,2023-11-14T22:13:20Z,m.rpm,1480 press-7,2023-11-14T22:13:30Z,m.rpm,1500 press-7,2023-11-14T22:13:40Z,m.rpm,1510 \
press-7,2023-11-14T22:13:20Z,m.on,true press-7,2023-11-14T22:13:20Z,m.load,3 press-7,2023-11-14T22:13:50Z,m.packed,1 \
press-7,2023-11-14T22:14:00Z,m.a,1 "
check "the gateway's thing" "$(rows oven-1)" "oven-1,2023-11-14T22:13:20Z,m.t,21.5 "

# a fleet: as many rows as lines, whatever the order
"$weft" load tsbs --scale 50 --hours 0.2 --ordered >"$temp/fleet" 2>"$temp/said"
"$weft" load tsbs --scale 50 --hours 0.2 --ordered 2>/dev/null | cmp -s - "$temp/fleet"
check "the same flags give the same bytes" $? 0
check "the fleet is taken" "$(curl -s -o "$temp/body" -w '%{http_code}' --data-binary "@$temp/fleet" -H "Authorization: Token $worker" "http://$at/write")" 204
check "every row of a truck" "$("$weft" export series --data "$temp/data" --thing truck_7 2>/dev/null | grep -c 'readings.velocity')" 72
check "its tags are its description" "$("$weft" export series --data "$temp/data" --thing truck_7 2>/dev/null | grep -c '@fleet')" 1
"$weft" load tsbs --scale 50 --hours 0.2 2>/dev/null | curl -s -o "$temp/body" -w '' --data-binary @- -H "Authorization: Token $worker" "http://$at/write"
check "rows out of order merge into the same" "$("$weft" export series --data "$temp/data" --thing truck_7 2>/dev/null | grep -c 'readings.latitude')" 72
stop
echo "line: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
