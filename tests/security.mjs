// Attacks on every address of the API's own description. Used by security_e2e.sh:
//   node security.mjs URL OWNER RIVAL MARK ID…   tokens of a manager here and of one of another party; a text that
//   stands in the owner's data alone; ids and numbers of his documents.
// Prints one line per finding, then "N passed, M failed".
const [url, owner, rival, mark, ...ids] = process.argv.slice(2)
let passed = 0, failed = 0
const ok = (good, what) => { if (good) passed++; else { failed++; console.log(`FAIL ${what}`) } }

async function ask(method, path, token, body, headers = {}) {
  const control = new AbortController()
  const timer = setTimeout(() => control.abort(), 60000)
  try {
    const r = await fetch(url + path, {
      method, signal: control.signal, redirect: 'manual', body,
      headers: { ...(token ? { Authorization: `Bearer ${token}` } : {}), ...(body !== undefined ? { 'Content-Type': 'application/json' } : {}), ...headers },
    })
    const type = r.headers.get('content-type') ?? ''
    const text = type.includes('event-stream') ? (control.abort(), '') : await r.text()
    return { status: r.status, text, type }
  } catch (e) { return { status: 0, text: String(e), type: '' } } finally { clearTimeout(timer) }
}

const api = JSON.parse((await ask('GET', '/api/v1/openapi.json')).text)
const routes = []
for (const [path, methods] of Object.entries(api.paths))
  for (const [method, op] of Object.entries(methods)) routes.push({ path, method: method.toUpperCase(), op })
const stream = (r) => r.path === '/api/v1/live'
const fill = (path, value) => path.replace(/\{[^}]+\}/g, encodeURIComponent(value))
const resolve = (schema) => schema?.$ref ? resolve(api.components.schemas[schema.$ref.split('/').pop()]) : schema
const schemaOf = (op) => resolve(op.requestBody?.content?.['application/json']?.schema)

// ---- nobody, and a token that is none: only what says so in the description is open
for (const r of routes) {
  const body = r.op.requestBody ? '{}' : undefined
  const a = await ask(r.method, fill(r.path, '1'), null, body)
  if (r.op.security) ok(a.status === 401, `${r.method} ${r.path}: nobody is answered ${a.status}`)
  if (r.op.security) {
    const b = await ask(r.method, fill(r.path, '1'), 'weft_' + 'a'.repeat(52), body)
    ok(b.status === 401, `${r.method} ${r.path}: an invented token is answered ${b.status}`)
  }
}

// ---- the other party: documents by guessed id and number, through every address that takes one
for (const r of routes.filter((x) => x.path.includes('{') && !stream(x)))
  for (const id of ids) {
    const a = await ask(r.method, fill(r.path, id), rival, r.op.requestBody ? '{}' : undefined)
    ok(a.status >= 400 && a.status < 500 || a.status === 200 && !a.text.includes(mark) && !r.path.includes('/docs/'), `${r.method} ${fill(r.path, id)}: the other party is answered ${a.status}`)
    ok(!a.text.includes(mark), `${r.method} ${fill(r.path, id)}: tells the other party '${mark}'`)
  }
// and lists, counts and exports
for (const r of routes.filter((x) => x.method === 'GET' && !x.path.includes('{') && !stream(x))) {
  const a = await ask('GET', r.path, rival)
  ok(!a.text.includes(mark), `GET ${r.path}: tells the other party '${mark}'`)
}

// ---- every parameter of the query and the path gets what is not meant for it
const hostile = ["' OR '1'='1", '1; DROP TABLE user;--', '") UNION SELECT password FROM user --', '%', '../../../secret.key', '-9223372036854775809', '\u202e\u0000x', 'a'.repeat(5000)]
async function hit(r, target, token, name, value) {
  const a = await ask(r.method, target, token, r.op.requestBody ? '{}' : undefined)
  ok(a.status > 0 && a.status < 500, `${r.method} ${r.path} ${name}=${JSON.stringify(value.slice(0, 40))}: ${a.status} ${a.text.slice(0, 160)}`)
  ok(!/\$argon2|SQLITE|sqlite error|syntax error at or near/i.test(a.text), `${r.method} ${r.path} ${name}: tells of the database`)
  if (token === rival) ok(!a.text.includes(mark), `${r.method} ${r.path} ${name}=${value.slice(0, 40)}: tells the other party '${mark}'`)
}
for (const r of routes.filter((x) => !stream(x))) {
  for (const p of r.op.parameters ?? [])
    for (const value of hostile)
      for (const token of r.method === 'GET' ? [owner, rival] : [rival]) {
        const target = p.in === 'path' ? fill(r.path, value) : `${fill(r.path, ids[0])}?${encodeURIComponent(p.name)}=${encodeURIComponent(value)}`
        await hit(r, target, token, p.name, value)
      }
}

// ---- every member of every body, with every wrong kind
const values = ["' OR 1=1 --", -1, 1e400, true, null, [], {}, [[[[[[[[[[]]]]]]]]]], { $ne: null }, 'x'.repeat(20000), '\u0000', '../../etc/passwd']
for (const r of routes.filter((x) => x.op.requestBody && x.path !== '/api/v1/session' && !x.path.startsWith('/api/v1/kernels'))) {
  const members = Object.keys(schemaOf(r.op)?.properties ?? {})
  for (const m of members)
    for (const v of values) {
      const a = await ask(r.method, fill(r.path, ids[0]), rival, JSON.stringify({ [m]: v }))
      ok(a.status > 0 && a.status < 500, `${r.method} ${r.path} ${m}=${JSON.stringify(v)?.slice(0, 40)}: ${a.status} ${a.text.slice(0, 160)}`)
    }
  for (const body of ['', '[]', '"x"', '{"a":', '['.repeat(100000), '{"a":1,"a":2}', '{"__proto__":{"x":1}}', '\ufeff{}', '{"a":"\\ud800"}']) {
    const a = await ask(r.method, fill(r.path, ids[0]), rival, body)
    ok(a.status > 0 && a.status < 500, `${r.method} ${r.path} body ${body.slice(0, 20)}: ${a.status}`)
  }
}

// ---- the owner's data stands as it was
const after = await ask('GET', '/api/v1/docs/part', owner)
ok(after.status === 200 && after.text.includes(mark), 'the owner still has his documents')
console.log(`${passed} passed, ${failed} failed`)
process.exit(failed ? 1 : 0)
