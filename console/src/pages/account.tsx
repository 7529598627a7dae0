// My account: for which company I act, my password, my second factor.
import { useState } from 'preact/hooks'
import { t } from '../i18n'
import { api } from '../lib/api'
import { useCell } from '../lib/cell'
import { findSession, session, signOut, switchParty } from '../lib/session'
import { go } from '../router'
import { Badge, Button, Card, ErrorBox, toast } from '../ui/bits'
import { Choices } from '../ui/choices'
import { Dialog } from '../ui/dialog'
import { Icon } from '../ui/icons'
import { PageHead } from '../ui/page'
import { Svg } from '../ui/svg'
import { roleName } from './operations'

export function Account() {
  const who = useCell(session)
  if (!who) return null
  return (
    <div class="page account">
      <PageHead title={t('my_account')}><Button icon="out" onClick={() => void signOut()}>{t('sign_out')}</Button></PageHead>
      <section class="card person"><span class="avatar" aria-hidden="true">{who.name.slice(0, 1).toUpperCase()}</span><span><strong>{who.name}</strong><span class="faint">{who.user} · {who.party} · {who.roles.map(roleName).join(', ')}</span></span></section>
      {who.parties.length > 1 && <Parties />}
      <Factor />
      <Card title={t('change_password')}><PasswordForm /></Card>
      <Card class="pad"><Choices /></Card>
    </div>
  )
}

export function Parties({ done }: { done?: () => void }) {
  const who = useCell(session)
  const [busy, setBusy] = useState<number | null>(null)
  const pick = async (id: number, name: string) => {
    setBusy(id)
    try { await switchParty(id); toast(t('switched', { p: name })); done?.(); go('#/') } catch (e) { toast(e instanceof Error ? e.message : String(e), 'critical') }
    setBusy(null)
  }
  return (
    <Card title={t('switch_party')}><ul class="party-list">{who?.parties.map((p) => {
      const on = who.party_id ? p.id === who.party_id : p.name === who.party
      return <li><button type="button" aria-pressed={on} disabled={busy !== null} onClick={() => { if (!on) void pick(p.id, p.name) }}><span class="avatar" aria-hidden="true">{p.name.slice(0, 1)}</span><span><strong>{p.name}</strong><span class="faint">{p.roles.map(roleName).join(', ')}</span></span>{on && <Icon name="check" size={20} />}</button></li>
    })}</ul></Card>
  )
}

export function PasswordForm({ done }: { done?: () => void }) {
  const [old, setOld] = useState('')
  const [next, setNext] = useState('')
  const [error, setError] = useState<unknown>(null)
  const [busy, setBusy] = useState(false)
  const send = async (e: Event) => {
    e.preventDefault()
    setBusy(true)
    setError(null)
    try { await api('session/password', { method: 'POST', body: { old, new: next } }); toast(t('password_changed')); setOld(''); setNext(''); await findSession(); done?.() } catch (x) { setError(x) }
    setBusy(false)
  }
  return (
    <form class="form" onSubmit={send}>
      <input type="text" name="username" autocomplete="username" value={session.get()?.user ?? ''} readOnly hidden />
      <div class="field"><label for="old">{t('old_password')}</label><input id="old" type="password" required autocomplete="current-password" value={old} onInput={(e) => setOld(e.currentTarget.value)} /></div>
      <div class="field"><label for="new">{t('new_password')}</label><input id="new" type="password" required minLength={10} autocomplete="new-password" aria-describedby="new-help" value={next} onInput={(e) => setNext(e.currentTarget.value)} /><p class="help faint" id="new-help">{t('password_rule')}</p></div>
      <ErrorBox error={error} />
      <footer><Button type="submit" kind="primary" busy={busy}>{t('save')}</Button></footer>
    </form>
  )
}

interface Totp { secret: string; uri: string; svg: string }
export function Factor() {
  const who = useCell(session)
  const [setup, setSetup] = useState<Totp | null>(null)
  const [off, setOff] = useState(false)
  const [busy, setBusy] = useState(false)
  const begin = async () => { setBusy(true); try { setSetup(await api<Totp>('session/totp', { method: 'POST' })) } catch (e) { toast(e instanceof Error ? e.message : String(e), 'critical') } setBusy(false) }
  return (
    <Card title={t('second_factor')} action={who?.second_factor ? <Badge tone="good" icon="shield">{t('factor_on')}</Badge> : <Badge>{t('factor_off')}</Badge>}>
      <div class="form"><p class="faint">{t('second_factor_hint')}</p>
        <footer>{who?.second_factor ? <Button onClick={() => setOff(true)}>{t('factor_turn_off')}</Button> : <Button kind="primary" icon="shield" busy={busy} onClick={() => void begin()}>{t('factor_set_up')}</Button>}</footer></div>
      {setup && <SetUp of={setup} close={() => setSetup(null)} />}
      {off && <Dialog title={t('factor_turn_off')} onClose={() => setOff(false)}><CodeForm submit={t('factor_turn_off')} danger send={async (code) => { await api('session/totp', { method: 'DELETE', body: { code } }); toast(t('factor_is_off')); setOff(false); await findSession() }} /></Dialog>}
    </Card>
  )
}

function CodeForm({ submit, send, danger }: { submit: string; send: (code: string) => Promise<void>; danger?: boolean }) {
  const [code, setCode] = useState('')
  const [error, setError] = useState<unknown>(null)
  const [busy, setBusy] = useState(false)
  const go = async (e: Event) => { e.preventDefault(); setBusy(true); setError(null); try { await send(code.replace(/\s/g, '')) } catch (x) { setError(x) } setBusy(false) }
  return (
    <form class="form" onSubmit={go}><div class="field"><label for="code">{t('factor_code_label')}</label><input id="code" class="code" inputMode="numeric" autocomplete="one-time-code" required maxLength={20} value={code} onInput={(e) => setCode(e.currentTarget.value)} /></div>
      <ErrorBox error={error} /><footer><Button type="submit" kind={danger ? 'danger' : 'primary'} busy={busy}>{submit}</Button></footer></form>
  )
}

function SetUp({ of, close }: { of: Totp; close: () => void }) {
  const [recovery, setRecovery] = useState<string[] | null>(null)
  if (recovery) return (
    <Dialog title={t('factor_done')} onClose={close}><div class="qr-sheet"><p>{t('factor_recovery')}</p><ul class="recovery">{recovery.map((r) => <li><code>{r}</code></li>)}</ul>
      <div class="decide center"><Button icon="copy" onClick={() => { void navigator.clipboard?.writeText(recovery.join('\n')).then(() => toast(t('copied'))) }}>{t('copy')}</Button><Button kind="primary" onClick={close}>{t('noted')}</Button></div></div></Dialog>)
  return (
    <Dialog title={t('second_factor')} onClose={close}>
      <div class="qr-sheet"><strong>{t('factor_scan')}</strong><Svg text={of.svg} label={t('factor_scan')} /><p class="faint">{t('factor_by_hand')} <code class="url">{of.secret}</code></p><strong>{t('factor_code')}</strong></div>
      <CodeForm submit={t('confirm')} send={async (code) => { const r = await api<{ recovery: string[] }>('session/totp/confirm', { method: 'POST', body: { code } }); await findSession(); setRecovery(r.recovery) }} />
    </Dialog>
  )
}
