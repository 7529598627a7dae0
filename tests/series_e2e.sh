#!/bin/sh
# What a metric is stays what it is, said to whoever sends otherwise; numbers at their limits; and a disk that is full for
# a while, under a whole server.
set -u
cd "$(dirname "$0")/.." || exit 1
make -s build/weft || { echo "series: 0 passed, 1 failed, 0 skipped"; exit 1; }
weft=build/weft
temp=$(mktemp -d "${TMPDIR:-/tmp}/weft-series-XXXXXX") || exit 1
server='' mounted='' passed=0 failed=0 skipped=0
leave() {
    [ -z "$server" ] || { kill "$server" 2>/dev/null; wait "$server" 2>/dev/null; }
    [ -z "$mounted" ] || umount "$mounted"
    rm -rf "$temp"
}
trap leave EXIT
trap 'exit 1' INT TERM

check() { # NAME GOT WANT
    if [ "$2" = "$3" ]; then passed=$((passed + 1)); else failed=$((failed + 1)); printf 'FAIL %s\n  got  %s\n  want %s\n' "$1" "$2" "$3"; fi
}
has() { # NAME TEXT PART
    case $2 in *"$3"*) passed=$((passed + 1)) ;; *) failed=$((failed + 1)); printf 'FAIL %s\n  got  %s\n  lacks %s\n' "$1" "$2" "$3" ;; esac
}
start() { # DATA FLAGS…
    data=$1
    shift
    : >"$temp/ready"
    "$weft" serve --data "$data" --http 127.0.0.1:0 --mqtt 127.0.0.1:0 "$@" >"$temp/ready" 2>>"$temp/log" &
    server=$!
    for _ in $(seq 600); do
        at=$(sed -n 's/.*"http":"\([^"]*\)".*/\1/p' "$temp/ready")
        [ -n "$at" ] && return
        kill -0 "$server" 2>/dev/null || break
        sleep 0.1
    done
    echo "FAIL the server did not start:"; tail -n 5 "$temp/log"; echo "series: $passed passed, 1 failed, $skipped skipped"; exit 1
}
stop() { kill "$server"; wait "$server"; server=''; }
tokens() {
    worker=$("$weft" token create --data "$data" --user feeder --role worker)
    chief=$("$weft" token create --data "$data" --user chief --role manager)
}
post() { # LINES: sets status, body
    status=$(printf "$1" | curl -s --max-time 120 -o "$temp/body" -w '%{http_code}' --data-binary @- -H "Authorization: Token $worker" "http://$at/write?db=x")
    body=$(cat "$temp/body")
}
rows() { "$weft" export series --data "$data" --thing "$1" 2>>"$temp/log" | tail -n +2 | cut -d, -f3- | tr '\n' ' '; }

# ---- kinds
start "$temp/data"
tokens
post 'm,host=p n=1,b=true,s="x" 1700000000000000000'
check 'a number, true and a text' "$status" 204
while read -r sent metric is was; do
    post "m,host=p $sent 1700000001000000000"
    check "$sent is refused" "$status" 400
    has "$sent: which, and why" "$body" "'$metric' of 'p' is $(echo "$is" | tr _ ' '), but $(echo "$was" | tr _ ' ') was sent"
done <<LIST
n="one" m.n a_number a_text
n=t m.n a_number true_or_false
b=1 m.b true_or_false a_number
b="t" m.b true_or_false a_text
s=2i m.s a_text a_number
s=f m.s a_text true_or_false
LIST
post 'm,host=p n=true 1700000002000000000\nm,host=p b=1,n=2 1700000002000000000\nm,host=p n=3i 1700000003000000000'
has 'of several lines only the wrong values are refused' "$body" '2 of 3 lines or values'
letters=$(curl -s --max-time 120 -H "Authorization: Bearer $chief" "http://$at/api/v1/dead-letters")
has 'they are among the dead letters' "$letters" "'m.b' of 'p' is true or false, but a text was sent"
has 'as they were sent' "$letters" '"payload":"m,host=p s=2i 1700000001000000000"'
check 'what a metric is, is its own thing only' "$(post 'm,host=q n="text" 1700000000000000000'; echo "$status")" 204
post 'm,host=p fresh=1 1700000004000000000'
check 'a new metric comes at any time' "$status" 204
check 'what was right of all that is kept' "$(rows p)" 'm.n,1 m.n,2 m.n,3 m.b,true m.s,x m.fresh,1 '

