"""Live monitors of emlab sessions for JupyterLab and Voila."""
