// People of our company: members and their roles, invitations, links for the workplace, tokens for programs, the company itself.
import type { ComponentChildren } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { t, title, type Key } from '../i18n'
import { api, enc } from '../lib/api'
import { useTypes } from '../lib/docs'
import { identFault } from '../lib/ident'
import { useQuery } from '../lib/query'
import { hasRole, session } from '../lib/session'
import { go, link } from '../router'
import { Badge, Button, Card, Chips, Empty, ErrorBox, Loaded, Segments, Skeleton, Time, toast } from '../ui/bits'
import { Dialog } from '../ui/dialog'
import { DocForm, plainField } from '../ui/form'
import { HandoutDialog, type Handout } from '../ui/handout'
import { Icon } from '../ui/icons'
import { Menu } from '../ui/menu'
import { PageHead } from '../ui/page'
import { roleName, Secret } from './operations'

const tabs = ['members', 'workers', 'tokens', 'party'] as const
type Tab = typeof tabs[number]

export function People({ tab }: { tab: string | undefined }) {
  const now: Tab = tabs.includes(tab as Tab) ? tab as Tab : 'members'
  const pages: Record<Tab, () => ComponentChildren> = { members: () => <Members />, workers: () => <Workers />, tokens: () => <Tokens />, party: () => <Company /> }
  return (
    <div class="page people">
      <PageHead title={t('nav_people')} />
      <div class="scroll-x"><Segments<Tab> label={t('nav_people')} value={now} onPick={(v) => go(link('people', v))} options={tabs.map((v) => ({ value: v, label: t(`tab_${v}`) }))} /></div>
      {pages[now]()}
    </div>
  )
}

const grantable = ['manager', 'technician', 'worker', 'viewer']
function RolePick({ value, onChange }: { value: string[]; onChange: (r: string[]) => void }) {
  const all = [...new Set([...grantable, ...value])]
  return (
    <fieldset class="radio-row whole"><legend>{t('roles')}</legend>{all.map((r) => (
      <label><input type="checkbox" checked={value.includes(r)} onChange={(e) => onChange(e.currentTarget.checked ? [...value, r] : value.filter((x) => x !== r))} />{roleName(r)}</label>))}</fieldset>
  )
}

interface Member { user: string; name: string; roles: string[]; second_factor: boolean; last_seen: string | null }
function Members() {
  const list = useQuery<{ items: Member[] }>('members')
  const [ask, setAsk] = useState<{ what: 'roles' | 'remove'; of: Member } | null>(null)
  const [inviting, setInviting] = useState(false)
  const [roles, setRoles] = useState<string[]>([])
  const [out, setOut] = useState<{ of: Handout; title: string; hint: string } | null>(null)
  const may = hasRole('manager', 'operator')
  const reset = async (m: Member) => {
    try { setOut({ of: await api<Handout>(`members/${enc(m.user)}/reset`, { method: 'POST' }), title: t('reset_password'), hint: t('reset_hint', { user: m.name || m.user }) }) } catch (e) { toast(e instanceof Error ? e.message : String(e), 'critical') }
  }
  return (
    <>
      <Card title={t('tab_members')} action={may && <Button small kind="primary" icon="plus" onClick={() => { setRoles(['worker']); setInviting(true) }}>{t('invite')}</Button>}>
        <Loaded of={list} rows={4}>{(d) => <ul class="users">{d.items.map((m) => (
          <li key={m.user}><span class="avatar" aria-hidden="true">{(m.name || m.user).slice(0, 1).toUpperCase()}</span>
            <span class="who-name"><strong>{m.name || m.user}</strong><span class="faint">{m.user} · {m.last_seen ? <Time at={m.last_seen} past /> : t('never_used')}</span></span>
            <span class="badges">{m.second_factor && <span title={t('has_factor')}><Badge tone="good" icon="shield">{t('second_factor')}</Badge></span>}{m.roles.map((r) => <Badge>{roleName(r)}</Badge>)}</span>
            {may && <Menu small icon="more" label={t('nav_more')}>
              <button type="button" role="menuitem" onClick={() => { setRoles(m.roles); setAsk({ what: 'roles', of: m }) }}><Icon name="people" size={18} />{t('change_roles')}</button>
              <button type="button" role="menuitem" onClick={() => void reset(m)}><Icon name="key" size={18} />{t('reset_password')}</button>
              {m.user !== session.get()?.user && <button type="button" role="menuitem" class="bad" onClick={() => setAsk({ what: 'remove', of: m })}><Icon name="out" size={18} />{t('remove_member')}</button>}</Menu>}</li>))}</ul>}</Loaded>
      </Card>
      {ask?.what === 'roles' && <Dialog title={`${t('change_roles')} · ${ask.of.name || ask.of.user}`} onClose={() => setAsk(null)}><div class="form"><RolePick value={roles} onChange={setRoles} />
        <DocFormless submit={t('save')} cancel={() => setAsk(null)} disabled={!roles.length} send={async () => { await api(`members/${enc(ask.of.user)}`, { method: 'PATCH', body: { roles } }); toast(t('saved')); setAsk(null); list.reload() }} /></div></Dialog>}
      {ask?.what === 'remove' && <Dialog title={t('remove_member')} onClose={() => setAsk(null)}><DocForm fields={[]} intro={t('remove_member_sure', { user: ask.of.name || ask.of.user })} danger submit={t('remove_member')} cancel={() => setAsk(null)}
        send={async () => { await api(`members/${enc(ask.of.user)}`, { method: 'DELETE' }); toast(t('member_removed')); setAsk(null); list.reload() }} /></Dialog>}
      {inviting && <Invite roles={roles} setRoles={setRoles} close={() => setInviting(false)} made={(h) => { setInviting(false); setOut({ of: h, title: t('invitation_ready'), hint: t('invite_hint') }) }} />}
      {out && <HandoutDialog {...out} close={() => setOut(null)} />}
    </>
  )
}

