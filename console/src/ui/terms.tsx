// The terms of an agreement in plain words, what changed between two versions, and the form that makes them.
import { useState } from 'preact/hooks'
import { t, title, type Key } from '../i18n'
import { useModels, useTypes } from '../lib/docs'
import { day } from '../lib/format'
import { useNames } from '../lib/names'
import type { DocType, Field, Model, RowTerm, SeriesTerms, Terms, TypeTerms } from '../lib/types'
import { Badge, Button } from './bits'
import { Icon } from './icons'
import { FieldInput, outgoing } from './inputs'

/** Columns that every document has. */
const base = (): { name: string; label: string }[] => [{ name: 'number', label: t('number') }, { name: 'state', label: t('state') }, { name: 'created', label: t('created') }, { name: 'changed', label: t('changed') }]

export function fieldOf(type: DocType | undefined, path: string): Field | undefined {
  const [a, b] = path.split('.') as [string, string?]
  const f = type?.fields.find((x) => x.name === a)
  return b ? f?.fields?.find((x) => x.name === b) : f
}
export function fieldLabel(type: DocType | undefined, path: string): string {
  const known = base().find((x) => x.name === path)
  if (known) return known.label
  const [a, b] = path.split('.') as [string, string?]
  const f = type?.fields.find((x) => x.name === a)
  return b ? `${title(f, a)} › ${title(f?.fields?.find((x) => x.name === b), b)}` : title(f, a)
}
export const rowText = (type: DocType | undefined, r: RowTerm): string => {
  const f = fieldOf(type, r.field)
  const value = r.field === 'state' ? title(type?.states.find((s) => s.name === r.value), r.value) : title(f?.choices.find((c) => c.name === r.value), r.value)
  return `${fieldLabel(type, r.field)} ${t(`op_${r.op}` as Key)} ${value}`
}
export function periodText(x: Pick<Terms, 'from' | 'to'>): string {
  if (x.from && x.to) return t('from_to', { a: day(x.from), b: day(x.to) })
  return x.to ? t('until', { b: day(x.to) }) : x.from ? `${t('from_on', { a: day(x.from) })}, ${t('until_revoked')}` : t('until_revoked')
}
const resolutionWord: Record<SeriesTerms['resolution'], Key> = { raw: 'res_raw', hourly: 'res_hourly', index: 'res_index' }

/** The same as sentences: every entry is one thing that is given or promised. */
export function sentences(x: Terms, types: DocType[], metric: (n: string) => string, model: (n: string) => string): string[] {
  const out: string[] = []
  for (const y of x.types) {
    const type = types.find((d) => d.name === y.type)
    for (const f of y.fields) out.push(`${title(type, y.type)}: ${fieldLabel(type, f)}`)
    for (const r of y.rows) out.push(`${title(type, y.type)}: ${t('only_rows')} ${rowText(type, r)}`)
  }
  for (const s of x.series) out.push(seriesText(s, metric, model))
  out.push(`${t('purpose')}: ${x.purpose}`, `${t('period')}: ${periodText(x)}`, t(x.onward ? 'onward' : 'no_onward'))
  if (x.min_group > 1) out.push(t('min_group', { n: x.min_group }))
  if (x.confidentiality) out.push(`${t('confidentiality')}: ${x.confidentiality}`)
  return out
}
export function seriesText(s: SeriesTerms, metric: (n: string) => string, model: (n: string) => string): string {
  const what = s.metrics?.length ? s.metrics.map(metric).join(', ') : t('all_metrics')
  const where = s.things?.length ? s.things.join(', ') : s.model ? model(s.model) : t('all_machines')
  return `${t('series')}: ${what} · ${where} · ${t(resolutionWord[s.resolution])}`
}

