import { testEditor } from './lib/editors.mjs'

testEditor('textarea')
