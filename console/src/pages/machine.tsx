// One machine: how it is, why, what it measures, what happened to it, and what can be asked for it.
import { useMemo, useState } from 'preact/hooks'
import { said, t, title, type Key } from '../i18n'
import { createDoc, useModel, useType, useTypes } from '../lib/docs'
import { absolute, DAY, hours, measured, ms, number, percent } from '../lib/format'
import { useNames } from '../lib/names'
import { lang } from '../lib/prefs'
import { hasRole } from '../lib/session'
import { madeUpPosition, saysMadeUp, useThing } from '../lib/things'
import type { Contributor, Model, State, Thing, Tone, Wear } from '../lib/types'
import { go, link, setParams, useRoute } from '../router'
import { Badge, Bar, Button, Card, Empty, healthTone, Loaded, Ring, Segments, StateBadge, Time, toast } from '../ui/bits'
import { Chart, type Mark } from '../ui/chart'
import { Dialog } from '../ui/dialog'
import { DocForm, nowIso } from '../ui/form'
import { Icon } from '../ui/icons'
import { FleetMap } from '../ui/map'
import { PageHead } from '../ui/page'
import { Timeline, useHistory, type Foreseen } from './history'
import { useSeries } from '../lib/series'

const tones: Record<State, Tone> = { ok: 'good', warning: 'warning', alarm: 'critical', offline: 'neutral' }

export function Machine({ name }: { name: string }) {
  const thing = useThing(name)
  const model = useModel(thing.data?.model)
  const history = useHistory(name)
  const [ask, setAsk] = useState<'fault' | 'service' | null>(null)
  const types = useTypes().data
  const may = (type: string) => hasRole(...types?.find((d) => d.name === type)?.create_roles ?? [])
  return (
    <div class="page machine">
      <PageHead title={name} back={<a class="back" href="#/" aria-label={t('to_fleet')}><Icon name="left" /></a>}>
        {may('fault') && <Button icon="bolt" onClick={() => setAsk('fault')}>{t('report_fault')}</Button>}
        {may('work_order') && <Button kind="primary" icon="wrench" onClick={() => setAsk('service')}>{t('request_service')}</Button>}
      </PageHead>
      <Loaded of={thing} rows={6}>{(thing) => (
        <>
          <Header thing={thing} model={model} />
          <div class="machine-grid">
            <div>
              <Charts thing={thing} model={model} marks={history.marks} />
              <Card class="history" title={t('history')}><Timeline events={history.events} loading={history.loading} /></Card>
            </div>
            <div>
              <Why thing={thing} />
              <Failure thing={thing} foreseen={history.foreseen} />
              <Components thing={thing} />
              {thing.latitude !== null && thing.longitude !== null && <Place thing={thing} />}
            </div>
          </div>
          {ask && <Ask kind={ask} thing={thing} close={() => setAsk(null)} />}
        </>
      )}</Loaded>
    </div>
  )
}

