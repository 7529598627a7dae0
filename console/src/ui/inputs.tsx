// One input per kind of field. Values stay as the API gives them until they are sent.
import { useEffect, useRef, useState } from 'preact/hooks'
import { t, title } from '../i18n'
import { enc, query } from '../lib/api'
import { typed } from '../lib/decimal'
import { ms } from '../lib/format'
import { docName } from '../lib/names'
import { lang } from '../lib/prefs'
import { useQuery } from '../lib/query'
import { ref, str, useType } from '../lib/docs'
import { siblings, unitSymbol } from '../lib/units'
import { upload } from '../lib/upload'
import type { Doc, Field, Page, ThingItem } from '../lib/types'
import { Bar, Button, toast } from './bits'
import { Icon } from './icons'
import { lazy } from './lazy'

const LinesInput = lazy(() => import('./lines').then((m) => m.LinesInput))
const PlaceInput = lazy(() => import('./place').then((m) => m.PlaceInput))

const LONG = new Set(['text', 'finding', 'remedy', 'note', 'notes', 'description', 'remark', 'remarks', 'reason', 'address'])

/** The document a form is about, for what can only be put to one that exists: a file. */
export interface About { type: string; id: number }
export interface InputProps {
  field: Field; id: string; value: unknown; onInput: (value: unknown) => void; required: boolean
  refLabel?: (doc: Doc) => string; about?: About; label?: string; describedBy?: string; invalid?: boolean; compact?: boolean
}
export type Common = { id: string; name: string; required: boolean; 'aria-required': true | undefined; 'aria-label'?: string; 'aria-describedby'?: string; 'aria-invalid'?: true }

/** A datetime-local's text in the browser's zone. */
function localTime(value: unknown): string {
  const at = ms(value)
  if (at === null) return ''
  return new Date(at - new Date(at).getTimezoneOffset() * 60_000).toISOString().slice(0, 16)
}

export function FieldInput({ field, id, value, onInput, required, refLabel, about, label, describedBy, invalid, compact }: InputProps) {
  const common: Common = { id, name: field.name, required, 'aria-required': required || undefined, 'aria-label': label, 'aria-describedby': describedBy, 'aria-invalid': invalid || undefined }
  switch (field.kind) {
    case 'bool':
      return <input type="checkbox" {...common} required={false} checked={Boolean(value)} onChange={(e) => onInput(e.currentTarget.checked)} />
    case 'choice':
      return (
        <select {...common} value={str(value)} onChange={(e) => onInput(e.currentTarget.value || null)}>
          {(!required || !value) && <option value="">{required ? t('choose') : '–'}</option>}
          {field.choices.map((c) => <option value={c.name}>{title(c)}</option>)}
          {str(value) && !field.choices.some((c) => c.name === value) && <option value={str(value)}>{str(value)}</option>}
        </select>
      )
    case 'ref': return <RefInput field={field} common={common} value={value} onInput={onInput} label={refLabel} required={required} />
    case 'thing': return <ThingInput common={common} value={value} onInput={onInput} />
    case 'party': return <PartyInput common={common} value={value} onInput={onInput} />
    case 'time': return <input type="datetime-local" {...common} value={localTime(value)} onInput={(e) => { const v = e.currentTarget.value; onInput(v ? new Date(v).toISOString() : null) }} />
    case 'date': return <input type="date" {...common} value={str(value).slice(0, 10)} onInput={(e) => onInput(e.currentTarget.value || null)} />
    case 'money': return <MoneyInput field={field} common={common} value={value} onInput={onInput} compact={compact} />
    case 'decimal': return <DecimalInput field={field} common={common} value={value} onInput={onInput} compact={compact} />
    case 'int': case 'number':
      return <span class="with-unit"><input {...common} inputMode={field.kind === 'int' ? 'numeric' : 'decimal'} value={str(value)} autocomplete="off" onInput={(e) => onInput(e.currentTarget.value)} />{field.unit && !compact && <span>{unitSymbol(field.unit, lang.get() === 'zh')}</span>}</span>
    case 'lines': return <LinesInput field={field} id={id} value={value} onInput={onInput} label={title(field)} />
    case 'geometry': return <PlaceInput id={id} value={value} onInput={onInput} common={common} />
    case 'file': return <FileInput common={common} value={value} onInput={onInput} about={about} />
    case 'json':
      return <textarea {...common} rows={4} class="mono" value={typeof value === 'string' ? value : value === undefined || value === null ? '' : JSON.stringify(value, null, 1)} onInput={(e) => onInput(e.currentTarget.value)} />
    default:
      return LONG.has(field.name) && !compact
        ? <textarea {...common} rows={2} value={str(value)} onInput={(e) => onInput(e.currentTarget.value)} />
        : <input type={field.format === 'email' ? 'email' : field.format === 'phone' ? 'tel' : 'text'} {...common} value={str(value)} autocomplete="off" spellcheck={field.format ? false : undefined}
          class={field.format && field.format !== 'email' ? 'mono' : undefined} onInput={(e) => onInput(e.currentTarget.value)} />
  }
}

