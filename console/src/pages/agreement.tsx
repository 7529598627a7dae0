// One agreement: who gives what to whom, what changed, what the partner would see exactly, and the decision.
import { useMemo, useState } from 'preact/hooks'
import { said, t, title } from '../i18n'
import { api, enc } from '../lib/api'
import { useCell } from '../lib/cell'
import { useTypes } from '../lib/docs'
import { dropDraft, keepDraft, readDraft } from '../lib/draft'
import { number } from '../lib/format'
import { useNames } from '../lib/names'
import { useQuery } from '../lib/query'
import { session } from '../lib/session'
import type { Agreement, Doc, DocType, Field, Preview, Signature, Terms } from '../lib/types'
import { go, link } from '../router'
import { Badge, Button, Card, ErrorBox, Loaded, Skeleton, Time, toast, usePhone } from '../ui/bits'
import { Dialog } from '../ui/dialog'
import { DocForm, plainField } from '../ui/form'
import { Icon } from '../ui/icons'
import { PartyInput, type Common } from '../ui/inputs'
import { LinesTable } from '../ui/lines'
import { PageHead } from '../ui/page'
import { emptyTerms, fieldLabel, fieldOf, Reveals, seriesText, TermsDiff, TermsForm, TermsView } from '../ui/terms'
import { AgreementBadge, Receipt, sideOf } from './sharing'
import { FieldValue } from './value'

export function AgreementPage({ id }: { id: string }) {
  useCell(session)
  const a = useQuery<Agreement>(`agreements/${enc(id)}`, { live: ['doc:agreement'], every: 1500 })
  return (
    <div class="page agreement">
      <PageHead title={a.data?.title || a.data?.number || id} back={<a class="back" href="#/sharing" aria-label={t('nav_sharing')}><Icon name="left" /></a>}>{a.data && <AgreementBadge state={a.data.state} />}</PageHead>
      <Loaded of={a} rows={6}>{(x) => <Body a={x} reload={a.reload} />}</Loaded>
    </div>
  )
}

const OPEN = ['proposed', 'negotiating', 'agreed']

