"""One module or package per backend. A module in here joins the table by defining ``KERNELS``."""
