// Signing in: name and password, then the second factor if there is one, or a company's own sign-in.
import { useEffect, useRef, useState } from 'preact/hooks'
import { t } from '../i18n'
import { api, Problem } from '../lib/api'
import { signIn } from '../lib/session'
import { Button, ErrorBox } from '../ui/bits'
import { Choices } from '../ui/choices'
import { Icon, Logo } from '../ui/icons'

interface Provider { name: string; title: string }

export function SignIn() {
  const [user, setUser] = useState('')
  const [password, setPassword] = useState('')
  const [code, setCode] = useState('')
  const [asks, setAsks] = useState(false)
  const [error, setError] = useState<unknown>(null)
  const [busy, setBusy] = useState(false)
  const [providers, setProviders] = useState<Provider[]>([])
  const digits = useRef<HTMLInputElement>(null)
  useEffect(() => { api<{ providers: Provider[] }>('session/oidc', { quiet: true }).then((p) => setProviders(p?.providers ?? [])).catch(() => {}) }, [])
  useEffect(() => { if (asks) digits.current?.focus() }, [asks])
  const submit = async (e: Event) => {
    e.preventDefault()
    setBusy(true)
    setError(null)
    try { await signIn(user.trim(), password, code.replace(/\s/g, '') || undefined) } catch (x) {
      const second = x instanceof Problem && /second-factor/.test(x.type)
      if (second && !asks) setAsks(true)
      else setError(x)
      setBusy(false)
    }
  }
  return (
    <div class="signin">
      <main>
        <div class="brand"><Logo size={44} /><h1>Weft <span lang="zh-CN">经纬</span></h1></div>
        <p class="faint">{t('tagline')}</p>
        <form class="form" onSubmit={submit}>
          <div class="field"><label for="user">{t('user')}</label><input id="user" name="user" autocomplete="username" autocapitalize="none" spellcheck={false} required autofocus value={user} onInput={(e) => { setUser(e.currentTarget.value); setAsks(false) }} /></div>
          <div class="field"><label for="password">{t('password')}</label><input id="password" name="password" type="password" autocomplete="current-password" required value={password} onInput={(e) => setPassword(e.currentTarget.value)} /></div>
          {asks && <div class="field"><label for="code">{t('code_needed')}</label><input ref={digits} id="code" name="code" class="code" inputMode="numeric" autocomplete="one-time-code" required maxLength={20} value={code} onInput={(e) => setCode(e.currentTarget.value)} aria-describedby="code-help" /><p class="help faint" id="code-help">{t('code_or_recovery')}</p></div>}
          <ErrorBox error={error} />
          <Button type="submit" kind="primary" class="wide" busy={busy}>{busy ? t('signing_in') : t('sign_in')}</Button>
        </form>
        {providers.length > 0 && <div class="providers"><p class="faint"><span>{t('or')}</span></p>{providers.map((p) => <a class="btn wide" href={`/api/v1/session/oidc/${encodeURIComponent(p.name)}`}><Icon name="key" size={18} />{t('sign_in_with', { p: p.title || p.name })}</a>)}</div>}
        <Choices />
      </main>
    </div>
  )
}
