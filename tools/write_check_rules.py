"""Write the rules of `minihost check` from the host into docs/check-rules.md, between two marks.

python tools/write_check_rules.py            # write
python tools/write_check_rules.py --check    # only say whether the page is stale, exit 1 if it is
"""

import sys
from pathlib import Path

from minihost.rules import RULES

PAGE = Path(__file__).resolve().parents[1] / "docs" / "check-rules.md"
START, END = "<!-- generated from minihost/rules.py -->", "<!-- end of the generated part -->"


def cell(text):
    return text.replace("|", "\\|")


def generated():
    lines = ["| rule | level | why | what to write |", "|---|---|---|---|"]
    lines += [f"| `{name}` | {rule.level} | {cell(rule.why)} | {cell(rule.fix)} |" for name, rule in RULES.items()]
    return "\n".join([START, "", *lines, "", END])


def main():
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(START)
    wanted = before + generated() + rest.partition(END)[2]
    if "--check" in sys.argv[1:]:
        if text != wanted:
            print(f"{PAGE.name} is stale: run python tools/write_check_rules.py")
            return 1
        return 0
    PAGE.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
