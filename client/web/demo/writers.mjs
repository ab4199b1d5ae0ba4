// People who write into the document on show at the speed of hands: each has a paragraph of
// their own, types it, mends a slip, deletes it in time and types another. The text stays
// as short as it is.

const PACE_MS = 130
const SENTENCES = {
  carla: [
    'Tomatoes are ripe this week, so let us meet on Saturday at four.',
    'I bring the long table; who has chairs for twelve?',
    'The band can play from six on, if the rain stays away.'
  ],
  dan: [
    'Bread: six loaves, and the olive one that everyone liked. 🍞',
    'I ask the neighbours about the garden and the lights.',
    'Soup for twelve needs four kilos of pumpkin, says my mother.'
  ]
}

const pause = ms => new Promise(resolve => setTimeout(resolve, ms))

/** Where a writer writes: after this line, which stays. */
const HEADINGS = { carla: '## Carla’s notes\n', dan: '## Dan’s list\n' }

export const WELCOME = `# Harvest supper

Two people share this page, and you are both of them.
Type here: a ● says that it is on its way, a ✓ that PostgreSQL has it.
Cut a wire with the scissors, go on typing, and join it again.

${HEADINGS.carla}

${HEADINGS.dan}
`

class Writer {
  constructor (document, user, signal) {
    Object.assign(this, { document, user, signal, at: 0, n: 0 })
    // where the writer's hand is moves with what others type before it
    document.on('change', ({ changes, source }) => {
      if (source === this) return
      let shift = 0
      for (const { from, to, insert } of changes) {
        if (to <= this.at && from < this.at) shift += insert.length - (to - from)
        else if (from < this.at) shift += from - this.at
      }
      this.at += shift
    })
  }

  get gone () {
    return this.signal.aborted
  }

  async rest (ms) {
    if (!this.gone) await pause(ms)
  }

  /** Into the text where the hand is; false where the user may not, or there is none yet. */
  put (changes, at) {
    if (!this.document.canEdit || this.document.status === 'closed') return false
    this.document.edit(changes, { source: this })
    this.at = at
    this.document.presence.set({ cursor: { anchor: at, head: at } })
    return true
  }

  async type (text) {
    for (const character of text) {
      if (this.gone || !this.put({ from: this.at, insert: character }, this.at + character.length)) return
      await this.rest(PACE_MS * (character === ' ' ? 1.6 : /[.,;?]/.test(character) ? 4 : 0.6 + Math.random() * 0.8))
    }
  }

  async erase (count) {
    for (let i = 0; i < count && this.at > 0; i++) {
      const text = this.document.text
      const length = /[\udc00-\udfff]/.test(text[this.at - 1]) ? 2 : 1
      if (text[this.at - 1] === '\n' || this.gone || !this.put({ from: this.at - length, to: this.at }, this.at - length)) return
      await this.rest(PACE_MS * 0.45)
    }
  }

  /** Go to the writer's own line; it is made anew where someone deleted it. */
  find () {
    const { document } = this
    const heading = HEADINGS[this.user]
    const found = document.text.indexOf(heading)
    if (found < 0) {
      const start = document.length
      document.edit({ from: start, insert: `\n${heading}\n` }, { source: this })
      this.at = start + 1 + heading.length
    } else {
      const from = found + heading.length
      const end = document.text.indexOf('\n', from)
      this.at = end < 0 ? document.length : end
    }
  }

  async sentence () {
    this.find()
    const text = SENTENCES[this.user][this.n++ % SENTENCES[this.user].length]
    const { document } = this
    const line = document.text.slice(document.text.lastIndexOf('\n', this.at - 1) + 1, this.at)
    if (line.length > 0) {
      await this.erase([...line].length)
      await this.rest(700)
    }
    // a slip, seen and mended
    const slip = Math.floor(text.length / 2)
    await this.type(text.slice(0, slip) + 'xz')
    await this.rest(500)
    await this.erase(2)
    await this.type(text.slice(slip))
  }
}

/** Write until the signal says stop. */
export async function write (document, user, signal, beginMs = 0) {
  await document.loaded
  const writer = new Writer(document, user, signal)
  await pause(beginMs)
  while (!signal.aborted) {
    if (document.status === 'connected' && document.canEdit) await writer.sentence()
    await pause(2500 + Math.random() * 2500)
  }
}
