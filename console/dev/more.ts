// The mock's other half: documents' comments, files, history and groups; imports; parties and people; agreements and what
// they let through; packs; notifications. Faithful in shapes and refusals, made up in everything else.
import type { Agreement, Doc, Terms } from '../src/lib/types'
import { iso, HOUR, DAY, NOW } from './sample'
import { parties, partyRef, tradePacks, tradeTemplates, tradeTypes, tradeViews } from './trade'

type Row = Record<string, unknown>
export class Fail extends Error { constructor(readonly status: number, readonly title: string, detail: string, readonly type = '/problems/mock') { super(detail) } }
export class Raw { constructor(readonly bytes: Buffer | string, readonly type: string, readonly headers: Record<string, string> = {}) {} }
export interface Asked { method: string; path: string[]; q: URLSearchParams; body: Row; bytes: Buffer; type: string; name: string; who: string; version: number }
interface TypeLike { name: string; fields: Row[]; states: { name: string }[]; prefix: string }
interface World {
  docs: Record<string, Doc[]>
  now: () => number
  typeOf: (name: string) => TypeLike
  find: (type: never, id: string) => Doc
  create: (type: string, fields: Row, who: string) => Doc
  tell: (event: string, data: unknown) => void
  types: () => Row[]
  audit: Row[]
}

