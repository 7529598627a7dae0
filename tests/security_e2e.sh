#!/bin/sh
# Attacks from outside on a running server with two parties: guessed ids, expired and revoked tokens, forged requests,
# fixed sessions, guessed passwords, injection into every parameter, paths, bombs, and everything too large.
# docs/security.md says which line is which. Prints `security: N passed, N failed`.
set -u
cd "$(dirname "$0")/.." || exit 1
[ -n "${WEFT:-}" ] || make -s build/weft || { echo "security: 0 passed, 1 failed"; exit 1; }
weft=${WEFT:-build/weft}
for tool in curl node; do
    command -v $tool >/dev/null || { echo "security: 0 passed, 0 failed, 1 skipped"; echo "SKIP security: $tool is missing"; exit 0; }
done

work=$(mktemp -d "${TMPDIR:-/tmp}/weft-security-XXXXXX") || exit 1
data=$work/data pid=''
stop() { [ -n "$pid" ] && kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null; pid=''; }
trap 'stop; rm -rf "$work"' EXIT
passed=0 failed=0
ok() { passed=$((passed + 1)); }
bad() { failed=$((failed + 1)); echo "FAIL tests/security_e2e.sh: $*"; }
same() { if [ "$2" = "$3" ]; then ok; else bad "$1: got '$2', want '$3'"; fi; }
has() { case $2 in *"$3"*) ok ;; *) bad "$1: '$(printf %s "$2" | head -c 300)' lacks '$3'" ;; esac; }
lacks() { case $2 in *"$3"*) bad "$1: '$(printf %s "$2" | head -c 300)' has '$3'" ;; *) ok ;; esac; }

start() {
    : >"$work/ready"
    "$weft" serve --data "$data" --http 127.0.0.1:0 --mqtt 127.0.0.1:0 "$@" >"$work/ready" 2>>"$work/log" &
    pid=$!
    for _ in $(seq 1200); do
        [ -s "$work/ready" ] && break
        kill -0 $pid 2>/dev/null || break
        sleep 0.05
    done
    host=$(sed -n 's/.*"http":"\([^"]*\)".*/\1/p' "$work/ready")
    url=http://$host
    [ -n "$host" ] || { bad "the server does not start: $(tail -n 3 "$work/log")"; echo "security: $passed passed, $failed failed"; exit 1; }
}
# ask TOKEN METHOD PATH [JSON] [CURL OPTIONS…]: body in $body, status in $status, headers in $work/head
ask() {
    token=$1 method=$2 path=$3 json=${4:-}
    [ $# -gt 4 ] && shift 4 || shift $#
    set -- -s -g --path-as-is --max-time 120 -D "$work/head" -o "$work/body" -w '%{http_code}' -X "$method" "$@"
    [ -n "$token" ] && set -- "$@" -H "Authorization: Bearer $token"
    [ -n "$json" ] && set -- "$@" -H 'Content-Type: application/json' --data "$json"
    : >"$work/body"
    status=$(curl "$@" "$url$path")
    body=$(tr -d '\000' <"$work/body")
}
expect() {
    same "$method $path: status" "$status" "$1"
    [ -n "${2:-}" ] && has "$method $path" "$body" "$2"
}
field() { printf %s "$body" | sed -n "s/.*\"$1\":\"\{0,1\}\([^\",}]*\).*/\1/p" | head -n 1; }

owner=$("$weft" token create --data "$data" --party acme --user ann --role manager) || exit 1
viewer=$("$weft" token create --data "$data" --party acme --user vic --role viewer) || exit 1
operator=$("$weft" token create --data "$data" --party acme --user op --role operator) || exit 1
walker=$("$weft" token create --data "$data" --party rival --user rex --role manager) || exit 1 # not 1 or 2: the walk revokes what it guesses
rival=$("$weft" token create --data "$data" --party rival --user rex --role manager) || exit 1
start
mark=UNSEEN-BY-RIVALS
ask "$owner" POST /api/v1/docs/part "{\"code\":\"$mark-1\",\"title_en\":\"$mark\",\"on_hand\":\"3\"}"; expect 201
part=$(field number)
ask "$owner" POST /api/v1/docs/technician "{\"name\":\"$mark\",\"skills\":\"mechanical\"}"; expect 201
technician=$(field number)
ask "$owner" POST /api/v1/devices "{\"name\":\"press-1\",\"model\":\"model3\"}"; expect 201
ask "$owner" POST /api/v1/docs/fault "{\"thing\":\"press-1\",\"occurred_at\":\"2015-01-01\",\"text\":\"$mark\"}"; expect 201
ask "$owner" POST /api/v1/docs/work_order "{\"thing\":\"press-1\",\"kind\":\"request\",\"component\":\"comp3\",\"title_en\":\"$mark\"}"; expect 201
order=$(field number)

# ---- every address, parameter and body of the description
if node tests/security.mjs "$url" "$owner" "$walker" "$mark" 1 2 "$part" "$technician" "$order" press-1 >"$work/walk" 2>&1; then :; else sed -n '/^FAIL/p' "$work/walk" | head -n 20; fi
walked=$(tail -n 1 "$work/walk")
case $walked in
    *' passed, '*' failed') passed=$((passed + ${walked%% *})) rest=${walked#*, } failed=$((failed + ${rest%% *})) ;;
    *) bad "the walk over the description stopped: $(tail -n 3 "$work/walk")" ;;
