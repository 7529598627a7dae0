#!/bin/sh
# An industry as data, from outside: a pack made by `weft pack new`; the ceramics town of docs/packs.md checked, installed
# beside a running server, used, shared, upgraded with its documents, and removed. Prints `pack: N passed, N failed`.
set -u
cd "$(dirname "$0")/.." || exit 1
[ -n "${WEFT:-}" ] || make -s build/weft || { echo "pack: 0 passed, 1 failed"; exit 1; }
weft=${WEFT:-build/weft}
command -v curl >/dev/null || { echo "pack: 0 passed, 0 failed, 1 skipped"; echo "SKIP pack: curl is missing: apt-get install curl"; exit 0; }
work=$(mktemp -d "${TMPDIR:-/tmp}/weft-pack-XXXXXX") || exit 1
data=$work/data pid=''
stop() { [ -n "$pid" ] && kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null; pid=''; }
trap 'stop; rm -rf "$work"' EXIT
passed=0 failed=0

ok() { passed=$((passed + 1)); }
bad() { failed=$((failed + 1)); echo "FAIL tests/pack_e2e.sh: $*"; }
has() { case $2 in *"$3"*) ok ;; *) bad "$1: '$(printf %s "$2" | head -c 500)' lacks '$3'" ;; esac; }
lacks() { case $2 in *"$3"*) bad "$1: '$(printf %s "$2" | head -c 500)' has '$3'" ;; *) ok ;; esac; }
# try NAME STATUS PART COMMAND…: its exit status and a part of what it says
try() {
    name=$1 want=$2 part=$3; shift 3
    said=$("$@" 2>&1); status=$?
    [ "$status" = "$want" ] || { bad "$name: exit $status, want $want: $said"; return; }
    has "$name" "$said" "$part"
}
start() {
    : >"$work/ready"
    "$weft" serve --data "$data" --http 127.0.0.1:0 --mqtt 127.0.0.1:0 >"$work/ready" 2>>"$work/log" &
    pid=$!
    for _ in $(seq 1200); do
        [ -s "$work/ready" ] && break
        kill -0 $pid 2>/dev/null || break
        sleep 0.05
    done
    host=$(sed -n 's/.*"http":"\([^"]*\)".*/\1/p' "$work/ready")
    url=http://$host
    [ -n "$host" ] || { bad "the server does not start: $(tail -n 3 "$work/log")"; echo "pack: $passed passed, $failed failed"; exit 1; }
}
# ask TOKEN METHOD PATH [JSON]: body in $body, status in $status
ask() {
    token=$1 method=$2 path=$3 json=${4:-}
    set -- -s -g --max-time 120 -o "$work/body" -w '%{http_code}' -X "$method" -H "Authorization: Bearer $token"
    [ -n "$json" ] && set -- "$@" -H 'Content-Type: application/json' --data "$json"
    : >"$work/body"
    status=$(curl "$@" "$url$path")
    body=$(cat "$work/body" | tr -d '\000')
}
# expect STATUS PART…: of the last ask
expect() {
    [ "$status" = "$1" ] && ok || bad "$method $path: status $status, want $1: $(printf %s "$body" | head -c 300)"
    shift
    for part in "$@"; do has "$method $path" "$body" "$part"; done
}
pack() { "$weft" pack "$@"; }

# ---- writing one
try 'help' 0 'weft pack check DIR' "$weft" pack --help
try 'new' 0 'weft pack check' pack new "$work/glass"
try 'new twice' 1 'already' pack new "$work/glass"
try 'a bad name' 2 'cannot be a pack' pack new "$work/Glass-Works"
try 'the new one is sound' 0 'is sound: 0 warnings' pack check "$work/glass"
[ -s "$work/glass/.schema/records.json" ] && ok || bad 'no schema for editors'
try 'ceramics is sound' 0 'is sound: 0 warnings' pack check packs/ceramics
for builtin in machinery core; do try "$builtin is sound" 0 'is sound: 0 warnings' pack check "$builtin"; done
lines=$(find packs/ceramics -name '*.yaml' -exec cat {} + | wc -l)
[ "$lines" -lt 150 ] && ok || bad "ceramics has $lines lines of YAML, want under 150"
for section in pack things records rules views agreements knowledge; do
    pack schema $section | cmp -s - docs/pack-schema/$section.json && ok || bad "docs/pack-schema/$section.json is not what 'weft pack schema $section' says"
done

