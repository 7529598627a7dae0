// A button that opens a few choices. Escape and a click elsewhere close it; arrows move in it.
import type { ComponentChildren } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { Button } from './bits'
import type { IconName } from './icons'

export function Menu({ icon, label, children, small }: { icon: IconName; label: string; children: ComponentChildren; small?: boolean }) {
  const [open, setOpen] = useState(false)
  const box = useRef<HTMLDivElement>(null)
  useEffect(() => {
    if (!open) return
    const away = (e: Event) => { if (!box.current?.contains(e.target as Node)) setOpen(false) }
    const key = (e: KeyboardEvent) => {
      const items = [...box.current?.querySelectorAll<HTMLElement>('[role=menuitem]') ?? []]
      const at = items.indexOf(document.activeElement as HTMLElement)
      if (e.key === 'Escape') { setOpen(false); box.current?.querySelector('button')?.focus() }
      else if (e.key === 'ArrowDown') { e.preventDefault(); items[(at + 1) % items.length]?.focus() }
      else if (e.key === 'ArrowUp') { e.preventDefault(); items[(at - 1 + items.length) % items.length]?.focus() }
    }
    addEventListener('pointerdown', away)
    addEventListener('keydown', key)
    box.current?.querySelector<HTMLElement>('[role=menuitem]')?.focus()
    return () => { removeEventListener('pointerdown', away); removeEventListener('keydown', key) }
  }, [open])
  return (
    <div class="menu-box" ref={box}>
      <Button icon={icon} small={small} aria-haspopup="menu" aria-expanded={open} onClick={() => setOpen(!open)}>{label}</Button>
      {open && <div class="pop" role="menu" aria-label={label} onClick={() => setOpen(false)}>{children}</div>}
    </div>
  )
}