const CURRENCIES = ['CNY', 'USD', 'EUR', 'JPY', 'HKD', 'GBP', 'KRW', 'VND', 'THB', 'INR']
interface Money { amount: string; currency?: string | null }
const money = (v: unknown): Money => v !== null && typeof v === 'object' ? v as Money : { amount: str(v) }
function MoneyInput({ field, common, value, onInput, compact }: { field: Field; common: Common; value: unknown; onInput: (v: unknown) => void; compact?: boolean }) {
  const m = money(value)
  const currency = field.currency ?? m.currency ?? 'CNY'
  const set = (amount: string, c: string) => onInput(amount === '' ? null : { amount, currency: c })
  return (
    <span class="with-unit money">
      <input {...common} inputMode="decimal" autocomplete="off" value={str(m.amount)} onInput={(e) => set(e.currentTarget.value, currency)} />
      {field.currency ? !compact && <span>{field.currency}</span>
        : <select aria-label={t('currency')} value={currency} onChange={(e) => set(str(m.amount), e.currentTarget.value)}>{[...new Set([currency, ...CURRENCIES])].map((c) => <option value={c}>{c}</option>)}</select>}
    </span>
  )
}

interface Measured { value: string; unit?: string }
const measuredOf = (v: unknown): Measured => v !== null && typeof v === 'object' ? v as Measured : { value: str(v) }
function DecimalInput({ field, common, value, onInput, compact }: { field: Field; common: Common; value: unknown; onInput: (v: unknown) => void; compact?: boolean }) {
  const m = measuredOf(value)
  const unit = m.unit ?? field.unit
  const zh = lang.get() === 'zh'
  const others = siblings(field.unit)
  const set = (v: string, u: string | null) => onInput(v === '' ? null : u && u !== field.unit ? { value: v, unit: u } : v)
  return (
    <span class="with-unit">
      <input {...common} inputMode="decimal" autocomplete="off" value={m.value} onInput={(e) => set(e.currentTarget.value, unit)} />
      {field.unit && !compact && (others.length > 1
        ? <select aria-label={t('unit')} value={unit ?? ''} onChange={(e) => set(m.value, e.currentTarget.value)}>{others.map((u) => <option value={u}>{unitSymbol(u, zh)}</option>)}</select>
        : <span>{unitSymbol(field.unit, zh)}</span>)}
    </span>
  )
}

const FEW = 60
/** Of few, the device's own list, which is best on a phone; of many, a search. */
function RefInput({ field, common, value, onInput, label, required }: { field: Field; common: Common; value: unknown; onInput: (v: unknown) => void; label?: (doc: Doc) => string; required: boolean }) {
  const all = useQuery<Page<Doc>>(field.ref ? `docs/${field.ref}?limit=${FEW}` : null)
  const type = useType(field.ref ?? '')
  const name = label ?? ((d: Doc) => docName(d, type))
  const current = ref(value)?.id ?? value
  if (all.data && (all.data.next || (all.data.total ?? 0) > FEW)) return <RefSearch type={field.ref!} common={common} value={value} onInput={onInput} name={name} />
  return (
    <select {...common} value={str(current)} onChange={(e) => onInput(e.currentTarget.value ? Number(e.currentTarget.value) : null)}>
      {(!required || !current) && <option value="">{all.data ? (required ? t('choose') : '–') : t('loading')}</option>}
      {all.data?.items.map((d) => <option value={d.id}>{name(d)}</option>)}
    </select>
  )
}

