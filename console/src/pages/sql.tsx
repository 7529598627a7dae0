// One SELECT over documents, machines and series: what tables there are, examples, the answer as a table or a chart.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { t, title, type Key } from '../i18n'
import { api } from '../lib/api'
import { useAsk } from '../lib/ask'
import { csv, download } from '../lib/csv'
import type { Line } from '../lib/explore'
import { absolute, measured, number } from '../lib/format'
import { useQuery } from '../lib/query'
import type { Titled } from '../lib/types'
import { setParams, useRoute } from '../router'
import { Running } from '../ui/asking'
import { Button, Card, Empty, ErrorBox, Loaded, Segments } from '../ui/bits'
import { Grid } from '../ui/grid'
import { PageHead } from '../ui/page'
import { Plot } from '../ui/plot'

interface Table extends Partial<Titled> { name: string; columns: (Partial<Titled> & { name: string; type?: string })[] }
interface Answer { columns: { name: string; type?: string }[]; rows: unknown[][]; n?: number; cut?: boolean; rows_read?: number; seconds?: number }
const ROWS = 100_000

const examples: [Key, string][] = [
  ['s_ex_things', "SELECT name, model, state, health, last_seen\nFROM things\nWHERE state <> 'ok'\nORDER BY health"],
  ['s_ex_latest', 'SELECT thing, metric, value, time\nFROM latest\nORDER BY thing, metric'],
  ['s_ex_hours', "SELECT strftime('%Y-%m-%dT%H:00:00Z', time) AS hour, thing, avg(value) AS average\nFROM samples\nWHERE metric = 'volt' AND time >= datetime('now', '-1 day')\nGROUP BY 1, 2\nORDER BY 1, 2"],
  ['s_ex_alarms', 'SELECT thing, count(*) AS alarms\nFROM alarm\nGROUP BY thing\nORDER BY alarms DESC\nLIMIT 20'],
]

