// JSON Web Tokens, made by hand so that wrong ones can be made too.

import crypto from 'node:crypto'

const part = value => Buffer.from(JSON.stringify(value)).toString('base64url')

export const SECRET = 'a secret of the tests, long enough'

// A token for a user, signed with the tests' secret.
export function token (sub, claims = {}, { alg = 'HS256', secret = SECRET, header = {} } = {}) {
  const content = `${part({ alg, typ: 'JWT', ...header })}.${part({ sub, ...claims })}`
  if (alg === 'none') return `${content}.`
  const hash = { HS256: 'sha256', HS384: 'sha384', HS512: 'sha512' }[alg]
  return `${content}.${crypto.createHmac(hash, secret).update(content).digest('base64url')}`
}

// A token signed with a private key.
export function signedToken (sub, key, alg, { claims = {}, header = {} } = {}) {
  const content = `${part({ alg, ...header })}.${part({ sub, ...claims })}`
  const signature = crypto.sign('sha256', Buffer.from(content), { key, dsaEncoding: 'ieee-p1363' })
  return `${content}.${signature.toString('base64url')}`
}

export const now = () => Math.floor(Date.now() / 1000)
