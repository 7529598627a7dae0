#!/bin/sh
# SQL on a running server, over HTTP and from the shell: line protocol, documents and both joined. Prints
# `sql: N passed, N failed`.
set -u
cd "$(dirname "$0")/.." || exit 1
[ -n "${WEFT:-}" ] || make -s build/weft || { echo "sql: 0 passed, 1 failed"; exit 1; }
weft=${WEFT:-build/weft}
work=$(mktemp -d "${TMPDIR:-/tmp}/weft-sql-XXXXXX") || exit 1
data=$work/data pid=''
stop() { [ -n "$pid" ] && kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null; pid=''; }
trap 'stop; rm -rf "$work"' EXIT
passed=0 failed=0
# check NAME GOT WANT
check() {
    if [ "$2" = "$3" ]; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "FAIL tests/sql_e2e.sh: $1: got '$2', want '$3'"; fi
}
# has NAME TEXT PART
has() {
    case $2 in *"$3"*) passed=$((passed + 1)) ;; *) failed=$((failed + 1)); echo "FAIL tests/sql_e2e.sh: $1: '$2' lacks '$3'" ;; esac
}

token=$("$weft" token create --data "$data" --party acme --user ann --role manager) || exit 1
has 'a stopped folder' "$("$weft" sql --data "$data" 'select 1' 2>&1)" "no server runs on this folder"
"$weft" serve --data "$data" --http 127.0.0.1:0 --mqtt 127.0.0.1:0 >"$work/ready" 2>"$work/log" &
pid=$!
for _ in $(seq 1200); do
    [ -s "$work/ready" ] && break
    kill -0 $pid 2>/dev/null || break
    sleep 0.05
done
url=http://$(sed -n 's/.*"http":"\([^"]*\)".*/\1/p' "$work/ready")
[ "$url" != http:// ] || { cat "$work/log"; echo "sql: $passed passed, $((failed + 1)) failed"; exit 1; }

post() { curl -s -H "Authorization: Bearer $token" -H 'Content-Type: application/json' --data "$2" "$url$1"; }
# ask SQL [CURL OPTIONS…]: CSV
ask() { sql=$1; shift; curl -s -G -H "Authorization: Bearer $token" --data-urlencode "sql=$sql" -d format=csv "$@" "$url/api/v1/sql" | tr -d '\r'; }
shell() { "$weft" sql --data "$data" "$@" 2>&1; }

awk 'BEGIN { for (i = 0; i < 600; i++) for (k = 1; k <= 2; k++)
    printf "readings,name=truck_%d,fleet=%s velocity=%d,fuel=%.1f %d\n", k, k == 1 ? "South" : "North", i % 60 + k, 100 - i / 10, 1700006400 + i * 10 }' |
    curl -s -o /dev/null -H "Authorization: Token $token" --data-binary @- "$url/api/v1/write?precision=s"
has 'an order' "$(post /api/v1/docs/work_order '{"thing":"truck_1","kind":"request","title_zh":"主轴承异响"}')" '"number":'

check 'single samples' "$(ask "select count(*), min(value), max(value) from samples where thing='truck_1' and metric='readings.velocity'" | tail -1)" 600,1,60
check 'a column a metric' "$(ask "select velocity, fuel from readings where thing='truck_2' and time < '2023-11-15T00:00:20Z' order by time" | tr '\n' ' ')" 'velocity,fuel 2,100 3,99.9 '
check 'windows' "$(ask "select start, count, avg, min, max from windows where metric='readings.velocity' and width='10m' and thing='truck_1' order by start limit 1" | tail -1)" 2023-11-15T00:00:00.000Z,60,30.5,1,60
check 'a tag' "$(ask "select thing, value from latest where metric = '@fleet' order by 1" | tr '\n' ' ')" 'thing,value truck_1,South truck_2,North '
check 'fuel by fleet' "$(ask "select g.value, sum(w.count) from windows w join latest g on g.thing = w.thing and g.metric = '@fleet' where w.metric = 'readings.fuel' and w.width = '1d' group by 1 order by 1" | tr '\n' ' ')" 'value,sum(w.count) North,600 South,600 '
check 'orders beside what was measured' "$(ask "select o.title_zh, o.state, max(s.value) from work_order o join samples s on s.thing = o.thing and s.metric = 'readings.velocity' and s.time < o.created group by o.id" | tail -1)" 主轴承异响,requested,60
has 'a plan' "$(post /api/v1/sql '{"sql":"select * from samples where thing = 1 and time > 2","explain":true}')" 'thing = ? and time > ?'
has 'a slip' "$(ask 'select velocty from readings')" "did you mean 'velocity'?"
has 'no writing' "$(ask 'delete from work_order')" 'only SELECT'
check 'the shell, as CSV' "$(shell --csv 'select count(*) as n from work_order' | tr -d '\r' | tr '\n' ' ')" 'n 1 '
has 'the shell, as a table' "$(shell 'select title_zh, 1 as n from work_order')" '主轴承异响  1'
has 'the shell, as JSON' "$(shell --json 'select thing from work_order')" '{"thing":"truck_1"}'
has 'the tables' "$(shell .tables)" 'samples (thing, metric, time, value)'
shell 'select nothing' >/dev/null
check 'the status of wrong use' $? 2

echo "sql: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
