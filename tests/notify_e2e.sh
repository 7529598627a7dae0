#!/bin/sh
# Rules of a pack and the notifications they send, against a stand-in for mail, webhook and robots: in the console, out
# by every kind of channel with its signature, tried again, each once. Prints `notify: N passed, N failed`.
set -u
cd "$(dirname "$0")/.." || exit 1
[ -n "${WEFT:-}" ] || make -s build/weft || { echo "notify: 0 passed, 1 failed"; exit 1; }
weft=${WEFT:-build/weft}
for tool in curl node; do
    command -v $tool >/dev/null || { echo "notify: 0 passed, 0 failed, 1 skipped"; echo "SKIP notify: $tool is missing"; exit 0; }
done
work=$(mktemp -d "${TMPDIR:-/tmp}/weft-notify-XXXXXX") || exit 1
pid='' receiver='' data=$work/data
stop() { [ -n "$pid" ] && kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null; pid=''; }
trap 'stop; kill $receiver 2>/dev/null; rm -rf "$work"' EXIT
passed=0 failed=0
ok() { passed=$((passed + 1)); }
bad() { failed=$((failed + 1)); echo "FAIL tests/notify_e2e.sh: $*"; }
same() { if [ "$2" = "$3" ]; then ok; else bad "$1: got '$2', want '$3'"; fi; }
has() { case $2 in *"$3"*) ok ;; *) bad "$1: '$(printf %s "$2" | head -c 500)' lacks '$3'" ;; esac; }
lacks() { case $2 in *"$3"*) bad "$1: '$(printf %s "$2" | head -c 300)' has '$3'" ;; *) ok ;; esac; }

: >"$work/got"
node tests/notify_receiver.mjs "$work/got" >"$work/ports" &
receiver=$!
for _ in $(seq 1200); do [ -s "$work/ports" ] && break; sleep 0.05; done
http=$(sed -n 's/.*"http":\([0-9]*\).*/\1/p' "$work/ports") smtp=$(sed -n 's/.*"smtp":\([0-9]*\).*/\1/p' "$work/ports")
[ -n "$smtp" ] || { echo "notify: 0 passed, 1 failed"; exit 1; }

# a pack with rules
mkdir -p "$data/packs/works/records" "$data/packs/works/rules"
cat >"$data/packs/works/pack.yaml" <<'P'
name: works
title: {zh: 车间, en: Works}
version: 1.0.0
P
cat >"$data/packs/works/records/batch.yaml" <<'P'
batch:
  title: {zh: 批次, en: Batch}
  prefix: BA
  create: people
  change: people
  fields:
    kiln: {title: {zh: 窑, en: Kiln}, kind: text, required: true}
    pieces: {title: {zh: 件数, en: Pieces}, kind: int}
    spoiled: {title: {zh: 废品, en: Spoiled}, kind: int}
  states:
    open: {title: {zh: 进行中, en: Open}}
    done: {title: {zh: 完成, en: Done}, final: true}
  transitions:
    finish: {title: {zh: 完成, en: Finish}, from: open, to: done, by: people}
claim:
  title: {zh: 索赔, en: Claim}
  prefix: CL
  create: people
  change: people
  fields:
    about: {title: {zh: 批次, en: Batch}, kind: ref, to: batch, required: true}
    text: {title: {zh: 说明, en: Text}, kind: text}
    pieces: {title: {zh: 件数, en: Pieces}, kind: int}
  states:
    new: {title: {zh: 新建, en: New}}
P
cat >"$data/packs/works/rules/spoil.yaml" <<'P'
spoil:
  title: {zh: 废品过多, en: Too many spoiled}
  when: {change: batch, what: finish}
  if: [{check: "spoiled > 10"}]
  do:
    - create: claim
      set: {about: "{id}", text: "kiln {kiln}, {spoiled} of {pieces}", pieces: "{spoiled}"}
    - notify: role:manager
      text: {zh: "{number} 废品 {spoiled} 件", en: "{number}: {spoiled} pieces spoiled"}
