// A question over series as a person puts it together: kept in the address, sent as JSON, shown as SQL.
const HOUR = 3_600_000, DAY = 24 * HOUR

export const AGGREGATES = ['avg', 'min', 'max', 'sum', 'count', 'last'] as const
export type Aggregate = typeof AGGREGATES[number]
export const RANGES = { '1h': HOUR, '6h': 6 * HOUR, '24h': DAY, '7d': 7 * DAY, '30d': 30 * DAY } as const
export type Range = keyof typeof RANGES
export const WINDOWS = ['auto', '1m', '10m', '1h', '1d'] as const
export type Window = typeof WINDOWS[number]
export const TOPS = [5, 10, 20, 50] as const

export interface Asked {
  model: string
  names: string          // separated by commas, with *
  tags: { name: string; value: string }[]
  metrics: string[]
  range: Range
  span: readonly [number, number] | null   // its own, in ms
  window: Window
  aggregate: Aggregate
  by: string             // 'thing', '@tag' or '' for all together
  top: number
}

const among = <T extends string>(list: readonly T[], v: string | null, rest: T): T => list.includes(v as T) ? v as T : rest
export function readAsked(p: URLSearchParams): Asked {
  const span = /^(\d{9,15})-(\d{9,15})$/.exec(p.get('span') ?? '')
  return {
    model: p.get('model') ?? '',
    names: p.get('things') ?? '',
    tags: p.getAll('tag').map((x) => { const at = x.indexOf('='); return { name: x.slice(0, Math.max(at, 0)), value: x.slice(at + 1) } }).filter((x) => x.name && x.value),
    metrics: p.getAll('metric').slice(0, 4),
    range: among(Object.keys(RANGES) as Range[], p.get('range'), '24h'),
    span: span && Number(span[2]) > Number(span[1]) ? [Number(span[1]), Number(span[2])] : null,
    window: among(WINDOWS, p.get('window'), 'auto'),
    aggregate: among(AGGREGATES, p.get('fn'), 'avg'),
    by: p.has('by') ? p.get('by')! : 'thing',
    top: (TOPS as readonly number[]).includes(Number(p.get('top'))) ? Number(p.get('top')) : 10,
  }
}
/** Only what is not the default stands in the address. */
export function writeAsked(a: Asked): string {
  const p = new URLSearchParams()
  if (a.model) p.set('model', a.model)
  if (a.names) p.set('things', a.names)
  for (const x of a.tags) p.append('tag', `${x.name}=${x.value}`)
  for (const m of a.metrics) p.append('metric', m)
  if (a.span) p.set('span', a.span.join('-'))
  else if (a.range !== '24h') p.set('range', a.range)
  if (a.window !== 'auto') p.set('window', a.window)
  if (a.aggregate !== 'avg') p.set('fn', a.aggregate)
  if (a.by !== 'thing') p.set('by', a.by)
  if (a.top !== 10) p.set('top', String(a.top))
  return p.toString()
}

const STEPS: [ms: number, text: string][] = [[10_000, '10s'], [60_000, '1m'], [300_000, '5m'], [600_000, '10m'], [1_800_000, '30m'], [HOUR, '1h'], [3 * HOUR, '3h'], [6 * HOUR, '6h'], [12 * HOUR, '12h'], [DAY, '1d'], [7 * DAY, '7d']]
const LENGTHS: Record<Exclude<Window, 'auto'>, number> = { '1m': 60_000, '10m': 600_000, '1h': HOUR, '1d': DAY }
/** As fine as a chart can show: about 300 windows. */
export function windowOf(a: Asked, from: number, to: number): { text: string; ms: number } {
  if (a.window !== 'auto') return { text: a.window, ms: LENGTHS[a.window] }
  const step = STEPS.find(([ms]) => (to - from) / ms <= 300) ?? STEPS[STEPS.length - 1]!
  return { text: step[1], ms: step[0] }
}

/** A name in an expression: bare when it can be, else in double quotes. */
export const column = (name: string): string => /^[A-Za-z_@][\w.@]*$/.test(name) ? name : `"${name.replace(/"/g, '""')}"`
const call = (a: Asked, metric: string) => `${a.aggregate}(${column(metric)})`
const namesOf = (a: Asked): string[] => a.names.split(/[,，、\s]+/).filter(Boolean)

export interface Pick { names?: string[]; model?: string[]; tags?: Record<string, string[]> }
export interface Stage { window?: string; by?: string[]; select?: Record<string, string>; order?: string[]; limit?: number }
export interface Question { from: string; to: string; things?: Pick; stages: Stage[]; time_format: 'ms' }

