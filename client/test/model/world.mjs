// A world in which nothing happens by itself: time, sockets and chance are the test's, so
// that a schedule happens again to the letter for the same seed.

import { load } from '../../src/core/more.js'
import { load as loadOffline } from '../../src/offline/more.js'
import { Connection } from './server.mjs'

// what is loaded in the course of time is not for a world without any
await Promise.all([load(), loadOffline()])

/** Let everything run that waits for nothing but promises. */
export async function settle (turns = 25) {
  for (let n = 0; n < turns; n++) await null
}

export class World {
  constructor (random) {
    this.random = random
    this.now = 1_700_000_000_000
    this.timers = new Map()
    this.timerCount = 0
    /** @type {Set<Wire>} */
    this.wires = new Set()
    this.wireCount = 0
    this.network = true
    /** @type {any[]} what storages have to do, or to tell */
    this.io = []
  }

  /**
   * The surroundings of one client.
   * @param {() => import('./server.mjs').Server} server
   * @param {{ dead: boolean, listeners?: Set<any> }} tab
   */
  environment (server, tab) {
    const world = this
    tab.listeners = new Set()
    return {
      now: () => world.now,
      setTimeout: (call, ms) => {
        const id = ++world.timerCount
        world.timers.set(id, { at: world.now + Math.max(0, ms), call: () => { if (!tab.dead) call() }, tab })
        return id
      },
      clearTimeout: id => { world.timers.delete(id) },
      random: () => world.random.next(),
      offline: () => !world.network,
      sha256: () => null,
      listen: listener => {
        tab.listeners.add(listener)
        return () => tab.listeners.delete(listener)
      },
      WebSocket: class {
        constructor () {
          this.readyState = 0
          world.wires.add(this.wire = new Wire(world, this, server(), tab))
        }

        send (text) { this.wire.fromClient(text) }
        close () { this.wire.cut() }
      }
    }
  }

  /** Let the next timer fire, whatever time it is then. */
  async tick (most = Infinity) {
    let next
    for (const [id, timer] of this.timers) if (timer.tab.dead) this.timers.delete(id)
    for (const [id, timer] of this.timers) if (!timer.tab.frozen && (next === undefined || timer.at < next.at)) next = { ...timer, id }
    if (next === undefined || next.at > this.now + most) {
      if (most !== Infinity) this.now += most
      return false
    }
    this.now = Math.max(this.now, next.at)
    this.timers.delete(next.id)
    next.call()
    await settle()
    return true
  }

  /** Let a storage do the next thing of some tab, or tell that it was done. */
  async store () {
    this.io = this.io.filter(({ tab }) => !tab.dead)
    const firsts = this.io.filter(({ tab }, i) => !tab.frozen && this.io.findIndex(other => other.tab === tab) === i)
    if (firsts.length === 0) return false
    const next = firsts[this.random.below(firsts.length)]
    if (!next.done) {
      next.done = true
      try {
        next.result = next.work()
      } catch (error) {
        next.error = error
      }
      return true
    }
    this.io.splice(this.io.indexOf(next), 1)
    if (next.error === undefined) next.resolve(next.result)
    else next.reject(next.error)
    await settle()
    return true
  }

  /** Let something arrive somewhere, if there is anything. */
  async arrive () {
    if (this.io.length > 0 && this.random.below(2) && await this.store()) return true
    const busy = [...this.wires].filter(wire => wire.busy)
    if (busy.length === 0) return this.store()
    busy[this.random.below(busy.length)].step()
    await settle()
    return true
  }

  /** Let everything arrive and every timer fire, until nothing happens for a minute. */
  async calm (done, most = 5000) {
    await settle()
    for (let n = 0; n < most; n++) {
      if (await this.arrive()) continue
      if (done()) return true
      await this.tick()
    }
    return false
  }
}

/** A connection between a client's socket and the server. */
class Wire {
  constructor (world, socket, server, tab) {
    Object.assign(this, { world, socket, server, tab, up: [], open: false, over: false })
    this.connection = null
  }

  get busy () {
    return !this.over && !this.tab.dead && !this.tab.frozen && (!this.open || this.up.length > 0 || this.connection.out.length > 0)
  }

  fromClient (text) { if (!this.over) this.up.push(text) }

  /** Something happens on it: it opens, or a message arrives at an end. */
  step () {
    if (!this.open) {
      if (!this.world.network) return this.end(1006)
      this.open = true
      this.connection = new Connection(this.server, ++this.world.wireCount)
      this.socket.readyState = 1
      return this.socket.onopen?.({})
    }
    const down = this.connection.out
    if (down.length > 0 && (this.up.length === 0 || this.world.random.below(2))) {
      const next = down.shift()
      if (typeof next === 'number') this.end(next)
      else this.socket.onmessage?.({ data: next })
      if (this.over && typeof next === 'string' && next.includes('"repeated":true')) this.server.problems.push('an op that came twice cost the connection')
    } else this.server.hear(this.connection, JSON.parse(this.up.shift()))
  }

  /** The connection breaks; what is under way is lost, or some of it arrives yet. */
  break () {
    if (this.over) return
    for (let n = this.world.random.below(this.up.length + 1); n > 0 && this.open; n--) this.server.hear(this.connection, JSON.parse(this.up.shift()))
    this.end(1006)
  }

  end (code) {
    if (this.over) return
    this.cut()
    this.socket.readyState = 3
    if (!this.tab.dead) this.socket.onclose?.({ code, reason: '' })
  }

  /** The client's end is gone; what it had said may arrive still. */
  cut () {
    if (this.over) return
    this.over = true
    this.world.wires.delete(this)
    if (this.connection !== null) {
      for (let n = this.world.random.below(this.up.length + 1); n > 0; n--) this.server.hear(this.connection, JSON.parse(this.up.shift()))
      this.connection.drop()
    }
  }
}
