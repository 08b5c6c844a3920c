"""The flow in the browser: `minihost ui` serves a project to the person who started it."""
