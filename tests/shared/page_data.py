"""What a page draws, read back from its text."""

import base64
import gzip
import json
import re
from typing import Any


def data_of(text: str) -> Any:
    """Return the data of a report or a comparison."""
    found = re.search(r'<script id="data" type="text/plain">(.*?)</script>', text, re.S)
    assert found
    return json.loads(gzip.decompress(base64.b64decode(found[1])))
