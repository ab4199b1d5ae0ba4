// Waiting for conditions, never for time to pass: each wait has a bound, and
// says what it waited for when the bound is reached.

export const BOUND_MS = 30000

// Wait until check() gives something true, and give that. It is asked again
// and again, so it may look at anything.
export async function until (what, check, boundMs = BOUND_MS) {
  const end = Date.now() + boundMs
  for (;;) {
    const found = await check()
    if (found) return found
    if (Date.now() > end) throw new Error(`waited in vain for ${what}`)
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}

// Give what a promise gives, or fail after the bound.
export async function within (what, promise, boundMs = BOUND_MS) {
  let timer
  const bound = new Promise((resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`waited in vain for ${what}`)), boundMs)
  })
  try {
    return await Promise.race([promise, bound])
  } finally {
    clearTimeout(timer)
  }
}
