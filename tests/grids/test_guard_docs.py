"""The tables of docs/models/guard.md are printed from the parameters.

`python tests/grids/test_guard_docs.py` writes them anew.
"""

import re
from pathlib import Path

from cosim.core.params import Params
from grids.guard.params import AfterLoss, GuardParams, SwingParams

PAGE = Path(__file__).resolve().parents[2] / "docs" / "models" / "guard.md"


def printed(model: type[Params]) -> str:
    rows = ["| parameter | default | meaning |", "|---|---|---|"]
    for name, field in model.model_fields.items():
        default = "" if isinstance(field.default, Params) else field.default
        rows.append(f"| `{name}` | {default} | {field.description} |")
    return "\n".join(rows)


def filled(text: str) -> str:
    for model in (GuardParams, SwingParams, AfterLoss):
        head = f"<!-- table {model.__name__} -->"
        text = re.sub(
            re.escape(head) + r"\n.*?<!-- end -->",
            lambda _, head=head, model=model: f"{head}\n{printed(model)}\n<!-- end -->",
            text,
            flags=re.DOTALL,
        )
    return text


def test_the_page_has_the_parameters_of_the_guard():
    text = PAGE.read_text(encoding="utf-8")
    assert filled(text) == text
    assert text.count("| `") > len(GuardParams.model_fields)


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
