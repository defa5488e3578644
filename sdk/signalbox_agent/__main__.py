import sys

from signalbox_agent.cli import main

sys.exit(main())
