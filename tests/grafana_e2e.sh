#!/bin/sh
# What Grafana asks of a Prometheus data source, asked of Weft; and the same PromQL over the same samples in a real Prometheus.
set -u
cd "$(dirname "$0")/.." || exit 1
make -s build/weft || { echo "grafana: 0 passed, 1 failed"; exit 1; }
weft=build/weft
temp=$(mktemp -d "${TMPDIR:-/tmp}/weft-grafana-XXXXXX") || exit 1
server='' peer='' passed=0 failed=0
trap '[ -z "$server" ] || kill "$server" 2>/dev/null; [ -z "$peer" ] || kill "$peer" 2>/dev/null; rm -rf "$temp"' EXIT
trap 'exit 1' INT TERM

# check NAME GOT WANT
check() {
    if [ "$2" = "$3" ]; then passed=$((passed + 1)); else failed=$((failed + 1)); printf 'FAIL %s\n  got  %s\n  want %s\n' "$1" "$2" "$3"; fi
}
: >"$temp/ready"
"$weft" serve --data "$temp/data" --http 127.0.0.1:0 --mqtt 127.0.0.1:0 >"$temp/ready" 2>"$temp/log" &
server=$!
for _ in $(seq 300); do
    at=$(sed -n 's/.*"http":"\([^"]*\)".*/\1/p' "$temp/ready")
    [ -n "$at" ] && break
    sleep 0.1
done
[ -n "$at" ] || { echo "FAIL the server did not start:"; tail -n 5 "$temp/log"; echo "grafana: 0 passed, 1 failed"; exit 1; }
worker=$("$weft" token create --data "$temp/data" --user feeder --role worker)
viewer=$("$weft" token create --data "$temp/data" --user grafana --role viewer)
device=$("$weft" token create --data "$temp/data" --user thing --role device)
node tests/prometheus_peer.mjs data "$temp"
check "the samples are taken" "$(curl -s -o /dev/null -w '%{http_code}' --data-binary "@$temp/lines" -H "Authorization: Token $worker" "http://$at/write")" 204

api=http://$at/prometheus/api/v1
get() { # PATH CURL-FLAGS…: as Grafana does, by GET with Basic credentials
    path=$1
    shift
    curl -s -G -u "any:$viewer" "$@" "$api/$path"
}
post() {
    path=$1
    shift
    curl -s -u "any:$viewer" "$@" "$api/$path"
}
status() { curl -s -o /dev/null -w '%{http_code}' "$@"; }

# what "Save & test" asks
check "the health check" "$(post query --data-urlencode 'query=1+1' -d time=4)" \
    '{"status":"success","data":{"resultType":"scalar","result":[4,"2"]}}'
check "… by GET" "$(get query --data-urlencode 'query=1+1' -d time=4.5)" \
    '{"status":"success","data":{"resultType":"scalar","result":[4.500,"2"]}}'
check "the build" "$(get status/buildinfo | grep -c '"version":"[0-9.]*","revision":')" 1
check "bearer" "$(curl -s -H "Authorization: Bearer $viewer" "$api/query?query=1&time=0")" \
    '{"status":"success","data":{"resultType":"scalar","result":[0,"1"]}}'
check "nobody" "$(status "$api/query?query=1")" 401
check "a wrong token" "$(status -u any:weft_no "$api/query?query=1")" 401
check "a device" "$(status -u "any:$device" "$api/query?query=1")" 403
check "a wrong method" "$(status -X DELETE -u "any:$viewer" "$api/query")" 405

# what the query builder asks
check "names of metrics" "$(get label/__name__/values)" \
    '{"status":"success","data":["w_load","w_parts","w_still","w_temperature"]}'
check "names of labels" "$(get labels -d start=1700000000 -d end=1700010000)" \
    '{"status":"success","data":["__name__","metric","model","site","thing"]}'
check "… by form" "$(post labels --data-urlencode 'match[]=w_load')" \
    '{"status":"success","data":["__name__","metric","model","site","thing"]}'
check "values of a label" "$(get label/site/values --data-urlencode 'match[]=w_load{thing=~"press-.*"}')" \
    '{"status":"success","data":["north","south"]}'
check "… narrowed by two" "$(get label/thing/values --data-urlencode 'match[]=w_load{site="north"}' --data-urlencode 'match[]=w_load{thing="mill-1"}')" \
    '{"status":"success","data":["mill-1","oven-2","press-2"]}'
check "… with a limit" "$(get label/thing/values -d limit=2)" '{"status":"success","data":["mill-1","oven-1"]}'
check "… of nothing" "$(get label/nothing/values)" '{"status":"success","data":[]}'
check "series" "$(get series --data-urlencode 'match[]=w_load{thing="oven-1"}')" \
    '{"status":"success","data":[{"__name__":"w_load","metric":"w.load","model":"open","site":"south","thing":"oven-1"}]}'
check "series that were silent since" "$(get series --data-urlencode 'match[]=w_load' -d start=1800000000)" '{"status":"success","data":[]}'
check "metadata" "$(get metadata -d metric=w_load)" '{"status":"success","data":{"w_load":[{"type":"gauge","help":"w.load","unit":""}]}}'
check "rules" "$(get rules)" '{"status":"success","data":{"groups":[]}}'
check "exemplars" "$(get query_exemplars -d query=w_load -d start=0 -d end=1)" '{"status":"success","data":[]}'
check "format" "$(get format_query --data-urlencode 'query=sum(rate( w_load[5m] ))by(site)')" '{"status":"success","data":"sum by (site) (rate(w_load[5m]))"}'