function Header({ thing, model }: { thing: Thing; model: Model | undefined }) {
  const tone = tones[healthTone(thing.health)]
  return (
    <section class="card machine-head" aria-label={t('state')}>
      <Ring part={(thing.health ?? 0) / 100} tone={tone} size={92} width={9} label={`${t('health')} ${number(thing.health, 0)} / 100`}>
        <b class="num big">{number(thing.health, 0)}</b><small>{t('health')}</small>
      </Ring>
      <div class="facts">
        <div class="badges"><StateBadge state={thing.state} />
          {thing.open_alarms > 0 && <a class="plain" href={`#/alarms?thing=${encodeURIComponent(thing.name)}`}><Badge tone="critical" icon="alarm">{t('n_alarms', { n: thing.open_alarms })}</Badge></a>}
          {thing.prediction && <a class="plain" href={`#/predictions?thing=${encodeURIComponent(thing.name)}`}><Badge tone="warning" icon="predict">{t('failure_expected')}</Badge></a>}
          {thing.work_order && <a class="plain" href={link('orders', thing.work_order.id)}><Badge tone="info" icon="order">{thing.work_order.number}</Badge></a>}
        </div>
        <dl class="inline">
          <div><dt>{t('model')}</dt><dd>{title(model, thing.model)}</dd></div>
          <div><dt>{t('last_seen')}</dt><dd><Time past at={thing.last_seen} /></dd></div>
          {thing.commissioned && <div><dt>{t('commissioned')}</dt><dd>{absolute(thing.commissioned).slice(0, 10)}</dd></div>}
          {attributes(thing).map(([name, value]) => <div><dt>{name}</dt><dd>{value}</dd></div>)}
        </dl>
      </div>
    </section>
  )
}
const attributeWords: Record<string, Key> = { age_years: 'attr_age_years', age: 'attr_age_years', site: 'attr_site', serial: 'attr_serial' }
/** What people wrote about the machine, in the reader's language: site_zh or site_en shows as Site. */
function attributes(thing: Thing): [name: string, value: string][] {
  const mine = `_${lang.get()}`
  return Object.entries(thing.attributes ?? {})
    .filter(([k, v]) => ['string', 'number'].includes(typeof v) && !saysMadeUp(k, v) && (!/_(zh|en)$/.test(k) || k.endsWith(mine)))
    .slice(0, 5)
    .map(([k, v]) => {
      const name = k.replace(/_(zh|en)$/, '')
      return [attributeWords[name] ? t(attributeWords[name]!) : name.replace(/_/g, ' '), String(v)]
    })
}

const ranges = { '24h': DAY, '7d': 7 * DAY, '30d': 30 * DAY, all: 0 } as const
type RangeName = keyof typeof ranges

function Charts({ thing, model, marks }: { thing: Thing; model: Model | undefined; marks: Mark[] }) {
  const { params } = useRoute()
  const range = (params.get('range') ?? '7d') as RangeName
  const zoom = zoomOf(params.get('zoom'))
  const setZoom = (z: readonly [number, number] | null) => setParams({ zoom: z ? `${Math.round(z[0])}-${Math.round(z[1])}` : null })
  const slide = (by: number) => { if (zoom) { const d = (zoom[1] - zoom[0]) * by; setZoom([zoom[0] + d, zoom[1] + d]) } }
  const textual = new Set(thing.latest.filter((l) => typeof l.value === 'string').map((l) => l.metric))
  const metrics = model?.metrics.length ? model.metrics.filter((m) => !textual.has(m.name) && !isCode(m))
    : thing.latest.filter((l) => typeof l.value === 'number').map((l) => ({ name: l.metric, title_en: l.metric, title_zh: l.metric, unit: null, low: null, high: null, component: null }))
  return (
    <Card title={t('measurements')} action={<Segments<RangeName> label={t('range')} value={zoom ? '' as RangeName : range in ranges ? range : '7d'} onPick={(r) => setParams({ range: r === '7d' ? null : r, zoom: null })}
      options={(Object.keys(ranges) as RangeName[]).map((r) => ({ value: r, label: r === 'all' ? t('range_all') : r === '24h' ? t('n_hours', { n: 24 }) : t('n_days', { n: Number.parseInt(r, 10) }) }))} />}>
      {zoom && <div class="zoomed"><Button small icon="left" aria-label={t('earlier')} onClick={() => slide(-0.5)} /><span class="num">{absolute(zoom[0])} – {absolute(zoom[1])}</span><Button small icon="right" aria-label={t('later')} onClick={() => slide(0.5)} />
        <Button small icon="plus" aria-label={t('zoom_in')} onClick={() => { const q = (zoom[1] - zoom[0]) / 4; setZoom([zoom[0] + q, zoom[1] - q]) }} /><Button small icon="minus" aria-label={t('zoom_out')} onClick={() => { const q = (zoom[1] - zoom[0]) / 2; setZoom([zoom[0] - q, zoom[1] + q]) }} />
        <Button small onClick={() => setZoom(null)}>{t('zoom_reset')}</Button></div>}
      {metrics.length ? <div class="charts">{metrics.map((m) => <MetricChart key={m.name} thing={thing} metric={m} span={ranges[range] ?? ranges['7d']} zoom={zoom} onZoom={(a, b) => setZoom([a, b])} marks={marks} />)}</div>
        : <Empty icon="predict" title={t('no_metrics')}>{t('no_metrics_hint')}</Empty>}
      <ul class="chart-legend">
        <li><i class="k-line" />{t('legend_average')}</li><li><i class="k-band" />{t('legend_minmax')}</li><li><i class="k-own" />{t('legend_own')}</li>
        <li><i class="k-peer" />{t('legend_peers')}</li><li><i class="k-limit" />{t('legend_limit')}</li>
        <li><i class="k-fault" />{t('legend_fault')}</li><li><i class="k-repair" />{t('legend_repair')}</li>
        <li class="desk-only">{t('zoom_hint')}</li>
      </ul>
    </Card>
  )
}

