// Measurements asked for by hand: which machines, which metrics, which time, how computed. The address keeps all of it.
import type { ComponentChildren } from 'preact'
import { useEffect, useMemo, useState } from 'preact/hooks'
import { t, title, type Key } from '../i18n'
import { api, query } from '../lib/api'
import { useAsk } from '../lib/ask'
import { useNow } from '../lib/clock'
import { csv, download } from '../lib/csv'
import { useModels } from '../lib/docs'
import { AGGREGATES, asSql, linesOf, question, RANGES, readAsked, topQuestion, TOPS, WINDOWS, windowOf, writeAsked, type Answered, type Asked, type Range } from '../lib/explore'
import { absolute, measured, number } from '../lib/format'
import { useQuery } from '../lib/query'
import type { Metric, Model, Page, Thing, ThingItem } from '../lib/types'
import { go, setParams, useRoute } from '../router'
import { Copyable, Running } from '../ui/asking'
import { Button, Card, Empty, ErrorBox, Segments } from '../ui/bits'
import { Grid } from '../ui/grid'
import { Icon } from '../ui/icons'
import { PageHead } from '../ui/page'
import { Plot } from '../ui/plot'

interface Result { asked: Asked; from: number; to: number; groups?: string[]; answer: Answered }

/** Groups are numbered by what they have most of, so that as many lines come as can be told apart. */
async function askServer(asked: Asked, from: number, to: number, signal: AbortSignal): Promise<Result> {
  const post = (body: unknown) => api<Answered>('series/query', { method: 'POST', body, signal })
  let groups: string[] | undefined
  if (asked.by) {
    const top = await post(topQuestion(asked, from, to))
    const at = Math.max(0, top.columns.findIndex((c) => c.name === asked.by))
    groups = top.rows.map((r) => String(r[at] ?? '')).filter(Boolean)
    if (!groups.length) return { asked, from, to, groups, answer: { columns: [], rows: [], stats: top.stats } }
  }
  return { asked, from, to, groups, answer: await post(question(asked, from, to, groups)) }
}

export function Explore() {
  const { params } = useRoute()
  const text = params.toString()
  const asked = useMemo(() => readAsked(params), [text])
  const key = writeAsked(asked)
  const ready = useNow(60_000)
  const { now, ask, stop } = useAsk<Result>()
  const [again, setAgain] = useState(0)
  const change = (part: Partial<Asked>) => {
    const next = writeAsked({ ...asked, ...part }), view = params.get('view')
    go('#/explore' + (next || view ? '?' + [next, view && `view=${view}`].filter(Boolean).join('&') : ''), true)
  }
  const wide = (): readonly [number, number] => asked.span ?? [ready - RANGES[asked.range], ready]
  useEffect(() => {
    if (!ready || !asked.metrics.length) return
    const [from, to] = wide()
    void ask((signal) => askServer(asked, from, to, signal))
  }, [key, ready > 0, again])
  const known = useKnown(asked)
  // On a phone an answer that was come for stands first; the question opens with a tap.
  const [first] = useState(() => !asked.metrics.length || matchMedia('(min-width: 761px)').matches)
  const shown = now.answer && writeAsked(now.answer.asked) === key ? now.answer : undefined
  const stale = now.answer && !shown ? now.answer : undefined
  return (
    <div class="page explore">
      <PageHead title={t('nav_explore')}>
        {asked.metrics.length > 0 && <Button icon="clock" onClick={() => setAgain((n) => n + 1)}>{t('x_refresh')}</Button>}
      </PageHead>
      <details class="card ask-card" open={first}>
        <summary><strong>{t('x_question')}</strong><span class="faint">{brief(asked, known.metrics)}</span><Icon name="down" size={18} /></summary>
        <Form asked={asked} known={known} change={change} now={ready} />
      </details>
      {now.state === 'asking' && <Running since={now.since} stop={stop} />}
      <ErrorBox error={now.error} retry={() => setAgain((n) => n + 1)} />
      {now.state === 'stopped' && <Card><Empty icon="close" title={t('x_stopped')}>{t('x_stopped_hint')}</Empty></Card>}
      {!asked.metrics.length ? <Card><Empty icon="chart" title={t('x_metric_choose')}>{t('x_metric_choose_hint')}</Empty></Card>
        : (shown ?? stale) && <Results of={(shown ?? stale)!} metrics={known.metrics} change={change} old={!shown} />}
      {asked.metrics.length > 0 && ready > 0 && <AsText asked={asked} range={wide()} groups={shown?.groups} />}
    </div>
  )
}

