// The audit log: of everything, or of one document.
import { t, title, type Key } from '../i18n'
import { query } from '../lib/api'
import { unitText } from './value'
import { grouped, moneyText } from '../lib/decimal'
import { ref, str, useType } from '../lib/docs'
import { dayTime, measured, ms } from '../lib/format'
import { useQuery } from '../lib/query'
import { isStaff } from '../lib/session'
import type { Doc, DocType, Field } from '../lib/types'
import { ErrorBox, Skeleton, Time } from '../ui/bits'

export interface AuditRow { id: number; at: string; who: string; action: string; type: string; target: string; before: unknown; after: unknown }
export interface AuditPage { items: AuditRow[]; next: string | null }

const DULL = new Set(['id', 'number', 'version', 'changed', 'created', 'created_by', 'can', 'state', 'party'])
type Plain = Record<string, unknown>
const plain = (v: unknown): Plain => v !== null && typeof v === 'object' && !Array.isArray(v) ? v as Plain : {}

/** What an entry changed: each field that is not what it was. */
export function changes(row: AuditRow, type?: DocType): [title: string, value: string, name: string][] {
  const before = plain(row.before), after = plain(row.after)
  return Object.entries(after)
    .filter(([k, v]) => !DULL.has(k) && v !== null && v !== '' && JSON.stringify(v) !== JSON.stringify(before[k]))
    .map(([k, v]) => {
      const field = type?.fields.find((f) => f.name === k)
      return [title(field, k), shown(field, v), k]
    })
}
function shown(field: Field | undefined, v: unknown): string {
  const r = field?.kind === 'party' ? null : ref(v)
  if (r) return r.number ?? `#${r.id}`
  if (field?.kind === 'money' && typeof v === 'object') { const m = v as { amount: string; currency: string }; return moneyText(str(m.amount), m.currency) }
  if (field?.kind === 'decimal') return typeof v === 'object' ? `${grouped(str((v as { value: string }).value))} ${unitText(str((v as { unit?: string }).unit))}` : grouped(str(v))
  if (field?.kind === 'lines') return t('n_lines', { n: Array.isArray(v) ? v.length : 0 })
  if (field?.kind === 'party' && v !== null && typeof v === 'object') return str((v as { name: string }).name)
  if (field?.kind === 'time') return dayTime(v)
  if (field?.kind === 'bool') return t(v ? 'yes' : 'no')
  if (field?.kind === 'number') return measured(Number(v))
  if (field?.kind === 'choice') return title(field.choices.find((c) => c.name === v), str(v))
  return typeof v === 'object' ? JSON.stringify(v) : String(v)
}

/** "transition:finish" in words. */
export function deed(action: string, type?: DocType): string {
  const name = action.replace(/^transition:/, '')
  const move = type?.transitions.find((x) => x.name === name)
  return move ? title(move) : name === 'create' ? t('deed_created') : name === 'change' ? t('deed_changed') : name === 'delete' || name === 'remove' ? t('deed_deleted') : name
}

const actors: Record<string, Key> = { 'simulated technician': 'simulated_technician', 'simulated desk': 'simulated_desk', 'simulated store keeper': 'simulated_keeper' }
/** Who did it; the platform's own parts are just the system. */
export const actor = (who: string): string => who.startsWith('system') ? t('system') : actors[who] ? t(actors[who]!) : who

export function AuditTrail({ type: name, doc }: { type: string; doc: Doc }) {
  const type = useType(name)
  const staff = isStaff()
  const log = useQuery<AuditPage>(staff ? 'audit' + query({ type: name, target: doc.number, limit: 50 }) : null, { live: [`doc:${name}`], every: 3000 })
  if (!staff || log.data?.items.length === 0) return <Stamps type={type} doc={doc} />
  if (log.error) return <ErrorBox error={log.error} retry={log.reload} />
  if (!log.data) return <Skeleton rows={3} />
  return <Entries type={type} rows={log.data.items} />
}

export function Entries({ type, rows }: { type: DocType | undefined; rows: AuditRow[] }) {
  return (
    <ol class="timeline slim">{rows.map((r) => {
      const what = changes(r, type)
      const before = plain(r.before)
      return (
        <li key={r.id}><span class="dot" /><div><div class="what"><strong>{deed(r.action, type)}</strong><span class="faint">{actor(r.who)}</span></div><div class="faint"><Time at={r.at} both /></div>
          {what.length > 0 && r.action !== 'create' && <dl class="what-changed">{what.slice(0, 8).map(([k, v, name]) => <div><dt>{k}</dt><dd>{before[name] !== undefined && before[name] !== null && before[name] !== '' && <><del>{shown(type?.fields.find((f) => f.name === name), before[name])}</del> → </>}{v}</dd></div>)}</dl>}</div></li>)
    })}</ol>
  )
}

/** For those who may not read the log: the document's own times, in order. */
function Stamps({ type, doc }: { type: DocType | undefined; doc: Doc }) {
  const by = (type?.fields ?? []).filter((f) => f.kind === 'time' && f.computed && ms(doc[f.name]) !== null && !f.name.endsWith('_by'))
  const events: [string, number][] = [[t('created'), ms(doc.created)!], ...by.map((f): [string, number] => [title(f), ms(doc[f.name])!])]
  events.sort((a, b) => b[1] - a[1])
  return <ol class="timeline slim">{events.map(([what, at]) => <li><span class="dot" /><div><div class="what"><strong>{what}</strong></div><div class="faint"><Time at={at} both /></div></div></li>)}</ol>
}