esac

# ---- function level: a viewer changes nothing, a manager of one party is nobody in another, an operator sees no data
ask "$viewer" POST /api/v1/users '{"name":"x","roles":["viewer"]}'; expect 403
ask "$viewer" PATCH /api/v1/party '{"title":"x"}'; expect 403
ask "$owner" POST /api/v1/parties '{"name":"more"}'; expect 403
ask "$rival" POST /api/v1/tokens '{"user":"rex","role":"operator"}'; expect 403
ask "$rival" POST /api/v1/members/ann/reset; expect 404
ask "$rival" DELETE /api/v1/members/ann; expect 404
ask "$operator" POST /api/v1/parties '{"name":"third","manager":"mo"}'; expect 201 '<svg'
ask "$operator" POST /api/v1/users '{"name":"mallory","roles":["manager"]}'; expect 403
# no member is taken from the body that the route does not name
ask "$rival" POST /api/v1/docs/part "{\"code\":\"R-1\",\"title_en\":\"r\",\"party\":1}"; same 'party cannot be assigned' "$status" 400
ask "$rival" POST /api/v1/docs/part "{\"code\":\"R-1\",\"title_en\":\"r\",\"id\":1,\"state\":\"retired\"}"; same 'id and state cannot be assigned' "$status" 400

# ---- tokens: scopes, revoked, over
ask "$owner" POST /api/v1/tokens '{"user":"ann","role":"manager","scopes":["docs:part:read"],"days":1}'; expect 201 weft_
scoped=$(field token) id=$(printf %s "$body" | sed -n 's/.*"id":\([0-9]*\).*/\1/p')
ask "$scoped" GET /api/v1/docs/part; expect 200 "$mark"
ask "$scoped" GET /api/v1/docs/technician; expect 403
ask "$scoped" GET /api/v1/audit; expect 403
ask "$scoped" POST /api/v1/tokens '{"user":"ann","role":"manager"}'; expect 403
ask "$owner" DELETE "/api/v1/tokens/$id"; expect 204
ask "$scoped" GET /api/v1/docs/part; expect 401
ask "$owner" GET /api/v1/tokens; lacks 'the list of tokens' "$body" 'weft_'
lacks 'the log' "$(cat "$work/log")" "$owner"

