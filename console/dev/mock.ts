// The API over the made-up fleet, for working on pages without a server: node build.mjs --mock. Keeps nothing.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { readFileSync } from 'node:fs'
import { join, extname } from 'node:path'
import type { Doc, ThingItem } from '../src/lib/types'
import serviceTypes from './types.json'
import { askSeries, askSql, sqlTables, tagsOf } from './explore'
import { Fail, fakeQr, more, Raw, type Asked } from './more'
import { tradeDocs, tradeTypes } from './trade'
import { componentOf, DAY, HOUR, failures, iso, metricIndex, metricOf, models, NOW, sample, START, valueAt, wearOf } from './sample'

interface MockOptions { dir: string; port: number; pace?: number }
type TypeRow = { name: string; fields: { name: string; kind: string; ref?: string; computed?: boolean; required?: boolean; title_en: string }[]; states: { name: string; final: boolean }[]; transitions: { name: string; from: string; to: string | null; roles: string[]; needs: string | null; takes: string | null; stamps: string | null }[]; create_roles: string[]; prefix: string }

const types = { items: [...serviceTypes.items.map((x) => ({ pack: 'machinery', label: null, ...x })), ...tradeTypes] }

const users: Record<string, string[]> = { demo: ['operator', 'manager'], tech: ['technician'], view: ['viewer'], guarded: ['manager'], worker: ['worker'], fresh: ['manager'] }
const kinds: Record<string, string> = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.txt': 'text/plain; charset=utf-8', '.webmanifest': 'application/manifest+json' }