/** An SVG that looks like a QR code and is none. */
export function fakeQr(text: string): string {
  let h = 7
  const cells: string[] = []
  for (let y = 0; y < 21; y++) for (let x = 0; x < 21; x++) {
    h = Math.imul(h ^ (text.charCodeAt((x + y * 21) % text.length) + x * 31 + y * 17), 16_777_619) >>> 0
    const ring = (cx: number, cy: number) => { const d = Math.max(Math.abs(x - cx), Math.abs(y - cy)); return d <= 3 ? (d === 3 || d <= 1) : null }
    const corner = ring(3, 3) ?? ring(17, 3) ?? ring(3, 17)
    if (corner ?? (h >>> 13) % 2 === 0) cells.push(`M${x + 2} ${y + 2}h1v1h-1z`)
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 25 25"><path fill="#fff" d="M0 0h25v25H0z"/><path d="${cells.join('')}"/></svg>`
}

const sample = (t: Partial<Terms>): Terms => ({ types: [], series: [], purpose: '', from: null, to: null, onward: false, min_group: 5, confidentiality: null, ...t })

export function more(world: World) {
  const comments = new Map<string, Row[]>()
  const files = new Map<string, (Row & { bytes_: Buffer })[]>()
  const party: Row = { id: 1, name: 'demo', title: '示范陶瓷有限公司', uscc: '91320500MA1ABCDE00', bpn: '', gln: '6901234000009', handle: '', email: 'office@demo.example', phone: '0512-88880000', address: '苏州市', settings: { worker_links: true } }
  const members: Row[] = [{ user: 'demo', name: '周经理', roles: ['operator', 'manager'], second_factor: false, last_seen: iso(NOW) }, { user: 'tech', name: '李卫东', roles: ['technician'], second_factor: true, last_seen: iso(NOW - 3 * HOUR) }, { user: 'view', name: '审计', roles: ['viewer'], second_factor: false, last_seen: iso(NOW - 9 * DAY) }]
  const tokens: Row[] = [{ id: 1, user: 'mes', role: 'worker', scopes: ['docs:report:write'], created: iso(NOW - 30 * DAY), expires: iso(NOW + 60 * DAY), last_used: iso(NOW - HOUR) }]
  const invitations = new Map<string, Row>([['inv-demo', { party: '示范陶瓷有限公司', roles: ['worker'] }]])
  let factor = false
  const mine: Agreement[] = [
    agreement(1, 'active', 1, 2, '客户跟踪自己的订单', sample({ types: [{ type: 'order', fields: ['number', 'state', 'title', 'deliver_by', 'lines.quantity'], rows: [{ field: 'customer', op: 'eq', value: '衡信卫浴' }] }], purpose: '跟踪自己订单的进度', from: iso(NOW - 40 * DAY), to: iso(NOW + 300 * DAY) })),
    agreement(2, 'proposed', 1, 4, 'Bank sees output', sample({ types: [{ type: 'order', fields: ['state', 'customer', 'contact', 'weight', 'amount'], rows: [{ field: 'state', op: 'eq', value: 'done' }] }], series: [{ things: null, model: 'model1', metrics: ['volt'], resolution: 'hourly' }], purpose: 'assess a loan', to: iso(NOW + 90 * DAY), confidentiality: '数据仅用于贷款评估，不得提供给第三方。' })),
    agreement(3, 'active', 2, 1, '供应商库存共享', sample({ types: [{ type: 'product', fields: ['number', 'name', 'glaze', 'weight'], rows: [] }, { type: 'order', fields: ['number', 'state', 'title', 'deliver_by'], rows: [] }], purpose: '安排采购', from: iso(NOW - 20 * DAY), to: null })),
    agreement(4, 'negotiating', 1, 3, '联合生产计划', sample({ types: [{ type: 'order', fields: ['number', 'state', 'deliver_by', 'weight'], rows: [] }], purpose: '共同排产' })),
    agreement(5, 'ended', 1, 5, '物流交接', sample({ types: [{ type: 'order', fields: ['number', 'place'], rows: [] }], purpose: '安排提货' })),
  ]
  const before = sample({ types: [{ type: 'order', fields: ['number', 'state', 'deliver_by', 'customer', 'amount'], rows: [] }], purpose: '共同排产', from: null, to: null })
  mine[3]!.version = 2
  mine[3]!.proposed_by = partyRef(3)
  mine[3]!.versions = [{ version: 1, at: iso(NOW - 4 * DAY), who: 'demo', by: partyRef(1), terms: before, reason: '' }, { version: 2, at: iso(NOW - DAY), who: 'chen', by: partyRef(3), terms: mine[3]!.terms, reason: '不需要客户和金额，排产要看重量' }]
  function agreement(id: number, state: Agreement['state'], owner: number, receiver: number, title: string, terms: Terms): Agreement {
    const done = state === 'active' || state === 'ended'
    return { id, number: `AG-${String(id).padStart(6, '0')}`, state, owner: partyRef(owner), receiver: partyRef(receiver), title, terms, version: 1, proposed_by: partyRef(receiver), agreed: { owner: done ? { who: 'demo', at: iso(NOW - 30 * DAY) } : null, receiver: done || state === 'proposed' ? { who: 'lin', at: iso(NOW - 31 * DAY) } : null }, basis: 'consent', dsp: done ? (state === 'ended' ? 'TERMINATED' : 'FINALIZED') : 'REQUESTED', can: [] }
  }
  const shownAgreement = (a: Agreement): Agreement => ({ ...a, can: a.state === 'proposed' || a.state === 'negotiating' ? (a.owner.id === 1 ? ['accept', 'counter', 'withdraw'] : ['counter', 'withdraw']) : a.state === 'active' ? ['suspend', 'end'] : a.state === 'suspended' ? ['resume', 'end'] : [] })
  const disclosures = Array.from({ length: 46 }, (_, i) => ({ id: 46 - i, at: iso(NOW - i * 5.3 * HOUR), agreement: i % 4 ? { id: 1, number: 'AG-000001' } : { id: 5, number: 'AG-000005' }, reader: { party: partyRef(i % 4 ? 2 : 5), who: i % 4 ? 'lin' : 'zhao' }, type: 'order', what: i % 3 ? 'list' : 'get', rows: i % 3 ? 12 + i % 9 : 1, fields: ['number', 'state', 'title', 'deliver_by'], purpose: i % 4 ? '跟踪自己订单的进度' : '安排提货', ledger: i < 2 ? null : 900 - i }))
  const imports: (Row & { columns?: unknown; data: string[][] })[] = []
  const notifications: Row[] = [
    { id: 3, at: iso(NOW - HOUR), read: false, text_en: 'Nordlicht Keramik asks to see 5 fields of your orders', text_zh: 'Nordlicht Keramik 请求查看订单的 5 个字段', type: 'agreement', doc: { id: 2, number: 'AG-000002' }, rule: null },
    { id: 2, at: iso(NOW - 6 * HOUR), read: false, text_en: 'Order SO-000060 is due in 3 days', text_zh: '订单 SO-000060 还有 3 天到期', type: 'order', doc: { id: 60, number: 'SO-000060' }, rule: 'late_order' },
    { id: 1, at: iso(NOW - 2 * DAY), read: true, text_en: 'Big order SO-000055: 42,000 CNY', text_zh: '大额订单 SO-000055：42,000 元', type: 'order', doc: { id: 55, number: 'SO-000055' }, rule: 'big_order' },
  ]
  const channels: Row[] = [{ id: 1, name: '值班群', kind: 'wecom', target: 'https://qyapi.example/cgi-bin/webhook/send?key=…', events: ['alarm', 'agreement'] }]
  const rules = [{ name: 'late_order', title_en: 'Remind of late orders', title_zh: '订单临期提醒', pack: 'ceramics', when: 'schedule', enabled: true, last_run: iso(NOW - 2 * HOUR), runs: 240, failures: 0 }, { name: 'big_order', title_en: 'Tell the manager of big orders', title_zh: '大额订单通知经理', pack: 'ceramics', when: 'change', enabled: true, last_run: iso(NOW - 2 * DAY), runs: 61, failures: 1, last_error: 'channel "值班群" did not answer' }]

  const fieldsOf = (type: TypeLike) => type.fields as { name: string; kind: string; title_en: string; title_zh: string; required: boolean; computed: boolean }[]
  const keyOf = (d: Doc, by: string) => {
    const [name, cut] = by.split(':') as [string, string?]
    const v = d[name]
    if (cut) return v ? String(v).slice(0, cut === 'day' ? 10 : 7) : null
    return v ?? null
  }
  const amount = (v: unknown) => v !== null && typeof v === 'object' && 'amount' in v ? (v as { amount: string }).amount : v === null || v === undefined ? null : String(v)

  /** Groups with exact sums, over rows that the list found. */
  function grouped(rows: Doc[], by: string[], measures: string[]) {
    const map = new Map<string, { keys: unknown[]; rows: Doc[] }>()
    for (const d of rows) { const keys = by.map((b) => keyOf(d, b)); const k = JSON.stringify(keys); const g = map.get(k) ?? { keys, rows: [] }; g.rows.push(d); map.set(k, g) }
    const sum = (values: (string | null)[]) => (values.reduce((n, v) => n + BigInt(Math.round(Number(v ?? 0) * 1000)), 0n))
    const text = (n: bigint) => { const x = n.toString().padStart(4, '0'); return `${x.slice(0, -3)}.${x.slice(-3, -1)}` }
    return { groups: [...map.values()].map((g) => ({ keys: g.keys, count: g.rows.length, measures: measures.map((m) => m === 'count' ? String(g.rows.length) : text(sum(g.rows.map((d) => amount(d[m.split(':')[1]!]))))) })), withheld: 0 }
  }

  function ofDocument(a: Asked, type: TypeLike, d: Doc, tail: string[]): unknown {
    const key = `${type.name}/${d.id}`
    const [what, one] = tail
    if (what === 'comments') {
      if (a.method === 'GET') return { items: comments.get(key) ?? [] }
      const c = { id: (comments.get(key)?.length ?? 0) + 1, at: iso(world.now()), who: a.who, text: a.body.text }
      comments.set(key, [...comments.get(key) ?? [], c])
      return c
    }
    if (what === 'attachments') {
      const of = files.get(key) ?? []
      if (one) { const x = of.find((y) => String(y.id) === one); if (!x) throw new Fail(404, 'not found', `there is no attachment "${one}"`); return new Raw(x.bytes_, String(x.media_type)) }
      if (a.method === 'GET') return { items: of.map(({ bytes_: _b, ...x }) => x) }
      const x = { id: of.length + 1, at: iso(world.now()), who: a.who, name: decodeURIComponent(a.name), media_type: a.type, bytes: a.bytes.length, sealed: a.q.get('sealed') === 'true', hash: '', bytes_: a.bytes }
      files.set(key, [...of, x])
      const { bytes_: _b, ...said } = x
      return said
    }
    if (what === 'history') return { items: [...world.audit.filter((r) => r.type === type.name && r.target === d.number), { at: d.created, who: d.created_by, action: 'create', before: {}, after: {} }] }
    if (what === 'qr') return new Raw(fakeQr(d.number), 'image/svg+xml')
    if (what === 'print') return new Raw('%PDF-1.4\n%%EOF\n', 'application/pdf')
    return undefined
  }

  const csv = (text: string) => text.replace(/\r/g, '').split('\n').filter(Boolean).map((l) => l.split(','))
  function importing(a: Asked): unknown {
    const [, id, step] = a.path
    const said = (x: (typeof imports)[number]) => { const { data: _d, columns: _c, errors: _e, ...rest } = x; return rest }
    if (!id) {
      if (a.method === 'GET') return { items: imports.filter((x) => !a.q.get('type') || x.type === a.q.get('type')).map(said).reverse() }
      const type = world.typeOf(a.q.get('type') ?? '')
      const rows = csv(a.bytes.toString('utf8'))
      if (rows.length < 2) throw new Fail(422, 'nothing to import', `"${a.q.get('name')}" has no rows below its headings`)
      const fields = fieldsOf(type).filter((f) => !f.computed && f.kind !== 'lines')
      const columns = rows[0]!.map((name, i) => ({ name, samples: rows.slice(1, 4).map((r) => r[i] ?? ''), field: fields.find((f) => [f.name, f.title_en.toLowerCase(), f.title_zh].includes(name.trim().toLowerCase()))?.name ?? null }))
      const x = { id: imports.length + 1, type: type.name, name: a.q.get('name'), state: 'uploaded', rows: rows.length - 1, checked: 0, good: 0, bad: 0, applied: 0, started: iso(world.now()), finished: null, batch: null, data: rows, errors: [] as Row[] }
      imports.push(x)
      return { id: x.id, state: x.state, columns, fields }
    }
    const x = imports.find((y) => String(y.id) === id)
    if (!x) throw new Fail(404, 'not found', `there is no import "${id}"`)
    const errors = x.errors as Row[]
    if (step === 'errors') return a.q.get('format') === 'csv' ? new Raw('row,column,message\n' + errors.map((e) => `${String(e.row)},${String(e.column)},${String(e.message)}`).join('\n'), 'text/csv') : { items: errors, next: null }
    if (step === 'apply') {
      Object.assign(x, { state: 'applying' })
      let left = x.good as number
      const map = x.mapping as Record<string, string>
      const bad = new Set(errors.map((e) => e.row))
      const timer = setInterval(() => {
        const n = Math.min(40, left)
        for (let i = 0; i < n; i++) {
          const at = (x.applied as number) + i
          const row = x.data.slice(1).filter((_, k) => !bad.has(k + 2))[at]!
          const fields: Row = {}
          x.data[0]!.forEach((c, k) => { if (map[c]) fields[map[c]!] = cell(String(x.type), map[c]!, row[k] ?? '') })
          world.create(String(x.type), fields, a.who)
        }
        left -= n
        x.applied = (x.applied as number) + n
        if (left <= 0) { clearInterval(timer); Object.assign(x, { state: 'done', finished: iso(world.now()), batch: x.id }) }
      }, 120)
      return said(x)
    }
    if (a.method === 'DELETE') {
      if (x.state === 'done') world.docs[String(x.type)]!.splice(-(x.applied as number))
      x.state = 'dropped'
      return undefined
    }
    if (a.method === 'POST') {
      const map = a.body.mapping as Record<string, string>
      Object.assign(x, { mapping: map, mode: a.body.mode, state: 'checking', checked: 0, good: 0, bad: 0 })
      errors.length = 0
      const type = world.typeOf(String(x.type))
      const timer = setInterval(() => {
        const to = Math.min(x.rows as number, (x.checked as number) + 60)
        for (let i = x.checked as number; i < to; i++) {
          const row = x.data[i + 1]!
          let ok = true
          x.data[0]!.forEach((c, k) => {
            const f = fieldsOf(type).find((y) => y.name === map[c])
            const v = row[k] ?? ''
            const wrong = !f ? null : f.required && !v ? `"${f.title_zh}" must be given` : v && f.kind === 'date' && !/^\d{4}-\d\d-\d\d$/.test(v) ? `"${v}" is no date; write it as 2026-03-08` : v && (f.kind === 'money' || f.kind === 'decimal') && !/^-?\d+(\.\d+)?$/.test(v) ? `"${v}" is no number; write it as 12.50` : null
            if (wrong) { ok = false; errors.push({ row: i + 2, column: c, field: map[c], value: v, message: wrong }) }
          })
          if (ok) x.good = (x.good as number) + 1
          else x.bad = (x.bad as number) + 1
        }
        x.checked = to
        if (to >= (x.rows as number)) { clearInterval(timer); x.state = 'checked' }
      }, 100)
      return said(x)
    }
    return said(x)
  }
  const cell = (type: string, field: string, text: string): unknown => {
    const f = fieldsOf(world.typeOf(type)).find((x) => x.name === field)
    return !text ? null : f?.kind === 'money' ? { amount: text, currency: 'CNY' } : f?.kind === 'party' ? { id: 0, name: text } : f?.kind === 'int' ? Number(text) : text
  }

  function sharing(a: Asked): unknown {
    const [, id, step] = a.path
    if (id === 'templates') return { items: tradeTemplates }
    if (!id) {
      if (a.method === 'POST') {
        const owner = a.body.receiver ? 1 : parties.find((p) => p.name === a.body.owner)?.id ?? 0, receiver = a.body.receiver ? parties.find((p) => p.name === a.body.receiver)?.id ?? 0 : 1
        if (!owner || !receiver) throw new Fail(422, 'no such party', `there is no party "${String(a.body.owner ?? a.body.receiver)}"`)
        const template = tradeTemplates.find((t) => t.name === a.body.template)
        const made = agreement(mine.length + 1, 'proposed', owner, receiver, String(a.body.title || template?.title_zh || ''), (a.body.terms ?? template?.terms) as Terms)
        made.proposed_by = partyRef(1)
        made.agreed = { owner: owner === 1 ? { who: a.who, at: iso(world.now()) } : null, receiver: receiver === 1 ? { who: a.who, at: iso(world.now()) } : null }
        mine.push(made)
        return shownAgreement(made)
      }
      const side = a.q.get('side'), state = a.q.get('state')
      return { items: mine.filter((x) => (!side || (side === 'given' ? x.owner.id === 1 : x.receiver.id === 1)) && (!state || x.state === state)).map(shownAgreement), next: null }
    }
    const x = mine.find((y) => String(y.id) === id || y.number === id)
    if (!x) throw new Fail(404, 'not found', `there is no agreement "${id}"`)
    if (step === 'odrl') return { '@context': 'http://www.w3.org/ns/odrl.jsonld', '@type': 'Agreement', uid: `urn:weft:${x.number}` }
    if (step === 'preview') {
      if (x.owner.id !== 1) throw new Fail(403, 'not allowed', 'only the owner may see what its agreement gives')
      return {
        types: x.terms.types.map((t) => {
          const type = world.typeOf(t.type)
          return { type: t.type, fields: t.fields.map((n) => { const f = fieldsOf(type).find((y) => y.name === n.split('.')[0]) as Row | undefined; return { name: n, title_en: n === 'number' ? 'Number' : n === 'state' ? 'State' : f?.title_en, title_zh: n === 'number' ? '编号' : n === 'state' ? '状态' : f?.title_zh, reveals: f?.reveals ?? null, share: f?.share ?? 'partners' } }), rows: 17, sample: world.docs[t.type]!.slice(0, 4).map((d) => Object.fromEntries(['id', ...t.fields.map((n) => n.split('.')[0]!)].map((n) => [n, d[n]]))) }
        }),
        series: x.terms.series.map((y) => ({ model: y.model, resolution: y.resolution, metrics: y.metrics, things: 5, sample: ['press-04', 'press-08', 'press-12'] })),
        warnings: x.terms.types.some((t) => t.fields.includes('customer')) ? [
          { severity: 'serious', text_en: 'Together, "Customer" and "Amount" tell what each of your customers pays.', text_zh: '“客户”和“金额”合在一起，会让对方知道每个客户付你多少钱。', fields: ['order.customer', 'order.amount'] },
          { severity: 'warning', text_en: '"Contact" names a person. Ask whether the purpose needs it.', text_zh: '“联系人”会指明个人，请考虑用途是否需要。', fields: ['order.contact'] }] : [],
      }
    }
    if (step && a.method === 'POST') {
      if (!shownAgreement(x).can.includes(step) && step !== 'accept_confidentiality') throw new Fail(409, 'not possible now', `${x.number} is "${x.state}": "${step}" is not possible`)
      const at = iso(world.now())
      if (step === 'accept') Object.assign(x, { state: 'active', agreed: { owner: { who: a.who, at }, receiver: x.agreed.receiver ?? { who: 'lin', at } } })
      else if (step === 'counter') Object.assign(x, { versions: [...x.versions ?? [{ version: 1, at, who: 'lin', by: x.receiver, terms: x.terms, reason: '' }], { version: x.version + 1, at, who: a.who, by: partyRef(1), terms: a.body.terms, reason: a.body.reason ?? '' }], terms: a.body.terms, version: x.version + 1, state: 'negotiating', proposed_by: partyRef(1), agreed: { owner: { who: a.who, at }, receiver: null } })
      else if (step === 'suspend') x.state = 'suspended'
      else if (step === 'resume') x.state = 'active'
      else if (step === 'end' || step === 'withdraw') x.state = 'ended'
      world.tell('doc', { type: 'agreement', id: x.id, number: x.number, state: x.state })
    }
    return shownAgreement(x)
  }

  const link = (kind: string, code: string) => ({ url: `https://weft.example/#/${kind}/${code}`, svg: fakeQr(code), expires: iso(world.now() + 7 * DAY) })
  function people(a: Asked): unknown {
    const [head, one, two] = a.path
    switch (head) {
      case 'party':
        if (a.method === 'PATCH') {
          if (a.body.uscc && !/^[0-9A-Z]{18}$/.test(String(a.body.uscc))) throw new Fail(422, 'bad value', `"uscc" '${String(a.body.uscc)}' has ${String(a.body.uscc).length} characters, a credit code has 18`)
          if (a.body.gln && a.body.gln !== '6901234000009') throw new Fail(422, 'bad value', `"gln" '${String(a.body.gln)}': the check digit should be 9`)
          Object.assign(party, a.body, { settings: { ...(party.settings as Row), ...(a.body.settings as Row ?? {}) } })
        }
        return party
      case 'parties': { const q = (a.q.get('q') ?? '').toLowerCase(); return { items: parties.filter((p) => !q || p.name.toLowerCase().includes(q) || p.uscc?.includes(q.toUpperCase())) } }
      case 'members': {
        if (!one) return { items: members }
        const m = members.find((x) => x.user === one)
        if (!m) throw new Fail(404, 'not found', `there is no member "${one}"`)
        if (two === 'reset') return link('reset', `reset-${one}`)
        if (a.method === 'PATCH') m.roles = a.body.roles
        if (a.method === 'DELETE') members.splice(members.indexOf(m), 1)
        return m
      }
      case 'invitations': { const code = `inv-${invitations.size + 1}`; invitations.set(code, { party: party.title, roles: a.body.roles }); return link('join', code) }
      case 'worker-links': return link('work', 'wk-1')
      case 'tokens':
        if (a.method === 'GET') return { items: tokens }
        if (a.method === 'DELETE') { tokens.splice(tokens.findIndex((x) => String(x.id) === one), 1); return undefined }
        tokens.push({ id: tokens.length + 1, user: a.body.user, role: a.body.role, scopes: a.body.scopes, created: iso(world.now()), expires: iso(world.now() + Number(a.body.days ?? 90) * DAY), last_used: null })
        return { id: tokens.length, token: 'weft_mock_only_5f3a9c' }
      default: return undefined
    }
  }

  const faultsOf = (list: { name: string; text: string }[]) => list.flatMap((x) => x.text.split('\n').flatMap((l, i) => {
    const at = l.indexOf('\t')
    if (at >= 0) return [{ file: x.name, line: i + 1, column: at + 1, severity: 'error', message: 'a tab cannot indent YAML', suggestion: 'use two spaces' }]
    const kind = /kind:\s*(\w+)/.exec(l)
    return kind && !['text', 'int', 'number', 'decimal', 'bool', 'time', 'date', 'choice', 'ref', 'thing', 'money', 'party', 'file', 'geometry', 'lines'].includes(kind[1]!) ? [{ file: x.name, line: i + 1, column: l.indexOf(kind[1]!) + 1, severity: 'error', message: `there is no kind "${kind[1]!}"`, suggestion: 'did you mean "money"?' }] : []
  }))
  const added = (type: string) => (tradeTypes.find((t) => t.name === type)?.fields ?? (world.types().find((t) => t.name === type)?.fields as Row[]))!

  function route(a: Asked): unknown {
    const [head, one, two] = a.path
    switch (head) {
      case 'packs':
        if (one === 'check') { const faults = faultsOf(a.body.files as { name: string; text: string }[]); return { faults, summary: { files: (a.body.files as Row[]).length } } }
        if (a.method === 'DELETE') { if (one !== 'farm') throw new Fail(409, 'still used', `64 documents of "order" stand; a pack with documents stays`); return undefined }
        if (a.method === 'POST') {
          const faults = faultsOf(a.body.files as { name: string; text: string }[])
          if (a.q.get('dry_run')) return { plan: faults.length ? [] : [{ type: 'harvest', action: 'create', detail: '6 fields, 3 states' }, { type: 'field', action: 'create', detail: '4 fields' }], faults }
          if (faults.length) throw new Fail(422, 'the pack has faults', 'mend them and send it again')
          tradePacks.push({ name: 'farm', version: '0.1.0', title_en: 'Vegetable farm', title_zh: '蔬菜农场', builtin: false, needs: [], types: ['harvest', 'field'], models: [], rules: [], templates: [], views: [] })
          return { name: 'farm' }
        }
        return { items: tradePacks }
      case 'views': return { items: tradeViews }
      case 'search': {
        const q = a.q.get('q') ?? ''
        return { items: tradeTypes.flatMap((t) => world.docs[t.name]!.filter((d) => JSON.stringify(d).includes(q)).slice(0, 8).map((d) => ({ type: t.name, id: d.id, number: d.number, label: String(d[t.label ?? 'number'] ?? d.number), state: d.state, snippet: Object.values(d).find((v) => typeof v === 'string' && v.includes(q)) ?? '' }))), next: null }
      }
      case 'imports': return importing(a)
      case 'agreements': return sharing(a)
      case 'disclosures':
        if (one === 'summary') {
          const by = new Map<string, { reader: unknown; day: string; reads: number; rows: number }>()
          for (const d of disclosures) { const k = d.reader.party.name + d.at.slice(0, 10); const g = by.get(k) ?? { reader: { party: d.reader.party }, day: d.at.slice(0, 10) + 'T00:00:00Z', reads: 0, rows: 0 }; g.reads++; g.rows += d.rows; by.set(k, g) }
          return { items: [...by.values()] }
        }
        return { items: disclosures.filter((d) => (!a.q.get('reader') || String(d.reader.party.id) === a.q.get('reader')) && (!a.q.get('agreement') || d.agreement.number === a.q.get('agreement'))).slice(Number(a.q.get('cursor') ?? 0), Number(a.q.get('cursor') ?? 0) + 30), next: Number(a.q.get('cursor') ?? 0) + 30 < disclosures.length && !a.q.get('reader') ? String(Number(a.q.get('cursor') ?? 0) + 30) : null }
      case 'ledger':
        if (one === 'receipts') return { text: 'disclosure …', salt: '9f…', index: 898, size: 901, path: ['a1…', 'b2…'], checkpoint: 'weft.example/ledger\n901\n…\n' }
        return { size: 901, root: 'p2Yb4mF0h9…=', origin: 'weft.example/ledger', key: 'weft.example/ledger+1f2e3d4c+AbCd…', checkpoint_at: iso(world.now() - 800), witnesses: [] }
      case 'notifications':
        if (one === 'read') { for (const n of notifications) if (Number(n.id) <= Number(a.body.through)) n.read = true; return undefined }
        return { items: notifications.filter((n) => !a.q.get('unread') || !n.read), unread: notifications.filter((n) => !n.read).length }
      case 'channels':
        if (two === 'test') return one === '1' ? { ok: true, detail: 'sent' } : { ok: false, detail: 'the address did not answer within 10 s' }
        if (a.method === 'POST') { const c = { id: channels.length + 1, ...a.body }; channels.push(c); return c }
        if (a.method === 'DELETE') { channels.splice(channels.findIndex((c) => String(c.id) === one), 1); return undefined }
        return { items: channels }
      case 'rules': {
        if (!one) return { items: rules }
        const r = rules.find((x) => x.name === one)!
        r.enabled = Boolean(a.body.enabled)
        return r
      }
      default: return people(a)
    }
  }
  /** POST docs/TYPE/fields and its removal. */
  function ownField(a: Asked): unknown {
    const type = a.path[1]!
    const list = added(type)
    if (a.method === 'DELETE') { const i = list.findIndex((x) => x.name === a.path[3]); if (i >= 0) list.splice(i, 1); return undefined }
    const name = `x_${String(a.body.name)}`
    if (list.some((x) => x.name === name)) throw new Fail(409, 'there already', `${type} has a field "${name}"`)
    const made = { ...a.body, name, required: Boolean(a.body.required), computed: false, unit: a.body.unit ?? null, scale: Number(a.body.scale ?? 2), share: 'own', custom: true }
    list.push(made as never)
    return made
  }
  /** What an agreement lets through of a document. */
  function through(type: string, id: string): { fields: Set<string>; said: Row } {
    const x = mine.find((y) => String(y.id) === id || y.number === id)
    if (!x || x.state !== 'active') throw new Fail(403, 'not allowed', `there is no active agreement "${id}"`)
    const t = x.terms.types.find((y) => y.type === type)
    if (!t) throw new Fail(403, 'not allowed', `${x.number} gives nothing of "${type}"`)
    return { fields: new Set(t.fields.map((n) => n.split('.')[0]!)), said: { id: x.id, number: x.number, owner: x.owner, purpose: x.terms.purpose } }
  }
  return {
    route, ofDocument, grouped, ownField, through, invitations,
    get factor() { return factor }, set factor(on: boolean) { factor = on },
  }
}
