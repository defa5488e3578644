"""The log console on a page: what it shows, and the keys that one presses in it."""

LINES = "log-console .lines"
SHOWN = "log-console .line[data-address]"
TEXT = f"{SHOWN} .text"
LOGS = "tests.support.logs"


async def texts(page):
    """What the window shows, row by row."""
    return await page.evaluate(
        """() => {
          const view = document.querySelector('log-console .lines').getBoundingClientRect()
          return [...document.querySelectorAll('log-console .line[data-address]')]
            .map((row) => [row.getBoundingClientRect(), row.querySelector('.text').textContent])
            .filter(([place]) => place.top >= view.top - 1 && place.bottom <= view.bottom + 1)
            .map(([, text]) => text)
        }"""
    )


def row(page, text):
    return page.locator(SHOWN, has=page.locator(f".text:text-is('{text}')"))


async def prefer(page, **prefs):
    await page.evaluate("prefs => localStorage.setItem('signalbox:log', JSON.stringify(prefs))", prefs)


async def press(page, *keys):
    await page.focus(LINES)
    for key in keys:
        await page.keyboard.press(key)
