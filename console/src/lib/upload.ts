// Bytes to the server with progress: fetch cannot tell how much has gone, XMLHttpRequest can.
import { cell } from './cell'
import { problem, Problem } from './api'
import { t } from '../i18n'

export interface Upload { name: string; sent: number; total: number }
/** Uploads under way, for pages that want to say so. */
export const uploads = cell<readonly Upload[]>([])

export function upload<T>(path: string, file: Blob & { name?: string }, headers: Record<string, string>, progress: (part: number) => void, signal?: AbortSignal): Promise<T> {
  return new Promise((done, fail) => {
    const x = new XMLHttpRequest()
    x.open('POST', '/api/v1/' + path)
    x.setRequestHeader('X-Weft', '1')
    x.setRequestHeader('Accept', 'application/json')
    for (const [k, v] of Object.entries(headers)) x.setRequestHeader(k, v)
    x.upload.onprogress = (e) => { if (e.lengthComputable) progress(e.loaded / (e.total || 1)) }
    x.onerror = () => fail(new Problem(0, t('unreachable'), t('unreachable_detail')))
    x.onabort = () => fail(new DOMException('aborted', 'AbortError'))
    x.onload = () => {
      if (x.status >= 200 && x.status < 300) done((x.responseText ? JSON.parse(x.responseText) : undefined) as T)
      else fail(problem(path, x.status, x.responseText))
    }
    signal?.addEventListener('abort', () => x.abort())
    x.send(file)
  })
}
