// Documents by state: columns to drag between, with buttons for the same where nobody drags.
import { useState } from 'preact/hooks'
import { t, title } from '../i18n'
import { query } from '../lib/api'
import { docHref, moveDoc, str, transition } from '../lib/docs'
import { number } from '../lib/format'
import { docName } from '../lib/names'
import { useQuery } from '../lib/query'
import type { Counts, Doc, DocType, Field, Page, Transition, View } from '../lib/types'
import { setParams, useRoute } from '../router'
import { Chips, ErrorBox, Skeleton, toast, usePhone } from '../ui/bits'
import { possible, TransitionDialog, Transitions, wantsWords } from '../ui/transitions'
import { FieldValue } from './value'

const PER = 40
interface Props { type: DocType; filters: Record<string, string | number>; view?: View; agreement: string | null }

export function DocBoard({ type, filters, view, agreement }: Props) {
  const phone = usePhone()
  const { params } = useRoute()
  const only = params.get('state')
  const { state: _s, ...rest } = filters
  const [drag, setDrag] = useState<Doc | null>(null)
  const [ask, setAsk] = useState<{ doc: Doc; move: Transition } | null>(null)
  const counts = useQuery<Counts>(`docs/${type.name}` + query({ ...rest, count: 'state' }), { live: [`doc:${type.name}`], every: 3000, keep: true })
  const all = useQuery<Page<Doc>>(`docs/${type.name}` + query({ ...rest, limit: 400, sort: '-changed' }), { live: [`doc:${type.name}`], every: 2000, keep: true })
  const count = (s: string) => counts.data?.counts.find((c) => c.key === s)?.count ?? all.data?.items.filter((d) => d.state === s).length ?? 0
  const moveTo = (doc: Doc, to: string): Transition | undefined => possible(type, doc).find((x) => x.to === to)
  const drop = async (to: string) => {
    const doc = drag
    setDrag(null)
    if (!doc || doc.state === to) return
    const move = moveTo(doc, to)
    if (!move) { toast(t('no_way', { n: doc.number, to: title(type.states.find((s) => s.name === to), to) }), 'critical'); return }
    if (wantsWords(type, move)) { setAsk({ doc, move }); return }
    try { await moveDoc(type.name, doc.id, move.name, {}); toast(t('done_to', { n: doc.number, what: title(move) })) } catch (e) { toast(e instanceof Error ? e.message : String(e), 'critical') }
    all.reload()
  }
  const shown = type.states.filter((s) => !phone || !only || s.name === only)
  const fields = cardFields(type, view)
  if (all.error) return <ErrorBox error={all.error} retry={all.reload} />
  if (!all.data) return <Skeleton rows={6} height={60} />
  const now = phone && !only ? type.states.find((s) => count(s.name) > 0 && !s.final)?.name ?? type.states[0]!.name : only
  return (
    <>
      {phone && <Chips label={t('state')} value={now ?? ''} onPick={(v) => setParams({ state: v })} options={type.states.map((s) => ({ value: s.name, label: title(s), count: count(s.name) }))} />}
      <div class="board docs-board" tabIndex={0} role="group" aria-label={title(type)}>
        {shown.filter((s) => !phone || s.name === now).map((s) => {
          const items = all.data!.items.filter((d) => d.state === s.name)
          const able = drag ? drag.state === s.name ? 'home' : moveTo(drag, s.name) ? 'able' : 'unable' : ''
          return (
            <section key={s.name} aria-label={title(s)} class={`column t-${s.tone ?? 'neutral'} ${able}${items.length ? '' : ' bare'}`}
              onDragOver={(e) => { if (able === 'able') e.preventDefault() }} onDrop={(e) => { e.preventDefault(); void drop(s.name) }}>
              <h2><i class="tone-dot" />{title(s)}<span class="count">{number(count(s.name), 0)}</span></h2>
              {items.length ? <ul>{items.slice(0, PER).map((d) => (
                <li key={d.id} draggable={!agreement && !phone && possible(type, d).some((x) => x.to)} onDragStart={(e) => { e.dataTransfer?.setData('text/plain', d.number); setDrag(d) }} onDragEnd={() => setDrag(null)} class={drag?.id === d.id ? 'dragged' : ''}>
                  <a class="order-card" draggable={false} href={docHref(type.name, d.id, agreement)}>
                    <span class="top"><span class="faint num">{d.number}</span></span>
                    <strong>{docName(d, type).replace(` · ${d.number}`, '')}</strong>
                    {fields.filter((f) => str(d[f.name]) !== '').map((f) => <span class="faint">{title(f)} <span class="ink"><FieldValue field={f} value={d[f.name]} plain /></span></span>)}
                  </a>
                  {!agreement && <div class="acts"><Transitions small type={type} doc={d} done={all.reload} only={(n) => Boolean(transition(type, d, n)?.to)} most={2} /></div>}
                </li>))}</ul> : <p class="faint none">{t('none_here')}</p>}
              {count(s.name) > Math.min(PER, items.length) && <a class="faint all" href={`#/docs/${type.name}?state=${s.name}`}>{t('all_n', { n: number(count(s.name), 0) })}</a>}
            </section>)
        })}
      </div>
      {ask && <TransitionDialog type={type} doc={ask.doc} move={ask.move} close={() => setAsk(null)} done={() => { setAsk(null); all.reload() }} />}
    </>
  )
}

function cardFields(type: DocType, view?: View): Field[] {
  const named = Array.isArray(view?.spec.fields ?? view?.spec.columns ?? view?.spec.card) ? (view!.spec.fields ?? view!.spec.columns ?? view!.spec.card) as string[] : []
  const found = named.map((n) => type.fields.find((f) => f.name === n)).filter((f): f is Field => Boolean(f))
  if (found.length) return found.slice(0, 4)
  return type.fields.filter((f) => f.name !== type.label && ['party', 'ref', 'money', 'date', 'decimal', 'choice', 'thing'].includes(f.kind)).slice(0, 3)
}
