"""Free ports, as the scripts of tools/services choose them."""
import sys

from .suite import ROOT

sys.path.append(str(ROOT / "tools" / "services"))
from free_ports import free_ports  # noqa: what it is there for


def free_port():
    return free_ports()[0]
