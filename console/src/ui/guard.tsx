// A page that fails to draw says so and lets the rest stand.
import { Component, type ComponentChildren } from 'preact'
import { t } from '../i18n'
import { Problem } from '../lib/api'
import { ErrorBox } from './bits'

export class Guard extends Component<{ at: string; children: ComponentChildren }, { error: unknown; at: string }> {
  override state = { error: null as unknown, at: '' }
  override componentDidCatch(error: unknown) {
    console.error(error)
    this.setState({ error, at: this.props.at })
  }
  override render() {
    const { error, at } = this.state
    if (!error || at !== this.props.at) return this.props.children
    return <div class="page"><ErrorBox error={new Problem(0, t('error'), error instanceof Error ? error.message : String(error))} retry={() => this.setState({ error: null })} /></div>
  }
}
