// The whole fleet: figures on top, list and map side by side; on a phone one at a time.
import { useEffect, useMemo, useState } from 'preact/hooks'
import { t } from '../i18n'
import { useCell } from '../lib/cell'
import { number, percent } from '../lib/format'
import { status } from '../lib/live'
import { useNames } from '../lib/names'
import { useModels } from '../lib/docs'
import { madeUpPosition, useDashboard, useThing, useThings } from '../lib/things'
import type { Dashboard, Kept, State, ThingItem } from '../lib/types'
import { link, setParams, useRoute } from '../router'
import { title } from '../i18n'
import { Badge, ErrorBox, Empty, HealthBar, Segments, Skeleton, SeverityBadge, StateBadge, Time, severities, stateWord, toast, useMedia, usePhone, Button, type Option } from '../ui/bits'
import { Icon, StateIcon } from '../ui/icons'
import { FleetMap, type Pin } from '../ui/map'
import { PageHead } from '../ui/page'

const states: State[] = ['alarm', 'warning', 'ok', 'offline']
type Sort = 'state' | 'name' | 'health' | 'seen' | 'probability'
const sorts: Sort[] = ['state', 'name', 'health', 'seen', 'probability']
export function Fleet() {
  const { params } = useRoute()
  const q = params.get('q') ?? '', state = params.get('state') ?? '', model = params.get('model') ?? ''
  const sort = (sorts.includes(params.get('sort') as Sort) ? params.get('sort') : 'state') as Sort
  const view = params.get('view') === 'map' ? 'map' : 'list'
  const wide = useMedia('(min-width: 1080px)')
  const phone = usePhone()
  const things = useThings({ q, state, model, sort })
  const board = useDashboard()
  const [hover, setHover] = useState<string | null>(null)
  // The order is the server's, over the whole fleet; a machine that leaves the state asked for leaves the list at once.
  const items = useMemo(() => (things.data?.items ?? []).filter((i) => !state || i.state === state), [things.data, state])
  const list = <ThingList items={items} loading={!things.data && !things.error} onHover={setHover} hover={hover} total={things.data?.total ?? 0} more={things.more} filtered={Boolean(q || state || model)} />
  const map = <FleetMapCard items={items} hover={hover} onHover={setHover} />
  const segments = <Segments label={t('view')} value={view} onPick={(v) => setParams({ view: v === 'map' ? 'map' : null })}
    options={[{ value: 'list', label: t('view_list') }, { value: 'map', label: t('view_map') }]} />
  return (
    <div class="page fleet">
      <PageHead title={t('nav_fleet')} />
      {phone && segments}
      <Figures board={board.data} state={state} only={phone && view === 'map'} />
      <div class="toolbar">
        <Filters q={q} state={state} model={model} sort={sort} />
        {!wide && !phone && segments}
      </div>
      <ErrorBox error={things.error} retry={things.reload} />
      <div class={wide ? 'split' : ''}>
        {(wide || view === 'list') && list}
        {(wide || view === 'map') && map}
      </div>
    </div>
  )
}

function Filters({ q, state, model, sort }: { q: string; state: string; model: string; sort: string }) {
  const [text, setText] = useState(q)
  const models = useModels().data ?? []
  useEffect(() => {
    if (text === q) return
    const id = setTimeout(() => setParams({ q: text || null }), 250)
    return () => clearTimeout(id)
  }, [text])
  const sorts: Option<Sort>[] = [{ value: 'state', label: t('sort_state') }, { value: 'health', label: t('sort_health') }, { value: 'probability', label: t('sort_probability') }, { value: 'seen', label: t('sort_seen') }, { value: 'name', label: t('sort_name') }]
  const [open, setOpen] = useState(false)
  const phone = usePhone()
  return (
    <div class="filters">
      <label class="search"><span class="vh">{t('search_machines')}</span><Icon name="search" size={17} /><input type="search" placeholder={t('search_machines')} value={text} onInput={(e) => setText(e.currentTarget.value)} /></label>
      {phone && <Button icon="filter" aria-label={t('filter')} aria-expanded={open} class={state || model ? 'on' : ''} onClick={() => setOpen(!open)} />}
      {(!phone || open) && <>
        <label><span class="vh">{t('state')}</span>
          <select value={state} onChange={(e) => setParams({ state: e.currentTarget.value })}>
            <option value="">{t('all_states')}</option>{states.map((s) => <option value={s}>{t(stateWord[s])}</option>)}
          </select></label>
        {models.length > 1 && <label><span class="vh">{t('model')}</span>
          <select value={model} onChange={(e) => setParams({ model: e.currentTarget.value })}>
            <option value="">{t('all_models')}</option>{models.map((m) => <option value={m.name}>{title(m)}</option>)}
          </select></label>}
        <label class="sort"><span class="vh">{t('sort')}</span>
          <select value={sort} onChange={(e) => setParams({ sort: e.currentTarget.value === 'state' ? null : e.currentTarget.value })}>{sorts.map((o) => <option value={o.value}>{o.label}</option>)}</select></label>
      </>}
    </div>
  )
}

function keptPart(k: Kept): number | null { return k.kept + k.missed ? k.kept / (k.kept + k.missed) : null }

