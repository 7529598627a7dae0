#!/bin/sh
# What a fleet costs: things of 20 metrics that report every 30 s through gateway connections, with baselines, limits, alarms and
# latest values on. Prints what was taken, how late readers saw it, bytes a thing by part, growth, and then: SIGKILL while reports
# are on their way, the time until the server answers again, whether all that was acknowledged is there, and how long it works on
# in the background. docs/scale.md explains the figures.
#
#     bench/fleet.sh [--things 800000] [--minutes 60 | --until-written 8x] [--memory-mb 256] [--connections 100] [--json] [--keep]
#     bench/fleet.sh --grow        a hundredth and a tenth of the fleet before the whole of it, for 3 minutes each
#
# --until-written 8x: until eight times the budget of open rows has been written, at least 2 minutes. WEFT=PROGRAM measures another
# build, TMPDIR chooses the disk.
set -u
cd "$(dirname "$0")/.." || exit 1
things=800000 minutes=60 written= memory=256 connections=100 json= grow= keep=
while [ $# -gt 0 ]; do
    case $1 in
    --things) things=$2; shift ;;
    --minutes) minutes=$2; shift ;;
    --until-written) written=${2%x}; shift ;;
    --memory-mb) memory=$2; shift ;;
    --connections) connections=$2; shift ;;
    --json) json=1 ;;
    --keep) keep=1 ;;
    --grow) grow=1 ;;
    *) sed -n '2,12p' "$0" >&2; exit 2 ;;
    esac
    shift
done
if [ -n "$grow" ]; then
    for part in 100 10 1; do
        sh "$0" --things $((things / part)) --minutes 3 --memory-mb "$memory" --connections "$connections" ${json:+--json} || exit 1
    done
    exit 0
fi
weft=${WEFT:-build/weft}
[ -n "${WEFT:-}" ] || make -s build/weft || exit 1
temp=$(mktemp -d "${TMPDIR:-/tmp}/weft-fleet-XXXXXX") || exit 1
server= load=
cleanup() {
    [ -z "$server" ] || kill -9 "$server" 2>/dev/null
    [ -z "$load" ] || kill "$load" 2>/dev/null
    if [ -n "$keep" ]; then echo "kept: $temp" >&2; else rm -rf "$temp"; fi
}
trap cleanup EXIT
trap 'exit 1' INT TERM
data=$temp/data
cores=
[ "$(nproc)" -le 2 ] || cores='taskset -c 0,1'
ticks=$(getconf CLK_TCK)