function Body({ a, reload }: { a: Agreement; reload: () => void }) {
  const side = sideOf(a)
  const [ask, setAsk] = useState<'end' | 'withdraw' | 'suspend' | 'receipt' | null>(null)
  const [countering, setCountering] = useState(false)
  const [busy, setBusy] = useState<string | null>(null)
  const [error, setError] = useState<unknown>(null)
  const versions = a.versions ?? []
  const before = versions.filter((v) => v.version < a.version).sort((x, y) => y.version - x.version)[0]
  const theyProposed = a.proposed_by ? a.proposed_by.name !== (side === 'given' ? a.owner.name : a.receiver.name) : true
  const step = async (name: string, label: string, body: Record<string, unknown> = {}) => {
    setBusy(name)
    setError(null)
    try { await api(`agreements/${a.id}/${name}`, { method: 'POST', body }); toast(t('step_done', { what: label })); setAsk(null); reload() } catch (e) { if (ask) { setBusy(null); throw e } setError(e) }
    setBusy(null)
  }
  const can = (s: string) => a.can.includes(s)
  if (countering) return <Counter a={a} close={() => setCountering(false)} sent={() => { setCountering(false); reload() }} />
  return (
    <>
      <Parties a={a} />
      {a.basis === 'law' && <p class="note t-info"><Icon name="shield" size={17} />{t('by_law')}{a.legal_reference && `: ${a.legal_reference}`}</p>}
      {a.reason && <p class="note t-neutral"><Icon name="speech" size={17} />{a.reason}</p>}
      {before && OPEN.includes(a.state) && <Card title={t('changed_terms')} action={<span class="faint">{t('version_n', { n: before.version })} → {t('version_n', { n: a.version })}</span>}><div class="pad"><TermsDiff before={before.terms} after={a.terms} /></div></Card>}
      {side === 'given' && a.state !== 'ended' ? <Consent a={a} /> : <Card title={t('what_is_given')}><div class="pad"><TermsView terms={a.terms} /></div></Card>}
      {side === 'given' && a.state !== 'ended' && <details class="card fold"><summary>{t('see_terms')}</summary><div class="pad"><TermsView terms={a.terms} /></div></details>}
      <ErrorBox error={error} />
      {a.can.length > 0 && <div class={`decide${OPEN.includes(a.state) ? ' loud' : ''}`}>
        {can('accept_confidentiality') && <Button kind="primary" icon="check" busy={busy === 'accept_confidentiality'} onClick={() => void step('accept_confidentiality', t('accept_confidentiality'))}>{t('accept_confidentiality')}</Button>}
        {can('accept') && <Button kind="primary" icon="check" busy={busy === 'accept'} onClick={() => void step('accept', t('accept'), { version: a.version })}>{side === 'given' ? t('accept_and_give') : t('accept')}</Button>}
        {can('counter') && <Button icon="edit" onClick={() => setCountering(true)}>{t('counter')}</Button>}
        {can('resume') && <Button kind="primary" busy={busy === 'resume'} onClick={() => void step('resume', t('resume'))}>{t('resume')}</Button>}
        {can('suspend') && <Button onClick={() => setAsk('suspend')}>{t('suspend')}</Button>}
        {can('end') && <Button kind="danger" icon="close" onClick={() => setAsk('end')}>{t('end_now')}</Button>}
        {can('withdraw') && <Button kind="quiet" icon="close" onClick={() => setAsk('withdraw')}>{theyProposed ? t('refuse') : t('withdraw')}</Button>}
      </div>}
      {side === 'received' && a.state === 'active' && <Browse a={a} />}
      <Card title={t('timeline')} action={<span class="badges"><a href={`/api/v1/agreements/${a.id}/odrl`} download={`${a.number}.jsonld`}>{t('download_odrl')}</a><Button small kind="quiet" icon="shield" onClick={() => setAsk('receipt')}>{t('receipt')}</Button></span>}>
        <ol class="timeline slim">{[...versions].reverse().map((v) => <li><span class="dot" /><div><div class="what"><strong>{t('version_n', { n: v.version })}</strong><span class="faint">{v.by?.name} {v.who}</span></div><div class="faint"><Time at={v.at} both past />{v.reason && ` · “${v.reason}”`}</div></div></li>)}
          {!versions.length && <li><span class="dot" /><div><div class="what"><strong>{t('version_n', { n: a.version })}</strong></div><div class="faint">{a.number} · {a.dsp}</div></div></li>}</ol>
        {side === 'given' && <p class="pad-x foot"><a href={`#/sharing/log?agreement=${a.number}`}>{t('tab_log')}</a></p>}
      </Card>
      {ask === 'receipt' && <Receipt ask={`agreement=${a.id}`} name={a.number} close={() => setAsk(null)} />}
      {ask && ask !== 'receipt' && <Dialog title={ask === 'end' ? t('end_now') : ask === 'suspend' ? t('suspend') : theyProposed ? t('refuse') : t('withdraw')} onClose={() => setAsk(null)}>
        <DocForm fields={[plainField('reason', '原因（对方会看到）', 'Reason (the other side sees it)')]} intro={ask === 'end' ? t('end_hint') : undefined} danger={ask !== 'suspend'} cancel={() => setAsk(null)}
          submit={ask === 'end' ? t('end_now') : ask === 'suspend' ? t('suspend') : theyProposed ? t('refuse') : t('withdraw')} send={(v) => step(ask, t(ask === 'end' ? 'end_now' : ask === 'suspend' ? 'suspend' : theyProposed ? 'refuse' : 'withdraw'), v)} /></Dialog>}
    </>
  )
}

function Parties({ a }: { a: Agreement }) {
  const signed = (s: Signature | null) => s ? <Badge tone="good" icon="check">{t('signed')} · {s.who}</Badge> : <Badge>{t('not_signed')}</Badge>
  return (
    <section class="card parties" aria-label={t('gives_to', { a: a.owner.name, b: a.receiver.name })}>
      <div><span class="faint">{t('owner')}</span><strong>{a.owner.name}</strong>{signed(a.agreed.owner)}</div>
      <Icon name="right" size={26} />
      <div><span class="faint">{t('receiver')}</span><strong>{a.receiver.name}</strong>{signed(a.agreed.receiver)}</div>
      <div class="why"><span class="faint">{t('purpose')}</span><strong>{a.terms.purpose}</strong><span class="faint num">{a.number} · {t('version_n', { n: a.version })}</span></div>
    </section>
  )
}

