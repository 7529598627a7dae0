import { useState } from 'preact/hooks'
import { t } from '../i18n'
import { Button, ErrorBox } from '../ui/bits'
import { Logo } from '../ui/icons'
import { Choices } from '../ui/choices'
import { signIn } from '../lib/session'

export function SignIn() {
  const [user, setUser] = useState('')
  const [password, setPassword] = useState('')
  const [error, setError] = useState<unknown>(null)
  const [busy, setBusy] = useState(false)
  const submit = async (e: Event) => {
    e.preventDefault()
    setBusy(true)
    setError(null)
    try { await signIn(user.trim(), password) } catch (x) { setError(x); setBusy(false) }
  }
  return (
    <div class="signin">
      <main>
        <div class="brand"><Logo size={44} /><h1>Weft <span lang="zh-CN">经纬</span></h1></div>
        <p class="faint">{t('tagline')}</p>
        <form class="form" onSubmit={submit}>
          <div class="field"><label for="user">{t('user')}</label><input id="user" name="user" autocomplete="username" autocapitalize="none" spellcheck={false} required autofocus value={user} onInput={(e) => setUser(e.currentTarget.value)} /></div>
          <div class="field"><label for="password">{t('password')}</label><input id="password" name="password" type="password" autocomplete="current-password" required value={password} onInput={(e) => setPassword(e.currentTarget.value)} /></div>
          <ErrorBox error={error} />
          <Button type="submit" kind="primary" class="wide" busy={busy}>{busy ? t('signing_in') : t('sign_in')}</Button>
        </form>
        <Choices />
      </main>
    </div>
  )
}
