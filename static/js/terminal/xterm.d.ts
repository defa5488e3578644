// xterm.js declares its types under its package's name; the browser knows the file.
export { Terminal } from '@xterm/xterm'