/** The question in a line, for when its form is closed. */
function brief(a: Asked, metrics: Metric[]): string {
  const name = (m: string) => { const x = metrics.find((k) => k.name === m); return x ? title(x) || m : m }
  const range = a.span ? `${absolute(a.span[0])} – ${absolute(a.span[1])}` : a.range.endsWith('h') ? t('n_hours', { n: Number.parseInt(a.range, 10) }) : t('n_days', { n: Number.parseInt(a.range, 10) })
  return [a.metrics.map(name).join(', '), [a.model, a.names, ...a.tags.map((x) => `${x.name}=${x.value}`)].filter(Boolean).join(', '), a.metrics.length ? t(functionWords[a.aggregate]) : '', range].filter(Boolean).join(' · ')
}

// ---- what there is to choose from

interface Known { models: Model[]; metrics: Metric[]; tags: string[]; pairs: string[] }
/** Models say what their machines measure; of machines without a model, the first that fits tells. */
function useKnown(asked: Asked): Known {
  const models = useModels().data ?? []
  const name = asked.names.split(/[,，、\s]+/)[0]!.replace(/\*+$/, '')
  const first = useQuery<Page<ThingItem>>('things' + query({ limit: 1, model: asked.model, q: name.includes('*') ? '' : name }), { keep: true }).data?.items[0]?.name
  const thing = useQuery<Thing>(first ? `things/${encodeURIComponent(first)}` : null, { keep: true }).data
  return useMemo(() => {
    const metrics = new Map<string, Metric>()
    const latest = thing?.latest ?? []
    for (const m of models) if (!asked.model || m.name === asked.model) for (const x of m.metrics) if (x.unit || x.low !== null || x.high !== null || x.component) metrics.set(x.name, x)
    for (const l of latest) if (typeof l.value !== 'string' && !l.metric.startsWith('@') && !metrics.has(l.metric)) metrics.set(l.metric, { name: l.metric, title_en: '', title_zh: '', unit: null, low: null, high: null, component: null })
    const tags = latest.filter((l) => l.metric.startsWith('@') && typeof l.value === 'string')
    return { models, metrics: [...metrics.values()], tags: tags.map((l) => l.metric.slice(1)), pairs: tags.map((l) => `${l.metric.slice(1)}=${String(l.value)}`) }
  }, [models, thing, asked.model])
}

// ---- the question

const functionWords: Record<typeof AGGREGATES[number], Key> = { avg: 'x_avg', min: 'x_min', max: 'x_max', sum: 'x_sum', count: 'x_count', last: 'x_last' }
type Change = (part: Partial<Asked>) => void

