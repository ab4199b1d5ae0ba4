// Who one is: keys of several kinds, forged tokens, tokens that run out.

import test, { after, before } from 'node:test'
import assert from 'node:assert/strict'
import crypto from 'node:crypto'
import fs from 'node:fs'
import { createDocument } from './lib/pg.mjs'
import { Raw } from './lib/raw.mjs'
import { file, startRelay } from './lib/relay.mjs'
import { now, signedToken, token } from './lib/token.mjs'

const rsa = crypto.generateKeyPairSync('rsa', { modulusLength: 2048 })
const ec = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' })
const other = crypto.generateKeyPairSync('rsa', { modulusLength: 2048 })
const jwk = (pair, rest) => ({ ...pair.publicKey.export({ format: 'jwk' }), ...rest })
const pem = (pair, type = 'spki') => pair.publicKey.export({ type, format: 'pem' })
const oct = (secret, rest) => ({ kty: 'oct', k: Buffer.from(secret).toString('base64url'), ...rest })

let doc, relay, jwks
before(async () => {
  doc = await createDocument('é')
  jwks = file('jwks.json', JSON.stringify({ keys: [
    jwk(rsa, { kid: 'r', alg: 'RS256', use: 'sig' }), jwk(ec, { kid: 'e' }), oct('a secret for this set only', { kid: 'o' })
  ] }))
  relay = await startRelay({ jwks, 'jwt-audience': 'docs', 'jwt-issuer': 'https://id.example', 'jwt-skew': 0 })
})
after(() => relay.stop())

const claims = { aud: ['docs', 'mail'], iss: 'https://id.example' }

// Joins with this token, or is closed with 4401 for a reason that matches.
async function taken (text, where = relay) {
  const client = await new Raw(where, doc).join('zoë', { token: text })
  assert.equal(client.joined.userId, 'zoë')
  return client
}

async function refused (text, says, where = relay) {
  const client = await new Raw(where, doc).opened()
  client.send({ type: 'hello', token: text })
  const { code, message } = await client.expect('error')
  assert.equal(code, 'unauthenticated')
  assert.match(message, says)
  assert.equal((await client.close()).code, 4401)
}

test('keys of every kind, each by its name or without', async () => {
  for (const header of [{}, { kid: 'r' }]) (await taken(signedToken('zoë', rsa.privateKey, 'RS256', { claims, header }))).end()
  for (const header of [{}, { kid: 'e' }]) (await taken(signedToken('zoë', ec.privateKey, 'ES256', { claims, header }))).end()
  for (const header of [{}, { kid: 'o' }]) (await taken(token('zoë', claims, { secret: 'a secret for this set only', header }))).end()
  // the key file has no name, so it stands for any
  for (const header of [{}, { kid: 'x' }]) (await taken(token('zoë', claims, { header }))).end()
})

test('the wrong key, or the right one under another name', async () => {
  for (const header of [{}, { kid: 'r' }]) await refused(signedToken('zoë', other.privateKey, 'RS256', { claims, header }), /signature/)
  await refused(signedToken('zoë', rsa.privateKey, 'RS256', { claims, header: { kid: 'e' } }), /no key/)
  await refused(signedToken('zoë', ec.privateKey, 'ES256', { claims, header: { kid: 'r' } }), /no key/)
  await refused(signedToken('zoë', rsa.privateKey, 'ES256', { claims }), /signature/)
  await refused(signedToken('zoë', ec.privateKey, 'RS256', { claims }), /signature/)
})

test('a public key is no shared secret', async () => {
  const secrets = [rsa, ec].flatMap(pair => [pem(pair), pem(pair).trim(), pair.publicKey.export({ type: 'spki', format: 'der' }), JSON.stringify(jwk(pair)), jwk(pair).n ?? jwk(pair).x])
  for (const secret of [...secrets, pem(rsa, 'pkcs1'), '']) {
    for (const header of [{}, { kid: 'r' }, { kid: 'e' }]) await refused(token('zoë', claims, { secret, header }), /signature/)
  }
})

