// Forms out of a document type's fields: one input per kind, checked for what is required, sent as the API wants it.
import { useMemo, useState } from 'preact/hooks'
import { t, title } from '../i18n'
import { enc } from '../lib/api'
import { platformNow } from '../lib/clock'
import { ms } from '../lib/format'
import { docName, useNames } from '../lib/names'
import { useQuery } from '../lib/query'
import { ref, str } from '../lib/docs'
import type { Doc, Field, Page, ThingItem } from '../lib/types'
import { Button, ErrorBox } from './bits'

export type Values = Record<string, unknown>
const LONG = new Set(['text', 'finding', 'remedy', 'note', 'description'])

interface InputProps { field: Field; id: string; value: unknown; onInput: (value: unknown) => void; required: boolean; refLabel?: (doc: Doc) => string }

/** A datetime-local's text in the browser's zone. */
function localTime(value: unknown): string {
  const at = ms(value)
  if (at === null) return ''
  return new Date(at - new Date(at).getTimezoneOffset() * 60_000).toISOString().slice(0, 16)
}

export function FieldInput({ field, id, value, onInput, required, refLabel }: InputProps) {
  const common = { id, name: field.name, required, 'aria-required': required || undefined }
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
    case 'ref':
      return <RefInput field={field} common={common} value={value} onInput={onInput} label={refLabel} required={required} />
    case 'thing':
      return <ThingInput common={common} value={value} onInput={onInput} />
    case 'time':
      return <input type="datetime-local" {...common} value={localTime(value)} onInput={(e) => { const v = e.currentTarget.value; onInput(v ? new Date(v).toISOString() : null) }} />
    case 'int': case 'number': case 'decimal':
      return <span class="with-unit"><input {...common} inputMode={field.kind === 'int' ? 'numeric' : 'decimal'} value={str(value)} autocomplete="off" onInput={(e) => onInput(e.currentTarget.value)} />{field.unit && <span>{field.unit}</span>}</span>
    case 'json':
      return <textarea {...common} rows={4} class="mono" value={typeof value === 'string' ? value : value === undefined || value === null ? '' : JSON.stringify(value, null, 1)} onInput={(e) => onInput(e.currentTarget.value)} />
    default:
      return LONG.has(field.name)
        ? <textarea {...common} rows={2} value={str(value)} onInput={(e) => onInput(e.currentTarget.value)} />
        : <input type="text" {...common} value={str(value)} autocomplete="off" onInput={(e) => onInput(e.currentTarget.value)} />
  }
}

type Common = { id: string; name: string; required: boolean; 'aria-required': true | undefined }

function RefInput({ field, common, value, onInput, label, required }: { field: Field; common: Common; value: unknown; onInput: (v: unknown) => void; label?: (doc: Doc) => string; required: boolean }) {
  const all = useQuery<Page<Doc>>(field.ref ? `docs/${field.ref}?limit=200` : null)
  const current = ref(value)?.id ?? value
  return (
    <select {...common} value={str(current)} onChange={(e) => onInput(e.currentTarget.value ? Number(e.currentTarget.value) : null)}>
      {(!required || !current) && <option value="">{all.data ? (required ? t('choose') : '–') : t('loading')}</option>}
      {all.data?.items.map((d) => <option value={d.id}>{label ? label(d) : docName(d)}</option>)}
    </select>
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

/** What the API wants for a field: numbers as numbers, decimals as strings, empty as null. */
export function outgoing(field: Field, value: unknown): unknown {
  if (value === undefined || value === '' || value === null) return null
  switch (field.kind) {
    case 'int': case 'number': { const n = Number(String(value).replace(',', '.')); return Number.isNaN(n) ? value : n }
    case 'decimal': return String(value)
    case 'ref': return ref(value)?.id ?? value
    case 'json': if (typeof value !== 'string') return value; try { return JSON.parse(value) } catch { return value }
    default: return value
  }
}

interface FormProps {
  fields: Field[]
  needs?: string[]             // required here besides those the type requires
  initial?: Values
  onlyChanges?: boolean        // send only what differs from `initial`
  submit: string
  danger?: boolean
  send: (values: Values) => Promise<void>
  cancel?: () => void
  suggest?: Record<string, string[]>
  refLabel?: Record<string, (doc: Doc) => string>
  intro?: string
}

/** A component is a text to the server; people choose it by its title where the models know any. */
function useFields(fields: Field[]): Field[] {
  const components = useNames().components
  return fields.map((f) => f.name === 'component' && f.kind === 'text' && components.length
    ? { ...f, kind: 'choice', choices: components.map(({ name, title_en, title_zh }) => ({ name, title_en, title_zh })) } : f)
}

export function DocForm({ fields: given, needs = [], initial = {}, onlyChanges, submit, danger, send, cancel, suggest = {}, refLabel = {}, intro }: FormProps) {
  const fields = useFields(given)
  const [values, setValues] = useState<Values>(initial)
  const [error, setError] = useState<unknown>(null)
  const [busy, setBusy] = useState(false)
  const prefix = useMemo(() => 'f' + Math.random().toString(36).slice(2, 8), [])
  const set = (name: string, value: unknown) => setValues((all) => ({ ...all, [name]: value }))
  const go = async (e: Event) => {
    e.preventDefault()
    if (busy) return
    const body: Values = {}
    for (const f of fields) {
      const value = outgoing(f, values[f.name])
      if (onlyChanges ? JSON.stringify(value) !== JSON.stringify(outgoing(f, initial[f.name])) : value !== null) body[f.name] = value
    }
    setBusy(true)
    setError(null)
    try { await send(body) } catch (x) { setError(x) } finally { setBusy(false) }
  }
  return (
    <form class="form" onSubmit={go}>
      {intro && <p class="faint">{intro}</p>}
      {fields.map((f) => {
        const required = needs.includes(f.name) || f.required
        const id = `${prefix}-${f.name}`
        return (
          <div class={`field k-${f.kind}`} key={f.name}>
            <label for={id}>{title(f)}{required && <span class="req" aria-hidden="true"> *</span>}</label>
            <FieldInput field={f} id={id} value={values[f.name]} required={required} onInput={(v) => set(f.name, v)} refLabel={refLabel[f.name]} />
            {suggest[f.name] && <div class="suggest">{suggest[f.name]!.map((s) => <button type="button" class="chip" aria-pressed={values[f.name] === s} onClick={() => set(f.name, s)}>{s}</button>)}</div>}
          </div>
        )
      })}
      <ErrorBox error={error} />
      <footer>
        {cancel && <Button kind="quiet" onClick={cancel}>{t('cancel')}</Button>}
        <Button type="submit" kind={danger ? 'danger' : 'primary'} busy={busy}>{submit}</Button>
      </footer>
    </form>
  )
}

/** A form that is not about documents: plain text fields. */
export function plainField(name: string, title_zh: string, title_en: string, more: Partial<Field> = {}): Field {
  return { name, title_zh, title_en, kind: 'text', required: false, computed: false, unit: null, choices: [], ref: null, scale: 0, ...more }
}
export const nowIso = () => new Date(platformNow() || Date.now()).toISOString()