export function SqlPage() {
  const { params } = useRoute()
  const [text, setText] = useState(params.get('q') ?? '')
  const area = useRef<HTMLTextAreaElement>(null)
  const { now, ask, stop } = useAsk<Answer>()
  const place = useMemo(() => placeOf(text, now.error?.detail ?? ''), [now.error])
  const run = () => {
    if (!text.trim()) { area.current?.focus(); return }
    setParams({ q: text })
    void ask((signal) => api<Answer>('sql', { method: 'POST', body: { sql: text, limit: ROWS }, signal }))
  }
  const insert = (word: string) => {
    const el = area.current
    if (!el) return
    const at = el.selectionStart, before = text.slice(0, at)
    const put = (before && !/[\s(,.]$/.test(before) ? ' ' : '') + word
    setText(before + put + text.slice(el.selectionEnd))
    requestAnimationFrame(() => { el.focus(); el.setSelectionRange(at + put.length, at + put.length) })
  }
  useEffect(() => { if (place && area.current) { area.current.focus(); area.current.setSelectionRange(place.at, place.end) } }, [place])
  return (
    <div class="page sql-page">
      <PageHead title={t('nav_sql')} />
      <div class="sql-parts">
        <div class="sql-main">
          <Card class="sql-editor">
            <label class="vh" for="sql-text">{t('s_statement')}</label>
            <textarea id="sql-text" ref={area} class="mono" rows={8} spellcheck={false} autocomplete="off" autocapitalize="off" value={text} aria-invalid={now.error ? true : undefined} aria-describedby="sql-hint"
              placeholder="SELECT …" onInput={(e) => setText(e.currentTarget.value)} onKeyDown={(e) => { if (e.key === 'Enter' && (e.ctrlKey || e.metaKey)) { e.preventDefault(); run() } }} />
            <div class="row spread"><span class="row"><label class="vh" for="sql-example">{t('s_examples')}</label>
              <select id="sql-example" value="" onChange={(e) => { const x = examples[Number(e.currentTarget.value)]; e.currentTarget.value = ''; if (x) setText(x[1]) }}>
                <option value="">{t('s_examples')}</option>{examples.map(([key], i) => <option value={i}>{t(key)}</option>)}</select></span>
              <span class="row"><span class="faint desk-only" id="sql-hint">{t('s_run_hint')}</span><Button kind="primary" icon="right" onClick={run}>{t('s_run')}</Button></span></div>
          </Card>
          {now.state === 'asking' && <Running since={now.since} stop={stop} />}
          <ErrorBox error={now.error} retry={run} />
          {place && <p class="sql-place" role="note"><span class="faint">{t('s_wrong_at', { line: place.line, column: place.column })}</span><code>{place.before}<mark>{place.word}</mark>{place.after}</code></p>}
          {now.state === 'stopped' && <Card><Empty icon="close" title={t('x_stopped')}>{t('x_stopped_hint')}</Empty></Card>}
          {now.answer && !now.error && now.state !== 'stopped' ? <Shown answer={now.answer} old={now.state === 'asking'} />
            : now.state === 'idle' && !now.error && <Card><Empty icon="sql" title={t('s_empty')}>{t('s_empty_hint')}</Empty></Card>}
        </div>
        <Tables insert={insert} />
      </div>
    </div>
  )
}

/** Where the statement is wrong, as the server says it: "line 2, column 7", or a position counted from 1. */
function placeOf(text: string, detail: string) {
  const named = /line (\d+),? column (\d+)/i.exec(detail), single = /(?:position|character) (\d+)/i.exec(detail)
  const lines = text.split('\n')
  let at = -1
  if (named) at = lines.slice(0, Number(named[1]) - 1).reduce((n, l) => n + l.length + 1, 0) + Number(named[2]) - 1
  else if (single) at = Number(single[1]) - 1
  if (at < 0 || at > text.length) return null
  const end = at + (/^[\w.]+|^\S/.exec(text.slice(at))?.[0].length ?? 0)
  const line = text.slice(0, at).split('\n').length, begin = text.lastIndexOf('\n', at - 1) + 1, stop = text.indexOf('\n', at)
  return { at, end, line, column: at - begin + 1, before: text.slice(begin, at), word: text.slice(at, end) || ' ', after: text.slice(end, stop < 0 ? undefined : stop) }
}

// ---- the answer

const TIME = /^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?)?$/
/** A text of SQLite's own without a zone is UTC. */
const moment = (v: unknown): number | null => typeof v !== 'string' || !TIME.test(v) ? null : Date.parse(/[T ]/.test(v) && !/(Z|[+-]\d\d:\d\d)$/.test(v) ? v.replace(' ', 'T') + 'Z' : v)

function kindsOf({ columns, rows }: Answer) {
  return columns.map((c, i) => {
    const some = rows.slice(0, 200).map((r) => r[i]).filter((v) => v !== null && v !== undefined)
    if (c.type === 'time' || (some.length > 0 && some.every((v) => moment(v) !== null))) return 'time'
    return some.length > 0 && some.every((v) => typeof v === 'number') ? 'number' : 'text'
  })
}

function Shown({ answer, old }: { answer: Answer; old: boolean }) {
  const kinds = useMemo(() => kindsOf(answer), [answer])
  const can = kinds.includes('time') && kinds.includes('number') && answer.rows.length > 1
  const [view, setView] = useState<'table' | 'chart'>('table')
  const columns = useMemo(() => answer.columns.map((c, i) => ({ name: c.name, right: kinds[i] === 'number' })), [answer])
  if (!answer.rows.length) return <Card><Empty icon="search" title={t('s_no_rows')}>{t('s_no_rows_hint')}</Empty></Card>
  const cell = (row: number, k: number) => {
    const v = answer.rows[row]![k]
    if (v === null || v === undefined) return <span class="faint">–</span>
    if (typeof v === 'object') return JSON.stringify(v)
    return kinds[k] === 'time' && /T/.test(String(v)) ? absolute(moment(v)) : typeof v === 'number' && !Number.isInteger(v) ? measured(v) : String(v)
  }
  return (
    <Card class={`answer${old ? ' old' : ''}`} title={t('x_result')} action={<span class="row">
      {can && <Segments label={t('x_result')} value={view} onPick={setView} options={[{ value: 'table', label: t('x_table') }, { value: 'chart', label: t('x_chart') }]} />}
      <Button small icon="download" onClick={() => download('weft-sql.csv', csv(answer.columns.map((c) => c.name), answer.rows))}>{t('x_csv')}</Button></span>}>
      {answer.cut && <p class="cut-note" role="note">{t('s_cut', { n: number(answer.rows.length, 0) })}</p>}
      {view === 'chart' && can ? <SqlChart answer={answer} kinds={kinds} /> : <Grid label={t('x_result')} columns={columns} n={answer.rows.length} cell={cell} />}
      <p class="answer-foot faint"><span>{t('x_took_short', { rows: number(answer.rows.length, 0), s: number(answer.seconds ?? 0, 3) })}</span></p>
    </Card>
  )
}

