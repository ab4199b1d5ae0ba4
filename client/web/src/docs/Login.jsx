/** Who are you? A sample user, an account, or a new one. */

import { useState } from 'preact/hooks'
import { explain } from '../app/api.js'
import { colorOf } from '../app/colors.js'
import { become, logIn, signUp } from '../app/session.js'
import { Avatar } from '../parts/People.jsx'

/** @param {{ config: import('../app/config.js').Config, title?: string }} props */
export function Login ({ config, title = 'Log in' }) {
  const [fresh, setFresh] = useState(false)
  const [problem, setProblem] = useState('')
  const [busy, setBusy] = useState(false)

  /** @param {SubmitEvent} event */
  const submit = async event => {
    event.preventDefault()
    const given = new FormData(/** @type {HTMLFormElement} */ (event.currentTarget))
    const [name, address, password] = ['name', 'address', 'password'].map(field => String(given.get(field) ?? ''))
    setBusy(true)
    setProblem('')
    try {
      await (fresh ? signUp(name, address, password) : logIn(address, password))
    } catch (error) {
      setProblem(explain(error))
      setBusy(false)
    }
  }

  return (
    <main class='narrow' tabIndex={-1}>
      <h1>{fresh ? 'Make an account' : title}</h1>
      {config.demo && (
        <section class='card' aria-label='Sample users'>
          <p>This is a demonstration: be one of its sample users.</p>
          <ul class='samples-list'>
            {config.demo.users.map(user => <li key={user.id}><button type='button' class='person' onClick={() => become(user)}><Avatar name={user.name} color={colorOf(user.id)} /> {user.name}</button></li>)}
          </ul>
        </section>
      )}
      <form class='card' onSubmit={submit}>
        {fresh && <label class='field'>Name<input name='name' required maxLength={100} autocomplete='name' /></label>}
        <label class='field'>E-mail address<input name='address' type='email' required autocomplete='username' /></label>
        <label class='field'>Password<input name='password' type='password' required minLength={fresh ? 8 : 1} autocomplete={fresh ? 'new-password' : 'current-password'} /></label>
        <p class='problem' role='alert'>{problem}</p>
        <div class='row'>
          <button type='submit' class='primary' disabled={busy}>{fresh ? 'Sign up' : 'Log in'}</button>
          <button type='button' class='quiet' onClick={() => {
            setFresh(!fresh)
            setProblem('')
          }}>{fresh ? 'I have an account' : 'Make an account'}</button>
        </div>
      </form>
    </main>
  )
}
