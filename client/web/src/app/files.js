/** Documents as files: a whole document with its history, to take elsewhere and bring back. */

/** How the names of such files end. */
export const ENDING = '.converge'

/**
 * Have the browser store a document as a file.
 * @param {string} title which names the file
 * @param {string} data base64
 */
export function download (title, data) {
  const bytes = Uint8Array.from(atob(data), one => one.charCodeAt(0))
  const link = document.createElement('a')
  link.href = URL.createObjectURL(new Blob([bytes]))
  const name = [...title.replace(/[^\p{L}\p{N}._ -]+/gu, '_').trim()].slice(0, 80).join('')
  link.download = (name || 'document') + ENDING
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
}

/** A file's bytes in base64. @param {Blob} file @returns {Promise<string>} */
export function base64Of (file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader()
    reader.onload = () => resolve(String(reader.result).replace(/^[^,]*,?/, ''))
    reader.onerror = () => reject(new Error('The file cannot be read.'))
    reader.readAsDataURL(file)
  })
}