function SqlChart({ answer, kinds }: { answer: Answer; kinds: string[] }) {
  const of = (kind: string) => kinds.map((k, i) => k === kind ? i : -1).filter((i) => i >= 0)
  const [value, setValue] = useState(of('number')[0]!)
  const [by, setBy] = useState(of('text')[0] ?? -1)
  const time = of('time')[0]!
  const lines = useMemo(() => {
    const made = new Map<string, Line>()
    for (const r of answer.rows) {
      const at = moment(r[time]), name = by < 0 ? '' : String(r[by] ?? '')
      if (at === null || (!made.has(name) && made.size === 20)) continue
      if (!made.has(name)) made.set(name, { name, points: [] })
      made.get(name)!.points.push({ at, v: typeof r[value] === 'number' ? r[value] as number : null, low: null, high: null })
    }
    for (const l of made.values()) l.points.sort((a, b) => a.at - b.at)
    return [...made.values()]
  }, [answer, value, by])
  const times = lines.flatMap((l) => l.points.map((p) => p.at))
  const from = times.reduce((a, b) => Math.min(a, b), Infinity), to = times.reduce((a, b) => Math.max(a, b), -Infinity)
  return (
    <div class="plots">
      <div class="row pad-x">
        <label class="faint" for="sql-y">{t('s_chart_y')}</label><select id="sql-y" value={value} onChange={(e) => setValue(Number(e.currentTarget.value))}>{of('number').map((i) => <option value={i}>{answer.columns[i]!.name}</option>)}</select>
        <label class="faint" for="sql-by">{t('s_chart_by')}</label><select id="sql-by" value={by} onChange={(e) => setBy(Number(e.currentTarget.value))}><option value={-1}>{t('s_chart_one')}</option>{of('text').map((i) => <option value={i}>{answer.columns[i]!.name}</option>)}</select>
      </div>
      <Plot title={answer.columns[value]!.name} unit="" lines={lines} from={from} to={to > from ? to : from + 1} step={Infinity} height={340} />
    </div>
  )
}

// ---- what can be read

function Tables({ insert }: { insert: (word: string) => void }) {
  const tables = useQuery<{ items: Table[] }>('sql/tables')
  const [find, setFind] = useState('')
  const word = find.trim().toLowerCase()
  const fits = (x: { name: string } & Partial<Titled>) => !word || `${x.name} ${title(x)}`.toLowerCase().includes(word)
  return (
    <Card class="sql-tables" title={t('s_tables')}>
      <div class="pad-x"><input type="search" aria-label={t('s_tables_find')} placeholder={t('s_tables_find')} value={find} onInput={(e) => setFind(e.currentTarget.value)} /></div>
      <Loaded of={tables} rows={8}>{({ items }) => {
        const shown = items.filter((x) => fits(x) || x.columns.some(fits))
        return shown.length === 0 ? <p class="faint pad">{t('s_tables_none')}</p> : (
          <ul class="table-list">{shown.map((x) => (
            <li key={x.name}><details open={Boolean(word) && x.columns.some(fits)}>
              <summary><code>{x.name}</code>{title(x) !== x.name && <span class="faint">{title(x)}</span>}</summary>
              <ul>
                <li><button type="button" class="link" aria-label={t('s_insert', { what: x.name })} onClick={() => insert(x.name)}><code>{x.name}</code></button></li>
                {x.columns.map((c) => <li><button type="button" class="link" aria-label={t('s_insert', { what: c.name })} title={title(c)} onClick={() => insert(c.name)}><code>{c.name}</code><span class="faint">{c.type ?? ''}</span></button></li>)}
              </ul></details></li>))}</ul>)
      }}</Loaded>
    </Card>
  )
}