export interface Mock {
  port: number
  drop: (ms: number) => void       // ends live streams and refuses new ones for so long
  slow: (ms: number) => void       // every answer takes so long from now on
  pages: (most: number) => void    // machines in one answer, at most
  fail: (path: string | null) => void  // paths that begin so answer with a problem
  close: () => void
}
/** Starts it. */
export function mock({ dir, port, pace = 1 }: MockOptions): Promise<Mock> {
  let latency = 0, pageMost = 1000, closedUntil = 0, failing: string | null = null
  const world = sample()
  Object.assign(world.docs, structuredClone(tradeDocs()))
  const rest = () => half
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
  /** A line as the server gives it back: its product named, its sum computed. */
  const line = (row: Record<string, unknown>) => {
    const price = (row.price as { amount: string } | undefined)?.amount
    const product = typeof row.product === 'number' ? world.docs.product!.find((d) => d.id === row.product) : undefined
    return { ...row, ...(product ? { product: { id: product.id, number: product.number } } : {}), sum: price ? { amount: (Number(price) * Number(row.quantity ?? 0)).toFixed(2), currency: 'CNY' } : null }
  }
  const put = (type: TypeRow, d: Doc, body: Record<string, unknown>) => {
    for (const [k, v] of Object.entries(body)) {
      const f = type.fields.find((x) => x.name === k)
      if (!f) throw new Fail(422, 'unknown field', `${type.name} has no field "${k}"`)
      if (f.kind === 'decimal' && v !== null && typeof v === 'string' && !/^-?\d+(\.\d+)?$/.test(v)) throw new Fail(422, 'bad value', `"${k}" wants a decimal such as "1.5", not "${v}"`)
      if (f.kind === 'number' && v !== null && typeof v !== 'number') throw new Fail(422, 'bad value', `"${k}" wants a number, not "${String(v)}"`)
      d[k] = f.kind === 'decimal' && v !== null && typeof v === 'object' ? String(Number((v as { value: string }).value) * ((v as { unit: string }).unit === 'TNE' ? 1000 : 1)) : f.kind === 'lines' && Array.isArray(v) ? v.map(line) : f.kind === 'party' && typeof v === 'string' ? { id: 0, name: v } : f.kind === 'ref' && v !== null ? (({ id, number }) => ({ id, number }))(find(typeOf(f.ref!), String(v))) : v
    }
  }
  const log = (who: string, type: TypeRow, d: Doc, what: string, detail: unknown, before: unknown = {}) => {
    audit.unshift({ id: audit.length + 1, at: iso(now()), who, action: what, type: type.name, target: d.number, before, after: detail })
    tell('doc', { type: type.name, id: d.id, number: d.number, state: d.state, thing: d.thing })
  }

  const create = (typeName: string, body: Record<string, unknown>, who: string): Doc => {
    const type = typeOf(typeName)
    const id = Math.max(0, ...world.docs[type.name]!.map((d) => d.id)) + 1
    const d: Doc = { id, number: `${type.prefix}-${String(id).padStart(6, '0')}`, state: type.states[0]!.name, version: 1, created: iso(now()), changed: iso(now()), created_by: who, can: [] }
    put(type, d, body)
    for (const f of type.fields) if (f.required && !f.computed && (d[f.name] === undefined || d[f.name] === '' || d[f.name] === null)) throw new Fail(422, 'field missing', `"${f.name}" must be given`)
    world.docs[type.name]!.push(d)
    return d
  }
  const half = more({ docs: world.docs, now, typeOf, find: find as never, create, tell, types: () => types.items as never, audit })
  const list = (type: TypeRow, q: URLSearchParams, roles: string[]): unknown => {
    let rows = [...world.docs[type.name]!]
    const groups = new Map<string, string[]>()
    q.forEach((v, k) => { if (!['sort', 'limit', 'cursor', 'count', 'q', 'group', 'measure', 'total', 'agreement', 'fields', 'expand', 'format'].includes(k)) groups.set(k, [...groups.get(k) ?? [], v]) })
    const key = (d: Doc, f: string) => { const v = d[f]; return v && typeof v === 'object' && 'id' in v ? (v as { id: number }).id : v }
    for (const [k, values] of groups) {
      const [, f, op] = /^(\w+)([<>~]?)$/.exec(k) ?? [, k, '']
      if (f !== 'state' && f !== 'number' && !type.fields.some((x) => x.name === f)) throw new Fail(400, 'unknown field', `${type.name} has no field "${f}"`)
      rows = rows.filter((d) => values.some((v) => { const x = key(d, f!); const n = Number(v); return op === '>' ? Number.isNaN(n) ? String(x) >= v : Number(x) >= n : op === '<' ? Number.isNaN(n) ? String(x) <= v : Number(x) <= n : op === '~' ? String(x ?? '').includes(v) : String(x) === v }))
    }
    const words = q.get('q')
    if (words) rows = rows.filter((d) => JSON.stringify(Object.values(d)).toLowerCase().includes(words.toLowerCase()))
    const group = q.get('group')
    if (group) return rest().grouped(rows, group.split(','), (q.get('measure') ?? 'count').split(','))
    const count = q.get('count')
    if (count) {
      const by = new Map<string, number>()
      for (const d of rows) by.set(String(key(d, count)), (by.get(String(key(d, count))) ?? 0) + 1)
      return { counts: [...by].map(([key, count]) => ({ key, count })) }
    }
    const sort = q.get('sort') ?? '-id', down = sort.startsWith('-'), f = sort.replace('-', '')
    rows.sort((a, b) => { const x = key(a, f) as number, y = key(b, f) as number; return (x === y ? 0 : x === null || x === undefined ? -1 : y === null || y === undefined ? 1 : x < y ? -1 : 1) * (down ? -1 : 1) })
    const limit = Number(q.get('limit') ?? 50), at = Number(q.get('cursor') ?? 0)
    const agreement = q.get('agreement')
    const lens = agreement ? rest().through(type.name, agreement) : null
    const seen = (d: Doc) => lens ? Object.fromEntries(['id', ...lens.fields].map((n) => [n, d[n]])) : shown(type, d, roles)
    return { items: rows.slice(at, at + limit).map(seen), total: rows.length, next: at + limit < rows.length ? String(at + limit) : null, ...(lens ? { agreement: lens.said } : {}) }
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
      latest: [...values.map((value, k) => ({ metric: metricOf(k).name, time: t.last_seen, value })), ...tagsOf(name, t.last_seen)],
      health: { index: t.health, contributors: t.health !== null && t.health < 90 ? [{ metric: met.name, points_lost: 100 - t.health - 6.2, own_z: 3.4, peer_z: 2.9, value: met.to, own_median: met.mean, peer_median: met.mean - 1.2, text_en: `${met.title_en} is 3.4 deviations from its own normal`, text_zh: `${met.title_zh}偏离自身正常水平 3.4 个标准差` },
        { metric: metricOf((bad?.[1] ?? 0 + 1) % 4).name, points_lost: 6.2, own_z: 1.6, peer_z: 1.1, value: 1, own_median: 1, peer_median: 1, text_en: 'Slightly more restless than its peers', text_zh: '波动略高于同型号设备' }] : [] },
      failure: t.state === 'offline' ? [] : [0, 1, 2, 3].map((k) => ({ component: componentOf(k).name, probability: bad && bad[1] === k ? t.prediction?.probability ?? .5 : .004 + ((m * 13 + k * 7) % 9) / 100 })),
      components: wearOf(m, at),
    }
  }
  const series = (q: URLSearchParams) => {
    const m = Number((q.get('thing') ?? '').slice(-2)), k = metricIndex(q.get('metric') ?? '')
    if (k < 0) throw new Fail(404, 'unknown metric', `"${q.get('thing')}" has no metric "${q.get('metric')}"`)
    const to = Math.min(now(), Date.parse(thing(q.get('thing')!).last_seen!), q.get('to') ? Date.parse(q.get('to')!) : Infinity), from = Math.max(START, q.get('from') ? Date.parse(q.get('from')!) : START)
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

  const route = (asked: Asked, roles: string[]): unknown => {
    const { method, path, q, body, who } = asked
    const [head, one, two, three] = path
    switch (head) {
      case 'status': return status()
      case 'models': return { items: models }
      case 'dashboard': return dashboard()
      case 'series': return one === 'query' ? askSeries(body as never, world.things, now()) : series(q)
      case 'sql': return one === 'tables' ? sqlTables : askSql(String(body.sql ?? ''), world.things)
      case 'things': {
        if (one) return detail(one)
        const text = (q.get('q') ?? '').toLowerCase()
        const items = world.things.filter((t) => (!text || t.name.includes(text)) && (!q.get('state') || t.state === q.get('state')) && (!q.get('model') || t.model === q.get('model')))
        const rank = { alarm: 0, warning: 1, offline: 2, ok: 3 }
        const by: Record<string, (a: ThingItem, b: ThingItem) => number> = { name: () => 0, health: (a, b) => (a.health ?? 101) - (b.health ?? 101), state: (a, b) => rank[a.state] - rank[b.state] || (a.health ?? 101) - (b.health ?? 101), probability: (a, b) => (b.prediction?.probability ?? -1) - (a.prediction?.probability ?? -1), seen: (a, b) => (b.last_seen ?? '').localeCompare(a.last_seen ?? '') }
        const sort = q.get('sort') ?? 'name'
        if (!by[sort]) throw new Fail(400, 'bad sort', `query parameter 'sort' is one of ${Object.keys(by).join(', ')}`)
        items.sort((a, b) => by[sort]!(a, b) || a.name.localeCompare(b.name))
        const limit = Math.min(Number(q.get('limit') ?? 100), pageMost), at = Number(q.get('cursor') ?? 0)
        return { items: items.slice(at, at + limit).map(({ extra: _e, ...t }): ThingItem => t), total: items.length, next: at + limit < items.length ? String(at + limit) : null }
      }
      case 'docs': {
        if (!one) return types
        const type = typeOf(one)
        if (two === 'export' || two === 'template') return new Raw('number,title\n', q.get('format') === 'csv' ? 'text/csv' : 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet')
        if (two === 'fields') return half.ownField(asked)
        if (!two && method === 'POST') {
          const d = create(one, body, who)
          log(who, type, d, 'create', body)
          return shown(type, d, roles)
        }
        if (!two) return list(type, q, roles)
        const d = find(type, two)
        if (q.get('agreement')) { const lens = half.through(type.name, q.get('agreement')!); return Object.fromEntries(['id', ...lens.fields].map((n) => [n, d[n]])) }
        if (three) {
          const more = half.ofDocument(asked, type as never, d, path.slice(3))
          if (more !== undefined) return more
        }
        if (method === 'DELETE') { world.docs[type.name] = world.docs[type.name]!.filter((x) => x !== d); return undefined }
        const before = { ...d }
        if (method === 'PATCH' && asked.version && asked.version !== d.version) throw new Fail(412, 'changed meanwhile', `${d.number} is at version ${d.version}, not ${asked.version}; read it again`)
        if (three) {
          const x = type.transitions.find((t) => t.name === three && (t.from === '*' || t.from.split('|').includes(d.state)))
          if (!x) throw new Fail(409, 'not possible now', `${d.number} is "${d.state}": "${three}" is not possible`)
          for (const n of x.needs?.split('|') ?? []) if (!body[n]) throw new Fail(422, 'field missing', `"${n}" must be given`)
          put(type, d, body)
          if (x.to) d.state = x.to
          if (x.stamps) d[x.stamps] = iso(now())
        } else if (method === 'PATCH') put(type, d, body)
        if (three || method === 'PATCH') { d.version++; d.changed = iso(now()); log(who, type, d, three ? `transition:${three}` : 'change', body, before) }
        return shown(type, d, roles)
      }
      case 'audit': return { items: audit.filter((r) => (!q.get('type') || r.type === q.get('type')) && (!q.get('target') || r.target === q.get('target'))), next: null }
      case 'dead-letters': return { items: [{ id: 2, at: iso(NOW - HOUR), device: 'press-03', topic: 'v1/devices/me/telemetry', bytes: 47, reason: 'metric "volt" is a number, not a text', payload: '{"ts":1425794400000,"values":{"volt":"n/a"}}' }, { id: 1, at: iso(NOW - 5 * HOUR), device: 'press-17', topic: 'v1/devices/me/telemetry', bytes: 31, reason: 'the JSON ends early', payload: '{"ts":1425780000000,"values":{' }], next: null }
      case 'users': return method === 'POST' ? { name: body.name, roles: body.roles } : { items: Object.entries(users).map(([name, roles], i) => ({ id: i + 1, name, roles })) }
            case 'devices': return { user: String(body.name), password: 'mock-device-secret' }
      default: {
        const said = half.route(asked)
        if (said === undefined && method === 'GET') throw new Fail(404, 'not found', `there is no ${path.join('/')}`)
        return said
      }
    }
  }

  const answer = async (req: IncomingMessage, res: ServerResponse) => {
    const url = new URL(req.url ?? '/', 'http://mock')
    if (!url.pathname.startsWith('/api/v1/')) return file(dir, url.pathname, res)
    const path = url.pathname.slice(8).split('/').map(decodeURIComponent)
    const method = req.method ?? 'GET'
    const chunks: Buffer[] = []
    for await (const chunk of req) chunks.push(chunk as Buffer)
    const bytes = Buffer.concat(chunks), type = String(req.headers['content-type'] ?? '')
    const body = bytes.length && type.startsWith('application/json') && path[0] !== 'imports' || bytes.length && path[0] === 'imports' && path[1] ? JSON.parse(bytes.toString()) as Record<string, unknown> : {}
    const who = /weft_session=(\w+)/.exec(req.headers.cookie ?? '')?.[1] ?? ''
    const send = (status: number, payload: unknown, headers: Record<string, string> = {}) => {
      res.writeHead(status, { 'Content-Type': status < 400 ? 'application/json' : 'application/problem+json', ...headers }).end(payload === undefined ? '' : JSON.stringify(payload))
    }
    const due = Date.now() + latency     // slow(0) lets go at once of what waits
    while (latency && Date.now() < due) await new Promise((r) => setTimeout(r, 50))
    try {
      const cookie = (user: string) => ({ 'Set-Cookie': `weft_session=${user}; HttpOnly; SameSite=Strict; Path=/` })
      const me = (user: string) => ({ user, name: user, roles: users[user], party: { id: 1, name: 'demo' }, parties: [{ id: 1, name: 'demo', roles: users[user] }, ...(user === 'demo' ? [{ id: 2, name: '衡信卫浴', roles: ['viewer'] }] : [])], second_factor: user === 'guarded' || half.factor, needs: user === 'fresh' ? 'new_password' : null,
        ...(user === 'worker' ? { worker: { docs: ['report'], until: iso(now() + 8 * HOUR), label: '2 号窑' } } : {}) })
      if (path[0] === 'invitations' && path[1]) {
        const got = half.invitations.get(path[1])
        if (!got) throw new Fail(404, 'no such invitation', 'this invitation was used, withdrawn or is too old; ask for a new one')
        if (method === 'POST') { users[String(body.user)] = got.roles as string[]; return send(200, me(String(body.user)), cookie(String(body.user))) }
        return send(200, got)
      }
      if (path[0] === 'worker-links' && path[1]) { if (path[1] !== 'wk-1') throw new Fail(404, 'no such link', 'this link has ended; ask for a new one'); return send(200, me('worker'), cookie('worker')) }
      if (path[0] === 'session') {
        if (path[1] === 'oidc') return send(200, { providers: [{ name: 'corp', title: '企业统一登录' }] })
        if (method === 'POST' && !path[1]) {
          const user = String(body.user)
          if (!users[user] || body.password !== user) throw new Fail(401, 'cannot sign in', `user name or password is wrong`)
          if (user === 'guarded' && body.code !== '123456') throw new Fail(401, body.code ? 'cannot sign in' : 'second factor', body.code ? 'the code is wrong or too old; wait for the next one' : 'the code of your authenticator app is needed', '/problems/second-factor')
          return send(200, me(user), cookie(user))
        }
        if (method === 'DELETE' && !path[1]) return send(204, undefined, { 'Set-Cookie': 'weft_session=; Max-Age=0; Path=/' })
        if (!users[who]) throw new Fail(401, 'not signed in', 'sign in first')
        if (!path[1]) return send(200, me(who))
        if (path[1] === 'party') return send(200, me(who))
        if (path[1] === 'password') { if (body.old !== who) throw new Fail(422, 'wrong password', 'the old password is not right'); return send(204, undefined) }
        if (path[1] === 'totp' && path[2] === 'confirm') { if (body.code !== '123456') throw new Fail(422, 'wrong code', 'the code is not right; codes change every 30 s'); half.factor = true; return send(200, { recovery: ['k3v7-q9xm', 'p2n8-w4rt', 'h6c5-z8yd', 'b9m3-t7kf'] }) }
        if (path[1] === 'totp' && method === 'DELETE') { half.factor = false; return send(204, undefined) }
        if (path[1] === 'totp') return send(200, { secret: 'JBSWY3DPEHPK3PXP', uri: 'otpauth://totp/Weft:demo?secret=JBSWY3DPEHPK3PXP', svg: fakeQr('otpauth') })
      }
      if (!users[who]) throw new Fail(401, 'not signed in', 'sign in first')
      if (failing && path.join('/').startsWith(failing)) throw new Fail(503, 'store is busy', 'the disk is full; free some space and try again')
      if (path[0] === 'live') {
        if (Date.now() < closedUntil) throw new Fail(503, 'not now', 'the server is going down')
        res.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' })
        res.write(`event: status\ndata: ${JSON.stringify(status())}\n\n`)
        streams.add(res)
        res.on('close', () => streams.delete(res))
        return undefined
      }
      if (method !== 'GET' && req.headers['x-weft'] !== '1' && path[0] !== 'session') throw new Fail(403, 'header missing', 'a change needs the header X-Weft: 1')
      const said = route({ method, path, q: url.searchParams, body, bytes, type, name: String(req.headers['x-weft-name'] ?? ''), who, version: Number(/\d+/.exec(String(req.headers['if-match'] ?? ''))?.[0] ?? 0) }, users[who]!)
      if (said instanceof Raw) { res.writeHead(200, { 'Content-Type': said.type, ...said.headers }).end(said.bytes); return undefined }
      return send(said === undefined ? 204 : 200, said)
    } catch (e) {
      const f = e instanceof Fail ? e : new Fail(500, 'mock failed', String(e))
      return send(f.status, { type: f.type, title: f.title, status: f.status, detail: f.message })
    }
  }
  const server = createServer((req, res) => { void answer(req, res) })
  const handle = (): Mock => ({
    port: (server.address() as { port: number }).port,
    drop: (ms) => { closedUntil = Date.now() + ms; for (const one of streams) one.destroy() },
    slow: (ms) => { latency = ms },
    pages: (most) => { pageMost = most },
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
