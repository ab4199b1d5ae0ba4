/** Metrics in Prometheus's text form, as a relay tells them. */

const NAME = /^converge_relay_(\w+)(?:\{([^}]*)\})? (\S+)$/

/**
 * Read them: sums by name, and the parts by their labels.
 * @param {string} text
 * @returns {Map<string, number>} `rejects_total`, and `rejects_total{code="stale"}`
 */
export function parseMetrics (text) {
  /** @type {Map<string, number>} */
  const values = new Map()
  for (const line of text.split('\n')) {
    const found = NAME.exec(line)
    if (found === null) continue
    const [, name, labels, value] = found
    values.set(name, (values.get(name) ?? 0) + Number(value))
    if (labels !== undefined) values.set(`${name}{${labels}}`, Number(value))
  }
  return values
}

/** @typedef {{ at: number, values: Map<string, number> }} Reading */

/**
 * How much a counter grew a second, between each two readings; a relay that began anew
 * begins at nothing.
 * @param {Reading[]} readings
 * @param {string} name
 */
export function rates (readings, name) {
  return readings.slice(1).map(({ at, values }, i) => {
    const before = readings[i]
    const grown = (values.get(name) ?? 0) - (before.values.get(name) ?? 0)
    return Math.max(0, grown) / Math.max(0.001, (at - before.at) / 1000)
  })
}

/** @param {Reading[]} readings @param {string} name */
export const levels = (readings, name) => readings.map(({ values }) => values.get(name) ?? 0)
