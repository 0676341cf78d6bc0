"""Runs a script with the tracer loaded before it: ``python FOLDER SCRIPT [ARGUMENTS]``."""

from _deeplocalize_tracer import launcher

launcher.main()
