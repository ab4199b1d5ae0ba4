/** Deleting one's account. */

import { useState } from 'preact/hooks'
import { explain } from '../app/api.js'
import { api } from '../app/session.js'
import { Twice } from './Twice.jsx'

/** @param {{ name: string, onGone: () => void }} props */
export function DeleteAccount ({ name, onGone }) {
  const [problem, setProblem] = useState('')
  const erase = async () => {
    try {
      setProblem('')
      await api.delete('me')
      onGone()
    } catch (error) {
      setProblem(explain(error))
    }
  }
  return <>
    <Twice label='Delete my account' last={`Delete the account of ${name}, and the documents that only you have? This cannot be undone.`} sure='Delete it for good' onSure={erase}>
      <p>Your account is deleted, with your name and address. Documents that only you are a member of are deleted with all their versions: export or share before what is to stay.</p>
      <p>In all other documents what you wrote stays, but no longer under your name: as its author there is “erased”. Where you are the only owner, another member becomes it.</p>
    </Twice>
    <p class='problem' role='alert'>{problem}</p>
  </>
}
