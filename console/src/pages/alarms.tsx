// Alarms: those that want a person first, then those a person has seen, then the past.
import { said, t, title } from '../i18n'
import { query } from '../lib/api'
import { useNow } from '../lib/clock'
import { str, useType } from '../lib/docs'
import { duration, measured, ms, number } from '../lib/format'
import { useNames } from '../lib/names'
import { useQuery } from '../lib/query'
import type { Counts, Doc, DocType, Page, Severity } from '../lib/types'
import { link, setParams, useRoute } from '../router'
import { Bar, Card, Chips, Empty, ErrorBox, SeverityBadge, Skeleton, Time, severities, severityWord } from '../ui/bits'
import { Icon } from '../ui/icons'
import { PageHead } from '../ui/page'
import { Transitions } from '../ui/transitions'
import { DocBadge } from './history'

const OPEN = ['raised', 'returned', 'acknowledged']
const groups = ['raised', 'returned', 'acknowledged', 'cleared'] as const

export function Alarms() {
  const { params } = useRoute()
  const show = params.get('show') === 'cleared' ? 'cleared' : 'open'
  const severity = params.get('severity'), thing = params.get('thing')
  const type = useType('alarm')
  const list = useQuery<Page<Doc>>('docs/alarm' + query({ state: show === 'open' ? OPEN : 'cleared', severity, thing, sort: show === 'open' ? '-raised_at' : '-cleared_at', limit: show === 'open' ? 200 : 60 }), { live: ['doc:alarm'], every: 2000, keep: true })
  const bySeverity = useQuery<Counts>('docs/alarm' + query({ state: OPEN, count: 'severity' }), { live: ['doc:alarm'], every: 3000 })
  const items = (list.data?.items ?? []).filter((d) => show === 'cleared' ? d.state === 'cleared' : OPEN.includes(d.state))
  return (
    <div class="page alarms">
      <PageHead title={t('nav_alarms')}>
        <Chips label={t('state')} value={show} onPick={(v) => setParams({ show: v === 'open' ? null : v })} options={[{ value: 'open', label: t('open') }, { value: 'cleared', label: t('cleared') }]} />
      </PageHead>
      <SeverityCounts counts={bySeverity.data} picked={severity} />
      {thing && <p class="active-filter"><span class="chip on">{t('machine')}: {thing}</span> <button type="button" class="btn quiet small" onClick={() => setParams({ thing: null })}><Icon name="close" size={15} />{t('clear_filter')}</button></p>}
      <ErrorBox error={list.error} retry={list.reload} />
      {!list.data ? !list.error && <Skeleton rows={6} height={40} /> : !items.length
        ? <Card><Empty title={show === 'open' ? t('no_open_alarms') : t('no_cleared_alarms')}>{severity || thing ? t('no_match_hint') : t('no_open_alarms_hint')}</Empty></Card>
        : groups.map((g) => <Group key={g} state={g} items={items.filter((d) => d.state === g)} type={type} reload={list.reload} />)}
    </div>
  )
}

function SeverityCounts({ counts, picked }: { counts: Counts | undefined; picked: string | null }) {
  const of = (s: Severity) => counts?.counts.find((c) => c.key === s)?.count ?? 0
  const most = Math.max(1, ...severities.map(of))
  return (
    <section class="card severity-counts" aria-label={t('alarms_by_severity')}>
      {severities.map((s) => (
        <button type="button" key={s} aria-pressed={picked === s} onClick={() => setParams({ severity: picked === s ? null : s })}>
          <SeverityBadge severity={s} /><Bar part={of(s) / most} tone={s === 'critical' || s === 'high' ? 'critical' : s === 'medium' ? 'warning' : 'info'} /><b class="num">{counts ? number(of(s), 0) : '–'}</b>
          <span class="vh">{t(severityWord[s])}</span>
        </button>))}
    </section>
  )
}

function Group({ state, items, type, reload }: { state: string; items: Doc[]; type: DocType | undefined; reload: () => void }) {
  if (!items.length) return null
  const s = type?.states.find((x) => x.name === state)
  const hint = ({ raised: 'alarms_raised_hint', returned: 'alarms_returned_hint', acknowledged: 'alarms_acknowledged_hint', cleared: 'alarms_cleared_hint' } as const)[state as typeof groups[number]]
  return (
    <section class="card group" aria-label={title(s, state)}>
      <header><h2>{title(s, state)} <span class="count">{items.length}</span></h2><span class="faint">{t(hint)}</span></header>
      <ul class="alarm-list">{items.map((d) => <Alarm key={d.id} doc={d} type={type} reload={reload} />)}</ul>
    </section>
  )
}

function Alarm({ doc, type, reload }: { doc: Doc; type: DocType | undefined; reload: () => void }) {
  const names = useNames()
  const now = useNow(1000)
  const raised = ms(doc.raised_at), cleared = ms(doc.cleared_at)
  return (
    <li>
      <SeverityBadge severity={doc.severity as Severity} />
      <div class="what">
        <a href={link('docs', 'alarm', doc.id)}><strong>{said(doc) || names.metric(doc.metric)}</strong></a>
        <div class="faint"><a href={link('things', str(doc.thing))}>{str(doc.thing)}</a> · {doc.number}
          {doc.kind === 'limit' && str(doc.metric) && <> · {names.metric(doc.metric)} {measured(doc.value)}</>}
          {Number(doc.occurrences) > 1 && <> · {t('n_times', { n: number(Number(doc.occurrences), 0) })}</>}
          {str(doc.note) && <> · “{str(doc.note)}”</>}</div>
      </div>
      <div class="when"><Time at={doc.raised_at} /><span class="faint num"><Icon name="clock" size={14} /> {raised !== null && now ? duration((cleared ?? now) - raised) : '–'}</span></div>
      <div class="acts">{type && doc.can?.length ? <Transitions small type={type} doc={doc} done={reload} /> : <DocBadge type={type} doc={doc} />}</div>
    </li>
  )
}
