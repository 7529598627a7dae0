// Runs before the first paint: the chosen theme and language, so that nothing flashes.
// As a self-contained block: this file is loaded as a classic script.
{
  const root = document.documentElement
  let theme: string | null = null
  let lang: string | null = null
  try {
    theme = localStorage.getItem('weft.theme')
    lang = localStorage.getItem('weft.lang')
  } catch { /* storage may be forbidden: the system's choice stands */ }
  if (theme === 'light' || theme === 'dark') root.dataset.theme = theme
  root.lang = lang ?? (/^zh\b/i.test(navigator.language) ? 'zh-CN' : 'en')
}