function Form({ asked, known, change, now }: { asked: Asked; known: Known; change: Change; now: number }) {
  const [from, to] = asked.span ?? [now - RANGES[asked.range], now]
  const tags = [...new Set([...known.tags, ...(asked.by.startsWith('@') ? [asked.by.slice(1)] : [])])]
  return (
    <div class="ask">
      <fieldset class="ask-row"><legend class="vh">{t('x_which')}</legend>
        <Labelled id="x-model" label={t('x_model')}>
          <select id="x-model" value={asked.model} onChange={(e) => change({ model: e.currentTarget.value })}>
            <option value="">{t('x_any_model')}</option>
            {known.models.map((m) => <option value={m.name}>{title(m)}</option>)}
            {asked.model && !known.models.some((m) => m.name === asked.model) && <option value={asked.model}>{asked.model}</option>}
          </select></Labelled>
        <Labelled id="x-names" label={t('x_names')}>
          <input id="x-names" value={asked.names} placeholder={t('x_names_hint')} autocomplete="off" spellcheck={false} onChange={(e) => change({ names: e.currentTarget.value.trim() })} /></Labelled>
        <Tags asked={asked} pairs={known.pairs} change={change} />
      </fieldset>
      <fieldset class="ask-row"><legend>{t('x_metrics')}</legend><Metrics asked={asked} known={known} change={change} /></fieldset>
      <fieldset class="ask-row"><legend class="vh">{t('x_range')}</legend>
        <Segments<Range> label={t('x_range')} value={asked.span ? '' as Range : asked.range} onPick={(range) => change({ range, span: null })}
          options={(Object.keys(RANGES) as Range[]).map((r) => ({ value: r, label: r.endsWith('h') ? t('n_hours', { n: Number.parseInt(r, 10) }) : t('n_days', { n: Number.parseInt(r, 10) }) }))} />
        {now > 0 && <span class="ask-span"><Moment id="x-from" label={t('x_from')} at={from} set={(at) => at < to && change({ span: [at, to] })} /><Moment id="x-to" label={t('x_to')} at={to} set={(at) => at > from && change({ span: [from, at] })} /></span>}
      </fieldset>
      <div class="ask-row">
        <Labelled id="x-window" label={t('x_window')}>
          <select id="x-window" value={asked.window} onChange={(e) => change({ window: e.currentTarget.value as Asked['window'] })}>
            {WINDOWS.map((w) => <option value={w}>{w === 'auto' ? now > 0 ? t('x_window_auto', { w: windowOf({ ...asked, window: 'auto' }, from, to).text }) : t('x_window_auto_short') : w}</option>)}
          </select></Labelled>
        <Labelled id="x-fn" label={t('x_aggregate')}>
          <select id="x-fn" value={asked.aggregate} onChange={(e) => change({ aggregate: e.currentTarget.value as Asked['aggregate'] })}>{AGGREGATES.map((f) => <option value={f}>{t(functionWords[f])}</option>)}</select></Labelled>
        <Labelled id="x-by" label={t('x_by')}>
          <select id="x-by" value={asked.by} onChange={(e) => change({ by: e.currentTarget.value })}>
            <option value="thing">{t('x_by_thing')}</option>{tags.map((x) => <option value={`@${x}`}>{t('x_by_tag', { tag: x })}</option>)}<option value="">{t('x_by_none')}</option>
          </select></Labelled>
        {asked.by && <Labelled id="x-top" label={t('x_top')}>
          <select id="x-top" value={String(asked.top)} onChange={(e) => change({ top: Number(e.currentTarget.value) })}>{TOPS.map((n) => <option value={n}>{t('x_top_n', { n })}</option>)}</select></Labelled>}
      </div>
    </div>
  )
}

function Labelled({ id, label, children }: { id: string; label: string; children: ComponentChildren }) {
  return <div class="field"><label for={id}>{label}</label>{children}</div>
}
const local = (at: number) => new Date(at - new Date(at).getTimezoneOffset() * 60_000).toISOString().slice(0, 16)
function Moment({ id, label, at, set }: { id: string; label: string; at: number; set: (at: number) => void }) {
  return <Labelled id={id} label={label}><input id={id} type="datetime-local" value={local(at)} onChange={(e) => { const v = Date.parse(e.currentTarget.value); if (!Number.isNaN(v)) set(v) }} /></Labelled>
}

