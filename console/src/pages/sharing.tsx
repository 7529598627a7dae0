// Sharing: what we give, what we are given, who saw what, and the ledger that proves it.
import { useEffect, useMemo, useState } from 'preact/hooks'
import { t, title, type Key } from '../i18n'
import { api, query } from '../lib/api'
import { useCell } from '../lib/cell'
import { useTypes } from '../lib/docs'
import { day, number } from '../lib/format'
import { useQuery } from '../lib/query'
import { hasRole, session } from '../lib/session'
import type { Agreement, AgreementState, PartyRef, Tone } from '../lib/types'
import { go, link, setParams, useRoute } from '../router'
import { Badge, Button, Card, Empty, ErrorBox, Segments, Skeleton, Time, toast } from '../ui/bits'
import { Dialog } from '../ui/dialog'
import { Icon } from '../ui/icons'
import { PageHead } from '../ui/page'
import { fieldLabel, periodText } from '../ui/terms'

export const agTone: Record<AgreementState, Tone> = { proposed: 'warning', negotiating: 'warning', agreed: 'info', active: 'good', suspended: 'warning', ended: 'neutral' }
export function AgreementBadge({ state }: { state: AgreementState }) { return <Badge tone={agTone[state] ?? 'neutral'}>{t(`ag_${state}` as Key)}</Badge> }
/** Are we the owner, the receiver? By id where the server tells it, else by name. */
export function sideOf(a: Agreement): 'given' | 'received' {
  const me = session.get()
  return me?.party_id ? (a.owner.id === me.party_id ? 'given' : 'received') : a.owner.name === me?.party ? 'given' : 'received'
}
export const waitsForUs = (a: Agreement) => ['proposed', 'negotiating', 'agreed'].includes(a.state) && (a.can.includes('accept') && !(sideOf(a) === 'given' ? a.agreed.owner : a.agreed.receiver) || a.can.includes('accept_confidentiality'))

const tabs = ['given', 'received', 'log', 'ledger'] as const
type Tab = typeof tabs[number]

export function Sharing({ tab }: { tab: string | undefined }) {
  const now: Tab = tabs.includes(tab as Tab) ? tab as Tab : 'given'
  return (
    <div class="page sharing">
      <PageHead title={t('nav_sharing')}>{hasRole('operator', 'manager') && <a class="btn primary" href="#/sharing/new"><Icon name="plus" size={18} />{t('new_agreement')}</a>}</PageHead>
      <div class="scroll-x"><Segments<Tab> label={t('nav_sharing')} value={now} onPick={(v) => go(link('sharing', v))} options={tabs.map((v) => ({ value: v, label: t(`tab_${v}`) }))} /></div>
      {now === 'log' ? <Log /> : now === 'ledger' ? <Ledger /> : <List side={now} />}
    </div>
  )
}

function List({ side }: { side: 'given' | 'received' }) {
  useCell(session)
  const all = useQuery<{ items: Agreement[] }>('agreements', { live: ['doc:agreement'], every: 2000 })
  if (all.error) return <ErrorBox error={all.error} retry={all.reload} />
  if (!all.data) return <Skeleton rows={5} height={60} />
  const waiting = all.data.items.filter(waitsForUs)
  const rank: AgreementState[] = ['proposed', 'negotiating', 'agreed', 'active', 'suspended', 'ended']
  const mine = all.data.items.filter((a) => sideOf(a) === side && !waiting.includes(a)).sort((a, b) => rank.indexOf(a.state) - rank.indexOf(b.state) || b.id - a.id)
  return (
    <>
      <p class="faint">{t('sharing_hint')}</p>
      {waiting.length > 0 && <section aria-label={t('waits_for_you')}><h2 class="section-head">{t('waits_for_you')} <span class="count">{waiting.length}</span></h2><ul class="ag-list">{waiting.map((a) => <Row key={a.id} a={a} loud />)}</ul></section>}
      {mine.length ? <ul class="ag-list">{mine.map((a) => <Row key={a.id} a={a} />)}</ul>
        : !waiting.length && <Card><Empty icon="share" title={t(side === 'given' ? 'no_agreements_given' : 'no_agreements_received')}>{t(side === 'given' ? 'no_agreements_given_hint' : 'no_agreements_received_hint')}</Empty></Card>}
    </>
  )
}