say() { [ -n "$json" ] || printf '%s\n' "$*"; }
die() { echo "bench/fleet.sh: $*" >&2; tail -n 5 "$temp"/*.log >&2; exit 1; }
now_ms() { echo $(($(date +%s%N) / 1000000)); }
cpu_ticks() { awk '{ sub(/.*\) /, ""); print $12 + $13 }' "/proc/$server/stat"; }
status_kb() { awk -v what="$1:" '$1 == what { print $2 }' "/proc/$server/status"; }
pss_kb() { awk '$1 == "Pss:" { print $2 }' "/proc/$server/smaps_rollup"; }
metrics() { curl -sf "http://$http/metrics" -H "Authorization: Bearer $token" >"$temp/metrics"; }
metric() { awk -v name="$1" '$1 == name { print $2; found = 1 } END { if (!found) print 0 }' "$temp/metrics"; }
field() { sed -n "s/.*\"$1\":\([-0-9.]*\).*/\1/p" "$temp/load.json"; }

start_server() {
    : >"$temp/ready"
    WEFT_STORE_MEMORY_MB=$memory $cores "$weft" serve --data "$data" --http 127.0.0.1:0 --mqtt 127.0.0.1:0 >"$temp/ready" 2>>"$temp/server.log" &
    server=$!
    began=$(now_ms)
    while ! grep -q ready "$temp/ready"; do
        kill -0 "$server" 2>/dev/null || die "the server did not start"
        sleep 0.05
    done
    mqtt=$(sed -n 's/.*"mqtt":"\([^"]*\)".*/\1/p' "$temp/ready")
    http=$(sed -n 's/.*"http":"\([^"]*\)".*/\1/p' "$temp/ready")
    http=${http#http://}
}

# ---- the fleet is made known
"$weft" pack install bench/fleet-pack --data "$data" >"$temp/pack.log" 2>&1 || die "the pack was not installed"
awk -v n="$things" 'BEGIN { print "name,model,latitude,longitude"; for (i = 0; i < n; i++) printf "pump-%07d,fleet_pump,,\n", i }' >"$temp/things.csv"
at=$(now_ms)
"$weft" thing import "$temp/things.csv" --data "$data" >"$temp/import.log" 2>&1 || die "the things were not imported"
imported=$(($(now_ms) - at))
"$weft" device create --data "$data" --name gateway --model gateway --gateway >"$temp/device" 2>"$temp/device.log" || die "no gateway"
user=$(sed 's/.*"user":"\([^"]*\)".*/\1/' "$temp/device") password=$(sed 's/.*"password":"\([^"]*\)".*/\1/' "$temp/device")
token=$("$weft" token create --data "$data" --user bench --role operator 2>"$temp/token.log") || die "no token"
start_server
say "$things things, imported in $imported ms; server started in $(($(now_ms) - began)) ms"
metrics || die "no metrics"
at_rest=$(pss_kb)

# ---- load
seconds=$(awk -v m="$minutes" 'BEGIN { printf "%d", m * 60 }')
$cores "$weft" load fleet --to "$mqtt" --user "$user" --password "$password" --http "$http" --token "$token" --things "$things" \
    --connections "$connections" --minutes 100000 --acks "$temp/acks" --until-closed >"$temp/load.json" 2>"$temp/load.log" &
load=$!
load_began=$(now_ms)
ticks_began=$(cpu_ticks)
echo "s rss_kb pss_kb memory queue written" >"$temp/samples"
while :; do
    sleep 10
    kill -0 "$load" 2>/dev/null || die "the load ended by itself"
    kill -0 "$server" 2>/dev/null || die "the server ended by itself"
    passed=$((($(now_ms) - load_began) / 1000))
    metrics || echo "no metrics at $passed s" >&2
    bytes=$(metric weft_series_row_bytes_total)
    echo "$passed $(status_kb VmRSS) $(pss_kb) $(metric weft_series_memory_bytes) $(metric weft_watch_queue_bytes) $bytes" >>"$temp/samples"
    [ -t 2 ] && printf '\r%5d s  %6d MiB resident  %8d MiB of rows ' "$passed" $(($(status_kb VmRSS) / 1024)) $((bytes / 1048576)) >&2
    if [ -n "$written" ]; then
        [ "$passed" -ge 120 ] && [ "$bytes" -ge $((written * memory * 1048576)) ] && break
    elif [ "$passed" -ge "$seconds" ]; then break; fi
done
[ -t 2 ] && printf '\r%60s\r' '' >&2
metrics
cp "$temp/metrics" "$temp/last"
server_cpu=$(awk -v t=$(($(cpu_ticks) - ticks_began)) -v hz="$ticks" -v ms=$(($(now_ms) - load_began)) 'BEGIN { printf "%.3f", t / hz / ms * 1000 }')
hwm=$(status_kb VmHWM) pss=$(pss_kb)

# ---- killed while reports are on their way, and again
kill -9 "$server"
wait "$server" 2>/dev/null
wait "$load" || die "the load failed"
load=
disk=$(du -sk "$data" | cut -f 1)
start_server
until curl -sf "http://$http/healthz" >/dev/null && curl -sf "http://$http/api/v1/things/pump-0000000" -H "Authorization: Bearer $token" >"$temp/thing"; do sleep 0.05; done
ready=$(($(now_ms) - began))
check=$("$weft" load fleet-check "$temp/acks" "$data" 2>"$temp/check.log") || cat "$temp/check.log" >&2
# idle: less than 3 % of a core for five seconds
idle_at=
quiet=0
for _ in $(seq 1200); do
    before=$(cpu_ticks)
    sleep 1
    if [ $(($(cpu_ticks) - before)) -le $((ticks * 3 / 100)) ]; then quiet=$((quiet + 1)); else quiet=0; fi
    [ "$quiet" -ge 5 ] && { idle_at=$(($(now_ms) - began - 5000)); break; }
done
mv "$temp/metrics" "$temp/rest"
metrics
again=$(pss_kb)

# ---- what it cost
m() { awk -v name="$1" '$1 == name { print $2; found = 1 } END { if (!found) print 0 }' "$temp/last"; }
growth=$(awk -v n="$seconds" 'NR > 1 { t[NR] = $1; v[NR] = $3; last = NR } END { half = t[last] / 2
    for (i = 2; i <= last; i++) if (t[i] >= half) { printf "%.2f", (v[last] - v[i]) * 100 / v[i]; exit } }' "$temp/samples")
if [ -n "$json" ]; then
    awk -v things="$things" -v load="$(cat "$temp/load.json")" -v check="${check:-null}" -v cpu="$server_cpu" -v hwm="$hwm" -v pss="$pss" \
        -v growth="$growth" -v ready="$ready" -v idle="${idle_at:-null}" -v disk="$disk" -v imported="$imported" \
        -v names="$(m weft_series_names_bytes)" -v latest="$(m weft_series_latest_bytes)" -v watch="$(m weft_watch_memory_bytes)" \
        -v catalog="$(m weft_things_memory_bytes)" -v open="$(m weft_series_memory_bytes)" 'BEGIN {
        printf "{\"things\":%d,\"import_ms\":%d,\"load\":%s,\"server_cores\":%s,\"peak_rss_kib\":%d,\"pss_kib\":%d,\"growth_last_half_percent\":%s,", things, imported, load, cpu, hwm, pss, growth
        printf "\"bytes\":{\"names\":%d,\"latest\":%d,\"watch\":%d,\"things\":%d,\"open_rows\":%d},", names, latest, watch, catalog, open
        printf "\"disk_kib\":%d,\"ready_ms\":%d,\"check\":%s,\"idle_ms\":%s}\n", disk, ready, check, idle }'
    exit 0
fi
say ""
say "load      $(cat "$temp/load.json")"
say "cores     server $server_cpu, generator and its reader $(field cpu_cores)"
say "memory    $((pss / 1024)) MiB in use at the end (Pss), $((hwm / 1024)) MiB at most (VmHWM), $((at_rest / 1024)) MiB before the load, $growth % grown in the last half"
say "stalls    longest without an answer $(field longest_stall_ms) ms; lag p99 $(field lag_p99_ms) ms, at most $(field lag_max_ms) ms"
awk -v rows="$(m weft_series_row_bytes_total)" -v flush="$(m 'weft_series_run_bytes_total{by="flush"}')" -v merge="$(m 'weft_series_run_bytes_total{by="merge"}')" \
    -v latest="$(m 'weft_series_run_bytes_total{by="latest"}')" -v disk="$disk" 'BEGIN {
    printf "written   %d MiB of rows; runs %d MiB at first, %d MiB by merging, %d MiB of latest values: each byte of a run %.1f times; %d MiB on disk\n",
        rows / 1048576, flush / 1048576, merge / 1048576, latest / 1048576, flush ? (flush + merge + latest) / flush : 0, disk / 1024 }'
