// The API over the made-up fleet, for working on pages without a server: node build.mjs --mock. Keeps nothing.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { readFileSync } from 'node:fs'
import { join, extname } from 'node:path'
import type { Doc, ThingItem } from '../src/lib/types'
import types from './types.json'
import { componentOf, DAY, HOUR, failures, iso, metricIndex, metricOf, models, NOW, sample, START, valueAt, wearOf } from './sample'

interface MockOptions { dir: string; port: number; pace?: number }
type TypeRow = { name: string; fields: { name: string; kind: string; ref?: string; computed?: boolean; required?: boolean; title_en: string }[]; states: { name: string; final: boolean }[]; transitions: { name: string; from: string; to: string | null; roles: string[]; needs: string | null; takes: string | null; stamps: string | null }[]; create_roles: string[]; prefix: string }

class Fail extends Error { constructor(readonly status: number, readonly title: string, detail: string) { super(detail) } }

const users: Record<string, string[]> = { demo: ['operator'], tech: ['technician'], view: ['viewer'] }
const kinds: Record<string, string> = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.txt': 'text/plain; charset=utf-8', '.webmanifest': 'application/manifest+json' }

export interface Mock {
  port: number
  drop: (ms: number) => void       // ends live streams and refuses new ones for so long
  slow: (ms: number) => void       // every answer takes so long from now on
  fail: (path: string | null) => void  // paths that begin so answer with a problem
  close: () => void
}
/** Starts it. */
export function mock({ dir, port, pace = 1 }: MockOptions): Promise<Mock> {
  let latency = 0, closedUntil = 0, failing: string | null = null
  const world = sample()
  const audit: Record<string, unknown>[] = []
  const streams = new Set<ServerResponse>()
  const began = Date.now()
  const now = () => NOW + (Date.now() - began) * pace
  const status = () => ({ version: '0.1.0', now: iso(now()), clock: 'recording', party: 'demo', things: world.things.length, uptime_s: (Date.now() - began) / 1000, rows_kept: 128_400 + Math.round((now() - NOW) / HOUR) * 80, replay: { from: iso(START), to: iso(Date.UTC(2015, 3, 1, 5)), at: iso(now()), speed: pace, done: false } })
  const tell = (event: string, data: unknown) => { for (const s of streams) s.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`) }
  const beat = setInterval(() => {
    tell('status', status())
    const seen = world.things.filter((t) => t.state !== 'offline').map((t) => { t.last_seen = iso(Math.floor(now() / HOUR) * HOUR); const { extra: _e, ...item } = t; return item })
    if (seen.length) tell('things', seen)
  }, 2000)

  const typeOf = (name: string): TypeRow => {
    const t = (types.items as unknown as TypeRow[]).find((x) => x.name === name)
    if (!t) throw new Fail(404, 'no such type', `there is no document type "${name}"`)
    return t
  }
  const shown = (type: TypeRow, d: Doc, roles: string[]): Doc => ({
    ...d, can: type.transitions.filter((x) => x.roles.some((r) => roles.includes(r)) && (x.from === '*' ? !type.states.find((s) => s.name === d.state)?.final : x.from.split('|').includes(d.state))).map((x) => x.name),
  })
  const find = (type: TypeRow, id: string): Doc => {
    const d = world.docs[type.name]!.find((x) => String(x.id) === id || x.number === id)
    if (!d) throw new Fail(404, 'not found', `there is no ${type.name} "${id}"`)
    return d
  }
  const put = (type: TypeRow, d: Doc, body: Record<string, unknown>) => {
    for (const [k, v] of Object.entries(body)) {
      const f = type.fields.find((x) => x.name === k)
      if (!f) throw new Fail(422, 'unknown field', `${type.name} has no field "${k}"`)
      if (f.kind === 'number' && v !== null && typeof v !== 'number') throw new Fail(422, 'bad value', `"${k}" wants a number, not "${String(v)}"`)
      d[k] = f.kind === 'ref' && v !== null ? (({ id, number }) => ({ id, number }))(find(typeOf(f.ref!), String(v))) : v
    }
  }
  const log = (who: string, type: TypeRow, d: Doc, what: string, detail: unknown) => {
    audit.unshift({ id: audit.length + 1, at: iso(now()), who, action: what, type: type.name, target: d.number, before: {}, after: detail })
    tell('doc', { type: type.name, id: d.id, number: d.number, state: d.state, thing: d.thing })
  }

  const list = (type: TypeRow, q: URLSearchParams, roles: string[]) => {
    let rows = [...world.docs[type.name]!]
    const groups = new Map<string, string[]>()
    q.forEach((v, k) => { if (!['sort', 'limit', 'cursor', 'count'].includes(k)) groups.set(k, [...groups.get(k) ?? [], v]) })
    const key = (d: Doc, f: string) => { const v = d[f]; return v && typeof v === 'object' && 'id' in v ? (v as { id: number }).id : v }
    for (const [k, values] of groups) {
      const [, f, op] = /^(\w+)([<>~]?)$/.exec(k) ?? [, k, '']
      if (f !== 'state' && f !== 'number' && !type.fields.some((x) => x.name === f)) throw new Fail(400, 'unknown field', `${type.name} has no field "${f}"`)
      rows = rows.filter((d) => values.some((v) => { const x = key(d, f!); const n = Number(v); return op === '>' ? Number.isNaN(n) ? String(x) >= v : Number(x) >= n : op === '<' ? Number.isNaN(n) ? String(x) <= v : Number(x) <= n : op === '~' ? String(x ?? '').includes(v) : String(x) === v }))
    }
    const count = q.get('count')
    if (count) {
      const by = new Map<string, number>()
      for (const d of rows) by.set(String(key(d, count)), (by.get(String(key(d, count))) ?? 0) + 1)
      return { counts: [...by].map(([key, count]) => ({ key, count })) }
    }
    const sort = q.get('sort') ?? '-id', down = sort.startsWith('-'), f = sort.replace('-', '')
    rows.sort((a, b) => { const x = key(a, f) as number, y = key(b, f) as number; return (x === y ? 0 : x === null || x === undefined ? -1 : y === null || y === undefined ? 1 : x < y ? -1 : 1) * (down ? -1 : 1) })
    const limit = Number(q.get('limit') ?? 50), at = Number(q.get('cursor') ?? 0)
    return { items: rows.slice(at, at + limit).map((d) => shown(type, d, roles)), total: rows.length, next: at + limit < rows.length ? String(at + limit) : null }
  }

  const thing = (name: string) => {
    const t = world.things.find((x) => x.name === name)
    if (!t) throw new Fail(404, 'not found', `there is no machine "${name}"`)
    return t
  }
  const detail = (name: string) => {
    const { extra, ...t } = thing(name)
    const m = Number(name.slice(-2)), at = now()
    const values = [0, 1, 2, 3].map((k) => valueAt(m, k, at))
    const bad = failures.find(([who, , when]) => who === m && when > at)
    const met = bad ? metricOf(bad[1]) : metricOf(m % 4)
    return {
      ...t, ...extra,
      latest: values.map((value, k) => ({ metric: metricOf(k).name, time: t.last_seen, value })),
      health: { index: t.health, contributors: t.health !== null && t.health < 90 ? [{ metric: met.name, points_lost: 100 - t.health - 6.2, own_z: 3.4, peer_z: 2.9, value: met.to, own_median: met.mean, peer_median: met.mean - 1.2, text_en: `${met.title_en} is 3.4 deviations from its own normal`, text_zh: `${met.title_zh}偏离自身正常水平 3.4 个标准差` },
        { metric: metricOf((bad?.[1] ?? 0 + 1) % 4).name, points_lost: 6.2, own_z: 1.6, peer_z: 1.1, value: 1, own_median: 1, peer_median: 1, text_en: 'Slightly more restless than its peers', text_zh: '波动略高于同型号设备' }] : [] },
      failure: t.state === 'offline' ? [] : [0, 1, 2, 3].map((k) => ({ component: componentOf(k).name, probability: bad && bad[1] === k ? t.prediction?.probability ?? .5 : .004 + ((m * 13 + k * 7) % 9) / 100 })),
      components: wearOf(m, at),
    }
  }
  const series = (q: URLSearchParams) => {
    const m = Number((q.get('thing') ?? '').slice(-2)), k = metricIndex(q.get('metric') ?? '')
    if (k < 0) throw new Fail(404, 'unknown metric', `"${q.get('thing')}" has no metric "${q.get('metric')}"`)
    const to = Math.min(now(), Date.parse(thing(q.get('thing')!).last_seen!)), from = Math.max(START, q.get('from') ? Date.parse(q.get('from')!) : START)
    const span = to - from
    const asked = q.get('window')
    const named = /^(\d+)(s|m|h|d)?$/.exec(asked ?? '')
    if (asked && asked !== 'auto' && !(named && (named[2] || asked === '0'))) throw new Fail(400, 'bad window', `"${asked}" is no window`)
    const window = named ? Number(named[1]) * { s: 1, m: 60, h: 3600, d: 86_400 }[(named[2] ?? 's') as 's'] : span > 20 * DAY ? 6 * 3600 : 0
    const step = window ? window * 1000 : HOUR
    const points: (number | null)[][] = []
    for (let t = Math.ceil(from / step) * step; t <= to; t += step) {
      const values = Array.from({ length: step / HOUR }, (_, i) => valueAt(m, k, t + i * HOUR))
      const avg = values.reduce((a, b) => a + b, 0) / values.length
      points.push(window ? [t, avg, Math.min(...values), Math.max(...values)] : [t, avg])
    }
    const met = metricOf(k)
    return { thing: q.get('thing'), metric: q.get('metric'), unit: met.unit, window_s: window, points, baseline: { own_median: met.mean, own_mad: met.sd * .67, peer_median: met.mean * 1.012, peer_mad: met.sd * .7 } }
  }
  const dashboard = () => {
    const count = <T extends string>(keys: T[], f: (k: T) => number) => Object.fromEntries(keys.map((k) => [k, f(k)]))
    const open = world.docs.alarm!.filter((d) => d.state !== 'cleared')
    return {
      now: iso(now()), fleet: count(['ok', 'warning', 'alarm', 'offline'], (s) => world.things.filter((t) => t.state === s).length),
      open_alarms: count(['critical', 'high', 'medium', 'low'], (s) => open.filter((d) => d.severity === s).length),
      work_orders: count(['requested', 'dispatched', 'travelling', 'on_site', 'done', 'confirmed', 'cancelled'], (s) => world.docs.work_order!.filter((d) => d.state === s).length),
      promises: { arrival: { kept: 5, missed: 1 }, completion: { kept: 5, missed: 0 } },
      predictions: { open: 3, confirmed: 4, expired: 1, precision: .8, recall: .8 }, backtest: { trained_at: iso(NOW - 20 * DAY), models: 4, things: 20, failures: 23, tested: 19, foreseen: 18, foreseen_24h: 17, false_alarms: 3, machine_months: 40, recall: .947, recall_24h: .895, false_alarms_per_machine_month: .075 },
    }
  }

  const route = (method: string, path: string[], q: URLSearchParams, body: Record<string, unknown>, who: string, roles: string[]): unknown => {
    const [head, one, two, three] = path
    switch (head) {
      case 'status': return status()
      case 'models': return { items: models }
      case 'dashboard': return dashboard()
      case 'series': return series(q)
      case 'things': {
        if (one) return detail(one)
        const text = (q.get('q') ?? '').toLowerCase()
        const items = world.things.filter((t) => (!text || t.name.includes(text)) && (!q.get('state') || t.state === q.get('state')) && (!q.get('model') || t.model === q.get('model')))
        return { items: items.map(({ extra: _e, ...t }): ThingItem => t), total: items.length, next: null }
      }
      case 'docs': {
        if (!one) return types
        const type = typeOf(one)
        if (!two && method === 'POST') {
          const id = world.docs[type.name]!.length + 1
          const d: Doc = { id, number: `${type.prefix}-${String(id).padStart(6, '0')}`, state: type.states[0]!.name, version: 1, created: iso(now()), changed: iso(now()), created_by: who, can: [] }
          put(type, d, body)
          for (const f of type.fields) if (f.required && (d[f.name] === undefined || d[f.name] === '')) throw new Fail(422, 'field missing', `"${f.name}" must be given`)
          world.docs[type.name]!.push(d)
          log(who, type, d, 'create', body)
          return shown(type, d, roles)
        }
        if (!two) return list(type, q, roles)
        const d = find(type, two)
        if (three) {
          const x = type.transitions.find((t) => t.name === three && (t.from === '*' || t.from.split('|').includes(d.state)))
          if (!x) throw new Fail(409, 'not possible now', `${d.number} is "${d.state}": "${three}" is not possible`)
          for (const n of x.needs?.split('|') ?? []) if (!body[n]) throw new Fail(422, 'field missing', `"${n}" must be given`)
          put(type, d, body)
          if (x.to) d.state = x.to
          if (x.stamps) d[x.stamps] = iso(now())
        } else if (method === 'PATCH') put(type, d, body)
        if (three || method === 'PATCH') { d.version++; d.changed = iso(now()); log(who, type, d, three ? `transition:${three}` : 'change', body) }
        return shown(type, d, roles)
      }
      case 'audit': return { items: audit.filter((r) => (!q.get('type') || r.type === q.get('type')) && (!q.get('target') || r.target === q.get('target'))), next: null }
      case 'dead-letters': return { items: [{ id: 2, at: iso(NOW - HOUR), device: 'press-03', topic: 'v1/devices/me/telemetry', bytes: 47, reason: 'metric "volt" is a number, not a text', payload: '{"ts":1425794400000,"values":{"volt":"n/a"}}' }, { id: 1, at: iso(NOW - 5 * HOUR), device: 'press-17', topic: 'v1/devices/me/telemetry', bytes: 31, reason: 'the JSON ends early', payload: '{"ts":1425780000000,"values":{' }], next: null }
      case 'users': return method === 'POST' ? { name: body.name, roles: body.roles } : { items: Object.entries(users).map(([name, roles], i) => ({ id: i + 1, name, roles })) }
      case 'tokens': return { token: 'weft_mock_only' }
      case 'devices': return { user: String(body.name), password: 'mock-device-secret' }
      default: throw new Fail(404, 'not found', `there is no ${path.join('/')}`)
    }
  }

  const answer = async (req: IncomingMessage, res: ServerResponse) => {
    const url = new URL(req.url ?? '/', 'http://mock')
    if (!url.pathname.startsWith('/api/v1/')) return file(dir, url.pathname, res)
    const path = url.pathname.slice(8).split('/').map(decodeURIComponent)
    const method = req.method ?? 'GET'
    let text = ''
    for await (const chunk of req) text += chunk
    const body = text ? JSON.parse(text) as Record<string, unknown> : {}
    const who = /weft_session=(\w+)/.exec(req.headers.cookie ?? '')?.[1] ?? ''
    const send = (status: number, payload: unknown, headers: Record<string, string> = {}) => {
      res.writeHead(status, { 'Content-Type': status < 400 ? 'application/json' : 'application/problem+json', ...headers }).end(payload === undefined ? '' : JSON.stringify(payload))
    }
    if (latency) await new Promise((r) => setTimeout(r, latency))
    try {
      if (path[0] === 'session') {
        if (method === 'POST') {
          const user = String(body.user)
          if (!users[user] || body.password !== user) throw new Fail(401, 'cannot sign in', `user name or password is wrong`)
          return send(200, { user, roles: users[user], party: 'demo' }, { 'Set-Cookie': `weft_session=${user}; HttpOnly; SameSite=Strict; Path=/` })
        }
        if (method === 'DELETE') return send(204, undefined, { 'Set-Cookie': 'weft_session=; Max-Age=0; Path=/' })
      }
      if (!users[who]) throw new Fail(401, 'not signed in', 'sign in first')
      if (path[0] === 'session') return send(200, { user: who, roles: users[who], party: 'demo' })
      if (failing && path.join('/').startsWith(failing)) throw new Fail(503, 'store is busy', 'the disk is full; free some space and try again')
      if (path[0] === 'live') {
        if (Date.now() < closedUntil) throw new Fail(503, 'not now', 'the server is going down')
        res.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' })
        res.write(`event: status\ndata: ${JSON.stringify(status())}\n\n`)
        streams.add(res)
        res.on('close', () => streams.delete(res))
        return undefined
      }
      if (method !== 'GET' && req.headers['x-weft'] !== '1') throw new Fail(403, 'header missing', 'a change needs the header X-Weft: 1')
      return send(200, route(method, path, url.searchParams, body, who, users[who]!))
    } catch (e) {
      const f = e instanceof Fail ? e : new Fail(500, 'mock failed', String(e))
      return send(f.status, { type: '/problems/mock', title: f.title, status: f.status, detail: f.message })
    }
  }
  const server = createServer((req, res) => { void answer(req, res) })
  const handle = (): Mock => ({
    port: (server.address() as { port: number }).port,
    drop: (ms) => { closedUntil = Date.now() + ms; for (const one of streams) one.destroy() },
    slow: (ms) => { latency = ms },
    fail: (path) => { failing = path },
    close: () => { clearInterval(beat); server.closeAllConnections(); server.close() },
  })
  return new Promise((done) => server.listen(port, '127.0.0.1', () => done(handle())))
}

function file(dir: string, path: string, res: ServerResponse) {
  try {
    const name = path === '/' ? '/index.html' : path
    const bytes = readFileSync(join(dir, name))
    res.writeHead(200, { 'Content-Type': kinds[extname(name)] ?? 'application/octet-stream', 'Content-Security-Policy': "default-src 'self'" }).end(bytes)
  } catch { res.writeHead(404).end() }
}