/** Buttons with a problem above them, for what is no form of fields. */
function DocFormless({ submit, cancel, send, disabled }: { submit: string; cancel: () => void; send: () => Promise<void>; disabled?: boolean }) {
  const [error, setError] = useState<unknown>(null)
  const [busy, setBusy] = useState(false)
  const go = async () => { setBusy(true); setError(null); try { await send() } catch (e) { setError(e) } setBusy(false) }
  return <><ErrorBox error={error} /><footer><Button kind="quiet" onClick={cancel}>{t('cancel')}</Button><Button kind="primary" busy={busy} disabled={disabled} onClick={() => void go()}>{submit}</Button></footer></>
}

function Invite({ roles, setRoles, close, made }: { roles: string[]; setRoles: (r: string[]) => void; close: () => void; made: (h: Handout) => void }) {
  const [name, setName] = useState('')
  const [days, setDays] = useState('7')
  return (
    <Dialog title={t('invite')} onClose={close}>
      <div class="form">
        <p class="faint">{t('invite_hint')}</p>
        <RolePick value={roles} onChange={setRoles} />
        <div class="field"><label for="inv-name">{t('invite_name')}</label><input id="inv-name" value={name} onInput={(e) => setName(e.currentTarget.value)} /></div>
        <div class="field"><label for="inv-days">{t('days_valid')}</label><select id="inv-days" value={days} onChange={(e) => setDays(e.currentTarget.value)}>{['1', '3', '7', '14', '30'].map((d) => <option value={d}>{t('n_days', { n: d })}</option>)}</select></div>
        <DocFormless submit={t('make_invitation')} cancel={close} disabled={!roles.length} send={async () => made(await api<Handout>('invitations', { method: 'POST', body: { roles, days: Number(days), ...(name ? { name } : {}) } }))} />
      </div>
    </Dialog>
  )
}

function Workers() {
  const types = useTypes().data ?? []
  const party = useQuery<Party>('party')
  const fillable = types.filter((d) => d.create_roles.includes('worker') || d.create_roles.length === 0)
  const [docs, setDocs] = useState<string[]>([])
  const [label, setLabel] = useState('')
  const [hours, setHours] = useState('8')
  const [out, setOut] = useState<Handout | null>(null)
  const off = party.data?.settings?.worker_links === false
  return (
    <Card title={t('tab_workers')}>
      <div class="form">
        <p class="faint">{t('worker_hint')}</p>
        {off ? <p class="note t-warning"><Icon name="warn" size={17} />{t('worker_off')} <a href="#/people/party">{t('worker_turn_on')}</a></p> : <>
          <div class="field"><label for="wk-label">{t('worker_label')}</label><input id="wk-label" value={label} onInput={(e) => setLabel(e.currentTarget.value)} /></div>
          <fieldset class="radio-row"><legend>{t('worker_docs')}</legend>{fillable.map((d) => <label><input type="checkbox" checked={docs.includes(d.name)} onChange={(e) => setDocs(e.currentTarget.checked ? [...docs, d.name] : docs.filter((x) => x !== d.name))} />{title(d)}</label>)}</fieldset>
          <div class="field"><span class="label">{t('worker_hours')}</span><Chips label={t('worker_hours')} value={hours} onPick={setHours} options={['1', '4', '8', '12', '24'].map((h) => ({ value: h, label: t('n_hours', { n: h }) }))} /></div>
          <DocFormless submit={t('make_worker_link')} cancel={() => { setDocs([]); setLabel('') }} disabled={!docs.length} send={async () => setOut(await api<Handout>('worker-links', { method: 'POST', body: { roles: ['worker'], minutes: Number(hours) * 60, label, docs } }))} />
        </>}
      </div>
      {out && <HandoutDialog of={out} title={label || t('tab_workers')} hint={t('worker_hint')} close={() => setOut(null)} />}
    </Card>
  )
}