P
"$weft" token create --data "$data" --party acme --user ann --role manager >"$work/ann" || { bad 'the pack is not taken'; }
ann=$(cat "$work/ann")
bob=$("$weft" token create --data "$data" --party acme --user bob --role worker)
eve=$("$weft" token create --data "$data" --party other --user eve --role manager)
start() {
    : >"$work/ready"
    "$weft" serve --data "$data" --http 127.0.0.1:0 --mqtt 127.0.0.1:0 --notify-own-network --notify-first-pause-ms 100 \
        --notify-smtp "smtp://127.0.0.1:$smtp" --notify-from weft@example.com >"$work/ready" 2>>"$work/log" &
    pid=$!
    for _ in $(seq 1200); do [ -s "$work/ready" ] && break; kill -0 $pid 2>/dev/null || break; sleep 0.05; done
    url=http://$(sed -n 's/.*"http":"\([^"]*\)".*/\1/p' "$work/ready")
    [ "$url" != http:// ] || { bad "the server does not start: $(tail -n 3 "$work/log")"; echo "notify: $passed passed, $failed failed"; exit 1; }
}
call() { token=$1 method=$2 path=$3; shift 3; curl -s -g --max-time 120 -X "$method" -H "Authorization: Bearer $token" -H 'Content-Type: application/json' "$@" "$url/api/v1$path"; }
status() { call "$@" -o /dev/null -w '%{http_code}'; }
# until FILE PART: waits for a line of the stand-in
until_got() { for _ in $(seq 600); do grep -qF "$1" "$work/got" && return; sleep 0.1; done; bad "never got $1: $(tail -n 3 "$work/got")"; }
start

has 'the rule is there' "$(call "$ann" GET /rules)" '"name":"spoil"'
channel() { call "$ann" POST /channels --data "$1"; }
has 'a webhook' "$(channel "{\"name\":\"hook\",\"kind\":\"webhook\",\"target\":\"http://127.0.0.1:$http/hook\",\"secret\":\"s3cret\",\"events\":[\"spoil\"]}")" '"id":'
channel "{\"name\":\"twice\",\"kind\":\"webhook\",\"target\":\"http://127.0.0.1:$http/twice\",\"events\":[\"batch\"]}" >/dev/null
channel "{\"name\":\"wecom\",\"kind\":\"wecom\",\"target\":\"http://127.0.0.1:$http/wecom?key=k-wecom\",\"events\":[\"*\"]}" >/dev/null
channel "{\"name\":\"ding\",\"kind\":\"dingtalk\",\"target\":\"http://127.0.0.1:$http/ding?access_token=t\",\"secret\":\"SECding\",\"events\":[\"*\"]}" >/dev/null
channel "{\"name\":\"feishu\",\"kind\":\"feishu\",\"target\":\"http://127.0.0.1:$http/feishu\",\"secret\":\"fs\",\"events\":[\"*\"]}" >/dev/null
channel '{"name":"mail","kind":"email","target":"boss@example.com","events":["*"]}' >/dev/null
channel "{\"name\":\"deaf\",\"kind\":\"dingtalk\",\"target\":\"http://127.0.0.1:$http/refuse\",\"events\":[\"*\"]}" >/dev/null
channel "{\"name\":\"quiet\",\"kind\":\"webhook\",\"target\":\"http://127.0.0.1:$http/quiet\",\"events\":[\"other\"]}" >/dev/null
same 'a name twice' "$(status "$ann" POST /channels --data "{\"name\":\"hook\",\"kind\":\"webhook\",\"target\":\"http://127.0.0.1:$http/x\"}")" 409
same 'no such kind' "$(status "$ann" POST /channels --data '{"name":"x","kind":"fax","target":"http://a.example/x"}')" 400
same 'no address' "$(status "$ann" POST /channels --data '{"name":"x","kind":"webhook","target":"file:///etc/passwd"}')" 400
same 'a worker keeps no channels' "$(status "$bob" POST /channels --data "{\"name\":\"x\",\"kind\":\"webhook\",\"target\":\"http://127.0.0.1:$http/x\"}")" 403
lacks 'a secret is not told' "$(call "$ann" GET /channels)" s3cret
lacks "another party's channels" "$(call "$eve" GET /channels)" hook
grep -rqaF 'k-wecom' "$data" && bad "a robot's key lies open in the data folder" || ok

# below the limit nothing happens; above it once
batch() { call "$ann" POST /docs/batch --data "$1" | sed -n 's/.*"number":"\([^"]*\)".*/\1/p'; }
few=$(batch '{"kiln":"K4","pieces":500,"spoiled":3}') many=$(batch '{"kiln":"K4","pieces":500,"spoiled":44}')
same 'finished' "$(status "$ann" POST "/docs/batch/$few/finish" --data '{}')" 200
same 'and the other' "$(status "$ann" POST "/docs/batch/$many/finish" --data '{}')" 200
for p in hook wecom ding feishu smtp refuse; do until_got "\"path\":\"$( [ $p = smtp ] && echo smtp || echo /$p)\""; done
for _ in $(seq 600); do [ "$(grep -c '"path":"/twice"' "$work/got")" -ge 3 ] && break; sleep 0.1; done
told=$(call "$ann" GET /notifications)
has 'in the console' "$told" "$many: 44 pieces spoiled"
has 'and in Chinese' "$told" "$many 废品 44 件"
has 'unread' "$told" '"unread":1'
lacks 'not the other' "$told" "$few"
lacks 'not for a worker' "$(call "$bob" GET /notifications)" 'spoiled'
lacks 'not for another party' "$(call "$eve" GET /notifications)" 'spoiled'
claims=$(call "$ann" GET /docs/claim)
has 'the claim' "$claims" 'kiln K4, 44 of 500'
has 'for the batch' "$claims" "\"number\":\"$many\""
has 'one of them' "$claims" '"total":1'

# what went out, with its signature
line() { grep "\"path\":\"$1\"" "$work/got" | tail -n 1; }
node - "$work/got" <<'N' >"$work/checked" 2>&1
const { readFileSync } = require('node:fs'), { createHmac } = require('node:crypto');
const rows = readFileSync(process.argv[2], 'utf8').trim().split('\n').map((l) => JSON.parse(l));
const of = (p) => rows.filter((r) => r.path === p);
const hmac = (key, text) => createHmac('sha256', key).update(text);
const say = (name, ok, got) => console.log(ok ? 'ok' : `bad ${name}: ${JSON.stringify(got)}`);
const hook = of('/hook')[0], t = hook.headers['x-weft-timestamp'];
say('webhook signature', hook.headers['x-weft-signature'] === 'sha256=' + hmac('s3cret', `${t}.${hook.body}`).digest('hex'), hook.headers);
say('webhook time', Math.abs(Date.now() / 1000 - Number(t)) < 120, t);
say('webhook body', JSON.parse(hook.body).rule === 'spoil' && JSON.parse(hook.body).type === 'batch', hook.body);
say('webhook once', of('/hook').length === 1, of('/hook').length);
const twice = of('/twice');
say('tried again until it is taken', twice.length === 3 && twice[2].failing === false, twice.length);
say('under the same number', new Set(twice.map((r) => r.headers['x-weft-delivery'])).size === 1, twice.map((r) => r.headers));
const wecom = JSON.parse(of('/wecom')[0].body);
say('wecom', wecom.msgtype === 'text' && wecom.text.content.includes('废品 44 件'), wecom);
const ding = new URL('http://x' + of('/ding')[0].url), stamp = ding.searchParams.get('timestamp');
say('dingtalk sign', ding.searchParams.get('sign') === hmac('SECding', `${stamp}\nSECding`).digest('base64'), ding.search);
say('dingtalk token stays', ding.searchParams.get('access_token') === 't', ding.search);
const feishu = JSON.parse(of('/feishu')[0].body);
say('feishu sign', feishu.sign === hmac(`${feishu.timestamp}\nfs`, '').digest('base64'), feishu);
say('feishu', feishu.msg_type === 'text' && feishu.content.text.includes('44 pieces'), feishu);
const mail = of('smtp')[0];
say('mail to', mail.to.length === 1 && mail.to[0].includes('<boss@example.com>'), mail.to);
say('mail from', mail.from.includes('<weft@example.com>'), mail.from);
say('mail subject', /^Subject: =\?UTF-8\?B\?/m.test(mail.text), mail.text);
say('mail text', Buffer.from(mail.text.split('\n\n')[1], 'base64').toString().includes('44 pieces spoiled'), mail.text);
say('not wanted, not sent', of('/quiet').length === 0, of('/quiet'));
N
while read -r result; do case $result in ok) ok ;; *) bad "$result" ;; esac; done <"$work/checked"
[ "$(grep -c . "$work/checked")" = 16 ] && ok || bad "the checks did not run: $(cat "$work/checked")"
has 'a refusal is told' "$(call "$ann" GET /channels)" 'sign not match'
has 'a test that works' "$(call "$ann" POST /channels/1/test)" '"ok":true'
has 'a test that does not' "$(call "$ann" POST /channels/7/test)" 'sign not match'
same "another's channel" "$(status "$eve" POST /channels/1/test)" 404