function Tags({ asked, pairs, change }: { asked: Asked; pairs: string[]; change: Change }) {
  const [text, setText] = useState('')
  const [wrong, setWrong] = useState(false)
  const add = () => {
    const at = text.indexOf('='), name = text.slice(0, at).trim().replace(/^@/, ''), value = text.slice(at + 1).trim()
    setWrong(text !== '' && (at < 1 || !name || !value))
    if (at < 1 || !name || !value) return
    if (!asked.tags.some((x) => x.name === name && x.value === value)) change({ tags: [...asked.tags, { name, value }] })
    setText('')
  }
  return (
    <div class="field ask-tags"><label for="x-tag">{t('x_tags')}</label>
      <span class="row"><input id="x-tag" list="x-tag-list" value={text} placeholder={t('x_tag_hint')} autocomplete="off" spellcheck={false} aria-invalid={wrong || undefined} aria-describedby={wrong ? 'x-tag-wrong' : undefined}
        onInput={(e) => { setText(e.currentTarget.value); setWrong(false) }} onKeyDown={(e) => { if (e.key === 'Enter') { e.preventDefault(); add() } }} />
        <Button small icon="plus" aria-label={t('x_tag_add')} onClick={add} /></span>
      <datalist id="x-tag-list">{pairs.map((p) => <option value={p} />)}</datalist>
      {wrong && <p class="wrong-text" id="x-tag-wrong" role="alert">{t('x_tag_wrong')}</p>}
      {asked.tags.length > 0 && <Chosen items={asked.tags.map((x) => `${x.name}=${x.value}`)} remove={(i) => change({ tags: asked.tags.filter((_, k) => k !== i) })} />}
    </div>
  )
}

function Chosen({ items, remove }: { items: string[]; remove: (i: number) => void }) {
  return <ul class="chosen">{items.map((x, i) => <li><span>{x}</span><button type="button" aria-label={t('x_remove', { what: x })} onClick={() => remove(i)}><Icon name="close" size={15} /></button></li>)}</ul>
}

function Metrics({ asked, known, change }: { asked: Asked; known: Known; change: Change }) {
  const [text, setText] = useState('')
  const label = (name: string) => { const m = known.metrics.find((x) => x.name === name); return m ? title(m) || name : name }
  const rest = known.metrics.filter((m) => !asked.metrics.includes(m.name))
  const add = (name: string) => { if (name && !asked.metrics.includes(name)) change({ metrics: [...asked.metrics, name].slice(0, 4) }) }
  return (
    <>
      {asked.metrics.length > 0 && <Chosen items={asked.metrics.map(label)} remove={(i) => change({ metrics: asked.metrics.filter((_, k) => k !== i) })} />}
      {asked.metrics.length < 4 && <>
        <select id="x-metric" class="ask-metric" aria-label={t('x_metric_add')} value="" onChange={(e) => { const name = e.currentTarget.value; e.currentTarget.value = ''; add(name) }}>
          <option value="">{t('x_metric_add')}</option>
          {rest.map((m) => <option value={m.name}>{title(m) && title(m) !== m.name ? `${title(m)} · ${m.name}` : m.name}{m.unit ? ` (${m.unit})` : ''}</option>)}
        </select>
        <span class="row"><input class="ask-other" aria-label={t('x_metric_other')} placeholder={t('x_metric_other')} value={text} autocomplete="off" spellcheck={false}
          onInput={(e) => setText(e.currentTarget.value)} onKeyDown={(e) => { if (e.key === 'Enter') { e.preventDefault(); add(text.trim()); setText('') } }} />
          {text.trim() && <Button small icon="plus" aria-label={t('x_metric_add')} onClick={() => { add(text.trim()); setText('') }} />}</span></>}
    </>
  )
}

// ---- the answer