/** The very rows and fields the partner gets, as they get them. */
function Consent({ a }: { a: Agreement }) {
  const p = useQuery<Preview>(`agreements/${a.id}/preview`)
  const types = useTypes().data ?? []
  const names = useNames()
  return (
    <section class="consent" aria-label={t('consent_title', { who: a.receiver.name })}>
      <header><h2><Icon name="eye" size={22} />{t('consent_title', { who: a.receiver.name })}</h2><p class="faint">{t('consent_hint')}</p></header>
      <ErrorBox error={p.error} retry={p.reload} />
      {!p.data ? !p.error && <Skeleton rows={5} height={30} /> : <>
        {p.data.warnings.length > 0 ? <section class="warnings" aria-label={t('warnings')}><h3>{t('warnings')}</h3><ul>{p.data.warnings.map((w) => (
          <li class={w.severity === 'serious' ? 't-critical' : w.severity === 'warning' ? 't-warning' : 't-info'}><Icon name="warn" size={18} /><div><p>{said(w)}</p>{w.fields.length > 0 && <p class="faint">{w.fields.map((f) => labelOf(types, f, names.metric)).join(' + ')}</p>}</div></li>))}</ul></section>
          : <p class="note t-good"><Icon name="check" size={17} />{t('no_warnings')}</p>}
        {p.data.types.map((y) => <TypePreview key={y.type} of={y} type={types.find((d) => d.name === y.type)} />)}
        {p.data.series.map((s) => <div class="card pad"><h3>{seriesText({ things: null, model: s.model, metrics: s.metrics, resolution: s.resolution }, names.metric, names.model)}</h3><p class="faint">{t('n_machines', { n: s.things ?? 0 })}{s.sample?.length ? `: ${s.sample.join(', ')}${(s.things ?? 0) > s.sample.length ? ' …' : ''}` : ''}</p></div>)}
        <p class="nothing-else"><Icon name="lock" size={17} />{t('consent_nothing_else')}</p>
      </>}
    </section>
  )
}
function labelOf(types: DocType[], path: string, metric: (n: string) => string): string {
  if (path.startsWith('rows.')) return title(types.find((d) => d.name === path.slice(5)), path.slice(5))
  const [type, ...rest] = path.split('.')
  const of = types.find((d) => d.name === type)
  return of ? `${title(of)} › ${fieldLabel(of, rest.join('.'))}` : metric(path)
}

