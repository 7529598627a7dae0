// What stands on a page while a question runs: how long it has taken, and the button that stops it. And texts to copy.
import type { ComponentChildren } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { t } from '../i18n'
import { Button, toast } from './bits'

export function Running({ since, stop }: { since: number; stop: () => void }) {
  const [seconds, set] = useState(0)
  useEffect(() => {
    const tell = () => set(Math.floor((Date.now() - since) / 1000))
    tell()
    const id = setInterval(tell, 500)
    return () => clearInterval(id)
  }, [since])
  return (
    <div class="running"><span role="status">{seconds < 2 ? t('x_asking') : t('x_asking_for', { n: seconds })}</span>
      <span class="running-bar" aria-hidden="true" /><Button small icon="close" onClick={stop}>{t('x_stop')}</Button></div>
  )
}

export function Copyable({ title, hint, text, children }: { title: string; hint: string; text: string; children?: ComponentChildren }) {
  const copy = async () => {
    try { await navigator.clipboard.writeText(text); toast(t('x_copied')) } catch { /* the text can be marked by hand */ }
  }
  return (
    <details class="copyable"><summary>{title}</summary>
      <p class="faint">{hint}</p>
      <pre tabIndex={0} aria-label={title}>{text}</pre>
      <div class="row"><Button small icon="copy" onClick={() => void copy()}>{t('x_copy')}</Button>{children}</div>
    </details>
  )
}