awk -v n="$things" -v s="$(m weft_series_latest)" -v names="$(m weft_series_names_bytes)" -v latest="$(m weft_series_latest_bytes)" \
    -v watch="$(m weft_watch_memory_bytes)" -v base="$(m weft_watch_baseline_bytes)" -v catalog="$(m weft_things_memory_bytes)" \
    -v open="$(m weft_series_memory_bytes)" -v pss="$pss" 'BEGIN {
    s = s ? s : 1
    printf "\n%-28s %12s %12s\n", "bytes", "a thing", "a series"
    printf "%-28s %12.1f %12s\n", "names and numbers", names / n, ""
    printf "%-28s %12.1f %12.1f\n", "latest values", latest / n, latest / s
    printf "%-28s %12.1f %12.1f\n", "baselines", base / n, base / s
    printf "%-28s %12.1f %12s\n", "watch, beside baselines", (watch - base) / n, ""
    printf "%-28s %12.1f %12s\n", "things, as the records know them", catalog / n, ""
    printf "%-28s %12.1f %12.1f\n", "open rows", open / n, open / s
    printf "%-28s %12.1f %12.1f\n", "everything (Pss)", pss * 1024 / n, pss * 1024 / s }'
say ""
say "restart   killed with reports on their way; answers again after $ready ms ($((again / 1024)) MiB)"
say "kept      ${check:-NOT ALL IS THERE}"
say "idle      ${idle_at:-more than 1200000} ms after the start"
