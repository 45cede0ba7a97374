"""What the pages for a web browser share: how they look, and how they paint pictures and write numbers."""

from importlib import resources

PARTS = {"SHARED STYLE": "style.css", "SHARED SCRIPT": "pictures.js"}


def filled(template: str) -> str:
    """A page, or its script, with the shared parts in place of their names: `/* SHARED STYLE */` and its like."""
    for name, file in PARTS.items():
        text = resources.files("edudiff.support.pages").joinpath(file).read_text(encoding="utf-8")
        template = template.replace(f"/* {name} */\n", text)
    return template
