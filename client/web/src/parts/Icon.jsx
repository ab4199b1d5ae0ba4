/** Small drawings on buttons; what they mean is the button's label. */

/** @type {Record<string, string>} */
const PATHS = {
  back: 'M15 5 7 12l8 7zM5 5v14',
  play: 'M7 4.5v15l12-7.5z',
  pause: 'M8 5v14M16 5v14',
  next: 'm9 5 8 7-8 7zM19 5v14',
  cut: 'M6 9a3 3 0 1 0 0-6 3 3 0 0 0 0 6Zm0 12a3 3 0 1 0 0-6 3 3 0 0 0 0 6ZM8.2 8 20 18.5M8.2 16 20 5.500',
  join: 'M10 13.500a4 4 0 0 0 5.700 0l3-3a4 4 0 0 0-5.700-5.700l-1 1M14 10.500a4 4 0 0 0-5.700 0l-3 3a4 4 0 0 0 5.700 5.700l1-1'
}

/** @param {{ name: string }} props */
export function Icon ({ name }) {
  return (
    <svg class={`icon icon-${name}`} viewBox='0 0 24 24' aria-hidden='true' fill={name === 'cut' || name === 'join' ? 'none' : 'currentColor'}>
      <path d={PATHS[name]} stroke='currentColor' stroke-width={name === 'pause' ? 4 : 2} stroke-linecap='round' stroke-linejoin='round' />
    </svg>
  )
}