function Row({ a, loud }: { a: Agreement; loud?: boolean }) {
  const types = useTypes().data ?? []
  const given = sideOf(a) === 'given'
  const other = given ? a.receiver : a.owner
  const fields = a.terms.types.reduce((n, x) => n + x.fields.length, 0)
  return (
    <li class={`card${loud ? ' loud' : ''}`}><a class="plain" href={link('sharing', a.id)}>
      <span class="avatar" aria-hidden="true">{other.name.slice(0, 1)}</span>
      <span class="main"><strong>{other.name}</strong><span>{a.title || a.terms.purpose}</span>
        <span class="faint">{a.terms.types.map((x) => title(types.find((d) => d.name === x.type), x.type)).concat(a.terms.series.length ? [t('series')] : []).join(' · ')} · {t('n_fields', { n: fields })} · {a.basis === 'law' ? t('by_law') : periodText(a.terms)}</span></span>
      <span class="badges"><AgreementBadge state={a.state} />{loud && <Icon name="right" size={18} />}</span></a></li>
  )
}

// ---- who saw what

interface Disclosure { id: number; at: string; agreement: { id: number; number: string } | string; reader: { party: PartyRef | string; who?: string }; type: string; what: string; rows: number; fields: string[]; purpose: string; ledger: number | null }
const partyName = (p: PartyRef | string) => typeof p === 'string' ? p : p.name
const partyId = (p: PartyRef | string) => typeof p === 'string' ? p : String(p.id)

function Log() {
  const { params } = useRoute()
  const reader = params.get('reader'), agreement = params.get('agreement')
  const [more, setMore] = useState<Disclosure[]>([])
  const [next, setNext] = useState<string | null | undefined>(undefined)
  const [error, setError] = useState<unknown>(null)
  const [receipt, setReceipt] = useState<Disclosure | null>(null)
  const path = 'disclosures' + query({ reader, agreement, limit: 30 })
  const first = useQuery<{ items: Disclosure[]; next: string | null }>(path, { live: ['status'], every: 6000, keep: true })
  const sums = useQuery<{ items: { reader: { party: PartyRef | string }; day: string; reads: number; rows: number }[] }>('disclosures/summary?by=reader:day', { live: ['status'], every: 12_000 })
  useEffect(() => { setMore([]); setNext(undefined) }, [path])
  const items = [...first.data?.items ?? [], ...more.filter((d) => !first.data?.items.some((x) => x.id === d.id))]
  const cursor = next === undefined ? first.data?.next : next
  const older = async () => { try { const p = await api<{ items: Disclosure[]; next: string | null }>(path + '&cursor=' + encodeURIComponent(cursor!)); setMore([...more, ...p.items]); setNext(p.next); setError(null) } catch (e) { setError(e) } }
  const types = useTypes().data ?? []
  const days = useMemo(() => {
    const out: [string, Disclosure[]][] = []
    for (const d of items) { const k = d.at.slice(0, 10); if (out[out.length - 1]?.[0] === k) out[out.length - 1]![1].push(d); else out.push([k, [d]]) }
    return out
  }, [items])
  return (
    <>
      <p class="faint">{t('discl_hint')}</p>
      {sums.data && sums.data.items.length > 0 && <div class="log-charts"><ByPartner sums={sums.data.items} picked={reader} /><ByDay sums={sums.data.items.filter((s) => !reader || partyId(s.reader.party) === reader)} /></div>}
      {agreement && <p class="active-filter"><span class="chip on">{agreement}</span> <button type="button" class="btn quiet small" onClick={() => setParams({ agreement: null })}><Icon name="close" size={15} />{t('clear_filter')}</button></p>}
      <ErrorBox error={first.error ?? error} retry={first.reload} />
      {!first.data ? !first.error && <Skeleton rows={6} /> : !items.length ? <Card><Empty icon="eye" title={t('discl_none')}>{t('discl_none_hint')}</Empty></Card>
        : days.map(([d, list]) => (
          <Card key={d} title={day(d)} action={<span class="faint">{t('n_looks', { n: list.length })}</span>}><ol class="looks">{list.map((x) => {
            const type = types.find((y) => y.name === x.type)
            const n = typeof x.agreement === 'string' ? x.agreement : x.agreement.number
            const words = x.type === 'series' || /series/.test(x.what) ? t('saw_series') : /export/.test(x.what) ? t('saw_export', { n: number(x.rows, 0), type: title(type, x.type) }) : x.rows === 1 && /get|one|read/.test(x.what) ? t('saw_one', { type: title(type, x.type) }) : t('saw_list', { n: number(x.rows, 0), type: title(type, x.type) })
            return (
              <li key={x.id}><span class="avatar" aria-hidden="true">{partyName(x.reader.party).slice(0, 1)}</span>
                <div><p><strong>{partyName(x.reader.party)}</strong>{x.reader.who && <span class="faint"> {x.reader.who}</span>} {words}</p>
                  <p class="faint"><Time at={x.at} both past /> · {x.purpose} · <a href={link('sharing', typeof x.agreement === 'string' ? x.agreement : x.agreement.id)}>{n}</a></p>
                  {x.fields.length > 0 && <details><summary>{t('n_fields', { n: x.fields.length })}</summary><p class="faint">{x.fields.map((f) => fieldLabel(type, f)).join(' · ')}</p></details>}</div>
                <div class="proof">{x.ledger !== null && x.ledger !== undefined ? <Button small kind="quiet" icon="shield" onClick={() => setReceipt(x)}>{t('receipt')}</Button> : <span class="faint">{t('not_yet_ledger')}</span>}</div></li>)
          })}</ol></Card>))}
      {cursor && <p class="paging"><Button small onClick={() => void older()}>{t('older')}</Button></p>}
      {receipt && <Receipt ask={`disclosure=${receipt.id}`} name={`disclosure-${receipt.id}`} index={receipt.ledger} close={() => setReceipt(null)} />}
    </>
  )
}

