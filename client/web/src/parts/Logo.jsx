/** Two lines that become one. */

export function Logo () {
  return (
    <svg class='logo' viewBox='0 0 32 32' aria-hidden='true'>
      <path d='M3 8c8 0 9 8 13 8s5-8 13-8M3 24c8 0 9-8 13-8s5 8 13 8' fill='none' stroke='currentColor' stroke-width='3.2' stroke-linecap='round' />
    </svg>
  )
}
