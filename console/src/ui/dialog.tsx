// A modal sheet: centred on a desk, from the bottom on a phone. The browser's own <dialog> keeps focus inside.
import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { t } from '../i18n'
import { Button } from './bits'

let serial = 0

export function Dialog({ title, onClose, children, wide }: { title: string; onClose: () => void; children: ComponentChildren; wide?: boolean }) {
  const ref = useRef<HTMLDialogElement>(null)
  const id = useRef(`dialog-${++serial}`).current
  useEffect(() => {
    const el = ref.current
    if (!el) return
    const back = document.activeElement as HTMLElement | null
    if (!el.open) el.showModal()
    return () => { el.close(); back?.focus?.() }
  }, [])
  return (
    <dialog ref={ref} class={wide ? 'broad' : undefined} aria-labelledby={id} onCancel={(e) => { e.preventDefault(); onClose() }}
      onMouseDown={(e) => { if (e.target === ref.current) onClose() }}>
      <div class="sheet">
        <header><h2 id={id}>{title}</h2><Button kind="quiet" icon="close" aria-label={t('close')} onClick={onClose} /></header>
        {children}
      </div>
    </dialog>
  )
}