# ---- people: sessions
ask "$owner" POST /api/v1/users '{"name":"li.wei","password":"a long password","roles":["viewer"]}'; expect 201
ask "$owner" POST /api/v1/users '{"name":"weak","password":"password123","roles":["viewer"]}'; expect 400
ask '' POST /api/v1/session '{"user":"li.wei","password":"a long password"}' -b 'weft_session=chosen-by-the-attacker'; expect 200
cookie=$(sed -n 's/^[Ss]et-[Cc]ookie: \(weft_session=[^;]*\).*/\1/p' "$work/head" | tr -d '\r')
lacks 'the session is a new one' "$cookie" chosen
for attribute in HttpOnly 'SameSite=Strict' 'Path=/'; do has 'the cookie' "$(cat "$work/head")" "$attribute"; done
lacks 'no Secure without TLS' "$(grep -i set-cookie "$work/head")" Secure
ask '' POST /api/v1/session '{"user":"li.wei","password":"a long password"}' -H 'X-Forwarded-Proto: https'
has 'Secure behind TLS' "$(cat "$work/head")" '; Secure'
# forged: another site's form or script has no X-Weft
ask '' PATCH /api/v1/party '{"title":"x"}' -b "$cookie"; expect 403
ask '' POST /api/v1/docs/fault '{"thing":"x"}' -b "$cookie" -H 'Origin: https://evil.example'; expect 403
ask '' DELETE /api/v1/tokens/1 '' -b "$cookie"; expect 403
ask '' POST /api/v1/docs/fault '' -b "$cookie" -H 'Content-Type: text/plain' --data '{"thing":"x"}'; expect 403
ask '' OPTIONS /api/v1/docs/fault '' -H 'Origin: https://evil.example' -H 'Access-Control-Request-Method: POST'
lacks 'no other origin is let in' "$(tr A-Z a-z <"$work/head")" access-control-allow
ask '' DELETE /api/v1/session '' -b "$cookie"; expect 204
ask '' GET /api/v1/session '' -b "$cookie"; expect 401
# headers that keep a page from being framed, sniffed or scripted from elsewhere
ask '' GET /
for header in 'X-Content-Type-Options: nosniff' 'X-Frame-Options: DENY' "frame-ancestors 'none'" 'Referrer-Policy'; do has 'headers' "$(cat "$work/head")" "$header"; done

# ---- paths
for path in /../../../etc/passwd /..%2f..%2fsecret.key /%2e%2e/%2e%2e/records.db /api/v1/../../secret.key /assets/../../secret.key //etc/passwd '/%00' /api/v1/docs/part/..%2f..%2fsecret.key; do
    ask '' GET "$path"
    lacks "$path" "$body" 'root:'
    [ "$status" -ge 200 ] && [ "$status" -lt 500 ] && ok || bad "$path: $status"
done

# ---- too large, too deep, too slow
head -c 3000000 /dev/zero | tr '\0' ' ' >"$work/large"
for path in /api/v1/docs/part /api/v1/session /api/v1/users; do
    status=$(curl -s --max-time 120 -o /dev/null -w '%{http_code}' -H "Authorization: Bearer $owner" -H 'Content-Type: application/json' --data-binary "@$work/large" "$url$path")
    same "3 MB to $path" "$status" 413
done
gzip -9 -c "$work/large" >"$work/bomb"
status=$(curl -s --max-time 120 -o /dev/null -w '%{http_code}' -H "Authorization: Bearer $owner" -H 'Content-Type: application/json' -H 'Content-Encoding: gzip' --data-binary "@$work/bomb" "$url/api/v1/docs/part")
same 'a gzip bomb' "$status" 413
awk 'BEGIN { for (i = 0; i < 20000; i++) printf "[" }' >"$work/deep"
status=$(curl -s --max-time 120 -o /dev/null -w '%{http_code}' -H "Authorization: Bearer $owner" -H 'Content-Type: application/json' --data-binary "@$work/deep" "$url/api/v1/docs/part")
same 'JSON 20,000 deep' "$status" 400
status=$(curl -s --max-time 120 -o /dev/null -w '%{http_code}' -H "X-Long: $(head -c 30000 /dev/zero | tr '\0' a)" "$url/healthz")
same 'headers of 30 kB' "$status" 431

