/** Web Locks as a browser has them: held for as long as a promise takes. */
export class Locks {
  held = new Map()

  async request (name, { ifAvailable }, work) {
    if (ifAvailable && this.held.has(name)) return work(null)
    const lock = { name }
    this.held.set(name, lock)
    try {
      return await work(lock)
    } finally {
      this.held.delete(name)
    }
  }
}