# read; the rule off; a restart repeats nothing
id=$(printf %s "$told" | sed -n 's/^{"items":\[{"id":\([0-9]*\).*/\1/p')
same 'read' "$(status "$ann" POST /notifications/read --data "{\"through\":$id}")" 204
has 'all read' "$(call "$ann" GET '/notifications?unread=true')" '"items":[],"unread":0'
same 'a worker switches no rule' "$(status "$bob" POST /rules/spoil --data '{"enabled":false}')" 403
same 'no such rule' "$(status "$ann" POST /rules/none --data '{"enabled":false}')" 404
same 'off' "$(status "$ann" POST /rules/spoil --data '{"enabled":false}')" 204
off=$(batch '{"kiln":"K5","pieces":9,"spoiled":99}')
status "$ann" POST "/docs/batch/$off/finish" --data '{}' >/dev/null
sleep 0.5
lacks 'a rule that is off' "$(call "$ann" GET /notifications)" "$off"
has 'how it ran' "$(call "$ann" GET /rules)" '"enabled":false,"runs":1,"failures":0'
same 'a channel goes' "$(status "$ann" DELETE /channels/7)" 204
stop
start
sleep 0.5
same 'after a restart' "$(grep -c '"path":"/hook"' "$work/got")" 2 # the test was the second
has 'still off' "$(call "$ann" GET /rules)" '"enabled":false'
echo "notify: $passed passed, $failed failed"
[ $failed -eq 0 ]
