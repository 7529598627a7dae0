#!/bin/sh
# weft doctor on a server's folder: well, beside the server, damaged, mended; the server starts afterwards with the rest.
set -u
cd "$(dirname "$0")/.." || exit 1
make -s build/weft || { echo "doctor: 0 passed, 1 failed"; exit 1; }
weft=build/weft
temp=$(mktemp -d "${TMPDIR:-/tmp}/weft-doctor-XXXXXX") || exit 1
server= passed=0 failed=0
trap '[ -z "$server" ] || kill "$server" 2>/dev/null; rm -rf "$temp"' EXIT
trap 'exit 1' INT TERM

# check NAME GOT WANT
check() {
    if [ "$2" = "$3" ]; then passed=$((passed + 1)); else failed=$((failed + 1)); printf 'FAIL %s\n  got  %s\n  want %s\n' "$1" "$2" "$3"; fi
}
start() {
    : >"$temp/ready"
    "$weft" serve --data "$temp/data" --http 127.0.0.1:0 --mqtt 127.0.0.1:0 --store-keep 9000d >"$temp/ready" 2>>"$temp/log" &
    server=$!
    for _ in $(seq 100); do
        at=$(sed -n 's/.*"http":"\([^"]*\)".*/\1/p' "$temp/ready")
        [ -n "$at" ] && return
        sleep 0.1
    done
    echo "FAIL the server did not start:"; tail -n 5 "$temp/log"; echo "doctor: $passed passed, 1 failed"; exit 1
}
stop() { kill "$server"; wait "$server"; check "a clean stop" $? 0; server=; }
doctor() { "$weft" doctor "$temp/data" "$@" >"$temp/said" 2>"$temp/err"; status=$?; }
says() { grep -c -- "$1" "$temp/said"; }
rows() { "$weft" export series --data "$temp/data" --thing "$1" 2>>"$temp/log" | tail -n +2 | wc -l; }
# spoil FILE BYTE: turns one bit of it
spoil() {
    byte=$(od -An -tu1 -j "$2" -N 1 "$1")
    printf "\\$(printf %03o $((byte ^ 4)))" | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
}

"$weft" doctor "$temp/none" >/dev/null 2>"$temp/err"
check "no folder" $? 1
"$weft" doctor --nonsense >/dev/null 2>&1
check "an unknown flag" $? 2
start
token=$("$weft" token create --data "$temp/data" --user feeder --role worker)
for thing in press-1 press-2; do
    awk -v thing=$thing 'BEGIN { for (i = 0; i < 3000; i++) printf "m,host=%s rpm=%d,load=%.1f %d\n", thing, 1400 + i % 90, i % 50 / 10, 1700006400 + i * 10 }' |
        curl -s -o /dev/null -H "Authorization: Token $token" --data-binary @- "http://$at/write?db=x&precision=s"
done
manager=$("$weft" token create --data "$temp/data" --user chief --role manager)
"$weft" compact series --data "$temp/data" >/dev/null 2>&1
check "what is kept, of whoever may see it" "$(curl -s -H "Authorization: Bearer $manager" "http://$at/api/v1/series/keep" |
    grep -c '"keep":"raw 9000d","what":"raw","from":"20')" 1
doctor --retention
check "and when it goes" "$status $(says '^20.* raw  .* 20..-.* raw 9000d')" "0 1"
doctor
check "beside the server" "$status $(says 'its server is at work')" "0 1"
doctor --repair
check "nothing is mended beside the server" "$status $(grep -c 'stop it before' "$temp/err")" "1 1"
"$weft" compact series --data "$temp/data" >/dev/null 2>&1
stop
doctor
check "a stopped folder" "$status" 0
check "… is read: values" "$(awk '$1 == "values" { print $2 }' "$temp/said")" 12000
doctor --json
check "as JSON" "$(says '"state":"well"') $(says '"values":12000')" "1 1"

run=$(ls "$temp"/data/series/run-*.weft)
spoil "$run" 340
doctor
check "a damaged run" "$status $(says '^damaged')" "1 1"
check "… names the file, the thing and the time" "$(says 'series/run-.* at byte') $(says 'of press-[12], .* to 20')" "1 1"
before=$(rows press-1) # of what can still be read
doctor --repair
check "is mended" "$status $(says '^mended')" "2 1"
check "the file as it was lies in lost/" "$(ls "$temp/data/series/lost" | grep -c '^run-')" 1
doctor
check "and well again" "$status" 0
start
check "the server starts, with all that can be read" "$([ "$(rows press-1)" -ge "$before" ] && [ "$(rows press-2)" -gt 0 ] && echo yes)" yes
stop

mkdir -p "$temp/data/blobs/ab"
printf 'x' >"$temp/data/blobs/ab/$(printf 'y' | sha256sum | cut -c3-64)"
doctor
check "a file of a document that is not what it was" "$status $(says 'blobs/ab/')" "1 1"
rm -r "$temp/data/blobs/ab"
rm "$temp"/data/series/manifest
doctor
check "no manifest" "$status $(says 'the manifest is gone')" "1 1"
doctor --repair
check "… is made again" "$status" 2
doctor
check "… and well" "$status" 0
start
check "the server has its rows" "$([ "$(rows press-2)" -gt 0 ] && echo yes)" yes
stop
# A page in the middle of the database.
size=$(wc -c <"$temp/data/records.db")
dd if=/dev/urandom of="$temp/data/records.db" bs=4096 seek=$((size / 8192)) count=2 conv=notrunc 2>/dev/null
doctor
check "a damaged database" "$status" 1
printf 'doctor: %d passed, %d failed\n' $passed $failed
[ $failed -eq 0 ]
