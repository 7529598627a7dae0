// Work orders: a board by state on a desk, a list on a phone; and a technician's own.
import { t, title } from '../i18n'
import { query } from '../lib/api'
import { useCell } from '../lib/cell'
import { useNow } from '../lib/clock'
import { ref, str, useType } from '../lib/docs'
import { duration, ms, number } from '../lib/format'
import { pick, useAll, useNames } from '../lib/names'
import { useQuery } from '../lib/query'
import { session } from '../lib/session'
import type { Counts, Doc, DocType, Page, Tone } from '../lib/types'
import { link, setParams, useRoute } from '../router'
import { Badge, Card, Chips, Empty, ErrorBox, Skeleton, Time, usePhone } from '../ui/bits'
import { Icon } from '../ui/icons'
import { PageHead } from '../ui/page'
import { Transitions } from '../ui/transitions'
import { DocBadge } from './history'

const ACTIVE = ['requested', 'dispatched', 'travelling', 'on_site']
const PAST = ['done', 'confirmed', 'cancelled']

export function orderTitle(doc: Doc): string {
  return title({ title_en: str(doc.title_en), title_zh: str(doc.title_zh) }, doc.number)
}
const priorityTone: Record<string, Tone> = { urgent: 'critical', high: 'warning' }
export function Priority({ doc, type }: { doc: Doc; type: DocType | undefined }) {
  const choice = type?.fields.find((f) => f.name === 'priority')?.choices.find((c) => c.name === doc.priority)
  return <Badge tone={priorityTone[str(doc.priority)] ?? 'neutral'}>{title(choice, str(doc.priority))}</Badge>
}

/** The promise that runs now, as text and tone: arrival until on site, then completion. */
export function promiseOf(doc: Doc, now: number): { text: string; tone: Tone; over: boolean } | null {
  if (PAST.includes(doc.state)) {
    const kept = doc.completion_kept
    return typeof kept === 'boolean' ? { text: t(kept ? 'promise_kept' : 'promise_missed'), tone: kept ? 'good' : 'critical', over: !kept } : null
  }
  const arrived = doc.state === 'on_site'
  const by = ms(arrived ? doc.finish_by : doc.arrive_by)
  if (by === null || !now) return null
  const left = by - now
  const whole = (arrived ? 24 : 2) * 3_600_000
  return {
    text: left >= 0 ? t(arrived ? 'finish_in' : 'arrive_in', { d: duration(left) }) : t(arrived ? 'finish_over' : 'arrive_over', { d: duration(-left) }),
    tone: left < 0 ? 'critical' : left < whole / 4 ? 'warning' : 'neutral', over: left < 0,
  }
}

export function Orders() {
  const phone = usePhone()
  const { params } = useRoute()
  const type = useType('work_order')
  const state = params.get('state') ?? 'active'
  const active = useQuery<Page<Doc>>('docs/work_order' + query({ state: ACTIVE, sort: '-requested_at', limit: 200 }), { live: ['doc:work_order'], every: 2000 })
  const past = useQuery<Page<Doc>>('docs/work_order' + query({ state: PAST, sort: '-changed', limit: 60 }), { live: ['doc:work_order'], every: 2500 })
  const counts = useQuery<Counts>('docs/work_order?count=state', { live: ['doc:work_order'], every: 3000 })
  const all = [...(active.data?.items ?? []), ...(past.data?.items ?? [])].filter((d, i, list) => list.findIndex((x) => x.id === d.id) === i)
  const count = (s: string) => counts.data?.counts.find((c) => c.key === s)?.count ?? 0
  const board = [...ACTIVE, 'done'], columns = [...board, 'confirmed', 'cancelled']
  const closed = all.filter((d) => !board.includes(d.state))
  return (
    <div class="page orders">
      <PageHead title={t('nav_orders')} />
      {phone && <Chips label={t('state')} value={state} onPick={(v) => setParams({ state: v === 'active' ? null : v })}
        options={[{ value: 'active', label: t('active'), count: ACTIVE.reduce((n, s) => n + count(s), 0) }, ...columns.map((s) => ({ value: s, label: title(type?.states.find((x) => x.name === s), s), count: count(s) }))]} />}
      <ErrorBox error={active.error ?? past.error} retry={active.reload} />
      {!active.data ? !active.error && <Skeleton rows={6} height={60} /> : phone
        ? <OrderList items={all.filter((d) => state === 'active' ? ACTIVE.includes(d.state) : d.state === state)} type={type} />
        : <>
          <div class="board" tabIndex={0} role="group" aria-label={t('nav_orders')}>{board.map((s) => <Column key={s} state={s} items={all.filter((d) => d.state === s)} total={count(s)} type={type} />)}</div>
          {closed.length > 0 && <Card title={t('closed')} action={<a href="#/docs/work_order">{t('all_n', { n: number(counts.data?.counts.reduce((n, c) => n + c.count, 0) ?? 0, 0) })}</a>}><ClosedList items={closed.slice(0, 15)} type={type} /></Card>}
        </>}
    </div>
  )
}

