import type { ComponentChildren } from 'preact'

export function PageHead({ title, children, back }: { title: ComponentChildren; children?: ComponentChildren; back?: ComponentChildren }) {
  return <div class="page-head">{back}<h1>{title}</h1><div class="page-actions">{children}</div></div>
}
