// The audit log: of everything, or of one document.
import { t, title } from '../i18n'
import { query } from '../lib/api'
import { useType } from '../lib/docs'
import { useQuery } from '../lib/query'
import type { Doc } from '../lib/types'
import { ErrorBox, Skeleton, Time } from '../ui/bits'

export interface AuditRow { seq?: number; at?: string; time?: string; who?: string; action?: string; what?: string; type?: string; target?: string; detail?: unknown }
export interface AuditPage { items: AuditRow[]; next: string | number | null }

export const auditTime = (r: AuditRow) => r.at ?? r.time
export function auditDetail(r: AuditRow): string {
  const d = r.detail
  if (d === null || d === undefined || d === '') return ''
  return typeof d === 'string' ? d : Object.entries(d).map(([k, v]) => `${k} ${typeof v === 'object' ? JSON.stringify(v) : String(v)}`).join(', ')
}

export function AuditTrail({ type: name, doc }: { type: string; doc: Doc }) {
  const type = useType(name)
  const log = useQuery<AuditPage>('audit' + query({ type: name, target: doc.number, limit: 50 }) , { live: [`doc:${name}`], every: 3000 })
  if (log.error && log.error.status === 403) return <p class="faint pad">{t('audit_forbidden')}</p>
  if (log.error) return <ErrorBox error={log.error} retry={log.reload} />
  if (!log.data) return <Skeleton rows={3} />
  const said = (what: string) => {
    const move = type?.transitions.find((x) => what === x.name || what.endsWith(' ' + x.name) || what.endsWith('.' + x.name))
    return move ? title(move) : what.includes('create') ? t('created') : what.includes('change') ? t('changed') : what
  }
  if (!log.data.items.length) return <p class="faint pad">{t('created')} <Time at={doc.created} both /> · {doc.created_by}</p>
  return (
    <ol class="timeline slim">{log.data.items.map((r) => (
      <li><span class="dot" /><div><div class="what"><strong>{said(r.what ?? r.action ?? '')}</strong><span class="faint">{r.who}</span></div><div class="faint"><Time at={auditTime(r)} both />{auditDetail(r) && <> · {auditDetail(r)}</>}</div></div></li>))}</ol>
  )
}
