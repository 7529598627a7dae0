// Unsaved input: kept on this device as it is typed, offered again when the form opens, gone once it is saved.
const ALL = 'weft.draft.'
let PREFIX = ALL
/** Whose input it is: another person on the same device is not offered it. */
export function draftsOf(user: string) { PREFIX = `${ALL}${user}.` }
const AGE_MS = 7 * 86_400_000

export interface Draft { at: number; values: Record<string, unknown> }

export function readDraft(key: string): Draft | null {
  try {
    const text = localStorage.getItem(PREFIX + key)
    if (!text) return null
    const d = JSON.parse(text) as Draft
    if (Date.now() - d.at > AGE_MS) { dropDraft(key); return null }
    return d
  } catch { return null }
}
export function keepDraft(key: string, values: Record<string, unknown>) {
  try { localStorage.setItem(PREFIX + key, JSON.stringify({ at: Date.now(), values })) } catch { /* storage is full or forbidden: the form itself still has it */ }
}
export function dropDraft(key: string) {
  try { localStorage.removeItem(PREFIX + key) } catch { /* nothing was kept */ }
}
/** Who signs out leaves nothing behind. */
export function dropDrafts() {
  try { for (const k of Object.keys(localStorage)) if (k.startsWith(PREFIX)) localStorage.removeItem(k) } catch { /* nothing was kept */ }
}
