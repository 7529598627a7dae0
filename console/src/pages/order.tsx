// One work order: its promise clocks, who and with what, and the next step.
import { t, title } from '../i18n'
import { query } from '../lib/api'
import { useNow } from '../lib/clock'
import { ref, str, useType } from '../lib/docs'
import { absolute, clockFace, distance, duration, ms, number } from '../lib/format'
import { pick, skillNames, useAll, useNames } from '../lib/names'
import { useQuery } from '../lib/query'
import { useThing } from '../lib/things'
import type { Doc, DocType, Page, Thing, Tone } from '../lib/types'
import { link } from '../router'
import { Badge, Card, Empty, Loaded, Ring, StateBadge, Time } from '../ui/bits'
import { Icon } from '../ui/icons'
import { FleetMap, type Pin } from '../ui/map'
import { PageHead } from '../ui/page'
import { Transitions } from '../ui/transitions'
import { AuditTrail } from './audit'
import { DocBadge } from './history'
import { finishWords, firstWords, orderTitle, Priority } from './orders'

export function OrderPage({ id }: { id: string }) {
  const type = useType('work_order')
  const order = useQuery<Doc>(`docs/work_order/${encodeURIComponent(id)}`, { live: ['doc:work_order'], every: 1500 })
  const doc = order.data
  const thing = useThing(doc ? str(doc.thing) || null : null).data
  const technicians = useAll('technician')
  const technician = technicians.get(ref(doc?.technician)?.id ?? -1)
  const label = (d: Doc) => {
    const far = thing && place(d) && thing.latitude !== null ? ` · ${number(distance(place(d)!, thing as { latitude: number; longitude: number }), 0)} km` : ''
    return `${pick(d.name)} · ${skillNames(d.skills, ', ')}${far}`
  }
  return (
    <div class="page order">
      <PageHead title={doc ? orderTitle(doc) : t('work_order')} back={<a class="back" href="#/orders" aria-label={t('nav_orders')}><Icon name="left" /></a>}>
        {doc && type && <Transitions type={type} doc={doc} done={order.reload} suggest={finishWords(doc)} initial={firstWords(doc)} refLabel={{ technician: label }} />}
      </PageHead>
      <Loaded of={order} rows={6}>{(doc) => (
        <>
          <Steps doc={doc} type={type} />
          <div class="order-grid">
            <div>
              <Card title={t('promise')} class="clocks"><div class="clock-row"><PromiseClock doc={doc} kind="arrival" /><PromiseClock doc={doc} kind="completion" /></div></Card>
              <Part doc={doc} />
            </div>
            <div>
              <Facts doc={doc} type={type} thing={thing} />
              <Report doc={doc} type={type} />
              <Card title={t('timeline')} class="passed"><AuditTrail type="work_order" doc={doc} /></Card>
            </div>
            <div><Technician doc={doc} technician={technician} thing={thing} /></div>
          </div>
        </>)}</Loaded>
    </div>
  )
}

function place(d: Doc | undefined): { latitude: number; longitude: number } | null {
  return d && typeof d.latitude === 'number' && typeof d.longitude === 'number' ? { latitude: d.latitude, longitude: d.longitude } : null
}

const path = ['requested', 'dispatched', 'travelling', 'on_site', 'done', 'confirmed']
const stamp: Record<string, string> = { requested: 'requested_at', dispatched: 'dispatched_at', on_site: 'arrived_at', done: 'finished_at' }

function Steps({ doc, type }: { doc: Doc; type: DocType | undefined }) {
  const at = path.indexOf(doc.state)
  if (at < 0) return <p class="active-filter"><DocBadge type={type} doc={doc} /></p>
  return (
    <ol class="steps" aria-label={t('progress')}>{path.map((s, i) => (
      <li key={s} class={i < at ? 'past' : i === at ? 'now' : ''} aria-current={i === at ? 'step' : undefined}>
        <i>{i < at || (i === at && s === 'confirmed') ? <Icon name="check" size={13} /> : i + 1}</i><span>{title(type?.states.find((x) => x.name === s), s)}</span>
        <small class="faint num">{stamp[s] && ms(doc[stamp[s]!]) ? <Time at={doc[stamp[s]!]} /> : ''}</small>
      </li>))}</ol>
  )
}

function PromiseClock({ doc, kind }: { doc: Doc; kind: 'arrival' | 'completion' }) {
  const now = useNow(1000)
  const start = ms(doc.requested_at), by = ms(kind === 'arrival' ? doc.arrive_by : doc.finish_by), end = ms(kind === 'arrival' ? doc.arrived_at : doc.finished_at)
  const kept = kind === 'arrival' ? doc.arrival_kept : doc.completion_kept
  const name = t(kind === 'arrival' ? 'arrival_2h' : 'completion_24h')
  if (start === null || by === null) return null
  const stopped = doc.state === 'cancelled' ? ms(doc.changed) : null
  const t0 = end ?? stopped ?? now
  const used = (t0 - start) / (by - start)
  const over = t0 > by
  const tone: Tone = end !== null ? (kept === false || over ? 'critical' : 'good') : over ? 'critical' : used > 0.75 ? 'warning' : 'info'
  const length = end !== null ? end - start : by - t0
  const sub = end !== null ? t(over || kept === false ? 'promise_missed' : 'promise_kept') : stopped ? t('stopped') : over ? t('over_time') : t('remaining')
  return (
    <div class="promise-clock">
      <Ring part={used} tone={tone} size={112} width={10} label={`${name}: ${duration(length)}, ${sub}`}><b class="num big">{clockFace(length)}</b><small>{sub}</small></Ring>
      <strong>{name}</strong><span class="faint num">{t('by')} {absolute(by)}</span>
    </div>
  )
}