function RefSearch({ type, common, value, onInput, name }: { type: string; common: Common; value: unknown; onInput: (v: unknown) => void; name: (d: Doc) => string }) {
  const [text, setText] = useState<string | null>(null)     // null: shows what is chosen
  const [at, setAt] = useState(0)
  const [asked, setAsked] = useState('')
  useEffect(() => { const id = setTimeout(() => setAsked(text ?? ''), 200); return () => clearTimeout(id) }, [text])
  const id = ref(value)?.id ?? value
  const chosen = useQuery<Doc>(id ? `docs/${type}/${enc(str(id))}` : null)
  const found = useQuery<Page<Doc>>(text === null ? null : `docs/${type}` + query({ q: asked, limit: 12, total: 'false' }), { keep: true })
  const items = text === null ? [] : found.data?.items ?? []
  const pick = (d: Doc) => { onInput({ id: d.id, number: d.number }); setText(null) }
  const list = common.id + '-found'
  const key = (e: KeyboardEvent) => {
    if (text === null) return
    if (e.key === 'ArrowDown') { e.preventDefault(); setAt(Math.min(items.length - 1, at + 1)) }
    else if (e.key === 'ArrowUp') { e.preventDefault(); setAt(Math.max(0, at - 1)) }
    else if (e.key === 'Enter' && items[at]) { e.preventDefault(); pick(items[at]!) }
    else if (e.key === 'Escape') { e.preventDefault(); e.stopPropagation(); setText(null) }
  }
  const shown = text ?? (id ? chosen.data ? name(chosen.data) : ref(value)?.number ?? '…' : '')
  return (
    <span class="combo">
      <input type="text" {...common} role="combobox" aria-expanded={text !== null} aria-controls={list} aria-autocomplete="list" aria-activedescendant={text !== null && items[at] ? `${list}-${at}` : undefined}
        autocomplete="off" placeholder={t('search_to_choose')} value={shown} onInput={(e) => { setText(e.currentTarget.value); setAt(0) }} onKeyDown={key}
        onFocus={(e) => e.currentTarget.select()} onBlur={() => setTimeout(() => { if (text === '') onInput(null); setText(null) }, 150)} />
      <Icon name="search" size={16} />
      <ul id={list} role="listbox" aria-label={t('found')} hidden={text === null}>
        {items.map((d, i) => <li id={`${list}-${i}`} role="option" aria-selected={i === at} class={i === at ? 'on' : ''} onMouseDown={(e) => { e.preventDefault(); pick(d) }}>{name(d)}</li>)}
        {text !== null && found.data && !items.length && <li class="faint" role="option" aria-selected="false" aria-disabled="true">{t('nothing_found')}</li>}
      </ul>
    </span>
  )
}

function ThingInput({ common, value, onInput }: { common: Common; value: unknown; onInput: (v: unknown) => void }) {
  const text = str(value)
  const found = useQuery<Page<ThingItem>>(`things?limit=50&q=${enc(text)}`, { keep: true })
  return (
    <>
      <input type="text" {...common} list={common.id + '-list'} value={text} autocomplete="off" onInput={(e) => onInput(e.currentTarget.value)} />
      <datalist id={common.id + '-list'}>{found.data?.items.map((i) => <option value={i.name} />)}</datalist>
    </>
  )
}

export interface PartyItem { id: number; name: string; uscc?: string | null; gln?: string | null }
/** Another company: by its name, its credit code or its GLN. */
export function PartyInput({ common, value, onInput }: { common: Common; value: unknown; onInput: (v: unknown) => void }) {
  const text = value !== null && typeof value === 'object' ? str((value as { name?: string }).name) : str(value)
  const found = useQuery<{ items: PartyItem[] }>(`parties?q=${enc(text)}`, { keep: true })
  return (
    <>
      <input type="text" {...common} list={common.id + '-list'} value={text} autocomplete="off" placeholder={t('party_hint')} onInput={(e) => onInput(e.currentTarget.value || null)} />
      <datalist id={common.id + '-list'}>{found.data?.items.map((p) => <option value={p.name}>{p.uscc ?? p.gln ?? ''}</option>)}</datalist>
    </>
  )
}