export function TermsView({ terms }: { terms: Terms }) {
  const types = useTypes().data ?? []
  const names = useNames()
  return (
    <div class="terms">
      {terms.types.map((y) => {
        const type = types.find((d) => d.name === y.type)
        return <section><h3><Icon name="docs" size={17} />{title(type, y.type)}</h3><p class="faint">{y.rows.length ? <>{t('only_rows')} {y.rows.map((r, i) => <>{i > 0 && ` ${t('and')} `}<b>{rowText(type, r)}</b></>)}</> : t('all_rows')}</p>
          <div class="ticks">{y.fields.map((f) => <span><Icon name="eye" size={14} />{fieldLabel(type, f)}</span>)}</div></section>
      })}
      {terms.series.map((s) => <section><h3><Icon name="predict" size={17} />{seriesText(s, names.metric, names.model)}</h3></section>)}
      <dl class="rows flat">
        <div><dt>{t('purpose')}</dt><dd><b>{terms.purpose}</b></dd></div>
        <div><dt>{t('period')}</dt><dd>{periodText(terms)}</dd></div>
        <div><dt>{t('share_partners')}</dt><dd>{t(terms.onward ? 'onward' : 'no_onward')}{terms.min_group > 1 && <> · {t('min_group', { n: terms.min_group })}</>}</dd></div>
        {terms.confidentiality && <div><dt>{t('confidentiality')}</dt><dd>{terms.confidentiality}</dd></div>}
      </dl>
    </div>
  )
}

/** What one version has that the other has not. */
export function TermsDiff({ before, after }: { before: Terms; after: Terms }) {
  const types = useTypes().data ?? []
  const names = useNames()
  const old = sentences(before, types, names.metric, names.model), now = sentences(after, types, names.metric, names.model)
  const added = now.filter((s) => !old.includes(s)), removed = old.filter((s) => !now.includes(s))
  if (!added.length && !removed.length) return <p class="faint">{t('diff_same')}</p>
  return (
    <ul class="diff">
      {added.map((s) => <li class="t-good"><Icon name="plus" size={16} /><span class="vh">{t('diff_added')}</span>{s}</li>)}
      {removed.map((s) => <li class="t-critical"><Icon name="minus" size={16} /><span class="vh">{t('diff_removed')}</span><del>{s}</del></li>)}
    </ul>
  )
}

const shareWord: Record<string, Key> = { own: 'share_own', partners: 'share_partners', public: 'share_public', secret: 'share_secret' }
export const revealWord: Record<string, Key> = { person: 'reveals_person', customer: 'reveals_customer', price: 'reveals_price', output: 'reveals_output' }
export function Reveals({ of }: { of: string | null | undefined }) {
  return of && revealWord[of] ? <Badge tone="warning" icon="warn">{t(revealWord[of]!)}</Badge> : null
}

interface Line { name: string; label: string; field: Field | null; can: boolean }
function choosable(type: DocType): Line[] {
  const open = (f: Field) => f.share === 'partners' || f.share === 'public' || f.share === undefined
  return [...base().map((b): Line => ({ ...b, field: null, can: true })),
    ...type.fields.flatMap((f): Line[] => f.kind === 'lines'
      ? (f.fields ?? []).map((x) => ({ name: `${f.name}.${x.name}`, label: `${title(f)} › ${title(x)}`, field: x, can: open(f) && x.share !== 'secret' && (x.share === undefined || open(x) || x.share === 'own' && f.share !== 'own') }))
      : [{ name: f.name, label: title(f), field: f, can: open(f) }])]
}

export const emptyTerms = (): Terms => ({ types: [], series: [], purpose: '', from: null, to: null, onward: false, min_group: 5, confidentiality: null })

