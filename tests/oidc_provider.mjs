// A stand-in OpenID provider for oidc_e2e.sh: node oidc_provider.mjs KEY CERT. Prints its address, then answers; what it
// puts into the token hangs on the code asked for: "good-ALG", or the name of one thing that is wrong.
import crypto from 'node:crypto'
import fs from 'node:fs'
import https from 'node:https'

const pairs = {
  RS256: crypto.generateKeyPairSync('rsa', { modulusLength: 2048 }),
  ES256: crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  EdDSA: crypto.generateKeyPairSync('ed25519'),
}
const stranger = crypto.generateKeyPairSync('rsa', { modulusLength: 2048 })
const part = (o) => Buffer.from(typeof o === 'string' ? o : JSON.stringify(o)).toString('base64url')
const sign = (alg, key, text) => alg === 'EdDSA' ? crypto.sign(null, Buffer.from(text), key)
  : crypto.sign('sha256', Buffer.from(text), alg === 'ES256' ? { key, dsaEncoding: 'ieee-p1363' } : key)
const asked = new Map() // code → nonce and challenge
let issuer = ''

function token(what, nonce) {
  const now = Math.floor(Date.now() / 1000), alg = what.startsWith('good-') ? what.slice(5) : 'RS256'
  const claims = { iss: issuer, aud: 'weft', sub: 's-1', nonce, iat: now, exp: now + 300, email: 'li.wei@acme.example', email_verified: true }
  if (what === 'issuer') claims.iss = 'https://other.example'
  if (what === 'audience') claims.aud = 'other'
  if (what === 'nonce') claims.nonce = 'another'
  if (what === 'expired') claims.exp = now - 3600
  if (what === 'unverified') { claims.sub = 's-2'; claims.email_verified = false }
  if (what === 'unknown') { claims.sub = 's-3'; claims.email = 'nobody@acme.example' }
  const head = { alg, kid: alg }
  if (what === 'none') return `${part({ alg: 'none' })}.${part(claims)}.`
  if (what === 'hmac') { // the public key as a shared secret
    const text = `${part({ alg: 'HS256', kid: 'RS256' })}.${part(claims)}`
    return `${text}.${crypto.createHmac('sha256', pairs.RS256.publicKey.export({ type: 'spki', format: 'pem' })).update(text).digest('base64url')}`
  }
  const text = `${part(head)}.${part(claims)}`
  const signature = sign(alg, what === 'stranger' ? stranger.privateKey : pairs[alg].privateKey, text).toString('base64url')
  if (what === 'tampered') return `${part(head)}.${part({ ...claims, sub: 's-9', email: 'boss@acme.example' })}.${signature}`
  return `${text}.${signature}`
}

const server = https.createServer({ key: fs.readFileSync(process.argv[2]), cert: fs.readFileSync(process.argv[3]) }, (q, r) => {
  const url = new URL(q.url, issuer)
  const say = (o, status = 200) => { r.writeHead(status, { 'Content-Type': 'application/json' }); r.end(JSON.stringify(o)) }
  if (url.pathname === '/.well-known/openid-configuration')
    return say({ issuer, authorization_endpoint: `${issuer}/authorize`, token_endpoint: `${issuer}/token`, jwks_uri: `${issuer}/keys` })
  if (url.pathname === '/keys')
    return say({ keys: Object.entries(pairs).map(([alg, p]) => ({ ...p.publicKey.export({ format: 'jwk' }), kid: alg, alg, use: 'sig' })) })
  if (url.pathname === '/authorize') { // a person who always agrees; ?what= is the test's
    const code = `${url.searchParams.get('what')}.${crypto.randomUUID()}`
    asked.set(code, { nonce: url.searchParams.get('nonce'), challenge: url.searchParams.get('code_challenge') })
    r.writeHead(302, { Location: `${url.searchParams.get('redirect_uri')}?code=${code}&state=${url.searchParams.get('state')}` })
    return r.end()
  }
  let body = ''
  q.on('data', (d) => { body += d }).on('end', () => {
    const form = new URLSearchParams(body), code = form.get('code') ?? '', one = asked.get(code)
    asked.delete(code)
    const verifier = crypto.createHash('sha256').update(form.get('code_verifier') ?? '').digest('base64url')
    if (!one || verifier !== one.challenge || form.get('client_secret') !== 'a secret') return say({ error: 'invalid_grant' }, 400)
    say({ token_type: 'Bearer', access_token: 'x', id_token: token(code.split('.')[0], one.nonce) })
  })
})
server.listen(0, '127.0.0.1', () => { issuer = `https://127.0.0.1:${server.address().port}`; console.log(issuer) })
