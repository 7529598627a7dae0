#!/bin/sh
# The ledger of a running server, from outside: checkpoints and tiles, receipts checked offline, a second server as a
# witness, and what must not pass. Prints `ledger: N passed, N failed`.
set -u
cd "$(dirname "$0")/.." || exit 1
[ -n "${WEFT:-}" ] || make -s build/weft || { echo "ledger: 0 passed, 1 failed"; exit 1; }
weft=${WEFT:-build/weft}
command -v curl >/dev/null || { echo "ledger: 0 passed, 0 failed, 1 skipped"; echo "SKIP ledger: curl is missing: apt-get install curl"; exit 0; }
work=$(mktemp -d "${TMPDIR:-/tmp}/weft-ledger-XXXXXX") || exit 1
pid='' pid2=''
stop() { for p in $pid $pid2; do kill "$p" 2>/dev/null && wait "$p" 2>/dev/null; done; pid='' pid2=''; }
trap 'stop; rm -rf "$work"' EXIT
passed=0 failed=0

ok() { passed=$((passed + 1)); }
bad() { failed=$((failed + 1)); echo "FAIL tests/ledger_e2e.sh: $*"; }
same() { if [ "$2" = "$3" ]; then ok; else bad "$1: got '$2', want '$3'"; fi; }
has() { case $2 in *"$3"*) ok ;; *) bad "$1: '$(printf %s "$2" | head -c 400)' lacks '$3'" ;; esac; }
# try NAME STATUS PART COMMAND…
try() {
    name=$1 want=$2 part=$3; shift 3
    said=$("$@" 2>&1); status=$?
    same "$name: exit status" "$status" "$want"
    has "$name" "$said" "$part"
}
# serve DATA FLAGS…: address in $url, process in $new
serve() {
    data=$1; shift
    : >"$data.ready"
    "$weft" serve --data "$data" --http 127.0.0.1:0 --mqtt 127.0.0.1:0 "$@" >"$data.ready" 2>>"$work/log" &
    new=$!
    for _ in $(seq 1200); do
        [ -s "$data.ready" ] && break
        kill -0 $new 2>/dev/null || break
        sleep 0.05
    done
    url=http://$(sed -n 's/.*"http":"\([^"]*\)".*/\1/p' "$data.ready")
    [ "$url" != http:// ] || { bad "the server does not start: $(tail -n 3 "$work/log")"; echo "ledger: $passed passed, $failed failed"; exit 1; }
}
get() { curl -s -g --max-time 120 "$@"; }

a=$work/a b=$work/b
owner=$("$weft" token create --data "$a" --party acme --user ann --role manager) || exit 1
reader=$("$weft" token create --data "$a" --party baker --user bob --role manager) || exit 1
"$weft" token create --data "$b" --party other --user eve --role manager >/dev/null || exit 1
"$weft" ledger status --data "$b" >"$work/b.status" || bad 'status of a stopped folder'
witness_key=$(sed -n 's/^witness key //p' "$work/b.status")
has 'the witness has a key of its own' "$witness_key" '/witness+'

serve "$a" --ledger-origin weft.example/ledger --ledger-witnesses "$witness_key"
pid=$new url_a=$url
serve "$b"
pid2=$new
key=$(get "$url_a/api/v1/ledger" | sed -n 's/.*"origin":"[^"]*","key":"\([^"]*\)".*/\1/p')
has 'the key' "$key" 'weft.example/ledger+'
same 'an empty ledger' "$(get "$url_a/ledger/checkpoint" | sed -n 2p)" 0

# what another reads of us, and the agreement's changes, enter the ledger
call() { token=$1 method=$2 path=$3; shift 3; get -X "$method" -H "Authorization: Bearer $token" -H 'Content-Type: application/json' "$@" "$url_a/api/v1$path"; }
call "$owner" POST /things --data '{"name":"m-01","model":"press"}' >/dev/null
made=$(call "$owner" POST /agreements --data '{"receiver":"baker","title":"Alarms","terms":{"types":[{"type":"alarm","fields":["number","state"],"rows":[]}],"series":[],"purpose":"service","onward":false,"min_group":0}}')
id=$(printf %s "$made" | sed -n 's/^{"id":\([0-9]*\).*/\1/p')
[ -n "$id" ] && ok || bad "no agreement: $made"
has 'accepted' "$(call "$reader" POST "/agreements/$id/accept" --data '{}')" '"state":"active"'
has 'read under it' "$(call "$reader" GET "/docs/alarm?agreement=$id")" '"items":'
disclosure='' receipt=''
for _ in $(seq 600); do
    log=$(call "$owner" GET /disclosures)
    case $log in *'"ledger":'[0-9]*) disclosure=$(printf %s "$log" | sed -n 's/^{"items":\[{"id":\([0-9]*\).*/\1/p'); break ;; esac
    sleep 0.1
done
[ -n "$disclosure" ] && ok || bad "the read is not in the ledger: $log"
call "$owner" GET "/ledger/receipts?disclosure=$disclosure" >"$work/read.json"
for _ in $(seq 600); do
    call "$owner" GET "/ledger/receipts?agreement=$id" >"$work/agreement.json"
    grep -q '"path"' "$work/agreement.json" && break
    sleep 0.1
done