export function TermsForm({ terms, onChange }: { terms: Terms; onChange: (t: Terms) => void }) {
  const types = useTypes().data ?? []
  const models = useModels().data ?? []
  const put = (more: Partial<Terms>) => onChange({ ...terms, ...more })
  const setType = (i: number, y: TypeTerms | null) => put({ types: terms.types.flatMap((x, k) => k === i ? y ? [y] : [] : [x]) })
  const setSeries = (i: number, y: SeriesTerms | null) => put({ series: terms.series.flatMap((x, k) => k === i ? y ? [y] : [] : [x]) })
  const left = types.filter((d) => !terms.types.some((x) => x.type === d.name))
  return (
    <div class="terms-form">
      <h2>{t('pick_types')}</h2>
      {terms.types.map((y, i) => <TypePart key={y.type} type={types.find((d) => d.name === y.type)} terms={y} onChange={(x) => setType(i, x)} />)}
      {terms.series.map((s, i) => <SeriesPart key={i} models={models} terms={s} onChange={(x) => setSeries(i, x)} />)}
      <div class="adds">
        <select aria-label={t('add_type')} value="" onChange={(e) => { const n = e.currentTarget.value; e.currentTarget.value = ''; if (n) put({ types: [...terms.types, { type: n, fields: ['number', 'state'], rows: [] }] }) }}>
          <option value="">＋ {t('add_type')}</option>{left.map((d) => <option value={d.name}>{title(d)}</option>)}</select>
        <Button icon="plus" onClick={() => put({ series: [...terms.series, { things: null, model: models[0]?.name ?? null, metrics: null, resolution: 'hourly' }] })}>{t('add_series')}</Button>
      </div>
      <div class="form two bare">
        <div class="field whole"><label for="purpose">{t('purpose')}<span class="req" aria-hidden="true"> *</span></label><input id="purpose" required value={terms.purpose} onInput={(e) => put({ purpose: e.currentTarget.value })} /></div>
        <div class="field"><label for="from">{t('start_day')}</label><input id="from" type="date" value={(terms.from ?? '').slice(0, 10)} onInput={(e) => put({ from: e.currentTarget.value ? `${e.currentTarget.value}T00:00:00Z` : null })} /></div>
        <div class="field"><label for="to">{t('end_day')}</label><input id="to" type="date" value={(terms.to ?? '').slice(0, 10)} onInput={(e) => put({ to: e.currentTarget.value ? `${e.currentTarget.value}T00:00:00Z` : null })} /></div>
        <div class="field"><label for="group">{t('min_group_label')}</label><input id="group" inputMode="numeric" value={String(terms.min_group)} onInput={(e) => put({ min_group: Math.max(1, Math.min(1000, Number.parseInt(e.currentTarget.value, 10) || 1)) })} /></div>
        <div class="field k-bool"><label for="onward">{t('onward')}</label><input id="onward" type="checkbox" checked={terms.onward} onChange={(e) => put({ onward: e.currentTarget.checked })} /></div>
        <div class="field whole"><label for="confidential">{t('confidentiality')}</label><textarea id="confidential" rows={2} value={terms.confidentiality ?? ''} onInput={(e) => put({ confidentiality: e.currentTarget.value || null })} aria-describedby="confidential-help" /><p class="help faint" id="confidential-help">{t('confidentiality_hint')}</p></div>
      </div>
    </div>
  )
}

function TypePart({ type, terms, onChange }: { type: DocType | undefined; terms: TypeTerms; onChange: (t: TypeTerms | null) => void }) {
  if (!type) return null
  const all = choosable(type)
  const set = (fields: string[]) => onChange({ ...terms, fields: all.map((x) => x.name).filter((n) => fields.includes(n)) })
  const toggle = (n: string) => set(terms.fields.includes(n) ? terms.fields.filter((x) => x !== n) : [...terms.fields, n])
  return (
    <section class="card type-part">
      <header><h3>{title(type)}</h3><Button small kind="quiet" icon="trash" aria-label={`${t('remove')}: ${title(type)}`} onClick={() => onChange(null)} /></header>
      <div class="tick-head"><span class="faint">{t('pick_fields')}</span><span class="badges"><button type="button" class="linklike" onClick={() => set(all.filter((x) => x.can && !x.field?.reveals).map((x) => x.name))}>{t('tick_partners')}</button><button type="button" class="linklike" onClick={() => set([])}>{t('tick_none')}</button></span></div>
      <ul class="tick-list">{all.map((x) => (
        <li><label class={x.can ? '' : 'off'}><input type="checkbox" disabled={!x.can} checked={terms.fields.includes(x.name)} onChange={() => toggle(x.name)} />
          <span>{x.label}</span><span class="badges">{!x.can && <Badge icon="lock">{t(shareWord[x.field?.share ?? 'own'] ?? 'share_own')}</Badge>}{x.can && x.field?.share === 'public' && <Badge tone="good">{t('share_public')}</Badge>}{x.can && <Reveals of={x.field?.reveals} />}</span></label></li>))}</ul>
      <Rows type={type} rows={terms.rows} onChange={(rows) => onChange({ ...terms, rows })} />
    </section>
  )
}

