"""How fast the library is, beside other packages and a floor in plain NumPy: `make bench`."""