# ---- faults: all of them, each with its place and what to write instead
cp -r packs/ceramics "$work/wrong"
sed -i 's/compute: order_total/compute: order_totl/; s/en: Total}, kind: money/en: Total}, kind: mony/; s/by: manager, guard/by: manger, guard/; s/from: ready, to: shipped/from: redy, to: shipped/; s/unit: KGM/unit: KGN/; s/  checks: \["loaded > 0"/  checks: ["loded > 0"/; s/required: true, reveals: output}/requird: true, reveals: output}/' "$work/wrong/records/sales.yaml"
sed -i 's/\["loaded > 0"/["loded > 0"/' "$work/wrong/records/firing.yaml"
said=$(pack check "$work/wrong" 2>&1)
for want in "sales.yaml:46:" "no kind 'mony'" "did you mean 'money'?" "no role 'manger'" "did you mean 'manager'?" "no state 'redy'" "did you mean 'ready'?" \
    "no unit 'KGN'" "did you mean 'KGM'?" "no field 'loded'" "did you mean 'loaded'?" "'requird'" "did you mean 'required'?" "no function 'order_totl'"; do
    has 'every fault is said' "$said" "$want"
done
printf 'a: [1\nb: }' >"$work/wrong/views/broken.yaml"
has 'what is no YAML' "$(pack check "$work/wrong" 2>&1)" 'views/broken.yaml:2:'

# ---- beside a running server
manager=$("$weft" token create --data "$data" --party kiln-town --user ann --role manager) || exit 1
operator=$("$weft" token create --data "$data" --party kiln-town --user root --role operator) || exit 1
worker=$("$weft" token create --data "$data" --party kiln-town --user wu --role worker) || exit 1
buyer=$("$weft" token create --data "$data" --party tea-house --user bo --role manager) || exit 1
start
ask "$manager" GET /api/v1/docs; expect 200 '"work_order"' '"place"' '"event"'; lacks 'not yet' "$body" ceramic_order
try 'a dry run' 0 'nothing was changed' pack install packs/ceramics --data "$data" --dry-run
ask "$manager" GET /api/v1/docs/ceramic_order; expect 404
try 'a faulty one' 2 'nothing was installed' pack install "$work/wrong" --data "$data"
try 'install' 0 "'ceramics' is installed" pack install packs/ceramics --data "$data"
try 'list' 0 'ceramics             1.0.0' pack list --data "$data"
ask "$manager" GET /api/v1/packs; expect 200 '"ceramics"' '"poor_yield"' '"builtin":true'
ask "$manager" GET /api/v1/docs; expect 200 ceramic_order '"订单' '"pack":"ceramics"'
ask "$manager" GET /api/v1/models; expect 200 '"kiln"' '窑温'
ask "$manager" GET /api/v1/views; expect 200 order_board '"kind":"board"' '"columns":["number","customer","due","total"]'
ask "$manager" GET /api/v1/openapi.json; expect 200 'ceramic_order'
ask "$manager" GET /api/v1/agreements/templates; expect 200 buyer_progress 'lines.quantity'

# ---- documents: numbers, lines, sums by Lua, checks, guards, roles
ask "$manager" POST /api/v1/docs/ware '{"name":"青花碗","weight":"0.350","gtin":"6901234567892"}'; expect 201 '"weight":"0.350"'
ask "$manager" POST /api/v1/docs/ware '{"name":"x","gtin":"6901234567890"}'; expect 400 'gtin'
ask "$manager" POST /api/v1/docs/glaze '{"name":"影青","cone":1280,"recipe":"长石 40"}'; expect 201 '长石 40'
order='{"customer":"茶馆","due":"2026-03-08","discount":"10","lines":[{"ware":1,"quantity":"100","price":{"amount":"12.50","currency":"CNY"}},{"ware":1,"quantity":"3","price":{"amount":"0.35","currency":"CNY"}}]}'
ask "$worker" POST /api/v1/docs/ceramic_order "$order"; expect 201 '"CO-' '"1125.94"' '"1250.00"' '"state":"draft"'
ask "$worker" POST /api/v1/docs/ceramic_order '{"customer":"茶馆","due":"2026-03-08","discount":"31"}'; expect 400 '30'
ask "$worker" POST /api/v1/docs/ceramic_order '{"customer":"茶馆","due":"2026-03-08","lines":[{"ware":1,"quantity":"0"}]}'; expect 400 "lines[0]"
ask "$worker" POST /api/v1/docs/ceramic_order '{"customer":"空","due":"2026-03-08"}'; expect 201
ask "$manager" POST /api/v1/docs/ceramic_order/2/confirm; expect 400 'without an amount'
ask "$worker" POST /api/v1/docs/ceramic_order/1/confirm; expect 403
ask "$manager" POST /api/v1/docs/ceramic_order/1/confirm; expect 200 '"confirmed"'
ask "$manager" PATCH /api/v1/things/kiln-1 '{"model":"kiln"}'
ask "$manager" GET '/api/v1/docs/ceramic_order?state=confirmed&customer=茶馆'; expect 200 '"total":1'