function picked(a: Asked, groups?: string[]): Pick | undefined {
  const pick: Pick = {}
  const names = namesOf(a)
  if (a.model) pick.model = [a.model]
  if (names.length) pick.names = names
  for (const x of a.tags) (pick.tags ??= {})[x.name] = [...pick.tags[x.name] ?? [], x.value]
  if (groups && a.by === 'thing') pick.names = groups
  if (groups && a.by.startsWith('@')) (pick.tags ??= {})[a.by.slice(1)] = groups
  return Object.keys(pick).length ? pick : undefined
}
const iso = (at: number) => new Date(at).toISOString()

/** Which groups have the most: the first question when there may be more than can be drawn. */
export function topQuestion(a: Asked, from: number, to: number): Question {
  return { from: iso(from), to: iso(to), things: picked(a), time_format: 'ms', stages: [{ by: [a.by], select: { top: call(a, a.metrics[0]!) }, order: ['-top'], limit: a.top }] }
}
export function question(a: Asked, from: number, to: number, groups?: string[]): Question {
  const select: Record<string, string> = {}
  a.metrics.forEach((m, i) => {
    select[`v${i}`] = call(a, m)
    if (a.aggregate === 'avg') { select[`low${i}`] = `min(${column(m)})`; select[`high${i}`] = `max(${column(m)})` }
  })
  return { from: iso(from), to: iso(to), things: picked(a, groups), time_format: 'ms', stages: [{ window: windowOf(a, from, to).text, by: a.by ? [a.by] : [], select }] }
}

const quote = (s: string) => `'${s.replace(/'/g, "''")}'`
/** The same in SQL, of the first metric, for whoever wants to go on from there. */
export function asSql(a: Asked, from: number, to: number): string {
  const seconds = windowOf(a, from, to).ms / 1000
  const tag = a.by.startsWith('@') ? a.by.slice(1) : ''
  // SQLite gives the other columns of the row that has the greatest time
  const value = a.aggregate === 'last' ? 's.value AS value, max(s.time) AS newest' : `${a.aggregate}(s.value) AS value`
  const group = tag ? 'g.value' : a.by ? 's.thing' : ''
  const names = namesOf(a)
  const where = [
    `s.metric = ${quote(a.metrics[0] ?? '')}`, `s.time >= ${quote(iso(from))}`, `s.time < ${quote(iso(to))}`,
    a.model && `t.model = ${quote(a.model)}`,
    names.length > 0 && `(${names.map((n) => n.includes('*') ? `s.thing GLOB ${quote(n)}` : `s.thing = ${quote(n)}`).join(' OR ')})`,
    ...a.tags.map((x) => `s.thing IN (SELECT thing FROM latest WHERE metric = ${quote('@' + x.name)} AND value = ${quote(x.value)})`),
  ].filter(Boolean)
  return [
    `SELECT ${group ? `${group} AS "group", ` : ''}datetime(unixepoch(s.time) / ${seconds} * ${seconds}, 'unixepoch') AS time, ${value}`,
    'FROM samples s',
    ...(a.model ? ['JOIN things t ON t.name = s.thing'] : []),
    ...(tag ? [`JOIN latest g ON g.thing = s.thing AND g.metric = ${quote('@' + tag)}`] : []),
    `WHERE ${where.join('\n  AND ')}`,
    `GROUP BY ${group ? '1, 2' : '1'}`,
    `ORDER BY ${group ? '1, 2' : '1'}`,
  ].join('\n')
}

export interface Answered { columns: { name: string; kind?: string; type?: string }[]; rows: unknown[][]; stats?: { things: number; rows_read: number; rows: number; seconds: number } }
export interface Line { name: string; points: { at: number; v: number | null; low: number | null; high: number | null }[] }

const figure = (v: unknown): number | null => typeof v === 'number' ? v : typeof v === 'boolean' ? Number(v) : null
/** Of one metric: a line for each group, in the groups' order. */
export function linesOf(answer: Answered, a: Asked, metric: number, groups?: string[]): Line[] {
  const at = (name: string) => answer.columns.findIndex((c) => c.name === name)
  const time = at('time'), value = at(`v${metric}`), low = at(`low${metric}`), high = at(`high${metric}`), group = a.by ? at(a.by) : -1
  const lines = new Map<string, Line>((groups ?? []).map((name) => [name, { name, points: [] }]))
  if (time < 0 || value < 0) return []
  for (const row of answer.rows) {
    const name = group < 0 ? '' : String(row[group] ?? '')
    let line = lines.get(name)
    if (!line) lines.set(name, line = { name, points: [] })
    line.points.push({ at: Number(row[time]), v: figure(row[value]), low: low < 0 ? null : figure(row[low]), high: high < 0 ? null : figure(row[high]) })
  }
  for (const line of lines.values()) line.points.sort((x, y) => x.at - y.at)
  return [...lines.values()].filter((l) => l.points.some((p) => p.v !== null))
}
