// What happened to one machine, of all kinds, in order.
import type { ComponentChildren } from 'preact'
import { useMemo, useState } from 'preact/hooks'
import { said, t, title } from '../i18n'
import type { Key } from '../i18n'
import { enc } from '../lib/api'
import { str, useTypes } from '../lib/docs'
import { absolute, ms, percent } from '../lib/format'
import { pick, useNames, type Names } from '../lib/names'
import { useQuery } from '../lib/query'
import type { Doc, DocType, Page, Severity, Tone } from '../lib/types'
import { link } from '../router'
import { Badge, Chips, Empty, SeverityBadge, Skeleton, Time } from '../ui/bits'
import type { Mark } from '../ui/chart'
import { Icon, type IconName } from '../ui/icons'

const kinds = ['fault', 'maintenance', 'prediction', 'work_order', 'alarm'] as const
type Kind = typeof kinds[number]
const when: Record<Kind, string> = { fault: 'occurred_at', maintenance: 'done_at', prediction: 'predicted_at', work_order: 'requested_at', alarm: 'raised_at' }
const icon: Record<Kind, IconName> = { fault: 'bolt', maintenance: 'wrench', prediction: 'predict', work_order: 'order', alarm: 'alarm' }
const word: Record<Kind, Key> = { fault: 'faults', maintenance: 'repairs', prediction: 'predictions', work_order: 'work_orders', alarm: 'alarms' }

export interface Reason { text_en?: string; text_zh?: string; weight?: number; metric?: string }
/** What an open prediction says of a component. */
export interface Foreseen { probability: number; reasons: Reason[] }
export interface Happening { kind: Kind; at: number; doc: Doc }

export function useHistory(thing: string) {
  const read = (kind: Kind) => useQuery<Page<Doc>>(`docs/${kind}?thing=${enc(thing)}&sort=-${when[kind]}&limit=100`, { live: [`doc:${kind}`], every: 3000 })
  const answers = kinds.map(read)
  const data = answers.map((a) => a.data)
  return useMemo(() => {
    const events: Happening[] = []
    kinds.forEach((kind, i) => data[i]?.items.forEach((doc) => events.push({ kind, doc, at: ms(doc[when[kind]]) ?? ms(doc.created) ?? 0 })))
    events.sort((a, b) => b.at - a.at)
    const tone: Partial<Record<Kind, Mark['tone']>> = { fault: 'critical', maintenance: 'good' }
    const marks = events.filter((e) => tone[e.kind]).map((e) => ({ at: e.at, tone: tone[e.kind]!, component: str(e.doc.component) || null }))
    const foreseen = new Map<string, Foreseen>()
    for (const e of events) if (e.kind === 'prediction' && e.doc.state === 'open')
      foreseen.set(str(e.doc.component), { probability: Number(e.doc.probability), reasons: Array.isArray(e.doc.reasons) ? e.doc.reasons as Reason[] : [] })
    return { events, marks, foreseen, loading: data.some((d) => !d) && !answers.some((a) => a.error) }
  }, data)
}

export function Timeline({ events, loading }: { events: Happening[]; loading: boolean }) {
  const [kind, setKind] = useState<Kind | 'all'>('all')
  const [shown, setShown] = useState(12)
  const names = useNames()
  const types = useTypes().data ?? []
  const picked = events.filter((e) => kind === 'all' || e.kind === kind)
  if (loading && !events.length) return <Skeleton rows={5} />
  if (!events.length) return <Empty icon="clock" title={t('no_history')}>{t('no_history_hint')}</Empty>
  return (
    <>
      <Chips<Kind | 'all'> label={t('history')} value={kind} onPick={(k) => { setKind(k); setShown(12) }}
        options={[{ value: 'all', label: t('all') }, ...kinds.map((k) => ({ value: k, label: t(word[k]), count: events.filter((e) => e.kind === k).length }))]} />
      <ol class="timeline">
        {picked.slice(0, shown).map((e) => (
          <li key={e.kind + e.doc.id} class={`k-${e.kind}`}>
            <span class="dot"><Icon name={icon[e.kind]} size={15} /></span>
            <div><div class="what">{tell(e, names)}<DocBadge type={types.find((d) => d.name === e.kind)} doc={e.doc} /></div>
              <div class="faint"><a href={e.kind === 'work_order' ? link('orders', e.doc.id) : link('docs', e.kind, e.doc.id)}>{e.doc.number}</a> · <span title={absolute(e.at)}><Time at={e.at} both /></span></div></div>
          </li>))}
      </ol>
      {picked.length > shown && <button type="button" class="btn quiet wide" onClick={() => setShown(shown + 30)}>{t('show_more', { n: picked.length - shown })}</button>}
    </>
  )
}

export function DocBadge({ type, doc }: { type: DocType | undefined; doc: Doc }) {
  const s = type?.states.find((x) => x.name === doc.state)
  if (type && type.states.length < 2) return null
  return <Badge tone={(s?.tone ?? 'neutral') as Tone}>{title(s, doc.state)}</Badge>
}

function tell({ kind, doc }: Happening, names: Names): ComponentChildren {
  switch (kind) {
    case 'fault': return <><strong>{t('failed', { c: names.component(doc.component) })}</strong>{doc.foreseen === true && <Badge tone="good" icon="predict">{t('foreseen')}</Badge>}{str(doc.text) && <span>{pick(doc.text)}</span>}</>
    case 'maintenance': return <><strong>{t('was_replaced', { c: names.component(doc.component) })}</strong>{str(doc.text) && <span>{pick(doc.text)}</span>}</>
    case 'prediction': return <strong>{t('predicted', { c: names.component(doc.component), p: percent(Number(doc.probability)) })}</strong>
    case 'work_order': return <strong>{title({ title_en: str(doc.title_en), title_zh: str(doc.title_zh) }, names.component(doc.component))}</strong>
    case 'alarm': return <><strong>{said(doc) || names.metric(doc.metric)}</strong><SeverityBadge severity={doc.severity as Severity} /></>
  }
}
