#!/bin/sh
# Documents as files, from outside: a table is imported and comes back as CSV and XLSX, a template is filled in, a document
# is printed and its QR code read, and the same on the command line. Prints `files: N passed, N failed`.
set -u
cd "$(dirname "$0")/.." || exit 1
[ -n "${WEFT:-}" ] || make -s build/weft plugins || { echo "files: 0 passed, 1 failed"; exit 1; }
weft=${WEFT:-build/weft}
work=$(mktemp -d "${TMPDIR:-/tmp}/weft-files-XXXXXX") || exit 1
data=$work/data pid=''
stop() { [ -n "$pid" ] && kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null; pid=''; }
trap 'stop; rm -rf "$work"' EXIT
passed=0 failed=0 skipped=0

ok() { passed=$((passed + 1)); }
bad() { failed=$((failed + 1)); echo "FAIL tests/files_e2e.sh: $*"; }
same() { if [ "$2" = "$3" ]; then ok; else bad "$1: got '$2', want '$3'"; fi; }
has() { case $2 in *"$3"*) ok ;; *) bad "$1: '$(printf %s "$2" | head -c 400)' lacks '$3'" ;; esac; }

token=$("$weft" token create --data "$data" --party acme --user ann --role manager) || exit 1
"$weft" serve --data "$data" --http 127.0.0.1:0 --mqtt 127.0.0.1:0 >"$work/ready" 2>"$work/log" &
pid=$!
for _ in $(seq 1200); do [ -s "$work/ready" ] && break; sleep 0.05; done
url=http://$(sed -n 's/.*"http":"\([^"]*\)".*/\1/p' "$work/ready")/api/v1

ask() { curl -s -g --max-time 60 -H "Authorization: Bearer $token" "$@"; }
field() { sed -n "s/.*\"$1\":\"\{0,1\}\([^,\"}]*\).*/\1/p" | head -n 1; }
state() { ask "$url/imports/$id" | field state; }
wait_for() { for _ in $(seq 1200); do now=$(state); [ "$now" = "$1" ] && break; [ "$now" = failed ] && break; sleep 0.05; done; same "import is $1" "$now" "$1"; }

# ---- in
printf '备件编码,名称,库存数量\nB-1,泵,3\nB-2,"阀, 大",7\nB-3,=轴,many\n' >"$work/parts.csv"
id=$(ask -X POST --data-binary @"$work/parts.csv" "$url/imports?type=part&name=parts.csv" | field id)
ask -X POST -H 'Content-Type: application/json' --data '{"mode":"skip","start":true}' "$url/imports/$id" >"$work/answer"
wait_for checked
has 'faults' "$(ask "$url/imports/$id/errors")" '"row":4,"column":"库存数量","field":"on_hand","value":"many"'
ask -X POST "$url/imports/$id/apply" >"$work/answer"
wait_for 'done'

# ---- out
has 'CSV' "$(ask "$url/docs/part/export?lang=zh&fields=code,title_zh,on_hand")" 'B-2,"阀, 大",7'
ask "$url/docs/part/export?format=xlsx&lang=zh" >"$work/parts.xlsx"
same 'XLSX is a zip' "$(head -c 2 "$work/parts.xlsx")" PK
id=$(ask -X POST --data-binary @"$work/parts.xlsx" "$url/imports?type=part&name=parts.xlsx" | field id)
ask -X POST -H 'Content-Type: application/json' --data '{"start":true}' "$url/imports/$id" >"$work/answer"
wait_for checked
has 'what came out is recognised, and is there already' "$(ask "$url/imports/$id/errors")" 'taken by PA-000001'
ask -X DELETE "$url/imports/$id" >"$work/answer"
ask "$url/docs/part/template?lang=en" >"$work/template.csv"
printf 'B-9,,泵,,5,,,,\r\n' >>"$work/template.csv"
id=$(ask -X POST --data-binary @"$work/template.csv" "$url/imports?type=part&name=t.csv" | field id)
ask -X POST -H 'Content-Type: application/json' --data '{"start":true}' "$url/imports/$id" >"$work/answer"
wait_for checked
has 'a filled template' "$(ask "$url/imports/$id")" '"good":1,"bad":0'
ask -X DELETE "$url/imports/$id" >"$work/answer"

# ---- on paper
ask "$url/docs/part/PA-000001/print?lang=zh" >"$work/page.pdf"
ask "$url/docs/part/PA-000001/print?lang=en&form=label" >"$work/label.pdf"
same 'PDF' "$(head -c 5 "$work/page.pdf")" '%PDF-'
if command -v pdftotext >/dev/null && command -v zbarimg >/dev/null; then
    text=$(pdftotext "$work/page.pdf" -)
    for part in 备件 PA-000001 acme 库存数量 泵 制单; do has 'the page' "$text" "$part"; done
    has 'the label' "$(pdftotext "$work/label.pdf" -)" PA-000001
    for form in page label; do
        pdftoppm -r 150 -png "$work/$form.pdf" "$work/$form"
        has "the code on the $form" "$(zbarimg -q "$work/$form"-1.png 2>/dev/null)" '/#/docs/part/1'
    done
else
    skipped=$((skipped + 1))
    echo 'SKIP files: pdftotext and zbarimg are missing: apt-get install poppler-utils zbar-tools'
fi
# ---- on the command line
printf 'Part number,menge,On hand\nC-1,x,4\nC-2,y,1.5\n' >"$work/more.csv"
out=$("$weft" import part "$work/more.csv" --data "$data" 2>&1)
same 'weft import stops at a fault' $? 2
has 'weft import names it' "$out" 'row 3, On hand: a decimal with at most 0 digits'
out=$("$weft" import part "$work/more.csv" --data "$data" --skip-bad --map menge=location --dry-run 2>&1)
has 'weft import --dry-run' "$out" '2 documents checked: 1 good, 1 with faults'
(cd "$work" && out=$("$OLDPWD/$weft" import part more.csv --data "$data" --skip-bad --map menge=location 2>&1); echo "$out" >cli)
has 'weft import' "$(cat "$work/cli")" '1 imported'
has 'weft export' "$("$weft" export part --data "$data" --lang en --fields code,location,created_by 2>/dev/null)" 'C-1,x,system:import'
same 'weft export --format xlsx' "$("$weft" export part --data "$data" --format xlsx 2>/dev/null | head -c 2)" PK
"$weft" import nonsense "$work/more.csv" --data "$data" 2>"$work/cli"
has 'weft import of what is not there' "$(cat "$work/cli")" "no document type 'nonsense'"
has 'a stranger gets no page' "$(curl -s "$url/docs/part/1/print")" '"status":401'
same 'nothing is left behind' "$(find "$data/imports" -name 'upload-*' | wc -l | tr -d ' ')" 0

echo "files: $passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
