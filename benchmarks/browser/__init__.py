"""The browser's side, measured in a real Chromium against a live server: `python -m benchmarks.browser`."""
