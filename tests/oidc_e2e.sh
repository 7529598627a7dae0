#!/bin/sh
# Signing in at an OpenID provider, a stand-in of tests/oidc_provider.mjs over TLS: three kinds of signatures, and every
# claim that may be wrong. Prints `oidc: N passed, N failed`.
set -u
cd "$(dirname "$0")/.." || exit 1
[ -n "${WEFT:-}" ] || make -s build/weft plugins || { echo "oidc: 0 passed, 1 failed"; exit 1; }
weft=${WEFT:-build/weft}
for tool in curl node openssl; do
    command -v $tool >/dev/null || { echo "oidc: 0 passed, 0 failed, 1 skipped"; echo "SKIP oidc: $tool is missing"; exit 0; }
done
work=$(mktemp -d "${TMPDIR:-/tmp}/weft-oidc-XXXXXX") || exit 1
pid='' provider=''
stop() {
    [ -n "$pid" ] && kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null
    [ -n "$provider" ] && kill "$provider" 2>/dev/null
    pid='' provider=''
}
trap 'stop; rm -rf "$work"' EXIT
passed=0 failed=0
same() { if [ "$2" = "$3" ]; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "FAIL tests/oidc_e2e.sh: $1: got '$2', want '$3'"; fi; }

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 \
    -keyout "$work/key.pem" -out "$work/cert.pem" 2>/dev/null
node tests/oidc_provider.mjs "$work/key.pem" "$work/cert.pem" >"$work/issuer" 2>"$work/provider.log" &
provider=$!
for _ in $(seq 1200); do [ -s "$work/issuer" ] && break; sleep 0.05; done
issuer=$(cat "$work/issuer")
token=$("$weft" token create --data "$work/data" --party acme --user ann --role manager) || exit 1
start() {
    : >"$work/ready"
    WEFT_OIDC_CLIENT_SECRET='a secret' "$weft" serve --data "$work/data" --http 127.0.0.1:0 --mqtt 127.0.0.1:0 \
        --http-public-url http://weft.example --oidc-issuer "$issuer" --oidc-client-id weft --oidc-title Acme "$@" >"$work/ready" 2>>"$work/log" &
    pid=$!
    for _ in $(seq 1200); do [ -s "$work/ready" ] && break; sleep 0.05; done
    url=http://$(sed -n 's/.*"http":"\([^"]*\)".*/\1/p' "$work/ready")
}
# visit WHAT [OPTIONS]: there and back as a browser does; $status of the return, $jar its cookies
visit() {
    jar=$work/jar what=$1
    shift
    rm -f "$jar"
    there=$(curl -s -o /dev/null -c "$jar" -w '%{redirect_url}' "$url/api/v1/session/oidc/work")
    back=$(curl -s -o /dev/null --cacert "$work/cert.pem" -w '%{redirect_url}' "$there&what=$what")
    status=$(curl -s -o "$work/body" -b "$jar" -c "$jar" -w '%{http_code}' "$@" "$url${back#http://weft.example}")
}

start --oidc-own-network --oidc-ca-file "$work/cert.pem"
same 'the button' "$(curl -s "$url/api/v1/session/oidc")" '{"providers":[{"name":"work","title":"Acme"}]}'
visit good-RS256; same 'nobody of this server' "$status" 403
curl -s -o /dev/null -H "Authorization: Bearer $token" -H 'Content-Type: application/json' -d '{"name":"li.wei@acme.example","roles":["viewer"]}' "$url/api/v1/users"
for alg in RS256 ES256 EdDSA; do
    visit good-$alg; same "$alg" "$status" 302
    same "$alg signs in" "$(curl -s -b "$jar" "$url/api/v1/session" | sed -n 's/.*"user":"\([^"]*\)".*/\1/p')" li.wei@acme.example
done
same 'the way back is good once' "$(curl -s -o /dev/null -b "$jar" -w '%{http_code}' "$url${back#http://weft.example}")" 401
for wrong in issuer audience nonce expired tampered stranger none hmac; do
    visit $wrong
    case $status in 400 | 401) passed=$((passed + 1)) ;; *) failed=$((failed + 1)); echo "FAIL tests/oidc_e2e.sh: a token with a wrong $wrong: $status" ;; esac
    same "a wrong $wrong signs nobody in" "$(curl -s -o /dev/null -b "$jar" -w '%{http_code}' "$url/api/v1/session")" 401
done
for who in unverified unknown; do visit $who; same "$who" "$status" 403; done
# another browser's sign-in is not taken over: its state is not in this one's cookie
there=$(curl -s -o /dev/null -w '%{redirect_url}' "$url/api/v1/session/oidc/work")
back=$(curl -s -o /dev/null --cacert "$work/cert.pem" -w '%{redirect_url}' "$there&what=good-RS256")
same 'a state of another browser' "$(curl -s -o /dev/null -w '%{http_code}' "$url${back#http://weft.example}")" 401
same 'an invented state' "$(curl -s -o /dev/null -b weft_oidc=x -w '%{http_code}' "$url/api/v1/session/oidc/callback?state=x&code=y")" 401
kill $pid; wait $pid 2>/dev/null
start --oidc-own-network # without the authority
same 'a certificate that nobody vouches for' "$(curl -s -o /dev/null -w '%{http_code}' "$url/api/v1/session/oidc/work")" 500
kill $pid; wait $pid 2>/dev/null
start --oidc-ca-file "$work/cert.pem"
same 'a provider in our own network, unless that is said' "$(curl -s -o /dev/null -w '%{http_code}' "$url/api/v1/session/oidc/work")" 500
echo "oidc: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