# ---- imported and exported like any other
printf '名称,坯体,单件重量\n盖碗,porcelain,0.210\n砂锅,earthenware,2.5\n' >"$work/ware.csv"
body=$(curl -s --max-time 120 -H "Authorization: Bearer $manager" -H 'Content-Type: text/csv' --data-binary @"$work/ware.csv" "$url/api/v1/imports?type=ware&name=ware.csv")
has 'the columns are known by their titles' "$body" '"weight"'
import=$(printf %s "$body" | grep -o '"id": *"*[0-9a-z]*' | head -n 1 | grep -o '[0-9a-z]*$')
ask "$manager" POST "/api/v1/imports/$import" '{"mapping":{"名称":"name","坯体":"body","单件重量":"weight"},"mode":"all","start":true}'; expect 200
until_state() { for _ in $(seq 600); do ask "$manager" GET "/api/v1/imports/$import"; case $body in *"\"state\":\"$1\""*) return ;; esac; sleep 0.1; done; }
until_state checked; expect 200 '"good":2'
ask "$manager" POST "/api/v1/imports/$import/apply"; until_state 'done'; expect 200 '"done"'
ask "$manager" GET '/api/v1/docs/ware?body=earthenware'; expect 200 '砂锅' '"2.500"'
ask "$manager" GET '/api/v1/docs/ware/export?format=csv'; expect 200 '盖碗'

# ---- shared by the pack's template
ask "$manager" POST /api/v1/agreements '{"receiver":"tea-house","title":"进度","template":"buyer_progress"}'; expect 201 '"proposed"'
agreement=$(printf %s "$body" | sed -n 's/^{"id":\([0-9]*\).*/\1/p')
ask "$buyer" POST "/api/v1/agreements/$agreement/accept" '{}'; expect 200 '"active"'
ask "$buyer" GET "/api/v1/docs/ceramic_order?owner=kiln-town"; expect 200 '"quantity":"100"' '"due":"2026-03-08"'
lacks 'what was not given' "$body" '茶馆'; lacks 'what was not given' "$body" '1125'; lacks 'only confirmed ones' "$body" '"draft"'

for template in maker_sees_health service_orders; do
    ask "$manager" POST /api/v1/agreements "{\"receiver\":\"tea-house\",\"title\":\"t\",\"template\":\"$template\"}"; expect 201 '"proposed"'
done

# ---- a field of one's own
ask "$manager" POST /api/v1/docs/ceramic_order/fields '{"name":"colour","kind":"choice","title_zh":"颜色","title_en":"Colour","choices":["red","blue"]}'; expect 201 '"x_colour"'
ask "$manager" POST /api/v1/docs/ceramic_order/fields '{"name":"bad","kind":"colour"}'; expect 400 "no kind 'colour'"
ask "$worker" POST /api/v1/docs/ceramic_order/fields '{"name":"mine"}'; expect 403
ask "$manager" PATCH /api/v1/docs/ceramic_order/1 '{"x_colour":"blue"}'; expect 200 '"x_colour":"blue"'
ask "$manager" GET /api/v1/docs; expect 200 x_colour
ask "$buyer" GET /api/v1/docs; expect 200; lacks 'the other party' "$body" x_colour
ask "$buyer" GET "/api/v1/docs/ceramic_order?owner=kiln-town"; expect 200; lacks 'the other party' "$body" x_colour
ask "$buyer" POST /api/v1/docs/ceramic_order '{"customer":"y","due":"2026-03-08","x_colour":"red"}'; expect 400 x_colour

