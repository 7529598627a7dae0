// A table of any number of rows: only those in sight are in the page.
import type { ComponentChildren } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'

const ROW = 36, AROUND = 12

export interface Column { name: string; title?: string; right?: boolean }
export function Grid({ columns, n, cell, label }: { columns: Column[]; n: number; cell: (row: number, column: number) => ComponentChildren; label: string }) {
  const box = useRef<HTMLDivElement>(null)
  const [top, setTop] = useState(0)
  const [height, setHeight] = useState(480)
  useEffect(() => {
    const el = box.current
    if (!el) return
    const fit = new ResizeObserver(() => setHeight(el.clientHeight))
    fit.observe(el)
    return () => fit.disconnect()
  }, [])
  useEffect(() => { if (box.current) box.current.scrollTop = 0; setTop(0) }, [columns, n])
  const first = Math.max(0, Math.floor(top / ROW) - AROUND), last = Math.min(n, Math.ceil((top + height) / ROW) + AROUND)
  const blank = (rows: number) => rows > 0 && <tr aria-hidden="true" class="blank"><td colSpan={columns.length} style={{ height: `${rows * ROW}px` }} /></tr>
  return (
    <div class="grid-box" ref={box} tabIndex={0} role="region" aria-label={label} onScroll={(e) => setTop(e.currentTarget.scrollTop)}>
      <table class="grid" aria-rowcount={n + 1}>
        <thead><tr aria-rowindex={1}>{columns.map((c) => <th scope="col" class={c.right ? 'right' : undefined}>{c.title ?? c.name}</th>)}</tr></thead>
        <tbody>
          {blank(first)}
          {Array.from({ length: Math.max(0, last - first) }, (_, i) => first + i).map((row) => (
            <tr key={row} aria-rowindex={row + 2}>{columns.map((c, k) => <td class={c.right ? 'right num' : undefined}>{cell(row, k)}</td>)}</tr>))}
          {blank(n - last)}
        </tbody>
      </table>
    </div>
  )
}
