"""What the site is made of besides Sphinx: docstrings, executed lessons, JupyterLite."""
