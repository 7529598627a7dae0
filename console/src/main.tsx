import { render } from 'preact'
import './style/base.css'
import './style/parts.css'
import './style/pages.css'
import './style/docs.css'
import './style/share.css'
import './style/explore.css'
import { App } from './app'

render(<App />, document.getElementById('app')!)