function Results({ of, metrics, change, old }: { of: Result; metrics: Metric[]; change: Change; old: boolean }) {
  const view = useRoute().params.get('view') === 'table' ? 'table' : 'chart'
  const { asked, from, to, groups, answer } = of
  const lines = useMemo(() => asked.metrics.map((_, i) => linesOf(answer, asked, i, groups)), [of])
  const name = (m: string) => { const x = metrics.find((k) => k.name === m); return x ? title(x) || m : m }
  const unit = (m: string) => asked.aggregate === 'count' ? '' : metrics.find((k) => k.name === m)?.unit ?? ''
  const step = windowOf(asked, from, to).ms
  const out = () => { const half = (to - from) / 2; change({ span: [Math.round(from - half), Math.round(to + half)] }) }
  const table = useMemo(() => tableOf(of, name), [of, metrics])
  if (!lines.some((l) => l.length)) return <Card><Empty icon="chart" title={t('x_nothing')}>{t('x_nothing_hint')}</Empty></Card>
  return (
    <Card class={`answer${old ? ' old' : ''}`} title={t('x_result')} action={<span class="row">
      <Segments label={t('x_result')} value={view} onPick={(v) => setParams({ view: v === 'table' ? v : null })} options={[{ value: 'chart', label: t('x_chart') }, { value: 'table', label: t('x_table') }]} />
      {view === 'chart' && <Button small icon="minus" aria-label={t('x_zoom_out')} title={t('x_zoom_out')} onClick={out} />}
      <Button small icon="download" onClick={() => download('weft-series.csv', csv(table.columns.map((c) => c.name), table.raw))}>{t('x_csv')}</Button></span>}>
      {view === 'table' ? <Grid label={t('x_result')} columns={table.columns} n={table.raw.length} cell={(row, k) => table.shown(row, k)} />
        : <div class="plots">{asked.metrics.map((m, i) => <Plot key={m} title={name(m)} unit={unit(m)} lines={lines[i]!} from={from} to={to} step={step} height={asked.metrics.length > 1 ? 240 : 340} onZoom={(a, b) => change({ span: [a, b] })} />)}</div>}
      <p class="answer-foot faint"><span>{answer.stats ? t('x_took', { rows: number(answer.rows.length, 0), read: number(answer.stats.rows_read, 0), s: number(answer.stats.seconds, 3) }) : ''}</span>{view === 'chart' && <span class="desk-only">{t('x_zoom_hint')}</span>}</p>
    </Card>
  )
}

/** As a person reads it, and as a file keeps it: times as RFC 3339 and numbers whole. */
function tableOf({ asked, answer }: Result, name: (metric: string) => string) {
  const at = answer.columns.map((c) => c.name)
  const order = ['time', ...(asked.by ? [asked.by] : []), ...asked.metrics.flatMap((_, i) => [`v${i}`, `low${i}`, `high${i}`])].filter((n) => at.includes(n))
  const columns = order.map((n) => {
    const i = Number(/\d+$/.exec(n)?.[0] ?? -1), metric = asked.metrics[i] ?? ''
    const label = n === 'time' ? t('x_time') : n === asked.by ? n === 'thing' ? t('x_by_thing') : n.slice(1) : `${name(metric)} ${t(n.startsWith('low') ? 'x_min' : n.startsWith('high') ? 'x_max' : functionWords[asked.aggregate])}`
    return { name: label, right: i >= 0 }
  })
  const rows = [...answer.rows].sort((a, b) => Number(a[at.indexOf('time')]) - Number(b[at.indexOf('time')]))
  const raw = rows.map((r) => order.map((n) => n === 'time' ? new Date(Number(r[at.indexOf(n)])).toISOString() : r[at.indexOf(n)]))
  return { columns, raw, shown: (row: number, k: number) => order[k] === 'time' ? absolute(raw[row]![k]) : order[k] === asked.by ? String(raw[row]![k] ?? '–') : measured(raw[row]![k]) }
}

function AsText({ asked, range, groups }: { asked: Asked; range: readonly [number, number]; groups?: string[] }) {
  const sql = asSql(asked, range[0], range[1])
  return (
    <Card class="as-text">
      <Copyable title={t('x_as_question')} hint={t('x_as_hint')} text={JSON.stringify(question(asked, range[0], range[1], groups), null, 2)} />
      <Copyable title={t('x_as_sql')} hint={t('x_sql_hint')} text={sql}><a class="btn small" href={`#/sql?q=${encodeURIComponent(sql)}`}>{t('x_open_sql')}</a></Copyable>
    </Card>
  )
}