function Facts({ doc, type, thing }: { doc: Doc; type: DocType | undefined; thing: Thing | undefined }) {
  const names = useNames()
  const kind = type?.fields.find((f) => f.name === 'kind')?.choices.find((c) => c.name === doc.kind)
  const link3 = (name: 'prediction' | 'alarm' | 'fault') => { const r = ref(doc[name]); return r && <div><dt>{title(type?.fields.find((f) => f.name === name), name)}</dt><dd><a href={link('docs', name, r.id)}>{r.number}</a></dd></div> }
  return (
    <Card title={doc.number} action={<span class="badges"><DocBadge type={type} doc={doc} /><Priority doc={doc} type={type} /></span>}>
      <dl class="rows">
        <div><dt>{t('machine')}</dt><dd><a href={link('things', str(doc.thing))}>{str(doc.thing)}</a> {thing && <StateBadge state={thing.state} />}</dd></div>
        {str(doc.component) && <div><dt>{t('component')}</dt><dd>{names.component(doc.component)}</dd></div>}
        <div><dt>{t('kind')}</dt><dd>{title(kind, str(doc.kind))}</dd></div>
        {link3('prediction')}{link3('alarm')}{link3('fault')}
        <div><dt>{t('requested')}</dt><dd><Time at={doc.requested_at} both /></dd></div>
        {ms(doc.planned_arrival) !== null && <div><dt>{title(type?.fields.find((f) => f.name === 'planned_arrival'), t('by'))}</dt><dd><Time at={doc.planned_arrival} both /></dd></div>}
      </dl>
    </Card>
  )
}

function Technician({ doc, technician, thing }: { doc: Doc; technician: Doc | undefined; thing: Thing | undefined }) {
  const from = place(technician)
  const to = thing && thing.latitude !== null && thing.longitude !== null ? { latitude: thing.latitude, longitude: thing.longitude } : null
  const a: Pin | null = from && { ...from, id: 'technician', state: 'person', label: pick(technician!.name) }
  const b: Pin | null = to && { ...to, id: thing!.name, state: thing!.state, label: thing!.name, href: link('things', thing!.name) }
  const km = typeof doc.travel_km === 'number' ? doc.travel_km : a && b ? distance(a, b) : null
  return (
    <Card title={t('technician')} class="technician">
      {technician ? (
        <div class="person"><span class="avatar" aria-hidden="true">{pick(technician.name).slice(0, 1)}</span>
          <span><strong>{pick(technician.name)}</strong><span class="faint">{skillNames(technician.skills)}</span></span>
          {str(technician.phone) && <a class="btn small" href={`tel:${str(technician.phone)}`}>{str(technician.phone)}</a>}
          {km !== null && <Badge icon="truck">{number(km, 0)} km</Badge>}</div>
      ) : <Empty icon="person" title={t('unassigned')}>{t('unassigned_hint')}</Empty>}
      {b && <FleetMap small label={t('map_way')} pins={a ? [a, b] : [b]} lines={a ? [[a, b]] : []} />}
    </Card>
  )
}

function Report({ doc, type }: { doc: Doc; type: DocType | undefined }) {
  const told = (['finding', 'remedy', 'signature'] as const).filter((n) => str(doc[n]))
  if (!told.length) return null
  return <Card title={t('report')}><dl class="rows">{told.map((n) => <div><dt>{title(type?.fields.find((f) => f.name === n), n)}</dt><dd>{pick(doc[n])}</dd></div>)}</dl></Card>
}

function Part({ doc }: { doc: Doc }) {
  const wanted = ref(doc.part)
  const part = useAll('part').get(wanted?.id ?? -1)
  const type = useType('reservation')
  const held = useQuery<Page<Doc>>('docs/reservation' + query({ work_order: String(doc.id) }), { live: ['doc:reservation'], every: 3000 })
  return (
    <Card title={t('part')}>
      {!wanted ? <p class="faint pad">{t('no_part')}</p> : (
        <dl class="rows">
          <div><dt>{t('part')}</dt><dd><a href={link('docs', 'part', wanted.id)}>{part ? title({ title_en: str(part.title_en), title_zh: str(part.title_zh) }, str(part.code)) : wanted.number}</a> {part && <span class="faint">{str(part.code)}</span>}</dd></div>
          {part && <div><dt>{t('stock')}</dt><dd class="num">{t('stock_text', { n: str(part.on_hand), r: str(part.reserved) })}{str(part.location) && <span class="faint"> · {pick(part.location)}</span>}</dd></div>}
          {held.data?.items.map((r) => <div><dt>{t('reservation')}</dt><dd><a href={link('docs', 'reservation', r.id)}>{r.number}</a> × {str(r.quantity)} <DocBadge type={type} doc={r} /></dd></div>)}
          {held.data?.items.length === 0 && <div><dt>{t('reservation')}</dt><dd class="faint">{t('not_reserved')}</dd></div>}
        </dl>)}
    </Card>
  )
}