interface Token { id: number; user: string; role: string; scopes?: string[] | null; created?: string; expires: string | null; last_used: string | null }
function Tokens() {
  const list = useQuery<{ items: Token[] }>('tokens')
  const types = useTypes().data ?? []
  const [making, setMaking] = useState(false)
  const [scopes, setScopes] = useState<string[]>([])
  const [secret, setSecret] = useState<Record<string, unknown> | null>(null)
  const scopeText = (s: string) => { const [a, b, c] = s.split(':'); return a === 'docs' ? `${title(types.find((d) => d.name === b), b)} ${t(c === 'write' ? 'scope_write' : 'scope_read')}` : a === 'series' ? `${t('scope_series')} ${t(b === 'write' ? 'scope_write' : 'scope_read')}` : s }
  const all = ['series:read', 'series:write', ...types.flatMap((d) => [`docs:${d.name}:read`, `docs:${d.name}:write`])]
  const fields = [plainField('user', '程序名称', 'Program', { required: true }), plainField('role', '角色', 'Role', { kind: 'choice', required: true, choices: ['viewer', 'worker', 'technician', 'manager'].map((r) => ({ name: r, title_en: roleName(r), title_zh: roleName(r) })) }), plainField('days', '有效天数', 'Days valid', { kind: 'int' })]
  return (
    <Card title={t('tab_tokens')} action={<Button small kind="primary" icon="plus" onClick={() => { setScopes([]); setMaking(true) }}>{t('make_token')}</Button>}>
      <Loaded of={list} rows={3}>{(d) => !d.items.length ? <Empty icon="key" title={t('no_tokens')}>{t('make_token_hint')}</Empty> : <ul class="users">{d.items.map((k) => (
        <li key={k.id}><span class="avatar" aria-hidden="true"><Icon name="key" size={17} /></span><span class="who-name"><strong>{k.user}</strong><span class="faint">{k.scopes?.length ? k.scopes.map(scopeText).join(' · ') : t('all_of_role')}</span>
          <span class="faint">{k.expires && <>{t('expires')} <Time at={k.expires} /> · </>}{k.last_used ? <>{t('last_used')} <Time at={k.last_used} past /></> : t('never_used')}</span></span>
          <span class="badges"><Badge>{roleName(k.role)}</Badge><Button small kind="quiet" icon="trash" onClick={() => { api(`tokens/${k.id}`, { method: 'DELETE' }).then(() => { toast(t('token_revoked')); list.reload() }).catch((e: Error) => toast(e.message, 'critical')) }}>{t('revoke_token')}</Button></span></li>))}</ul>}</Loaded>
      {making && <Dialog title={t('make_token')} onClose={() => setMaking(false)}>
        <div class="pad-x"><fieldset class="radio-row"><legend>{t('scopes')}</legend><div class="chips wrap">{all.map((s) => <button type="button" class="chip" aria-pressed={scopes.includes(s)} onClick={() => setScopes(scopes.includes(s) ? scopes.filter((x) => x !== s) : [...scopes, s])}>{scopeText(s)}</button>)}</div><p class="faint small-note">{scopes.length ? '' : t('all_of_role')}</p></fieldset></div>
        <DocForm fields={fields} initial={{ days: 90 }} intro={t('make_token_hint')} submit={t('make_token')} cancel={() => setMaking(false)}
          send={async (v) => { const made = await api<{ token: string }>('tokens', { method: 'POST', body: { ...v, ...(scopes.length ? { scopes } : {}) } }); setMaking(false); setSecret({ [t('token')]: made.token }); list.reload() }} /></Dialog>}
      {secret && <Secret of={secret} close={() => setSecret(null)} />}
    </Card>
  )
}

