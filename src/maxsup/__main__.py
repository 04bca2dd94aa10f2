import sys

from maxsup.cli import main

sys.exit(main())