function TypePreview({ of, type }: { of: Preview['types'][number]; type: DocType | undefined }) {
  const phone = usePhone()
  const head = of.fields.filter((f) => !f.name.includes('.'))
  const lines = [...new Set(of.fields.filter((f) => f.name.includes('.')).map((f) => f.name.split('.')[0]!))]
  const value = (d: Doc, name: string) => {
    if (name === 'number') return d.number
    if (name === 'state') return title(type?.states.find((s) => s.name === d.state), d.state)
    if (name === 'created' || name === 'changed') return <Time at={d[name]} />
    const f = type?.fields.find((x) => x.name === name)
    return f ? <FieldValue field={f} value={d[name]} plain /> : String(d[name] ?? '–')
  }
  const partOf = (name: string): { field: Field; columns: Field[] } | null => {
    const field = type?.fields.find((x) => x.name === name)
    return field ? { field, columns: of.fields.filter((f) => f.name.startsWith(name + '.')).map((f) => fieldOf(type, f.name)).filter((f): f is Field => Boolean(f)) } : null
  }
  return (
    <div class="card preview">
      <header><h3>{title(type, of.type)}</h3><span class="faint">{of.rows !== null && t('n_rows_now', { n: number(of.rows, 0) })}</span></header>
      <ul class="ticks big">{of.fields.map((f) => <li><Icon name="eye" size={15} />{f.name.includes('.') ? fieldLabel(type, f.name) : title(f, f.name)}<Reveals of={f.reveals} /></li>)}</ul>
      <h4>{t('sample_rows')}</h4>
      {!of.sample.length ? <p class="faint pad-x">{t('no_sample')}</p> : phone
        ? <ul class="line-list">{of.sample.slice(0, 3).map((d) => <li><dl>{head.map((f) => <div><dt>{title(f, f.name)}</dt><dd>{value(d, f.name)}</dd></div>)}</dl></li>)}</ul>
        : <div class="table-card"><table class="still"><thead><tr>{head.map((f) => <th scope="col">{title(f, f.name)}</th>)}</tr></thead><tbody>{of.sample.map((d) => <tr>{head.map((f) => <td>{value(d, f.name)}</td>)}</tr>)}</tbody></table></div>}
      {lines.map((n) => { const part = partOf(n); const first = of.sample.find((d) => Array.isArray(d[n]) && (d[n] as unknown[]).length); return part && first && <><h4>{title(part.field)} · {first.number ?? ''}</h4><LinesTable field={part.field} columns={part.columns} value={first[n]} /></> })}
    </div>
  )
}

function Browse({ a }: { a: Agreement }) {
  const types = useTypes().data ?? []
  if (!a.terms.types.length) return null
  return <Card title={t('browse_given')}><ul class="type-list pad">{a.terms.types.map((x) => <li><a class="card" href={`${link('docs', x.type)}?agreement=${a.number}`}><Icon name="docs" size={22} /><strong>{title(types.find((d) => d.name === x.type), x.type)}</strong><span class="faint">{t('n_fields', { n: x.fields.length })}</span></a></li>)}</ul></Card>
}

/** Why it cannot be sent yet, or null. */
function missing(terms: Terms): string | null {
  if (!terms.types.some((x) => x.fields.length) && !terms.series.length) return t('need_fields')
  return terms.purpose.trim() ? null : t('need_purpose')
}

function Counter({ a, close, sent }: { a: Agreement; close: () => void; sent: () => void }) {
  const key = `counter.${a.id}.${a.version}`
  const [terms, setTerms] = useState<Terms>(() => (readDraft(key)?.values.terms as Terms | undefined) ?? a.terms)
  const [reason, setReason] = useState('')
  const [error, setError] = useState<unknown>(null)
  const [busy, setBusy] = useState(false)
  const change = (x: Terms) => { setTerms(x); keepDraft(key, { terms: x }) }
  const lack = missing(terms)
  const send = async () => {
    setBusy(true)
    setError(null)
    try { await api(`agreements/${a.id}/counter`, { method: 'POST', body: { terms, ...(reason ? { reason } : {}) } }); dropDraft(key); toast(t('proposal_sent', { who: (sideOf(a) === 'given' ? a.receiver : a.owner).name })); sent() } catch (e) { setError(e) }
    setBusy(false)
  }
  return (
    <>
      <TermsForm terms={terms} onChange={change} />
      <Card title={t('changed_terms')}><div class="pad"><TermsDiff before={a.terms} after={terms} /></div></Card>
      <div class="field"><label for="reason">{t('reason')}</label><textarea id="reason" rows={2} value={reason} onInput={(e) => setReason(e.currentTarget.value)} /></div>
      {lack && <p class="note t-warning" role="status"><Icon name="warn" size={17} />{lack}</p>}
      <ErrorBox error={error} />
      <div class="decide"><Button kind="primary" busy={busy} disabled={Boolean(lack)} onClick={() => void send()}>{t('send_counter')}</Button><Button kind="quiet" onClick={close}>{t('cancel')}</Button></div>
    </>
  )
}

interface Template { name: string; title_en: string; title_zh: string; pack: string; purpose_en: string; purpose_zh: string; terms: Terms }
interface Draft { direction: 'give' | 'ask'; partner: string; title: string; terms: Terms; template: string }

