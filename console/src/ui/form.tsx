// Forms out of a document type's fields: one input per kind, checked for what is required, sent as the API wants it.
// With a draft's key what is typed is kept on the device until it is saved.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { lang } from '../lib/prefs'
import { t, title } from '../i18n'
import { Problem } from '../lib/api'
import { platformNow } from '../lib/clock'
import { dropDraft, keepDraft, readDraft } from '../lib/draft'
import { clockTime } from '../lib/format'
import { useNames } from '../lib/names'
import type { Doc, Field } from '../lib/types'
import { Button, ErrorBox } from './bits'
import { Icon } from './icons'
import { blamed, FieldInput, outgoing, type About } from './inputs'

export { FieldInput, outgoing } from './inputs'
export type Values = Record<string, unknown>

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
  draft?: string               // key under which unsaved input is kept
  about?: About
  wide?: boolean
}

/** A component is a text to the server; people choose it by its title where the models know any. */
function useFields(fields: Field[]): Field[] {
  const components = useNames().components
  return fields.map((f) => f.name === 'component' && f.kind === 'text' && components.length
    ? { ...f, kind: 'choice', choices: components.map(({ name, title_en, title_zh }) => ({ name, title_en, title_zh })) } : f)
}

/** What of the form would be sent. */
export function bodyOf(fields: Field[], values: Values, initial: Values, onlyChanges: boolean): Values {
  const body: Values = {}
  for (const f of fields) {
    const value = outgoing(f, values[f.name])
    if (onlyChanges ? JSON.stringify(value) !== JSON.stringify(outgoing(f, initial[f.name])) : value !== null) body[f.name] = value
  }
  return body
}

function useDraft(key: string | undefined, initial: Values) {
  const found = useMemo(() => key ? readDraft(key) : null, [key])
  const [values, setValues] = useState<Values>(found ? { ...initial, ...found.values } : initial)
  const [restored, setRestored] = useState(found?.at ?? null)
  const dirty = useRef(false)
  const timer = useRef<ReturnType<typeof setTimeout>>()
  const latest = useRef(values)
  latest.current = values
  const write = () => { if (key && dirty.current) keepDraft(key, latest.current) }
  const set = (name: string, value: unknown) => {
    dirty.current = true
    setValues((all) => ({ ...all, [name]: value }))
    clearTimeout(timer.current)
    timer.current = setTimeout(write, 300)
  }
  useEffect(() => {
    addEventListener('pagehide', write)
    return () => { removeEventListener('pagehide', write); clearTimeout(timer.current); write() }
  }, [key])
  const drop = () => { dirty.current = false; clearTimeout(timer.current); if (key) dropDraft(key) }
  const afresh = () => { drop(); setRestored(null); setValues(initial) }
  return { values, set, drop, restored, afresh }
}

export function DocForm({ fields: given, needs = [], initial = {}, onlyChanges, submit, danger, send, cancel, suggest = {}, refLabel = {}, intro, draft, about, wide }: FormProps) {
  const fields = useFields(given)
  const { values, set, drop, restored, afresh } = useDraft(draft, initial)
  const [error, setError] = useState<unknown>(null)
  const [busy, setBusy] = useState(false)
  const form = useRef<HTMLFormElement>(null)
  const prefix = useMemo(() => 'f' + Math.random().toString(36).slice(2, 8), [])
  const wrong = useMemo(() => error instanceof Problem ? blamed(error.detail) : new Set<string>(), [error])
  const go = async (e: Event) => {
    e.preventDefault()
    if (busy) return
    setBusy(true)
    setError(null)
    try { await send(bodyOf(fields, values, initial, Boolean(onlyChanges))); drop() } catch (x) { setError(x) } finally { setBusy(false) }
  }
  // What is wrong is led to: the first field that the server named.
  useEffect(() => { if (wrong.size) (form.current?.querySelector('[aria-invalid]') as HTMLElement | null)?.focus() }, [wrong])
  const help = (f: Field) => lang.get() === 'zh' ? f.help_zh || f.help_en : f.help_en || f.help_zh
  return (
    <form class={`form${wide ? ' two' : ''}`} onSubmit={go} ref={form}>
      {intro && <p class="faint whole">{intro}</p>}
      {restored !== null && <p class="restored whole" role="status"><Icon name="clock" size={16} />{t('draft_restored', { at: clockTime(restored) })} <button type="button" class="linklike" onClick={afresh}>{t('draft_drop')}</button></p>}
      {fields.map((f) => {
        const required = needs.includes(f.name) || f.required
        const id = `${prefix}-${f.name}`
        const hint = help(f)
        const group = f.kind === 'lines' || f.kind === 'geometry'
        return (
          <div class={`field k-${f.kind}${group || f.kind === 'json' ? ' whole' : ''}${wrong.has(f.name) ? ' wrong' : ''}`} key={f.name}>
            {group ? <span class="label">{title(f)}{required && <span class="req" aria-hidden="true"> *</span>}</span>
              : <label for={id}>{title(f)}{required && <span class="req" aria-hidden="true"> *</span>}</label>}
            <FieldInput field={f} id={id} value={values[f.name]} required={required} onInput={(v) => set(f.name, v)} refLabel={refLabel[f.name]} about={about}
              describedBy={hint ? id + '-help' : undefined} invalid={wrong.has(f.name)} label={f.kind === 'geometry' ? title(f) : undefined} />
            {hint && <p class="help faint" id={id + '-help'}>{hint}</p>}
            {suggest[f.name] && <div class="suggest">{suggest[f.name]!.map((s) => <button type="button" class="chip" aria-pressed={values[f.name] === s} onClick={() => set(f.name, s)}>{s}</button>)}</div>}
          </div>
        )
      })}
      <div class="whole"><ErrorBox error={error} /></div>
      <footer class="whole">
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
