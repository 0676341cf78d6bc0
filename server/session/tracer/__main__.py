"""Runs a script with the tracer loaded before it: ``python FOLDER SCRIPT [ARGUMENTS]``."""

import sys

if sys.version_info < (3, 9):
    sys.stderr.write("deeplocalize needs Python 3.9 or later; this is Python %d.%d\n" % sys.version_info[:2])
    sys.exit(1)

from _deeplocalize_tracer import launcher

launcher.main()