/** A metric that carries fault codes has neither unit nor limits nor a component; its values are told under alarms. */
const isCode = (m: Model['metrics'][number]) => !m.unit && m.low === null && m.high === null && !m.component

function zoomOf(text: string | null): readonly [number, number] | null {
  const m = /^(\d+)-(\d+)$/.exec(text ?? '')
  return m && Number(m[2]) > Number(m[1]) ? [Number(m[1]), Number(m[2])] : null
}

function MetricChart({ thing, metric, span, marks, zoom, onZoom }: { thing: Thing; metric: Model['metrics'][number]; span: number; marks: Mark[]; zoom: readonly [number, number] | null; onZoom: (from: number, to: number) => void }) {
  const end = ms(thing.last_seen) ?? 0
  // A failure or repair is drawn where it can be seen coming: on the metric that speaks of its component.
  const own = useMemo(() => marks.filter((m) => !metric.component || !m.component || m.component === metric.component), [marks, metric.component])
  const { series, error, from, to } = useSeries(thing.name, metric.name, span, end, zoom)
  if (error) return <figure class="chart"><figcaption><strong>{title(metric)}</strong></figcaption><p class="faint">{error.title}: {error.detail}</p></figure>
  if (!series) return <figure class="chart"><figcaption><strong>{title(metric)}</strong></figcaption><div class="plot skeleton"><span style={{ height: '150px' }} /></div></figure>
  return <Chart metric={metric} series={series} from={from} to={to} marks={own} sync={thing.name} height={176} onZoom={onZoom} />
}

function Why({ thing }: { thing: Thing }) {
  const names = useNames()
  const parts = (thing.health_detail?.contributors ?? []).filter((c) => c.points_lost > 0.05).sort((a, b) => b.points_lost - a.points_lost)
  const detail = (c: Contributor) => [
    c.value !== null && `${t('now_value')} ${measured(c.value)}`, c.own_median !== null && `${t('usually')} ${measured(c.own_median)}`, c.peer_median !== null && `${t('peers')} ${measured(c.peer_median)}`,
  ].filter(Boolean).join(' · ')
  return (
    <Card title={t('why_health')}>
      {parts.length === 0 ? <p class="faint pad">{thing.health === null ? t('health_unknown') : t('health_full')}</p> : (
        <ul class="bars">{parts.map((c) => (
          <li><div class="bar-head"><strong>{names.metric(c.metric)}</strong><span class="num">−{number(c.points_lost, 1)}</span></div>
            <Bar part={c.points_lost / Math.max(30, parts[0]!.points_lost)} tone={c.points_lost > 25 ? 'critical' : c.points_lost > 8 ? 'warning' : 'neutral'} />
            <p>{said(c)}</p><p class="faint num">{detail(c)}</p></li>))}</ul>)}
    </Card>
  )
}