# ---- imports: archives and XML that expand
if command -v zip >/dev/null; then
    mkdir -p "$work/x/xl/worksheets"
    printf '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]><worksheet><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>&c;</t></is></c></row></sheetData></worksheet>' >"$work/x/xl/worksheets/sheet1.xml"
    printf '<?xml version="1.0"?><workbook xmlns:r="r"><sheets><sheet name="a" sheetId="1" r:id="rId1"/></sheets></workbook>' >"$work/x/xl/workbook.xml"
    (cd "$work/x" && zip -qr ../entities.xlsx .)
    head -c 400000000 /dev/zero >"$work/x/xl/worksheets/sheet1.xml"
    (cd "$work/x" && zip -q9r ../bomb.xlsx .)
    rm -f "$work/x/xl/worksheets/sheet1.xml"
    for f in entities bomb; do
        status=$(curl -s --max-time 60 -o "$work/body" -w '%{http_code}' -H "Authorization: Bearer $owner" -H 'Content-Type: application/octet-stream' --data-binary "@$work/$f.xlsx" "$url/api/v1/imports?type=part&name=$f.xlsx")
        case $status in 4??) ok ;; *) bad "$f.xlsx: $status $(head -c 200 "$work/body")" ;; esac
    done
    resident=$(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$pid/status")
    [ "$resident" -lt 400000 ] && ok || bad "the bombs took $resident kB"
fi

# ---- guessing: the same answer for names that are there and names that are not; then a limit for each name
ask '' POST /api/v1/session '{"user":"li.wei","password":"wrong password"}'; known=$(field detail)
ask '' POST /api/v1/session '{"user":"nobody.here","password":"wrong password"}'; same 'nobody learns which names there are' "$(field detail)" "$known"
for _ in 1 2 3 4; do ask '' POST /api/v1/session '{"user":"li.wei","password":"wrong password"}'; done
ask '' POST /api/v1/session '{"user":"li.wei","password":"a long password"}'; expect 429
# … and for an address, over many names
for i in $(seq 40); do ask '' POST /api/v1/session "{\"user\":\"guess.$i\",\"password\":\"wrong password\"}"; [ "$status" = 429 ] && break; done
same 'an address is limited over all names' "$status" 429
[ "$i" -le 30 ] && ok || bad "the limit of an address came after $i names"

# ---- commands beside the server: a password that is made here is good once
first=$("$weft" user add --data "$data" --party acme --user wen --roles technician,viewer 2>/dev/null) || bad 'weft user add fails'
"$weft" user add --data "$data" --party acme --user wen --roles viewer 2>/dev/null && bad 'weft user add takes a name twice'
has 'weft user list' "$("$weft" user list --data "$data" --party acme)" 'technician,viewer'
"$weft" user roles --data "$data" --party acme --user wen --roles viewer 2>/dev/null || bad 'weft user roles fails'
has 'weft party add' "$("$weft" party add --data "$data" --name fourth && "$weft" party list --data "$data")" fourth
stop; start # a new server has counted no failures
ask '' POST /api/v1/session "{\"user\":\"wen\",\"password\":\"$first\"}" -c "$work/jar"; expect 200 '"needs":"new_password"'
ask '' GET /api/v1/things '' -b "$work/jar"; expect 403
ask '' POST /api/v1/session/password "{\"old\":\"$first\",\"new\":\"wens own words\"}" -b "$work/jar" -H 'X-Weft: 1'; expect 204
ask '' GET /api/v1/things '' -b "$work/jar"; expect 200
ask '' GET /api/v1/session '' -b "$work/jar"; expect 200 '"roles":["viewer"]'

# ---- all of it is in the audit, and the server is well
ask "$owner" GET '/api/v1/audit?type=user&target=ann'; expect 200 'token.revoke'
ask '' GET /healthz; expect 200 '"ok"'
ask "$owner" GET /api/v1/docs/part; expect 200 "$mark"
same 'nothing failed inside' "$(grep -c 'level=error' "$work/log")" 0
[ "$(grep -c 'level=error' "$work/log")" = 0 ] || grep 'level=error' "$work/log" | head -n 5
stop
echo "security: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
