/**
 * The first minute: one document, two people with a wire each, PostgreSQL between them, and
 * below it the past and SQL.
 */

import { Client } from 'converge-client'
import { useEffect, useMemo, useState } from 'preact/hooks'
import { Api, base } from '../app/api.js'
import { PastBar, PastText } from '../past/Past.jsx'
import { usePast } from '../past/use_past.js'
import { Middle, useCommits } from './Middle.jsx'
import { Pane } from './Pane.jsx'
import { SqlBox } from './SqlBox.jsx'
import { Wire } from './wire.js'

/** @import { Demo } from '../app/config.js' */

/** @param {Demo} demo */
function connect (demo) {
  const people = demo.users.slice(0, 2).map(user => {
    const wire = new Wire()
    const client = new Client({ url: base, token: async () => user.token, ...wire.options })
    return { user, wire, client, document: client.open(demo.document) }
  })
  const observer = new Client({ url: base, token: async () => demo.observer })
  return {
    people,
    observer: observer.open(demo.document),
    console: demo.console === null ? null : observer.open(demo.console),
    end () {
      for (const { client } of people) client.close()
      observer.close()
    }
  }
}

/** @param {{ demo: Demo }} props */
export function Stage ({ demo }) {
  const [link, setLink] = useState(/** @type {ReturnType<typeof connect> | null} */ (null))
  useEffect(() => {
    const made = connect(demo)
    setLink(made)
    return () => made.end()
  }, [demo])
  return link && <Connected demo={demo} link={link} />
}

/** @param {{ demo: Demo, link: ReturnType<typeof connect> }} props */
function Connected ({ demo, link }) {
  const [cuts, setCuts] = useState([false, false])
  const log = useCommits(link.observer)
  const api = useMemo(() => new Api(() => demo.users[0].token), [demo])
  const past = usePast({ api, id: demo.document, head: log.version })
  /** @param {number} i */
  const toggle = i => {
    const next = cuts.map((cut, n) => n === i ? !cut : cut)
    link.people[i].wire.set(next[i])
    setCuts(next)
  }
  return (
    <main class='stage' tabIndex={-1}>
      <div class='intro'>
        <h1>One document, two people, every edit a transaction.</h1>
        <p>Type in either pane. Cut a wire, go on typing, join it again: nothing is lost. <span class='key'><span class='sign waits'>●</span> typed</span> <span class='key'><span class='sign fresh'>✓</span> committed in PostgreSQL</span></p>
      </div>
      <div class='panes'>
        <Pane user={link.people[0].user} document={link.people[0].document} cut={cuts[0]} />
        <Middle log={log} wires={link.people.map(({ user }, i) => ({ name: user.name, cut: cuts[i], onToggle: () => toggle(i) }))} />
        <Pane user={link.people[1].user} document={link.people[1].document} cut={cuts[1]} />
      </div>
      <div class='below'>
        <div class='past-card'>
          <PastBar past={past} head={log.version} mayEdit api={api} id={demo.document} title='Every version stays' />
        </div>
        <div class={`beside${past.version === null ? '' : ' in-past'}`}>
          {link.console && <SqlBox document={link.console} by='the page' />}
          <PastText past={past} />
        </div>
      </div>
    </main>
  )
}
