/** The number of the form in which sessions are stored. */

export const SCHEMA = 1