function OrderList({ items, type }: { items: Doc[]; type: DocType | undefined }) {
  if (!items.length) return <Card><Empty icon="order" title={t('no_orders')}>{t('no_orders_hint')}</Empty></Card>
  return <ul class="order-list">{items.map((d) => <li key={d.id}><OrderCard doc={d} type={type} badge /></li>)}</ul>
}

function ClosedList({ items, type }: { items: Doc[]; type: DocType | undefined }) {
  const people = useAll('technician')
  const now = useNow(10_000)
  return (
    <ul class="closed-list">{items.map((d) => {
      const promise = promiseOf(d, now)
      return (
        <li key={d.id}><a href={link('orders', d.id)}><span class="num faint">{d.number}</span><strong>{orderTitle(d)}</strong><span class="faint">{str(d.thing)} · {pick(people.get(ref(d.technician)?.id ?? -1)?.name) || t('unassigned')}</span>
          <span class="faint"><Time at={d.finished_at ?? d.changed} /></span>
          <span class="badges">{promise && <span class={`promise-chip t-${promise.tone}`}><Icon name={promise.over ? 'close' : 'check'} size={13} />{promise.text}</span>}<DocBadge type={type} doc={d} /></span></a></li>)
    })}</ul>
  )
}

function Column({ state, items, total, type }: { state: string; items: Doc[]; total: number; type: DocType | undefined }) {
  const s = type?.states.find((x) => x.name === state)
  const all = Math.max(total > 30 ? total : 0, items.length)
  return (
    <section aria-label={title(s, state)} class={`column t-${s?.tone ?? 'neutral'}${items.length ? '' : ' bare'}`}>
      <h2><i class="tone-dot" />{title(s, state)}<span class="count">{number(all, 0)}</span></h2>
      {items.length ? <ul>{items.slice(0, 30).map((d) => <li key={d.id}><OrderCard doc={d} type={type} /></li>)}</ul> : <p class="faint none">{t('none_here')}</p>}
      {all > 30 && <a class="faint all" href={`#/docs/work_order?state=${state}`}>{t('all_n', { n: number(all, 0) })}</a>}
    </section>
  )
}

export function OrderCard({ doc, type, badge }: { doc: Doc; type: DocType | undefined; badge?: boolean }) {
  const now = useNow(5000)
  const names = useNames()
  const technician = useAll('technician').get(ref(doc.technician)?.id ?? -1)
  const promise = promiseOf(doc, now)
  return (
    <a class="order-card" href={link('orders', doc.id)}>
      <span class="top"><span class="faint num">{doc.number}</span>{badge ? <DocBadge type={type} doc={doc} /> : <Priority doc={doc} type={type} />}</span>
      <strong>{orderTitle(doc)}</strong>
      <span class="faint">{str(doc.thing)}{str(doc.component) && ` · ${names.component(doc.component)}`}</span>
      <span class="bottom">
        {technician ? <span class="tech"><Icon name="person" size={14} />{pick(technician.name)}</span> : <span class="faint tech">{ACTIVE.includes(doc.state) ? t('unassigned') : ''}</span>}
        {promise && <span class={`promise-chip t-${promise.tone}`}><Icon name={PAST.includes(doc.state) ? (promise.over ? 'close' : 'check') : 'clock'} size={13} />{promise.text}</span>}
      </span>
    </a>
  )
}

