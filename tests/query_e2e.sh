#!/bin/sh
# Questions over series against a real server: over HTTP as JSON, CSV and lines, from the command line, and what is refused.
set -u
cd "$(dirname "$0")/.." || exit 2
weft=${WEFT:-build/weft}
temp=$(mktemp -d "${TMPDIR:-/tmp}/weft-query-XXXXXX") || exit 2
passed=0 failed=0 server=''
trap 'test -z "$server" || kill "$server" 2>/dev/null; wait 2>/dev/null; rm -rf "$temp"' EXIT
trap 'exit 130' INT TERM

ok() { passed=$((passed + 1)); }
not_ok() { failed=$((failed + 1)); printf 'FAIL query: %s\n' "$*"; }
check() { if [ "$2" = "$3" ]; then ok; else not_ok "$1: got $2, want $3"; fi; }
holds() { case $2 in *"$3"*) ok ;; *) not_ok "$1: got $2, want it to hold $3" ;; esac; }

data=$temp/data
token=$("$weft" token create --data "$data" --party acme --user ann --role manager) || exit 1
viewer=$("$weft" token create --data "$data" --party acme --user vic --role viewer) || exit 1
other=$("$weft" token create --data "$data" --party other --user eve --role manager) || exit 1
"$weft" serve --data "$data" --http 127.0.0.1:0 --mqtt 127.0.0.1:0 >"$temp/out" 2>"$temp/log" &
server=$!
for _ in $(seq 300); do grep -q '"ready"' "$temp/out" && break; sleep 0.1; done
base=http://$(sed -n 's/.*"http":"\([^"]*\)".*/\1/p' "$temp/out")/api/v1/series

ask() { who=$1; shift; curl -s -H "Authorization: Bearer $who" -H 'Content-Type: application/json' "$base/query" -d "$@"; }
rows() { sed 's/.*"rows":\(.*\),"stats".*/\1/'; }

# ---- in
cat >"$temp/in.csv" <<'CSV'
thing,time,speed,state,@site
m1,2026-01-05T00:00:00Z,1.5,run,North
m1,2026-01-05T00:30:00Z,4.5,run,
m1,2026-01-05T01:00:00Z,,stop,
m2,2026-01-05T00:00:00Z,10,"12",South
CSV
check 'a table of samples is kept' "$(curl -s -H "Authorization: Bearer $token" --data-binary @"$temp/in.csv" "$base/import")" '{"rows":4,"values":9}'
check 'also packed' "$(gzip -c "$temp/in.csv" | curl -s -H "Authorization: Bearer $token" -H 'Content-Encoding: gzip' --data-binary @- "$base/import")" '{"rows":4,"values":9}'
printf 'thing,time,metric,value\nm3,2026-01-05T00:00:00Z,speed,1\nm1,2026-01-05T00:00:00Z,speed,fast\n' >"$temp/bad.csv"
holds 'a row that cannot be kept is named' "$(curl -s -H "Authorization: Bearer $token" --data-binary @"$temp/bad.csv" "$base/import")" 'row:3:'
check 'and nothing of its body is kept' "$(ask "$token" '{"latest":true,"things":["m3"],"select":{"v":"speed"}}' | rows)" '[]'
check 'a viewer may not write' "$(curl -s -o /dev/null -w '%{http_code}' -H "Authorization: Bearer $viewer" --data-binary @"$temp/in.csv" "$base/import")" 403

# ---- questions
day='"from":"2026-01-05","to":"2026-01-06"'
check 'windows and groups' "$(ask "$viewer" "{$day,\"window\":\"1h\",\"by\":[\"@site\"],\"select\":{\"v\":\"avg(speed)\",\"n\":\"count(*)\"}}" | rows)" \
    '[["North","2026-01-05T00:00:00Z",3,2],["South","2026-01-05T00:00:00Z",10,1]]'
check 'the newest, as they are' "$(ask "$token" '{"latest":true,"select":{"t":"thing","v":"speed","s":"state"}}' | rows)" '[["m1",4.5,"stop"],["m2",10,"12"]]'
check 'two stages' "$(ask "$token" "{$day,\"stages\":[{\"by\":[\"thing\"],\"select\":{\"v\":\"max(speed)\"}},{\"select\":{\"v\":\"sum(v)\"}}]}" | rows)" '[[14.5]]'
check 'as CSV' "$(curl -s -H "Authorization: Bearer $token" -H 'Accept: text/csv' -H 'Content-Type: application/json' "$base/query" -d "{$day,\"by\":[\"thing\"],\"select\":{\"v\":\"max(speed)\"}}")" \
    "$(printf 'thing,v\nm1,4.5\nm2,10')"
check 'as lines' "$(curl -s -H "Authorization: Bearer $token" -H 'Accept: application/x-ndjson' -H 'Content-Type: application/json' "$base/query" -d "{$day,\"time_format\":\"ms\",\"window\":\"1d\",\"select\":{\"v\":\"max(speed)\"}}")" \
    '{"time":1767571200000,"v":10}'
holds 'a wrong name says what may be meant' "$(ask "$token" "{$day,\"select\":{\"v\":\"avg(sped)\"}}")" "did you mean 'speed'"
holds 'a wrong member says which there are' "$(ask "$token" '{"selct":{}}')" 'it has from, to'
check 'more rows than are allowed' "$(curl -s -o /dev/null -w '%{http_code}' -H "Authorization: Bearer $token" -H 'Content-Type: application/json' "$base/query" -d "{$day,\"limits\":{\"rows\":1}}")" 413
holds 'another party knows nothing of it' "$(ask "$other" "{$day,\"select\":{\"v\":\"avg(speed)\"}}")" "no column 'speed' here"
check 'nobody is told anything' "$(curl -s -o /dev/null -w '%{http_code}' "$base/query" -H 'Content-Type: application/json' -d '{}')" 401

# ---- out, and from the command line
curl -s -H "Authorization: Bearer $token" "$base/export?from=2026-01-05&to=2026-01-06&metrics=speed,state,@site" >"$temp/out.csv"
check 'what was exported' "$(head -n 2 "$temp/out.csv")" "$(printf 'thing,time,speed,state,@site\nm1,2026-01-05T00:00:00Z,1.5,run,North')"
holds 'can be imported' "$(curl -s -H "Authorization: Bearer $token" --data-binary @"$temp/out.csv" "$base/import")" '"rows":4'
echo "{$day,\"by\":[\"thing\"],\"select\":{\"v\":\"max(speed)\"}}" >"$temp/q.json"
want=$(printf 'thing,v\nm1,4.5\nm2,10')
check 'beside the server' "$("$weft" query "$temp/q.json" --data "$data" --party acme)" "$want"
kill "$server" && wait "$server" 2>/dev/null
server=''
check 'on a stopped folder' "$("$weft" query - --data "$data" --party acme <"$temp/q.json")" "$want"
check 'a wrong question fails' "$(echo '{"x":1}' | "$weft" query - --data "$data" --party acme >/dev/null 2>&1; echo $?)" 2

echo "query: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