/** A new agreement: from a template or from nothing, to give or to ask. */
export function AgreementNew() {
  const templates = useQuery<{ items: Template[] }>('agreements/templates')
  const key = `agreement.${session.get()?.party}`
  const found = useMemo(() => readDraft(key)?.values as unknown as Draft | undefined, [])
  const [d, setD] = useState<Draft>(found ?? { direction: 'give', partner: '', title: '', terms: emptyTerms(), template: '' })
  const [picked, setPicked] = useState(Boolean(found))
  const [error, setError] = useState<unknown>(null)
  const [busy, setBusy] = useState(false)
  const put = (more: Partial<Draft>) => { const next = { ...d, ...more }; setD(next); keepDraft(key, next as unknown as Record<string, unknown>) }
  const start = (x: Template | null) => { put(x ? { template: x.name, title: title(x), terms: { ...emptyTerms(), ...x.terms, purpose: title({ title_en: x.purpose_en, title_zh: x.purpose_zh }) || x.terms.purpose } } : { template: '', terms: emptyTerms() }); setPicked(true) }
  const lack = !d.partner.trim() ? t('need_partner') : missing(d.terms)
  const send = async () => {
    setBusy(true)
    setError(null)
    try {
      const made = await api<Agreement>('agreements', { method: 'POST', body: { [d.direction === 'give' ? 'receiver' : 'owner']: d.partner.trim(), title: d.title || d.terms.purpose, terms: d.terms } })
      dropDraft(key)
      toast(t('proposal_sent', { who: d.partner }))
      go(link('sharing', made.id))
    } catch (e) { setError(e); setBusy(false) }
  }
  const common: Common = { id: 'partner', name: 'partner', required: true, 'aria-required': true }
  return (
    <div class="page agreement">
      <PageHead title={t('new_agreement')} back={<a class="back" href="#/sharing" aria-label={t('nav_sharing')}><Icon name="left" /></a>} />
      {!picked ? <>
        <h2 class="section-head">{t('make_from')}</h2>
        <ErrorBox error={templates.error} retry={templates.reload} />
        <ul class="type-list">{(templates.data?.items ?? []).map((x) => <li><button type="button" class="card" onClick={() => start(x)}><Icon name="share" size={22} /><strong>{title(x)}</strong><span class="faint">{title({ title_en: x.purpose_en, title_zh: x.purpose_zh })} · {t('n_fields', { n: x.terms.types.reduce((n, y) => n + y.fields.length, 0) })}</span></button></li>)}
          <li><button type="button" class="card" onClick={() => start(null)}><Icon name="plus" size={22} /><strong>{t('from_scratch')}</strong></button></li></ul>
      </> : <>
        <section class="card"><div class="form two">
          <fieldset class="radio-row whole"><legend>{t('direction')}</legend>{(['give', 'ask'] as const).map((x) => <label><input type="radio" name="direction" checked={d.direction === x} onChange={() => put({ direction: x })} />{t(x === 'give' ? 'dir_give' : 'dir_ask')}</label>)}</fieldset>
          <div class="field"><label for="partner">{t('partner')}<span class="req" aria-hidden="true"> *</span></label><PartyInput common={common} value={d.partner} onInput={(v) => put({ partner: String(v ?? '') })} /></div>
          <div class="field"><label for="title">{t('ag_title')}</label><input id="title" value={d.title} placeholder={t('ag_title_hint')} onInput={(e) => put({ title: e.currentTarget.value })} /></div>
        </div></section>
        <TermsForm terms={d.terms} onChange={(terms) => put({ terms })} />
        {lack && <p class="note t-warning" role="status"><Icon name="warn" size={17} />{lack}</p>}
        <ErrorBox error={error} />
        <div class="decide"><Button kind="primary" icon="share" busy={busy} disabled={Boolean(lack)} onClick={() => void send()}>{t('send_proposal')}</Button><Button kind="quiet" onClick={() => { dropDraft(key); setPicked(false); setD({ direction: 'give', partner: '', title: '', terms: emptyTerms(), template: '' }) }}>{t('make_from')}</Button></div>
      </>}
    </div>
  )
}
