#!/bin/sh
# Foreign clients against a whole server: Debian's mosquitto_pub and mosquitto_sub, 3.1.1 and 5.0, with and without credentials.
set -u
cd "$(dirname "$0")/.." || exit 1
make -s build/weft || { echo "mqtt: 0 passed, 1 failed"; exit 1; }
command -v mosquitto_pub >/dev/null || { echo "mqtt: 0 passed, 0 failed, 1 skipped"; exit 0; }
weft=build/weft
temp=$(mktemp -d "${TMPDIR:-/tmp}/weft-mqtt-XXXXXX") || exit 1
server= passed=0 failed=0
trap '[ -z "$server" ] || kill "$server" 2>/dev/null; rm -rf "$temp"' EXIT
trap 'exit 1' INT TERM

# check NAME GOT WANT
check() {
    if [ "$2" = "$3" ]; then passed=$((passed + 1)); else failed=$((failed + 1)); printf 'FAIL %s\n  got  %s\n  want %s\n' "$1" "$2" "$3"; fi
}
start() { # flags…
    : >"$temp/ready" # what a server before printed must not be taken for this one's
    "$weft" serve --data "$temp/data" --http 127.0.0.1:0 --mqtt 127.0.0.1:0 "$@" >"$temp/ready" 2>>"$temp/log" &
    server=$!
    for _ in $(seq 600); do
        port=$(sed -n 's/.*"mqtt":"[^"]*:\([0-9]*\)".*/\1/p' "$temp/ready")
        [ -n "$port" ] && return
        sleep 0.1
    done
    echo "FAIL the server did not start:"; tail -n 5 "$temp/log"; echo "mqtt: $passed passed, 1 failed"; exit 1
}
stop() { kill "$server"; wait "$server"; check "a clean stop" $? 0; server=; }
device() { # NAME FLAGS…: sets user and password
    name=$1
    shift
    "$weft" device create --data "$temp/data" --name "$name" --model test "$@" >"$temp/device" 2>>"$temp/log"
    user=$(sed 's/.*"user":"\([^"]*\)".*/\1/' "$temp/device") password=$(sed 's/.*"password":"\([^"]*\)".*/\1/' "$temp/device")
}
pub() { timeout 120 mosquitto_pub -h 127.0.0.1 -p "$port" "$@" 2>>"$temp/clients"; }
rows() { "$weft" export series --data "$temp/data" --thing "$1" 2>>"$temp/log" | tail -n +2 | tr '\n' ' '; }

device press-7
start
for version in mqttv311 mqttv5; do
    pub -V $version -u "$user" -P "$password" -q 1 -t v1/devices/me/telemetry -m '{"ts":1700000000000,"values":{"rpm":1480,"state":"run"}}'
    check "$version publishes at QoS 1" $? 0
    check "$version left its row" "$(rows press-7)" "press-7,2023-11-14T22:13:20Z,rpm,1480 press-7,2023-11-14T22:13:20Z,state,run "
    pub -V $version -u "$user" -P "$password" -q 2 -t v1/devices/me/telemetry -m '{"ts":1700000000000,"values":{"rpm":1480}}'
    check "$version publishes at QoS 2" $? 0
    pub -V $version -u "$user" -P wrong -q 1 -t v1/devices/me/telemetry -m '{}'
    check "$version with a wrong password is refused" "$([ $? -ne 0 ] && echo refused)" refused
    pub -V $version -q 1 -t v1/devices/me/telemetry -m '{}'
    check "$version without credentials is refused" "$([ $? -ne 0 ] && echo refused)" refused
done
device gate --gateway
pub -u "$user" -P "$password" -q 1 -t v1/gateway/telemetry -m '{"saw-1":[{"ts":1700000000001.5,"values":{"t":-0.5}}]}'
check "a gateway speaks for another thing" "$(rows saw-1)" "saw-1,2023-11-14T22:13:20.001500Z,t,-0.5 "
stop

start --mqtt-allow-anonymous
for version in mqttv311 mqttv5; do
    : >"$temp/heard"
    timeout 120 stdbuf -oL mosquitto_sub -V $version -h 127.0.0.1 -p "$port" -q 1 -C 2 -t 'a/+/c' -d -F '>%p' >"$temp/heard" 2>>"$temp/clients" &
    listener=$!
    for _ in $(seq 600); do grep -q '^Subscribed' "$temp/heard" && break; sleep 0.1; done
    pub -V $version -q 1 -t a/b/c -m one
    pub -V $version -q 2 -t a/x/c -m two
    wait $listener
    check "$version: a subscriber hears both" "$(sed -n 's/^>//p' "$temp/heard" | tr '\n' ' ')" "one two "
    pub -V $version -q 1 -r -t kept/$version -m retained
    check "$version: a retained message" "$(timeout 120 mosquitto_sub -V $version -h 127.0.0.1 -p "$port" -C 1 -t "kept/$version")" retained
done
stop
[ $failed -eq 0 ] || tail -n 5 "$temp/log" "$temp/clients"
echo "mqtt: $passed passed, $failed failed"
[ $failed -eq 0 ]