# offline
try 'a receipt' 0 'stands in the ledger' "$weft" verify "$work/read.json" --key "$key"
has 'says what' "$said" 'token:bob'
try 'of an agreement' 0 'proven' "$weft" verify "$work/agreement.json" --key "$key"
has 'with both parties' "$said" 'acme'
try 'without a key' 3 'give the key' "$weft" verify "$work/read.json"
try 'with another key' 3 'give the key' "$weft" verify "$work/read.json" --key "$(sed -n 's/^key //p' "$work/b.status")"
sed 's/"text":"{/"text":"{ /' "$work/read.json" >"$work/changed.json"
try 'a changed text' 1 'does not stand' "$weft" verify "$work/changed.json" --key "$key"
sed 's/"salt":"./"salt":"+/' "$work/read.json" >"$work/changed.json"
try 'a changed salt' 1 'does not stand' "$weft" verify "$work/changed.json" --key "$key"
sed 's/\(weft.example\/ledger [A-Za-z0-9+\/]\{20\}\)./\1A/' "$work/read.json" >"$work/changed.json"
try 'a changed signature' 1 'not genuine' "$weft" verify "$work/changed.json" --key "$key"
echo '{}' >"$work/changed.json"
try 'no receipt' 2 'not a receipt' "$weft" verify "$work/changed.json" --key "$key"
try 'no file' 2 'cannot open' "$weft" verify "$work/none.json"
has "another party's receipt" "$(call "$reader" GET "/ledger/receipts?disclosure=$disclosure")" 'not-found'
has 'nobody signed in' "$(get "$url_a/api/v1/ledger/receipts?disclosure=$disclosure")" 'unauthenticated'

# tiles
size=$(get "$url_a/ledger/checkpoint" | sed -n 2p)
[ "$size" -ge 3 ] && ok || bad "size $size: an offer, an acceptance and a read were expected"
same 'a partial tile' "$(get "$url_a/ledger/tile/0/000.p/$size" | wc -c | tr -d ' ')" $((size * 32))
same 'a bundle' "$(get "$url_a/ledger/tile/entries/000.p/$size" | wc -c | tr -d ' ')" $((size * 34))
has 'kept for long' "$(get -D - -o /dev/null "$url_a/ledger/tile/0/000.p/1")" 'immutable'
has 'not kept' "$(get -D - -o /dev/null "$url_a/ledger/checkpoint")" 'no-cache'
same 'no full tile yet' "$(get -o /dev/null -w '%{http_code}' "$url_a/ledger/tile/0/000")" 404
same 'no such tile' "$(get -o /dev/null -w '%{http_code}' "$url_a/ledger/tile/0/x000/000")" 404

# a witness: it signs, the ledger grows, it signs again; and it is not fooled
try 'the witness signs' 0 'signed:' "$weft" ledger witness --data "$b" --url "$url_a" --key "$key" --plain
has 'served with it' "$(get "$url_a/ledger/checkpoint")" '/witness '
get "$url_a/ledger/cosigned" >"$work/old.checkpoint"
call "$owner" GET "/ledger/receipts?disclosure=$disclosure" >"$work/read.json"
try 'a receipt with a witness' 0 'signed by the witness' "$weft" verify "$work/read.json" --key "$key" --key "$witness_key"
has 'suspended' "$(call "$owner" POST "/agreements/$id/suspend" --data '{"reason":"audit"}')" 'suspended'
for _ in $(seq 600); do
    new_size=$(get "$url_a/ledger/checkpoint" | sed -n 2p)
    [ "$new_size" -gt "$size" ] && break
    sleep 0.1
done
try 'it signs again' 0 "grown from $size" "$weft" ledger witness --data "$b" --url "$url_a" --key "$key" --plain
call "$owner" GET "/ledger/receipts?disclosure=$disclosure" >"$work/read.json"
try 'an older checkpoint, no proof' 3 'proof?from=' "$weft" verify "$work/read.json" --key "$key" --checkpoint "$work/old.checkpoint"
get "$url_a/api/v1/ledger/proof?from=$size&to=$new_size" >"$work/proof.json"
try 'an older checkpoint and its proof' 0 'only grew' "$weft" verify "$work/read.json" --key "$key" --checkpoint "$work/old.checkpoint" --proof "$work/proof.json"
sed 's/"path":\["./"path":["+/' "$work/proof.json" >"$work/changed.json"
try 'a wrong proof' 1 'do not agree' "$weft" verify "$work/read.json" --key "$key" --checkpoint "$work/old.checkpoint" --proof "$work/changed.json"
try 'private addresses only with --plain' 2 'weft ledger witness:' "$weft" ledger witness --data "$b" --url "$url_a" --key "$key"
same 'nonsense is no cosignature' "$(get -o /dev/null -w '%{http_code}' --data-binary 'x' "$url_a/ledger/cosignatures")" 400
same 'a note of no witness' "$(get "$url_a/ledger/cosigned" | sed '/witness/d' | get -o /dev/null -w '%{http_code}' --data-binary @- "$url_a/ledger/cosignatures")" 403

# a ledger that was cut back is found out
kill "$pid" && wait "$pid" 2>/dev/null
rm -rf "$a/ledger/log" "$a/ledger/entries" "$a"/ledger/level* "$a/ledger/cosigned"
serve "$a" --ledger-origin weft.example/ledger --ledger-witnesses "$witness_key"
pid=$new
try 'the witness refuses a shorter ledger' 1 'cut back' "$weft" ledger witness --data "$b" --url "$url" --key "$key" --plain

# an erased key takes texts and salts with it
owner_files=$(sed -n 's/.*"text":"\(.\{20\}\).*/\1/p' "$work/agreement.json")
try 'erase' 0 'erased here' "$weft" key erase --data "$a" --party acme --yes
has 'no receipt after that' "$(url_a=$url; call "$owner" GET "/ledger/receipts?agreement=$id")" 'not-found'
has 'nor of what was read' "$(url_a=$url; call "$owner" GET "/ledger/receipts?disclosure=$disclosure")" 'erased'
if grep -rqaF "$(printf %s "$owner_files" | sed 's/\\//g')" "$a"; then bad 'the text of an entry lies open in the data folder'; else ok; fi
echo "ledger: $passed passed, $failed failed"
[ $failed -eq 0 ]