# ---- numbers at their limits
post 'm,host=z v=9223372036854775807i 1700000000000000000\nm,host=z v=-9223372036854775808i 1700000001000000000\nm,host=z v=18446744073709551615u 1700000002000000000\nm,host=z v=9223372036854775808i 1700000003000000000\nm,host=z v=-0.0 1700000004000000000\nm,host=z v=5e-324 1700000005000000000'
check 'all are taken' "$status $body" '204 '
check 'whole numbers are exact as far as 64 bits go, and floats beyond' "$(rows z)" \
    'm.v,9223372036854775807 m.v,-9223372036854775808 m.v,1.8446744073709552e+19 m.v,9.223372036854776e+18 m.v,-0 m.v,5e-324 '
post 'm,host=z v=1e999 1700000006000000000'
has 'no float is so large' "$body" 'too large for a double'
post 'm,host=z v=NaN 1700000006000000000'
check 'not a number is none' "$status" 400
kill -9 "$server"
wait "$server" 2>/dev/null
start "$temp/data"
post 'm,host=p n="one" 1700000001000000000'
has 'after a kill it still is what it was' "$body" "'m.n' of 'p' is a number, but a text was sent"
stop
"$weft" compact --data "$temp/data" >>"$temp/log" 2>&1
start "$temp/data"
post 'm,host=p b="one" 1700000001000000000'
has 'and when all is compressed' "$body" "'m.b' of 'p' is true or false, but a text was sent"
stop

# ---- a disk that is full for a while
mkdir "$temp/disk"
if mount -t tmpfs -o size=48m weft-test "$temp/disk" 2>/dev/null; then
    mounted=$temp/disk
    start "$temp/disk/data"
    tokens
    lines() { awk -v from="$1" 'BEGIN { for (i = 0; i < 2000; i++) printf "m,host=d%d a=%d,b=%d.5 %d000000000\n", i % 20, i, i, 1700000000 + from * 2000 + i }'; }
    batch() { lines "$1" | curl -s --max-time 120 -o "$temp/body" -w '%{http_code}' --data-binary @- -H "Authorization: Token $worker" "http://$at/write?db=x"; }
    kept='' tried=0
    for i in $(seq 5); do [ "$(batch "$i")" = 204 ] && kept="$kept $i"; done
    check 'with room all is taken' "$kept" ' 1 2 3 4 5'
    dd if=/dev/zero of="$temp/disk/ballast" bs=1M 2>/dev/null # until nothing is free
    refused=''
    for i in $(seq 6 300); do
        status=$(batch "$i") tried=$i
        [ "$status" = 204 ] && { kept="$kept $i"; continue; }
        refused="$refused $status"
        [ "$(echo "$refused" | wc -w)" -ge 3 ] && break
    done
    check 'a full disk refuses, and the sender is to try again' "$refused" ' 500 500 500'
    has 'and is said' "$(cat "$temp/body")" 'free some space'
    rm "$temp/disk/ballast"
    for _ in $(seq 120); do status=$(batch $((tried + 1))); [ "$status" = 204 ] && break; sleep 0.5; done
    check 'with room again it takes more, without a start' "$status" 204
    kept="$kept $((tried + 1))"
    kill -9 "$server"
    wait "$server" 2>/dev/null
    start "$temp/disk/data"
    lost=''
    for i in $kept; do
        first=$((1700000000 + i * 2000))
        "$weft" export series --data "$data" --thing d0 --metric m.a 2>>"$temp/log" >"$temp/d0"
        grep -q "$(date -u -d "@$first" +%Y-%m-%dT%H:%M:%SZ)" "$temp/d0" || lost="$lost $i"
    done
    check 'everything acknowledged is there after a kill' "$lost" ''
    stop
else
    skipped=$((skipped + 1))
    echo "SKIP a full disk: mounting a small file system needs root"
fi
[ $failed -eq 0 ] || tail -n 5 "$temp/log"
echo "series: $passed passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ]
