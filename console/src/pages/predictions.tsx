// Predicted failures: what, when, why, and what came of it.
import { said, t, title } from '../i18n'
import { query } from '../lib/api'
import { useNow } from '../lib/clock'
import { ref, str, useType } from '../lib/docs'
import { duration, hours, ms, number, percent } from '../lib/format'
import { useNames } from '../lib/names'
import { useQuery } from '../lib/query'
import { useDashboard } from '../lib/things'
import type { Dashboard, Doc, DocType, Page } from '../lib/types'
import { link, setParams, useRoute } from '../router'
import { Badge, Card, Chips, Empty, ErrorBox, Ring, Skeleton, Time } from '../ui/bits'
import { Icon } from '../ui/icons'
import { PageHead } from '../ui/page'
import { Transitions } from '../ui/transitions'
import { DocBadge, type Reason } from './history'

export function Predictions() {
  const { params } = useRoute()
  const state = params.get('state') ?? '', thing = params.get('thing')
  const type = useType('prediction')
  const board = useDashboard().data
  const list = useQuery<Page<Doc>>('docs/prediction' + query({ state, thing, sort: '-predicted_at', limit: 100 }), { live: ['doc:prediction'], every: 2500, keep: true })
  const items = [...(list.data?.items ?? [])].sort((a, b) => Number(b.state === 'open') - Number(a.state === 'open'))
  return (
    <div class="page predictions">
      <PageHead title={t('nav_predictions')}>
        <Chips label={t('state')} value={state} onPick={(v) => setParams({ state: v })} options={[{ value: '', label: t('all') }, ...(type?.states ?? []).map((s) => ({ value: s.name, label: title(s) }))]} />
      </PageHead>
      <Scores board={board} />
      {thing && <p class="active-filter"><span class="chip on">{t('machine')}: {thing}</span> <button type="button" class="btn quiet small" onClick={() => setParams({ thing: null })}><Icon name="close" size={15} />{t('clear_filter')}</button></p>}
      <ErrorBox error={list.error} retry={list.reload} />
      {!list.data ? !list.error && <Skeleton rows={5} height={70} /> : !items.length
        ? <Card><Empty icon="predict" title={t('no_predictions')}>{state || thing ? t('no_match_hint') : t('no_predictions_hint')}</Empty></Card>
        : <ul class="prediction-list">{items.map((d) => <Prediction key={d.id} doc={d} type={type} reload={list.reload} />)}</ul>}
    </div>
  )
}

function Scores({ board }: { board: Dashboard | undefined }) {
  if (!board) return <div class="figures"><Skeleton rows={1} height={40} /></div>
  const p = board.predictions
  const tile = (label: string, value: string, hint: string) => <section class="figure"><h2>{label}</h2><div class="line"><b class="num huge">{value}</b><span class="faint">{hint}</span></div></section>
  return (
    <div class="figures">
      {tile(t('predictions_open'), number(p.open, 0), t('predictions_open_hint'))}
      {tile(t('confirmed'), number(p.confirmed, 0), t('confirmed_hint', { n: number(p.expired, 0) }))}
      {tile(t('precision'), percent(p.precision), t('precision_hint'))}
      {tile(t('recall'), percent(p.recall), t('recall_hint'))}
    </div>
  )
}

function Prediction({ doc, type, reload }: { doc: Doc; type: DocType | undefined; reload: () => void }) {
  const names = useNames()
  const now = useNow(2000)
  const p = Number(doc.probability), expected = ms(doc.expected_by)
  const open = doc.state === 'open'
  const order = ref(doc.work_order), fault = ref(doc.fault)
  const reasons = Array.isArray(doc.reasons) ? doc.reasons as Reason[] : []
  return (
    <li class={`card prediction${open ? '' : ' past'}`}>
      <Ring part={p} size={58} width={6} tone={!open ? 'neutral' : p >= 0.7 ? 'critical' : 'warning'} label={`${t('probability')} ${percent(p)}`}><b class="num">{percent(p)}</b></Ring>
      <div class="what">
        <div class="title"><a href={link('docs', 'prediction', doc.id)}><strong>{names.component(doc.component)}</strong></a> · <a href={link('things', str(doc.thing))}>{str(doc.thing)}</a><DocBadge type={type} doc={doc} /></div>
        {reasons.length > 0 && <ul class="reasons">{reasons.slice(0, 3).map((r) => <li>{said(r)}</li>)}</ul>}
        <div class="faint meta">{doc.number} · {t('predicted_at')} <Time at={doc.predicted_at} />
          {order && <> · <a href={link('orders', order.id)}><Badge tone="info" icon="order">{order.number}</Badge></a></>}
          {fault && <> · <a href={link('docs', 'fault', fault.id)}><Badge tone="neutral" icon="bolt">{fault.number}</Badge></a></>}</div>
      </div>
      <div class="when">
        {open && expected !== null && now ? (expected > now ? <><span class="faint">{t('expected_within')}</span><b class="num">{duration(expected - now)}</b></> : <><span class="faint">{t('expected_by')}</span><Time at={expected} /></>)
          : doc.lead_hours !== null && doc.lead_hours !== undefined && doc.state === 'confirmed' ? <><span class="faint">{t('lead')}</span><b class="num">{hours(Number(doc.lead_hours))}</b></>
            : <><span class="faint">{t('expected_by')}</span><Time at={doc.expected_by} /></>}
      </div>
      {type && doc.can?.length > 0 && <div class="acts"><Transitions small type={type} doc={doc} done={reload} /></div>}
    </li>
  )
}
