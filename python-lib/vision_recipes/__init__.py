"""Deep learning on images: the core of the vision recipes. Knows no host.

`import openvino` would also load OpenVINO's model converter, which takes a quarter of a second and tells its maker of
every start over the network. Nothing here converts with it, and nobody's job should phone home: it is kept out.
"""

import sys

sys.modules.setdefault("openvino.tools.ovc", None)  # type: ignore[arg-type]  # None: importing it fails, as is foreseen
