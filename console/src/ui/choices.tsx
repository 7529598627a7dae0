// Language and theme, wherever they are offered.
import { t } from '../i18n'
import { useCell } from '../lib/cell'
import { chooseLang, chooseTheme, lang, theme, type Theme } from '../lib/prefs'
import { Segments } from './bits'
import { Icon } from './icons'

export function Choices() {
  const now = useCell(theme)
  const l = useCell(lang)
  const icon = (name: 'system' | 'sun' | 'moon', label: string) => <><Icon name={name} size={17} /><span class="vh">{label}</span></>
  return (
    <div class="choices">
      <Segments label={t('language')} value={l} onPick={chooseLang} options={[{ value: 'zh', label: <span lang="zh-CN">中文</span> }, { value: 'en', label: <span lang="en">English</span> }]} />
      <Segments<Theme> label={t('theme')} value={now} onPick={chooseTheme} options={[
        { value: 'system', label: icon('system', t('theme_system')) }, { value: 'light', label: icon('sun', t('theme_light')) }, { value: 'dark', label: icon('moon', t('theme_dark')) }]} />
    </div>
  )
}
