// A drawing that the server sends as text: a QR code. Shapes only; anything that could act is left out.
import { useMemo } from 'preact/hooks'

const SHAPES = new Set(['svg', 'g', 'path', 'rect', 'circle', 'polygon', 'title', 'desc'])

export function Svg({ text, label }: { text: string; label: string }) {
  const inner = useMemo(() => {
    const doc = new DOMParser().parseFromString(text, 'image/svg+xml')
    const root = doc.documentElement
    if (root.nodeName !== 'svg') return null
    for (const el of [...root.querySelectorAll('*')]) {
      if (!SHAPES.has(el.nodeName)) { el.remove(); continue }
      for (const a of [...el.attributes]) if (/^on|href|style/i.test(a.name)) el.removeAttribute(a.name)
    }
    const size = Number.parseFloat(root.getAttribute('width') ?? '') || 100
    return { box: root.getAttribute('viewBox') ?? `0 0 ${size} ${size}`, html: root.innerHTML }
  }, [text])
  if (!inner) return null
  return <svg class="qr" viewBox={inner.box} role="img" aria-label={label} dangerouslySetInnerHTML={{ __html: inner.html }} />
}
