// What a link in somebody's hand opens: an invitation, a new password, or a workplace's form without any account.
import { useEffect, useState } from 'preact/hooks'
import { t, title } from '../i18n'
import { api, enc } from '../lib/api'
import { useCell } from '../lib/cell'
import { createDoc, useTypes } from '../lib/docs'
import { absolute } from '../lib/format'
import { enter, session, signOut } from '../lib/session'
import type { DocType } from '../lib/types'
import { go } from '../router'
import { Button, ErrorBox, Skeleton } from '../ui/bits'
import { Choices } from '../ui/choices'
import { DocForm } from '../ui/form'
import { Icon, Logo } from '../ui/icons'
import { roleName } from './operations'

interface Invitation { party: string | { name: string }; roles: string[]; user?: string | null; name?: string | null; reset?: boolean; kind?: string }

export function Join({ code, reset }: { code: string; reset: boolean }) {
  const [got, setGot] = useState<Invitation | null>(null)
  const [gone, setGone] = useState<unknown>(null)
  const [user, setUser] = useState('')
  const [password, setPassword] = useState('')
  const [error, setError] = useState<unknown>(null)
  const [busy, setBusy] = useState(false)
  useEffect(() => { api<Invitation>(`invitations/${enc(code)}`).then((i) => { setGot(i); if (i.user) setUser(i.user) }).catch(setGone) }, [code])
  const again = reset || Boolean(got?.reset) || got?.kind === 'reset'
  const party = got ? typeof got.party === 'string' ? got.party : got.party.name : ''
  const send = async (e: Event) => {
    e.preventDefault()
    setBusy(true)
    setError(null)
    try { await api(`invitations/${enc(code)}`, { method: 'POST', body: { user: user.trim(), password } }); go('#/', true); await enter() } catch (x) { setError(x); setBusy(false) }
  }
  return (
    <div class="signin"><main>
      <div class="brand"><Logo size={44} /><h1>Weft <span lang="zh-CN">经纬</span></h1></div>
      {gone ? <><ErrorBox error={gone} /><p class="faint">{t('link_gone_hint')}</p><a class="btn wide" href="#/">{t('sign_in')}</a></> : !got ? <Skeleton rows={3} /> : <>
        <div><h2 class="join-title">{again ? t('reset_title') : t('join_title', { party })}</h2><p class="faint">{again ? '' : t('join_hint')} {!again && got.roles.length > 0 && t('join_roles', { r: got.roles.map(roleName).join(', ') })}</p></div>
        <form class="form" onSubmit={send}>
          <div class="field"><label for="user">{t('user')}</label><input id="user" autocomplete="username" autocapitalize="none" spellcheck={false} required readOnly={Boolean(got.user)} value={user} onInput={(e) => setUser(e.currentTarget.value)} /></div>
          <div class="field"><label for="password">{again ? t('new_password') : t('password')}</label><input id="password" type="password" autocomplete="new-password" required value={password} onInput={(e) => setPassword(e.currentTarget.value)} aria-describedby="pw-help" /><p class="help faint" id="pw-help">{t('password_rule')}{!again && <> · {t('have_account')}</>}</p></div>
          <ErrorBox error={error} />
          <Button type="submit" kind="primary" class="wide" busy={busy}>{again ? t('save') : t('join_go')}</Button>
        </form></>}
      <Choices />
    </main></div>
  )
}

/** Takes the workplace's link; what follows is the form. */
export function WorkLink({ code }: { code: string }) {
  const [gone, setGone] = useState<unknown>(null)
  useEffect(() => { api(`worker-links/${enc(code)}`, { method: 'POST' }).then(async () => { go('#/', true); await enter() }).catch(setGone) }, [code])
  return <div class="signin"><main><div class="brand"><Logo size={44} /><h1>Weft <span lang="zh-CN">经纬</span></h1></div>
    {gone ? <><ErrorBox error={gone} /><p class="faint">{t('link_gone_hint')}</p></> : <p role="status">{t('entering')}</p>}<Choices /></main></div>
}

/** The whole console of somebody who scanned a workplace's code: one large form, sent with one large button. */
export function Workplace() {
  const who = useCell(session)
  const types = useTypes()
  const [picked, setPicked] = useState<string | null>(null)
  const [sent, setSent] = useState<string | null>(null)
  const [round, setRound] = useState(0)
  const may = (types.data ?? []).filter((d) => who?.worker?.docs.length ? who.worker.docs.includes(d.name) : d.create_roles.includes('worker'))
  const type: DocType | undefined = may.length === 1 ? may[0] : may.find((d) => d.name === picked)
  return (
    <div class="workplace">
      <header><Logo size={32} /><strong>{who?.worker?.label || who?.party}</strong><Button kind="quiet" icon="out" aria-label={t('sign_out')} onClick={() => void signOut()} /></header>
      <main id="main">
        <ErrorBox error={types.error} retry={types.reload} />
        {!types.data && !types.error && <Skeleton rows={4} height={50} />}
        {sent ? <div class="card sent" role="status"><Icon name="check" size={54} /><h1>{t('worker_sent')}</h1><p class="faint">{sent}</p><Button kind="primary" class="wide huge-btn" onClick={() => { setSent(null); setPicked(null); setRound(round + 1) }}>{t('worker_again')}</Button></div>
          : type ? <section class="card"><h1>{title(type)}</h1><DocForm key={round} fields={type.fields.filter((f) => !f.computed)} submit={t('send')} cancel={may.length > 1 ? () => setPicked(null) : undefined} draft={`work.${type.name}`} send={async (v) => { const d = await createDoc(type.name, v); setSent(d.number); scrollTo(0, 0) }} /></section>
            : <><h1>{t('worker_welcome')}</h1><ul class="big-list">{may.map((d) => <li><button type="button" class="card" onClick={() => setPicked(d.name)}><Icon name="docs" size={28} /><strong>{title(d)}</strong><Icon name="right" size={22} /></button></li>)}</ul></>}
      </main>
      <footer class="faint">{who?.worker?.until && t('worker_until', { at: absolute(who.worker.until) })}<Choices /></footer>
    </div>
  )
}
