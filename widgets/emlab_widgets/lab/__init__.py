"""emlab in a person's own JupyterLab: a tile in the launcher, and the pages that it opens."""
