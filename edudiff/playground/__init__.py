"""The playground: a page on which edudiff itself runs, in a web browser, with nothing installed.

`folder.write` makes it, `serve.server` shows it; `play` is the Python that answers it. In the browser `play` alone is
loaded, so nothing is imported here.
"""
