"""Read by each process of the product that a test starts: what is there for the tests alone it does not find.

Libraries look for others to do more with, and a process starts a tenth slower for those that no installation has.
"""

import sys

for _name in ("httpx2", "msgpack", "pygments", "rich", "yaml"):
    sys.modules[_name] = None  # type: ignore[assignment] # as the import system has it for what may not be found