function Failure({ thing, foreseen }: { thing: Thing; foreseen: Map<string, Foreseen> }) {
  const names = useNames()
  // Between two scorings, what stands in the open predictions is what is known.
  const scored = thing.failure.length ? thing.failure : [...foreseen].map(([component, p]) => ({ component, probability: p.probability }))
  const list = [...scored].sort((a, b) => b.probability - a.probability)
  return (
    <Card title={t('failure_48h')}>
      {list.length === 0 ? <p class="faint pad">{t('failure_unknown')}</p> : (
        <ul class="bars">{list.map((f) => (
          <li><div class="bar-head"><strong>{names.component(f.component)}</strong><span class="num">{percent(f.probability, f.probability < 0.1 ? 1 : 0)}</span></div>
            <Bar part={f.probability} tone={f.probability >= 0.5 ? 'critical' : f.probability >= 0.2 ? 'warning' : 'neutral'} />
            {(foreseen.get(f.component)?.reasons ?? []).slice(0, 3).map((r) => <p>{said(r)}</p>)}</li>))}</ul>)}
    </Card>
  )
}

function Components({ thing }: { thing: Thing }) {
  const tone = (c: Wear): Tone => c.wear === null ? 'neutral' : c.wear >= 1 ? 'critical' : c.wear >= 0.8 ? 'warning' : 'good'
  return (
    <Card title={t('components')}>
      {thing.components.length === 0 ? <p class="faint pad">{t('no_components')}</p> : (
        <ul class="bars">{thing.components.map((c) => (
          <li><div class="bar-head"><strong>{title(c)}</strong><span class="num">{c.wear !== null && c.wear >= 10 ? `> ${percent(9.99)}` : percent(c.wear)}</span></div>
            <Bar part={c.wear ?? 0} tone={tone(c)} />
            <p class="faint num">{hours(c.age_hours)} / {hours(c.life_hours)} · {c.replaced_at ? <>{t('replaced')} <Time at={c.replaced_at} /></> : t('never_replaced')}</p></li>))}</ul>)}
    </Card>
  )
}

function Place({ thing }: { thing: Thing }) {
  return (
    <Card class="place" title={t('position')}>
      <FleetMap small label={t('map_label')} note={madeUpPosition(thing) ? t('made_up_position') : undefined}
        pins={[{ id: thing.name, latitude: thing.latitude!, longitude: thing.longitude!, state: thing.state, label: thing.name }]} />
    </Card>
  )
}

function Ask({ kind, thing, close }: { kind: 'fault' | 'service'; thing: Thing; close: () => void }) {
  const type = useType(kind === 'fault' ? 'fault' : 'work_order')
  const names = useNames()
  const wanted = kind === 'fault' ? ['component', 'occurred_at', 'text'] : ['title', 'component', 'priority']
  const fields = useMemo(() => {
    if (!type) return []
    const own = type.fields.filter((f) => wanted.includes(f.name))
    if (kind === 'service') own.unshift({ name: 'title', title_en: t('what_is_needed'), title_zh: t('what_is_needed'), kind: 'text', required: true, computed: false, unit: null, choices: [], ref: null, scale: 0 })
    return own
  }, [type])
  const send = async (values: Record<string, unknown>) => {
    const { title: text, ...rest } = values
    const doc = await createDoc(type!.name, kind === 'fault' ? { thing: thing.name, source: 'person', ...rest }
      : { thing: thing.name, kind: 'request', title_en: text, title_zh: text, ...rest })
    toast(t(kind === 'fault' ? 'fault_reported' : 'service_requested', { n: doc.number }))
    close()
    if (kind === 'service') go(link('orders', doc.id))
  }
  return (
    <Dialog title={kind === 'fault' ? t('report_fault') : t('request_service')} onClose={close}>
      {type ? <DocForm fields={fields} initial={kind === 'fault' ? { occurred_at: nowIso(), component: thing.prediction?.component } : { priority: 'normal', component: thing.prediction?.component, title: thing.prediction ? t('check_component', { c: names.component(thing.prediction.component) }) : '' }}
        submit={kind === 'fault' ? t('report_fault') : t('request_service')} send={send} cancel={close} /> : <p class="faint">{t('loading')}</p>}
    </Dialog>
  )
}