/** The technician's page: what is next, with one large button for the next step. */
export function MyWork() {
  const who = useCell(session)
  const type = useType('work_order')
  const people = useQuery<Page<Doc>>('docs/technician?limit=500', { live: ['doc:technician'], every: 5000 })
  const mine = people.data?.items.filter((d) => str(d.user) === who?.user) ?? []
  const me = mine[0]
  const active = useQuery<Page<Doc>>(me ? 'docs/work_order' + query({ technician: String(me.id), state: ACTIVE, sort: 'arrive_by', limit: 50 }) : null, { live: ['doc:work_order'], every: 1500 })
  const past = useQuery<Page<Doc>>(me ? 'docs/work_order' + query({ technician: String(me.id), state: PAST, sort: '-finished_at', limit: 20 }) : null, { live: ['doc:work_order'], every: 4000 })
  const reload = () => { active.reload(); past.reload() }
  const stage = (d: Doc) => ['on_site', 'travelling', 'dispatched', 'requested'].indexOf(d.state)
  const items = [...(active.data?.items ?? [])].sort((a, b) => stage(a) - stage(b) || (ms(a.arrive_by) ?? 0) - (ms(b.arrive_by) ?? 0))
  return (
    <div class="page my-work">
      <PageHead title={t('nav_my_work')}>{me && <span class="faint">{pick(me.name)}</span>}</PageHead>
      <ErrorBox error={people.error ?? active.error} retry={reload} />
      {!people.data && !people.error && <Skeleton rows={4} height={60} />}
      {people.data && !me && <Card><Empty icon="person" title={t('not_a_technician')}>{t('not_a_technician_hint', { user: who?.user ?? '' })}</Empty></Card>}
      {me && active.data && (items.length ? <ul class="work-list">{items.map((d) => <li key={d.id}><WorkCard doc={d} type={type} reload={reload} /></li>)}</ul>
        : <Card><Empty title={t('no_work')}>{t('no_work_hint')}</Empty></Card>)}
      {past.data && past.data.items.length > 0 && <Card title={t('finished')}><ul class="order-list inside">{past.data.items.map((d) => <li key={d.id}><OrderCard doc={d} type={type} badge /></li>)}</ul></Card>}
    </div>
  )
}

function WorkCard({ doc, type, reload }: { doc: Doc; type: DocType | undefined; reload: () => void }) {
  const now = useNow(1000)
  const promise = promiseOf(doc, now)
  return (
    <article class="card work-card">
      <a class="plain" href={link('orders', doc.id)}>
        <span class="top"><DocBadge type={type} doc={doc} />{promise && <span class={`promise-chip t-${promise.tone}`}><Icon name="clock" size={14} />{promise.text}</span>}</span>
        <h2>{orderTitle(doc)}</h2>
        <span class="faint">{str(doc.thing)} · {doc.number} · <Time at={doc.requested_at} /></span>
      </a>
      {type && <div class="acts"><Transitions type={type} doc={doc} done={reload} only={(n) => n !== 'cancel' && n !== 'reassign' && n !== 'dispatch' && n !== 'confirm'} suggest={finishWords(doc)} initial={firstWords(doc)} /></div>}
    </article>
  )
}

/** Words a technician can tap instead of typing; the first ones are filled in. */
export function finishWords(doc: Doc): Record<string, string[]> {
  return doc.state !== 'on_site' ? {} : { finding: [t('finding_worn'), t('finding_fault'), t('finding_nothing')], remedy: [t('remedy_replaced'), t('remedy_adjusted'), t('remedy_checked')] }
}
export function firstWords(doc: Doc): Record<string, unknown> {
  const words = finishWords(doc)
  return { finding: words.finding?.[0], remedy: words.remedy?.[0] }
}