# ---- an upgrade brings along what stands: a new name, a default, a field that goes; what cannot be is refused
cp -r packs/ceramics "$work/ceramics"
sed -i 's/^version: .*/version: 1.1.0/' "$work/ceramics/pack.yaml"
sed -i 's/^    customer: {title: {zh: 客户, en: Customer}/    client: {was: customer, title: {zh: 客户, en: Customer}/; s/^  label: customer/  label: client/; s/^    note: .*备注.*/    grade: {title: {zh: 等级, en: Grade}, kind: choice, default: b, choices: [a, b]}/; s/, takes: note}/}/' "$work/ceramics/records/sales.yaml"
sed -i 's/columns: \[number, customer/columns: [number, client/' "$work/ceramics/views/pages.yaml"
try 'the upgrade is sound' 0 'is sound' pack check "$work/ceramics"
try 'its plan' 0 'customer becomes client, with what it holds' pack upgrade "$work/ceramics" --data "$data" --dry-run
has 'its plan' "$said" "grade, filled with 'b'"; has 'its plan' "$said" 'note: what it holds is kept, unseen'
ask "$manager" GET /api/v1/docs/ceramic_order/1; expect 200 '"customer":"茶馆"'
try 'upgrade' 0 "'ceramics' is installed" pack upgrade "$work/ceramics" --data "$data"
ask "$manager" GET /api/v1/docs/ceramic_order/1; expect 200 '"client":"茶馆"' '"grade":"b"' '"x_colour":"blue"' '"1125.94"'
lacks 'the old name' "$body" '"customer"'
cp -r "$work/ceramics" "$work/no"
sed -i 's/quantity: {title: {zh: 数量, en: Quantity}, kind: decimal, unit: H87, scale: 0/quantity: {title: {zh: 数量, en: Quantity}, kind: text/; s/unit: H87//; s/^      checks: quantity > 0//; s/^    due: {title: {zh: 交货日期, en: Due}, kind: date/    due: {title: {zh: 交货日期, en: Due}, kind: text/; s/^    ready: {.*已完工.*//; s/^    confirmed: {.*/    agreed: {title: {zh: 已确认, en: Agreed}}/' "$work/no/records/sales.yaml"
sed -i 's/confirmed/agreed/g; /finish:/d; /ship:/d; /shipped:/d' "$work/no/records/sales.yaml"
sed -i 's/confirmed/agreed/' "$work/no/agreements/buyer.yaml"
sed -i '/firing_calendar/d' "$work/no/views/pages.yaml"
try 'refused' 1 'due is kept as date, not text' pack upgrade "$work/no" --data "$data"
has 'refused' "$said" 'confirmed: 1 documents are in it'
ask "$manager" GET /api/v1/docs/ceramic_order/1; expect 200 '"due":"2026-03-08"' '"state":"confirmed"'
try 'remove is refused' 1 'documents stand' pack remove ceramics --data "$data"

# ---- over the API
json() { # json DIR: its files as the body of POST /packs
    printf '{"files":['; sep=''
    (cd "$1" && find . -name .schema -prune -o -type f \( -name '*.yaml' -o -name '*.lua' \) -print) | while read -r f; do
        printf '%s{"name":"%s","text":"%s"}' "$sep" "${f#./}" "$(sed 's/\\/\\\\/g; s/"/\\"/g; s/\t/\\t/g' "$1/$f" | awk '{printf "%s\\n", $0}')"
        sep=,
    done
    printf ']}'
}
glass=$(json "$work/glass")
ask "$manager" POST /api/v1/packs/check "$glass"; expect 200 '"errors":0'
ask "$manager" POST /api/v1/packs "$glass"; expect 403
ask "$operator" POST '/api/v1/packs?dry_run=true' "$glass"; expect 200 '"add type"'
ask "$operator" POST /api/v1/packs "$glass"; expect 201 '"installed":true'
ask "$operator" POST /api/v1/packs '{"files":[{"name":"../x.yaml","text":"a: 1"}]}'; expect 400 'is no file of a pack'
ask "$operator" POST /api/v1/packs '{"files":[{"name":"pack.yaml","text":"name: machinery\ntitle: x\nversion: 1"}]}'; expect 409 'comes with the program'
ask "$operator" DELETE /api/v1/packs/machinery; expect 409
ask "$manager" POST /api/v1/docs/glass_order '{"customer":"z","lines":[{"product":"p","quantity":"1.5","price":{"amount":"2.00","currency":"CNY"}}]}'; expect 201 '"3.00"'

# ---- everything stands after a restart
stop; start
ask "$manager" GET /api/v1/docs/ceramic_order/1; expect 200 '"client":"茶馆"' '"grade":"b"' '"x_colour":"blue"'
ask "$manager" GET /api/v1/docs/glass_order/1; expect 200 '"3.00"'
ask "$manager" DELETE /api/v1/docs/ceramic_order/fields/x_colour; expect 204
ask "$manager" GET /api/v1/docs/ceramic_order/1; expect 200; lacks 'removed' "$body" x_colour
stop

# ---- on a stopped folder
try 'install on a stopped folder' 0 "'ceramics' is installed" pack upgrade "$work/ceramics" --data "$data"
fresh=$work/fresh
"$weft" token create --data "$fresh" --user a --role manager >/dev/null
try 'what it needs' 0 "'glass' is installed" pack install "$work/glass" --data "$fresh"
try 'remove' 0 "'glass' is removed" pack remove glass --data "$fresh"
lacks 'list' "$(pack list --data "$fresh" 2>&1)" glass
try 'remove twice' 1 'no pack' pack remove glass --data "$fresh"

echo "pack: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
