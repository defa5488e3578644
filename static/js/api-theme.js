// The package's page about the REST interface has a class for its dark colours. No module: it runs before the page is seen.

const wish = document.documentElement.dataset.theme
const system = matchMedia('(prefers-color-scheme: dark)')
const show = () => document.documentElement.classList.toggle('dark-mode', wish ? wish === 'dark' : system.matches)

system.addEventListener('change', show)
show()