/** The strip on top; `only` the machines by state where room is short. */
function Figures({ board, state, only }: { board: Dashboard | undefined; state: string; only: boolean }) {
  if (!board) return <div class="figures"><Skeleton rows={2} height={30} /></div>
  const open = severities.reduce((n, s) => n + board.open_alarms[s], 0)
  const promise = (label: string, k: Kept) => (
    <div class="promise"><span class="faint">{label}</span><b class="num">{percent(keptPart(k))}</b><span class="faint num">{k.kept} / {k.kept + k.missed}</span></div>
  )
  return (
    <div class="figures">
      <section aria-label={t('fleet_by_state')} class="figure states">
        <h2>{t('machines')}</h2>
        <div>{states.map((s) => (
          <button type="button" class={`s-${s}`} aria-pressed={state === s} onClick={() => setParams({ state: state === s ? null : s })}>
            <StateIcon state={s} size={18} /><b class="num">{number(board.fleet[s], 0)}</b><span>{t(stateWord[s])}</span>
          </button>))}</div>
      </section>
      {!only && <><section class="figure"><h2><a href="#/alarms">{t('open_alarms')}</a></h2>
        <div class="line"><b class="num huge">{number(open, 0)}</b>
          <span class="badges">{severities.filter((s) => board.open_alarms[s] > 0).map((s) => <a class="plain" href={`#/alarms?severity=${s}`}><SeverityBadge severity={s} n={board.open_alarms[s]} /></a>)}{open === 0 && <span class="faint">{t('all_calm')}</span>}</span></div>
      </section>
      <section class="figure"><h2><a href="#/predictions">{t('predictions_open')}</a></h2>
        <div class="line"><b class="num huge">{number(board.predictions.open, 0)}</b>
          <span class="pairs"><span class="faint">{t('precision')} <b class="num">{percent(board.predictions.precision)}</b></span><span class="faint">{t('recall')} <b class="num">{percent(board.predictions.recall)}</b></span></span></div>
      </section>
      <section class="figure"><h2><a href="#/orders">{t('promises_kept')}</a></h2>
        <div class="line two">{promise(t('arrival_2h'), board.promises.arrival)}{promise(t('completion_24h'), board.promises.completion)}</div>
      </section></>}
    </div>
  )
}

/** WO-000017 as WO-17, where room is short. */
const short = (number: string) => number.replace(/-0+(?=\d)/, '-')

export function ThingBadges({ item }: { item: ThingItem }) {
  const names = useNames()
  return (
    <>
      {item.prediction && <Badge tone="warning" icon="predict" title={t('predicted_failure')}>{names.component(item.prediction.component)} {percent(item.prediction.probability)}</Badge>}
      {item.work_order && <Badge tone="info" icon="order" title={t('work_order')}>{short(item.work_order.number)}</Badge>}
      {item.open_alarms > 0 && <Badge tone="critical" icon="alarm" title={t('open_alarms')}><span class="num">{item.open_alarms}</span><span class="vh">{t('open_alarms')}</span></Badge>}
    </>
  )
}

function ThingList({ items, loading, onHover, hover, total, more, filtered }: { more: (() => Promise<void>) | null; items: ThingItem[]; loading: boolean; onHover: (n: string | null) => void; hover: string | null; total: number; filtered: boolean }) {
  const names = useNames()
  if (loading) return <div class="card"><Skeleton rows={8} height={34} /></div>
  if (!items.length) return <div class="card">{filtered ? <Empty icon="search" title={t('no_match')}>{t('no_match_hint')}</Empty> : <Empty icon="fleet" title={t('no_machines')}>{t('no_machines_hint')}</Empty>}</div>
  return (
    <div class="card list">
      <ul class="things">
        {items.map((i) => (
          <li key={i.name} class={hover === i.name ? 'hover' : ''} onMouseEnter={() => onHover(i.name)} onMouseLeave={() => onHover(null)}>
            <a href={link('things', i.name)}>
              <StateIcon state={i.state} size={20} />
              <span class="name"><strong>{i.name}</strong><span class="faint">{names.model(i.model)}<span class="seen-small"> · <Time past at={i.last_seen} /></span></span></span>
              <span class="vh">{t(stateWord[i.state])}</span>
              <HealthBar health={i.health} />
              <span class="seen faint"><Time past at={i.last_seen} /></span>
              <span class="badges"><ThingBadges item={i} /></span>
            </a>
          </li>
        ))}
      </ul>
      {more && <p class="more-note faint">{t('first_of', { n: number(items.length, 0), total: number(total, 0) })} <Button small onClick={() => { more().catch((e: Error) => toast(e.message, 'critical')) }}>{t('load_more')}</Button></p>}
    </div>
  )
}

function FleetMapCard({ items, hover, onHover }: { items: ThingItem[]; hover: string | null; onHover: (n: string | null) => void }) {
  const names = useNames()
  const recording = useCell(status)?.clock === 'recording'
  const sample = useThing(recording ? items[0]?.name ?? null : null).data
  const byName = new Map(items.map((i) => [i.name, i]))
  const pins: Pin[] = items.filter((i) => i.latitude !== null && i.longitude !== null).map((i) => ({
    id: i.name, latitude: i.latitude!, longitude: i.longitude!, state: i.state, href: link('things', i.name),
    label: `${i.name}, ${t(stateWord[i.state])}, ${t('health')} ${number(i.health, 0)}`,
  }))
  const tip = (id: string) => {
    const i = byName.get(id)
    if (!i) return null
    return <><div class="tip-head"><strong>{i.name}</strong><StateBadge state={i.state} /></div><div class="faint">{names.model(i.model)} · <Time past at={i.last_seen} /></div><HealthBar health={i.health} /><div class="badges"><ThingBadges item={i} /></div></>
  }
  return (
    <div class="card map-card">
      <FleetMap pins={pins} tip={tip} label={t('map_label')} selected={hover} onHover={onHover} note={madeUpPosition(sample) ? t('made_up_positions') : undefined} />
      <ul class="legend">{states.map((s) => <li><StateIcon state={s} size={14} /> {t(stateWord[s])}</li>)}</ul>
    </div>
  )
}