function Rows({ type, rows, onChange }: { type: DocType; rows: RowTerm[]; onChange: (rows: RowTerm[]) => void }) {
  const fields = type.fields.filter((f) => !['lines', 'json', 'geometry', 'file'].includes(f.kind) && f.share !== 'secret')
  const [draft, setDraft] = useState<{ field: string; op: RowTerm['op']; value: unknown } | null>(null)
  const state: Field = { name: 'state', title_en: t('state'), title_zh: t('state'), kind: 'choice', required: false, computed: false, unit: null, choices: type.states, ref: null, scale: 0 }
  const all = [state, ...fields]
  const f = all.find((x) => x.name === draft?.field)
  const ordered = f && ['int', 'number', 'decimal', 'money', 'time', 'date'].includes(f.kind)
  const ops: RowTerm['op'][] = ordered ? ['ge', 'le', 'gt', 'lt', 'eq', 'ne'] : ['eq', 'ne']
  const add = () => {
    if (!draft || !f) return
    const v = outgoing(f, draft.value)
    if (v === null) return
    onChange([...rows, { field: f.name, op: ops.includes(draft.op) ? draft.op : ops[0]!, value: typeof v === 'object' ? String((v as { amount?: string }).amount ?? (v as { value?: string }).value ?? '') : String(v) }])
    setDraft(null)
  }
  return (
    <div class="row-terms">
      {rows.length > 0 && <div class="chips">{rows.map((r, i) => <button type="button" class="chip on" title={t('remove')} onClick={() => onChange(rows.filter((_, k) => k !== i))}>{t('only_rows')} {rowText(type, r)}<Icon name="close" size={13} /></button>)}</div>}
      {draft && f ? (
        <div class="filter-line">
          <select aria-label={t('field')} value={draft.field} onChange={(e) => setDraft({ field: e.currentTarget.value, op: 'eq', value: null })}>{all.map((x) => <option value={x.name}>{title(x)}</option>)}</select>
          <select aria-label={t('comparison')} value={ops.includes(draft.op) ? draft.op : ops[0]} onChange={(e) => setDraft({ ...draft, op: e.currentTarget.value as RowTerm['op'] })}>{ops.map((o) => <option value={o}>{t(`op_${o}` as Key)}</option>)}</select>
          <FieldInput key={f.name} field={f} compact id={`rows-${type.name}`} label={t('value')} required={false} value={draft.value} onInput={(v) => setDraft({ ...draft, value: v })} />
          <Button icon="check" onClick={add}>{t('add_filter')}</Button><Button kind="quiet" icon="close" aria-label={t('cancel')} onClick={() => setDraft(null)} />
        </div>
      ) : <Button small icon="filter" onClick={() => setDraft({ field: 'state', op: 'eq', value: null })}>{rows.length ? t('add_condition') : t('row_conditions')}</Button>}
    </div>
  )
}

function SeriesPart({ models, terms, onChange }: { models: Model[]; terms: SeriesTerms; onChange: (t: SeriesTerms | null) => void }) {
  const metrics = models.find((m) => m.name === terms.model)?.metrics ?? []
  const toggle = (n: string) => {
    const now = terms.metrics ?? metrics.map((m) => m.name)
    const next = now.includes(n) ? now.filter((x) => x !== n) : [...now, n]
    onChange({ ...terms, metrics: next.length === metrics.length ? null : next })
  }
  return (
    <section class="card type-part">
      <header><h3>{t('series')}</h3><Button small kind="quiet" icon="trash" aria-label={`${t('remove')}: ${t('series')}`} onClick={() => onChange(null)} /></header>
      <div class="filter-line">
        <select aria-label={t('model')} value={terms.model ?? ''} onChange={(e) => onChange({ ...terms, model: e.currentTarget.value || null, metrics: null })}><option value="">{t('all_machines')}</option>{models.map((m) => <option value={m.name}>{title(m)}</option>)}</select>
        <select aria-label={t('resolution')} value={terms.resolution} onChange={(e) => onChange({ ...terms, resolution: e.currentTarget.value as SeriesTerms['resolution'] })}>{(['index', 'hourly', 'raw'] as const).map((r) => <option value={r}>{t(resolutionWord[r])}</option>)}</select>
      </div>
      {metrics.length > 0 && <ul class="tick-list">{metrics.map((m) => <li><label><input type="checkbox" checked={!terms.metrics || terms.metrics.includes(m.name)} onChange={() => toggle(m.name)} /><span>{title(m)}</span></label></li>)}</ul>}
    </section>
  )
}