test('stripped and swapped tokens', async () => {
  const good = signedToken('zoë', rsa.privateKey, 'RS256', { claims })
  const [head, body, signature] = good.split('.')
  const part = value => Buffer.from(JSON.stringify(value)).toString('base64url')
  const swapped = part({ sub: 'ann', ...claims })
  for (const bad of [`${head}.${body}.`, `${head}.${body}`, `${head}.${swapped}.${signature}`, `${head}.${swapped}.`, `${part({ alg: 'none' })}.${body}.`,
    `${part({ alg: 'none' })}.${body}.${signature}`, `${part({ alg: 'ES256' })}.${body}.${signature}`, `${head}.${body}.${signature}${signature}`, `${good}.`, `${good}.${signature}`,
    `${head}.${body}.${signature.slice(0, -8)}`, `.${body}.${signature}`]) await refused(bad, /malformed|signature|algorithm/)
  const eckey = signedToken('zoë', ec.privateKey, 'ES256', { claims }).split('.')
  for (const bytes of [0, 1, 2, 63, 65, 64]) await refused(`${eckey[0]}.${eckey[1]}.${Buffer.alloc(bytes).toString('base64url')}`, /malformed|signature/)
})

test('another audience, another issuer, another time', async () => {
  await refused(token('zoë', { ...claims, aud: 'mail' }), /audience/)
  await refused(token('zoë', { iss: claims.iss }), /audience/)
  await refused(token('zoë', { ...claims, iss: 'https://id.example.evil.example' }), /issuer/)
  await refused(token('zoë', { ...claims, iat: now() + 600 }), /future/)
  await refused(token('zoë', { ...claims, nbf: now() + 600 }), /not valid yet/)
  await refused(token('zoë', { ...claims, exp: now() - 600 }), /expired/)
})

test('user names that look alike are different, or invalid', async () => {
  for (const name of ['zoë\0', 'zoë\0ann', '\0', ['zoë'], { zoë: 1 }, 7, null, true]) await refused(token(name, claims), /user|malformed/)
  // another form of the same letters is another user
  for (const name of ['zoe\u0308', 'ZOË', 'zoë ', ' zoë', "zoë'; --"]) {
    const client = await new Raw(relay, doc).join(name, { token: token(name, claims) })
    assert.equal(client.joined.userId, name)
    client.end()
  }
})

test('a long token, wherever it comes', async () => {
  const long = token('zoë', { ...claims, filler: 'é'.repeat(8000) })
  await refused(long, /too long/)
  for (const options of [{ headers: { Authorization: `Bearer ${long}` } }, { query: `?token=${long}` }]) {
    const client = await new Raw(relay, doc, options).opened()
    if (client.socket.readyState === client.socket.OPEN) client.send({ type: 'hello' })
    await client.close()
    assert.ok(client.messages.every(m => m.type === 'error'))
  }
  ;(await taken(token('zoë', claims))).end()
})

test('a token is renewed on the open connection, which ends when the token expires', async () => {
  const client = await taken(token('zoë', { ...claims, exp: now() + 2 }))
  const left = await taken(token('zoë', { ...claims, exp: now() + 2 }))
  client.send({ type: 'token', token: token('zoë', { ...claims, exp: now() + 600 }) })
  assert.equal((await left.expect('error')).code, 'unauthenticated')
  assert.equal((await left.close()).code, 4401)
  client.op(0, ['é'])
  await client.operation()
  // shorter again, and it ends although its user is at work
  client.send({ type: 'token', token: token('zoë', { ...claims, exp: now() + 2 }) })
  assert.equal((await client.close()).code, 4401)
  const stranger = await taken(token('zoë', claims))
  stranger.send({ type: 'token', token: token('ann', claims) })
  assert.match((await stranger.expect('error')).message, /another user/)
  assert.equal((await stranger.close()).code, 4401)
})

test('keys are read again on SIGHUP, and bad ones change nothing', async () => {
  const secret = file('turning', 'the first secret of two')
  const turning = await startRelay({ 'jwt-key': `k1=${secret}` })
  const old = token('zoë', {}, { secret: 'the first secret of two', header: { kid: 'k1' } })
  const fresh = token('zoë', {}, { secret: 'the second secret of two', header: { kid: 'k1' } })
  const client = await taken(old, turning)
  await refused(fresh, /signature/, turning)
  fs.writeFileSync(secret, 'short')
  await turning.reload('could not reload the token keys')
  ;(await taken(old, turning)).end()
  fs.writeFileSync(secret, 'the second secret of two')
  await turning.reload('token keys reloaded')
  await refused(old, /signature/, turning)
  ;(await taken(fresh, turning)).end()
  // who is in stays in
  client.send({ type: 'nonsense' })
  assert.equal((await client.expect('error')).code, 'unknown_type')
  client.end()
  assert.ok(!turning.log().includes(old.split('.')[2]))
  await turning.stop()
})

