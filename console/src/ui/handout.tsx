// A link to hand to somebody: as a code to scan, to copy, to print.
import { useState } from 'preact/hooks'
import { t } from '../i18n'
import { absolute } from '../lib/format'
import { Button, toast } from './bits'
import { Dialog } from './dialog'
import { Svg } from './svg'

export interface Handout { url: string; svg: string; expires?: string | null }
export function HandoutDialog({ of, title, hint, close }: { of: Handout; title: string; hint: string; close: () => void }) {
  const [copied, setCopied] = useState(false)
  const copy = () => { void navigator.clipboard?.writeText(of.url).then(() => { setCopied(true); toast(t('copied')) }) }
  return (
    <Dialog title={title} onClose={close}>
      <div class="qr-sheet printable"><p>{hint}</p><Svg text={of.svg} label={title} /><code class="url">{of.url}</code>
        {of.expires && <p class="faint">{t('valid_until')} {absolute(of.expires)}</p>}
        <div class="decide center"><Button icon={copied ? 'check' : 'copy'} onClick={copy}>{t('copy_link')}</Button><Button kind="quiet" icon="print" onClick={() => print()}>{t('print_pdf').replace(/ .*| PDF/, '')}</Button></div></div>
    </Dialog>
  )
}