function ByPartner({ sums, picked }: { sums: { reader: { party: PartyRef | string }; reads: number }[]; picked: string | null }) {
  const by = new Map<string, { name: string; n: number }>()
  for (const s of sums) { const k = partyId(s.reader.party); by.set(k, { name: partyName(s.reader.party), n: (by.get(k)?.n ?? 0) + s.reads }) }
  const all = [...by].sort((a, b) => b[1].n - a[1].n).slice(0, 8)
  const most = Math.max(1, ...all.map((x) => x[1].n))
  return (
    <Card class="group-bars" title={t('discl_by_partner')}><ul>{all.map(([id, x]) => (
      <li><button type="button" aria-pressed={picked === id} onClick={() => setParams({ reader: picked === id ? null : id })}><span class="name">{x.name}</span><span class="bar t-info"><span style={{ width: `${x.n / most * 100}%` }} /></span><b class="num">{number(x.n, 0)}</b></button></li>))}</ul></Card>
  )
}

function ByDay({ sums }: { sums: { day: string; reads: number }[] }) {
  const by = new Map<string, number>()
  for (const s of sums) by.set(s.day.slice(0, 10), (by.get(s.day.slice(0, 10)) ?? 0) + s.reads)
  const last = [...by.keys()].sort().pop()
  if (!last) return null
  const end = Date.parse(last + 'T00:00:00Z')
  const days = Array.from({ length: 30 }, (_, i) => new Date(end - (29 - i) * 86_400_000).toISOString().slice(0, 10))
  const most = Math.max(1, ...days.map((d) => by.get(d) ?? 0))
  const total = days.reduce((n, d) => n + (by.get(d) ?? 0), 0)
  return (
    <Card title={t('discl_over_time')}>
      <div class="day-bars" role="img" aria-label={`${t('discl_over_time')}: ${days[0]} – ${last}, ${t('n_looks', { n: total })}`}>
        <svg viewBox="0 0 300 96" preserveAspectRatio="none" aria-hidden="true">{days.map((d, i) => { const h = (by.get(d) ?? 0) / most * 92; return <rect x={i * 10 + 1.5} y={96 - Math.max(h, 1)} width="7" height={Math.max(h, 1)} rx="1.5" class={h ? 'on' : ''}><title>{`${day(d)}: ${t('n_looks', { n: by.get(d) ?? 0 })}`}</title></rect> })}</svg>
        <p class="faint"><span>{day(days[0])}</span><span>{day(last)}</span></p></div>
    </Card>
  )
}