interface Party { id: number; name: string; title: string; uscc: string | null; bpn: string | null; gln: string | null; handle: string | null; email: string | null; phone: string | null; address: string | null; settings?: Record<string, unknown> }
const partyFields: [keyof Party & Key, 'uscc' | 'gln' | null][] = [['uscc', 'uscc'], ['gln', 'gln'], ['bpn', null], ['handle', null], ['email', null], ['phone', null], ['address', null]]
function Company() {
  const p = useQuery<Party>('party')
  const may = hasRole('manager', 'operator')
  const [v, setV] = useState<Party | null>(null)
  const [error, setError] = useState<unknown>(null)
  const [busy, setBusy] = useState(false)
  const [adding, setAdding] = useState(false)
  const [out, setOut] = useState<Handout | null>(null)
  useEffect(() => { if (p.data && !v) setV(p.data) }, [p.data])
  if (p.error) return <ErrorBox error={p.error} retry={p.reload} />
  if (!v || !p.data) return <Skeleton rows={6} height={40} />
  const text = (n: keyof Party) => String(v[n] ?? '')
  const changed = Object.fromEntries((['title', ...partyFields.map((f) => f[0])] as (keyof Party)[]).filter((n) => text(n) !== String(p.data![n] ?? '')).map((n) => [n, text(n).trim() || null]))
  const links = Boolean(v.settings?.worker_links), linksWere = Boolean(p.data.settings?.worker_links)
  const save = async (e: Event) => {
    e.preventDefault()
    setBusy(true)
    setError(null)
    try { await api('party', { method: 'PATCH', body: { ...changed, ...(links !== linksWere ? { settings: { worker_links: links } } : {}) } }); toast(t('saved')); await p.reload() } catch (x) { setError(x) }
    setBusy(false)
  }
  const row = (n: keyof Party & Key, kind: 'uscc' | 'gln' | null) => {
    const fault = kind ? identFault(kind, text(n)) : null
    return <div class={`field${fault ? ' wrong' : ''}`}><label for={`party-${n}`}>{t(n)}</label>
      <input id={`party-${n}`} disabled={!may} class={kind || n === 'bpn' || n === 'handle' ? 'mono' : ''} value={text(n)} aria-invalid={fault ? true : undefined} aria-describedby={fault !== null ? `party-${n}-help` : undefined} spellcheck={false} autocomplete="off" onInput={(e) => setV({ ...v, [n]: e.currentTarget.value })} />
      {fault !== null && <p id={`party-${n}-help`} class={fault ? 'bad-text' : 'good-text'} role="status">{fault ? fault : <><Icon name="check" size={14} class="inline-icon" /> {t('ident_ok')}</>}</p>}</div>
  }
  return (
    <Card title={v.title || v.name} action={hasRole('operator') && <Button small icon="plus" onClick={() => setAdding(true)}>{t('new_party')}</Button>}>
      <form class="form two" onSubmit={save}>
        <div class="field whole"><label for="party-title">{t('party_title')}</label><input id="party-title" disabled={!may} value={text('title')} onInput={(e) => setV({ ...v, title: e.currentTarget.value })} /></div>
        {partyFields.map(([n, kind]) => row(n, kind))}
        <div class="field k-bool whole"><label for="party-links">{t('worker_links_setting')}</label><input id="party-links" type="checkbox" disabled={!may} checked={links} onChange={(e) => setV({ ...v, settings: { ...v.settings, worker_links: e.currentTarget.checked } })} /></div>
        <div class="whole"><ErrorBox error={error} /></div>
        {may && <footer class="whole"><Button type="submit" kind="primary" busy={busy} disabled={!Object.keys(changed).length && links === linksWere}>{t('save')}</Button></footer>}
      </form>
      {adding && <Dialog title={t('new_party')} onClose={() => setAdding(false)}><DocForm fields={[plainField('name', '简称（登录和协议中使用）', 'Short name (in sign-in and agreements)', { required: true }), plainField('title', '企业全称', 'Full name'), plainField('uscc', '统一社会信用代码', 'Unified social credit code', { format: 'uscc' }), plainField('manager', '负责人用户名', 'Manager’s user name', { required: true })]}
        submit={t('new_party')} cancel={() => setAdding(false)} send={async (x) => { const made = await api<{ invitation?: Handout }>('parties', { method: 'POST', body: x }); toast(t('party_made')); setAdding(false); if (made.invitation) setOut(made.invitation) }} /></Dialog>}
      {out && <HandoutDialog of={out} title={t('invitation_ready')} hint={t('invite_hint')} close={() => setOut(null)} />}
    </Card>
  )
}