# what a panel asks
check "a span" "$(post query_range --data-urlencode 'query=w_still{thing="oven-1"}' -d start=1700000100 -d end=1700000190 -d step=30)" \
    '{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"w_still","metric":"w.still","model":"open","site":"south","thing":"oven-1"},"values":[[1700000100,"2"],[1700000130,"2"],[1700000160,"2"],[1700000190,"2"]]}]}}'
check "times as RFC 3339" "$(post query_range -d query=1 --data-urlencode start=2023-11-14T22:15:00Z --data-urlencode end=2023-11-14T23:15:00+01:00 -d step=1m)" \
    '{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[1700000100,"1"]]}]}}'
check "the exact name" "$(get query --data-urlencode 'query=count({"w.temperature"})' -d time=1700003600)" \
    '{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1700003600,"5"]}]}}'
check "after five minutes a value is no longer one" "$(get query --data-urlencode 'query=w_still' -d time=1700012000)" \
    '{"status":"success","data":{"resultType":"vector","result":[]}}'
check "… unless one looks back further" "$(get query --data-urlencode 'query=count(w_still)' -d time=1700012000 -d lookback_delta=1h)" \
    '{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1700012000,"5"]}]}}'

# what is wrong
check "a fault names its place" "$(get query --data-urlencode 'query=sum(w_load')" \
    '{"status":"error","errorType":"bad_data","error":"position 11: the query ends where '"','"' belongs"}'
check "… with 400" "$(status -G -u "any:$viewer" --data-urlencode 'query=sum(' "$api/query")" 400
check "too many points" "$(get query_range -d query=1 -d start=0 -d end=11000 -d step=1 | grep -o '"errorType":"bad_data","error":"11001 points')" \
    '"errorType":"bad_data","error":"11001 points'
check "as many as may be" "$(get query_range -d query=1 -d start=0 -d end=10999 -d step=1 | grep -o '"[0-9]*"\]\]')" '"1"]]'
check "a step of nothing" "$(get query_range -d query=1 -d start=0 -d end=1 -d step=0 | grep -o '"errorType":"[a-z_]*"')" '"errorType":"bad_data"'
check "labels that clash" "$(get query --data-urlencode 'query=rate({__name__=~"w_.*"}[5m])' -d time=1700003600 | grep -o '"errorType":"[a-z_]*"')" '"errorType":"execution"'
check "… with 422" "$(status -G -u "any:$viewer" --data-urlencode 'query=rate({__name__=~"w_.*"}[5m])' -d time=1700003600 "$api/query")" 422
check "no query" "$(get query | grep -o '"errorType":"[a-z_]*"')" '"errorType":"bad_data"'
check "JSON is no form" "$(curl -s -u "any:$viewer" -H 'Content-Type: application/json' -d '{}' "$api/query" | grep -o '"errorType":"[a-z_]*"')" '"errorType":"bad_data"'

# another party sees nothing of it
other=$("$weft" token create --data "$temp/data" --party other --user stranger --role viewer 2>>"$temp/log")
check "another party's metrics" "$(curl -s -u "any:$other" "$api/label/__name__/values")" '{"status":"success","data":[]}'
check "… values" "$(curl -s -G -u "any:$other" --data-urlencode 'query=count({thing=~".+"})' -d time=1700003600 "$api/query")" \
    '{"status":"success","data":{"resultType":"vector","result":[]}}'
check "… labels" "$(curl -s -u "any:$other" "$api/labels")" '{"status":"success","data":[]}'

# the same questions to a real Prometheus
if command -v prometheus >/dev/null 2>&1 && command -v promtool >/dev/null 2>&1; then
    promtool tsdb create-blocks-from openmetrics "$temp/openmetrics" "$temp/tsdb" >"$temp/promtool" 2>&1 || tail -n 3 "$temp/promtool"
    echo 'global: {}' >"$temp/prometheus.yml"
    port=$(node -e 'const s=require("net").createServer();s.listen(0,"127.0.0.1",()=>{console.log(s.address().port);s.close()})')
    prometheus --config.file="$temp/prometheus.yml" --storage.tsdb.path="$temp/tsdb" --storage.tsdb.retention.time=100y \
        --web.listen-address="127.0.0.1:$port" >"$temp/prometheus.log" 2>&1 &
    peer=$!
    for _ in $(seq 300); do
        [ "$(status "http://127.0.0.1:$port/-/ready")" = 200 ] && break
        sleep 0.1
    done
    node tests/prometheus_peer.mjs ask "http://$at" "$viewer" "http://127.0.0.1:$port" >"$temp/peer"
    grep -v '^peer: ' "$temp/peer"
    passed=$((passed + $(sed -n 's/^peer: \([0-9]*\) passed.*/\1/p' "$temp/peer")))
    failed=$((failed + $(sed -n 's/^peer: .* \([0-9]*\) failed.*/\1/p' "$temp/peer")))
else
    echo "SKIP as Prometheus: there is no prometheus here to compare with (Debian's package prometheus)"
fi
kill "$server"
wait "$server"
check "a clean stop" $? 0
server=
echo "grafana: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