/** A receipt to keep, and how to check it without us. */
export function Receipt({ ask, name, index, close }: { ask: string; name: string; index?: number | null; close: () => void }) {
  const got = useQuery<unknown>(`ledger/receipts?${ask}`)
  const [copied, setCopied] = useState(false)
  const file = `${name}.receipt.json`
  const save = () => {
    const url = URL.createObjectURL(new Blob([JSON.stringify(got.data, null, 1)], { type: 'application/json' }))
    Object.assign(document.createElement('a'), { href: url, download: file }).click()
    setTimeout(() => URL.revokeObjectURL(url), 10_000)
  }
  const command = `weft verify ${file}`
  return (
    <Dialog title={t('receipt')} onClose={close}>
      <div class="receipt">
        {index !== undefined && index !== null && <p><Badge tone="good" icon="shield">{t('in_ledger', { n: index })}</Badge></p>}
        <ErrorBox error={got.error} retry={got.reload} />
        <Button kind="primary" icon="download" disabled={!got.data} onClick={save}>{file}</Button>
        <h3>{t('how_to_check')}</h3><p>{t('how_to_check_text')}</p>
        <pre><code>{command}</code><Button small kind="quiet" icon={copied ? 'check' : 'copy'} aria-label={t('copy')} onClick={() => { void navigator.clipboard?.writeText(command).then(() => { setCopied(true); toast(t('copied')) }) }} /></pre>
      </div>
    </Dialog>
  )
}

interface LedgerState { size: number; root: string; origin: string; key: string; checkpoint_at: string; witnesses: (string | { name: string; at?: string })[] }
function Ledger() {
  const s = useQuery<LedgerState>('ledger', { live: ['status'], every: 4000 })
  if (s.error) return <ErrorBox error={s.error} retry={s.reload} />
  if (!s.data) return <Skeleton rows={4} />
  const l = s.data
  return (
    <>
      <p class="faint">{t('ledger_hint')}</p>
      <div class="figures three"><section class="figure"><h2>{t('ledger_size')}</h2><div class="line"><b class="num huge">{number(l.size, 0)}</b></div></section>
        <section class="figure"><h2>{t('ledger_at')}</h2><div class="line"><b class="huge"><Time at={l.checkpoint_at} past /></b></div></section>
        <section class="figure"><h2>{t('ledger_witnesses')}</h2><div class="line"><b class="num huge">{l.witnesses.length}</b>{!l.witnesses.length && <span class="faint">{t('ledger_no_witness')}</span>}</div></section></div>
      <Card title={t('ledger_title')} action={<a href="/ledger/checkpoint">checkpoint</a>}>
        <dl class="rows"><div><dt>{t('ledger_origin')}</dt><dd class="mono">{l.origin}</dd></div><div><dt>{t('ledger_root')}</dt><dd class="mono">{l.root}</dd></div><div><dt>{t('ledger_key')}</dt><dd class="mono">{l.key}</dd></div>
          {l.witnesses.map((w) => <div><dt>{t('ledger_witnesses')}</dt><dd class="mono">{typeof w === 'string' ? w : w.name}</dd></div>)}</dl>
      </Card>
      <Card class="pad"><h2>{t('how_to_check')}</h2><p class="faint">{t('how_to_check_text')}</p><div class="receipt"><pre><code>weft verify disclosure-46.receipt.json</code></pre></div></Card>
    </>
  )
}
