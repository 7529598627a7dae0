#!/bin/sh
# The keys of sealing, from the command line: beside a running server and on a stopped folder, with a wrong, a changed
# and a lost master key. Prints `seal: N passed, N failed`.
set -u
cd "$(dirname "$0")/.." || exit 1
[ -n "${WEFT:-}" ] || make -s build/weft || { echo "seal: 0 passed, 1 failed"; exit 1; }
weft=${WEFT:-build/weft}
work=$(mktemp -d "${TMPDIR:-/tmp}/weft-seal-XXXXXX") || exit 1
data=$work/data pid=''
stop() { [ -n "$pid" ] && kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null; pid=''; }
trap 'stop; rm -rf "$work"' EXIT
passed=0 failed=0

ok() { passed=$((passed + 1)); }
bad() { failed=$((failed + 1)); echo "FAIL tests/seal_e2e.sh: $*"; }
# try NAME STATUS PART COMMAND…: its exit status and a part of what it says
try() {
    name=$1 want=$2 part=$3; shift 3
    said=$("$@" 2>&1); status=$?
    [ "$status" = "$want" ] || { bad "$name: exit $status, want $want: $said"; return; }
    case $said in *"$part"*) ok ;; *) bad "$name: '$said' lacks '$part'" ;; esac
}
start() {
    : >"$work/ready"
    "$weft" serve --data "$data" --http 127.0.0.1:0 --mqtt 127.0.0.1:0 "$@" >"$work/ready" 2>>"$work/log" &
    pid=$!
    for _ in $(seq 1200); do
        [ -s "$work/ready" ] && return
        kill -0 $pid 2>/dev/null || break
        sleep 0.05
    done
    bad "the server does not start: $(tail -n 3 "$work/log")"
}
key() { verb=$1; shift; "$weft" key "$verb" --data "$data" "$@"; }

"$weft" token create --data "$data" --party acme --user ann --role manager >/dev/null || exit 1
try 'no verb' 2 'usage: weft key' "$weft" key
try 'a folder without a key of the party' 1 'nothing of it is sealed' key erase --party acme --yes
try 'a first key' 0 'new key' key rotate --party acme
try 'another' 0 'new key' key rotate --party acme
[ -f "$data/keys/1.key" ] && ok || bad "no file of the party's key: $(ls -R "$data/keys")"
[ "$(stat -c %a "$data/keys/1.key" "$data/master.key" "$data/keys" | tr '\n' ' ')" = '600 600 700 ' ] && ok ||
    bad "modes: $(stat -c '%n %a' "$data/keys/1.key" "$data/master.key" "$data/keys")"
try 'an unknown party' 1 'nobody' key rotate --party nobody
try 'no party' 2 '--party is missing' key rotate
try 'erasing without --yes' 2 'add --yes' key erase --party acme

start
try 'rotate beside the server' 0 'new key' key rotate --party acme
openssl rand -hex 32 >"$work/master" 2>/dev/null || od -An -tx1 -N32 /dev/urandom | tr -d ' \n' >"$work/master"
try 'two masters' 2 'once' key rewrap --master-file "$work/master" --own
try 'the one in use' 2 'already' key rewrap --own
try 'rewrap beside the server' 0 'set [seal]' key rewrap --master-file "$work/master"
[ ! -e "$data/master.key" ] && ok || bad 'the old master key is still there'
try 'erase beside the server' 0 'erased here' key erase --party acme --yes
[ ! -e "$data/keys/1.key" ] && ok || bad 'the erased key is still there'
stop

try 'the old place of the master key' 1 'is gone' "$weft" serve --data "$data" --http 127.0.0.1:0 --mqtt 127.0.0.1:0
printf '%064d' 1 >"$work/wrong"
try 'a wrong master key' 2 'does not open' "$weft" serve --data "$data" --http 127.0.0.1:0 --mqtt 127.0.0.1:0 --seal-master-file "$work/wrong"
try 'no master key at all' 1 'cannot open' "$weft" serve --data "$data" --http 127.0.0.1:0 --mqtt 127.0.0.1:0 --seal-master-file "$work/none"
try 'a stopped folder with settings' 0 'new key' env WEFT_SEAL_MASTER_COMMAND="cat '$work/master'" "$weft" key rotate --data "$data" --party acme
printf '[seal]\nmaster_file = %s\n' "$work/master" >"$work/weft.ini"
try 'a stopped folder with a settings file' 0 'new key' key rotate --party acme --settings "$work/weft.ini"
start --seal-master-file "$work/master"
stop
if command -v sqlite3 >/dev/null; then
    audited=$(sqlite3 "$data/records.db" "select group_concat(action, ' ') from (select action from audit where type = 'key' order by id)")
    [ "$audited" = 'key.rotate key.rotate key.rotate key.rewrap key.erase key.rotate key.rotate' ] && ok || bad "audit: $audited"
fi
echo "seal: $passed passed, $failed failed"
[ $failed -eq 0 ]
