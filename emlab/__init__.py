"""emlab: cryo-EM movies processed while the microscope writes them, native to Jupyter."""

__version__ = "0.1.0"
