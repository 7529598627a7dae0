// A page that is fetched when it is first wanted, so that the first paint stays small.
import type { ComponentType } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { Problem } from '../lib/api'
import { t } from '../i18n'
import { ErrorBox, Skeleton } from './bits'

export function lazy<P extends object>(load: () => Promise<ComponentType<P>>): ComponentType<P> {
  let made: ComponentType<P> | undefined
  return function Lazy(props: P) {
    const [, again] = useState(0)
    const [error, setError] = useState<unknown>(null)
    const ask = () => {
      setError(null)
      load().then((c) => { made = c; again((n) => n + 1) }).catch(() => setError(new Problem(0, t('unreachable'), t('unreachable_detail'))))
    }
    useEffect(() => { if (!made) ask() }, [])
    if (made) { const Made = made; return <Made {...props} /> }
    return <div class="page">{error ? <ErrorBox error={error} retry={ask} /> : <Skeleton rows={6} height={34} />}</div>
  }
}
