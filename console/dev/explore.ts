// Questions over series and SQL, over the made-up fleet: as much of them as the pages ask.
import type { ThingItem } from '../src/lib/types'
import type { Answered, Question } from '../src/lib/explore'
import { Fail } from './more'
import { DAY, HOUR, iso, metricIndex, NOW, START, valueAt } from './sample'

const UNITS: Record<string, number> = { s: 1000, m: 60_000, h: HOUR, d: DAY }
const lengthOf = (text: string): number => { const m = /^(\d+)([smhd])$/.exec(text); if (!m) throw new Fail(400, 'the input is not valid', `'window' is a span: "10m", "1h", "1d"; not "${text}"`); return Number(m[1]) * UNITS[m[2]!]! }
const folds: Record<string, (v: number[]) => number> = {
  avg: (v) => v.reduce((a, b) => a + b, 0) / v.length, min: (v) => Math.min(...v), max: (v) => Math.max(...v), sum: (v) => v.reduce((a, b) => a + b, 0), count: (v) => v.length, last: (v) => v[v.length - 1]!,
}
const fleetOf = (name: string) => ['North', 'South', 'West'][Number(name.slice(-2)) % 3]!
export const tagsOf = (name: string, time: string | null) => [{ metric: '@fleet', time, value: fleetOf(name) }]

export function askSeries(q: Question, things: ThingItem[], now: number): Answered {
  const began = performance.now(), stage = q.stages[0]!
  const from = Math.max(START, Date.parse(q.from)), to = Math.min(now, Date.parse(q.to))
  const like = (pattern: string) => new RegExp(`^${pattern.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replace(/\*/g, '.*')}$`)
  const mine = things.filter((t) => (!q.things?.model || q.things.model.includes(t.model)) && (!q.things?.names || q.things.names.some((n) => like(n).test(t.name)))
    && Object.entries(q.things?.tags ?? {}).every(([tag, values]) => tag === 'fleet' && values.includes(fleetOf(t.name))))
  const by = stage.by?.[0], step = stage.window ? lengthOf(stage.window) : 0
  const select = Object.entries(stage.select ?? {}).map(([name, expr]) => {
    const m = /^(\w+)\("?([\w.]+)"?\)$/.exec(expr)
    if (!m || !folds[m[1]!]) throw new Fail(400, 'the input is not valid', `stage 1, select '${name}': position 1: no function like "${expr}"`)
    return { name, fold: folds[m[1]!]!, metric: metricIndex(m[2]!) }
  })
  const groups = new Map<string, number[][]>()
  let read = 0
  for (const t of mine) {
    const m = Number(t.name.slice(-2)), end = Math.min(to, Date.parse(t.last_seen ?? iso(START)))
    for (let at = Math.ceil(from / HOUR) * HOUR; at < end; at += HOUR) {
      const group = by === 'thing' ? t.name : by === '@fleet' ? fleetOf(t.name) : ''
      const key = `${group}\n${step ? Math.floor(at / step) * step : 0}`
      const values = groups.get(key) ?? groups.set(key, select.map(() => [])).get(key)!
      select.forEach((s, i) => { if (s.metric >= 0) values[i]!.push(valueAt(m, s.metric, at)) })
      read++
    }
  }
  let rows = [...groups].map(([key, values]): unknown[] => {
    const [group, at] = key.split('\n')
    return [...(by ? [group] : []), ...(step ? [Number(at)] : []), ...select.map((s, i) => values[i]!.length ? s.fold(values[i]!) : null)]
  })
  const columns = [...(by ? [{ name: by, kind: 'string' }] : []), ...(step ? [{ name: 'time', kind: 'time' }] : []), ...select.map((s) => ({ name: s.name, kind: 'number' }))]
  const order = stage.order?.[0]
  if (order) { const k = columns.findIndex((c) => c.name === order.replace('-', '')); rows.sort((a, b) => (order.startsWith('-') ? -1 : 1) * (Number(a[k]) - Number(b[k]))) }
  if (stage.limit) rows = rows.slice(0, stage.limit)
  return { columns, rows, stats: { things: mine.length, rows_read: read, rows: rows.length, seconds: (performance.now() - began) / 1000 } }
}

const time = (name: string) => ({ name, title_en: name === 'time' ? 'Time' : 'Last seen', title_zh: name === 'time' ? '时间' : '最近上报', type: 'time' })
const text = (name: string, title_en: string, title_zh: string) => ({ name, title_en, title_zh, type: 'text' })
export const sqlTables = { items: [
  { name: 'things', title_en: 'Machines', title_zh: '设备', columns: [text('name', 'Name', '名称'), text('model', 'Model', '型号'), text('state', 'State', '状态'), { name: 'health', title_en: 'Health', title_zh: '健康度', type: 'number' }, time('last_seen')] },
  { name: 'latest', title_en: 'Newest values', title_zh: '最新值', columns: [text('thing', 'Machine', '设备'), text('metric', 'Metric', '指标'), time('time'), { name: 'value', title_en: 'Value', title_zh: '值', type: 'any' }] },
  { name: 'samples', title_en: 'Samples', title_zh: '样本', columns: [text('thing', 'Machine', '设备'), text('metric', 'Metric', '指标'), time('time'), { name: 'value', title_en: 'Value', title_zh: '值', type: 'any' }] },
  { name: 'alarm', title_en: 'Alarms', title_zh: '告警', columns: [text('number', 'Number', '编号'), text('thing', 'Machine', '设备'), text('severity', 'Severity', '级别')] },
] }

/** The page's own examples are answered; anything else is told apart by a word. */
export function askSql(sql: string, things: ThingItem[]) {
  const wrong = /\bFORM\b/i.exec(sql)
  if (wrong) {
    const before = sql.slice(0, wrong.index).split('\n')
    throw new Fail(400, 'the input is not valid', `line ${before.length}, column ${before[before.length - 1]!.length + 1}: near "FORM": syntax error`)
  }
  if (/\bsamples\b/i.test(sql)) {
    const rows: unknown[][] = []
    for (let at = NOW - 2 * DAY; at < NOW; at += HOUR) for (const m of [1, 2, 3]) rows.push([iso(at), `press-0${m}`, valueAt(m, 0, at)])
    return { columns: [{ name: 'hour', type: 'any' }, { name: 'thing', type: 'text' }, { name: 'average', type: 'any' }], rows, n: rows.length, cut: false, rows_read: rows.length, seconds: 0.012 }
  }
  if (/\bnothing\b/i.test(sql)) return { columns: [{ name: 'name', type: 'text' }], rows: [], n: 0, cut: false, rows_read: 0, seconds: 0.001 }
  if (/\bmany\b/i.test(sql)) return { columns: [{ name: 'n', type: 'integer' }, { name: 'name', type: 'text' }], rows: Array.from({ length: 20_000 }, (_, i) => [i, `row ${i}`]), n: 20_000, cut: true, rows_read: 20_000, seconds: 0.2 }
  const rows = things.filter((t) => t.state !== 'ok').map((t) => [t.name, t.model, t.state, t.health, t.last_seen])
  return { columns: [{ name: 'name', type: 'text' }, { name: 'model', type: 'text' }, { name: 'state', type: 'text' }, { name: 'health', type: 'number' }, { name: 'last_seen', type: 'time' }], rows, n: rows.length, cut: false, rows_read: 20, seconds: 0.003 }
}