export interface Attachment { id: number; at: string; who: string; name: string; media_type: string; bytes: number; sealed: boolean }
function FileInput({ common, value, onInput, about }: { common: Common; value: unknown; onInput: (v: unknown) => void; about?: About }) {
  const path = about ? `docs/${about.type}/${about.id}/attachments` : null
  const all = useQuery<{ items: Attachment[] }>(path)
  const [part, setPart] = useState<number | null>(null)
  const file = useRef<HTMLInputElement>(null)
  if (!about) return <p class="faint small-note" id={common.id}>{t('file_after_save')}</p>
  const send = async (f: File) => {
    setPart(0)
    try {
      const made = await upload<Attachment>(path!, f, { 'Content-Type': f.type || 'application/octet-stream', 'X-Weft-Name': enc(f.name) }, setPart)
      await all.reload()
      onInput(made.id)
    } catch (e) { toast(e instanceof Error ? e.message : String(e), 'critical') } finally { setPart(null) }
  }
  const id = value !== null && typeof value === 'object' && 'id' in value ? (value as { id: number }).id : value
  return (
    <span class="with-unit">
      <select {...common} value={str(id)} onChange={(e) => onInput(e.currentTarget.value ? Number(e.currentTarget.value) : null)}>
        <option value="">{t('no_file')}</option>
        {all.data?.items.map((a) => <option value={a.id}>{a.name}</option>)}
      </select>
      <input ref={file} type="file" hidden onChange={(e) => { const f = e.currentTarget.files?.[0]; if (f) void send(f) }} />
      {part === null ? <Button icon="upload" onClick={() => file.current?.click()}>{t('upload')}</Button> : <span class="grow"><Bar part={part} tone="info" /></span>}
    </span>
  )
}

/** What the API wants for a field: numbers as numbers, decimals and money as strings, empty as null. */
export function outgoing(field: Field, value: unknown): unknown {
  if (value === undefined || value === '' || value === null) return null
  switch (field.kind) {
    case 'int': case 'number': { const n = Number(typed(str(value))); return Number.isNaN(n) ? value : n }
    case 'decimal': { const m = measuredOf(value); return m.unit && m.unit !== field.unit ? { value: typed(m.value), unit: m.unit } : typed(m.value) }
    case 'money': { const m = money(value); return m.amount === '' || m.amount === undefined ? null : { amount: typed(str(m.amount)), currency: field.currency ?? m.currency ?? 'CNY' } }
    case 'ref': return ref(value)?.id ?? value
    case 'file': return typeof value === 'object' && 'id' in value ? (value as { id: number }).id : value
    case 'party': return typeof value === 'object' && 'name' in value ? (value as { name: string }).name : value
    case 'json': case 'geometry': if (typeof value !== 'string') return value; try { return JSON.parse(value) } catch { return value }
    case 'lines': return Array.isArray(value) ? (value as Record<string, unknown>[]).filter((r) => lineFilled(field, r)).map((r) => outgoingLine(field, r)) : null
    default: return value
  }
}
const writable = (f: Field) => !f.computed
export const lineFilled = (field: Field, row: Record<string, unknown>) => (field.fields ?? []).some((f) => writable(f) && row[f.name] !== undefined && row[f.name] !== null && row[f.name] !== '' && row[f.name] !== false)
function outgoingLine(field: Field, row: Record<string, unknown>): Record<string, unknown> {
  const out: Record<string, unknown> = {}
  for (const f of (field.fields ?? []).filter(writable)) { const v = outgoing(f, row[f.name]); if (v !== null) out[f.name] = v }
  return out
}

/** Fields that a problem's words name in quotes: 'quantity', "lines.price". */
export function blamed(detail: string): Set<string> {
  return new Set([...detail.matchAll(/['"“]([\w.[\]]+)['"”]/g)].map((m) => m[1]!.replace(/[.[].*$/, '')))
}

