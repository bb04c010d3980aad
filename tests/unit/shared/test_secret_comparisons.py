"""Nothing that proves somebody is compared byte by byte until the first that differs, which a clock could follow.

Whether that can be seen in times is not measured: on a shared machine no number of samples would say it reliably. What
is looked at instead is the code: a secret is compared by `hmac.compare_digest`, or looked up by a digest of it, whose
bytes nobody can choose.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[3]
SECRET = re.compile(r"(^|_)(secret|token|password|passphrase|mac|signature|seal|digest|handle|cookie|otp)s?($|_)")
# What is no proof of anybody, by file and line of code.
HARMLESS = {
    (
        "shared/audit/records.py",
        "hashlib.sha256(after_hash + canonical(record.as_document())).digest() != record.hash",
    ): "a hash that everybody may compute",
    ("services/intake/importing/seen.py", "self._contents[slot] == digest"): "whether a file holds a row twice",
}


def names_in(node: ast.expr) -> set[str]:
    """The last name of what is compared: of `credential.secret_digest` the attribute, of a call its function."""
    if isinstance(node, ast.Name):
        return {node.id}
    if isinstance(node, ast.Attribute):
        return {node.attr}
    if isinstance(node, ast.Subscript):
        return names_in(node.value)
    if isinstance(node, ast.Call) and ast.unparse(node.func) not in {"len", "type", "set"}:
        return names_in(node.func)
    return set()


def comparisons(source: str) -> Iterator[str]:
    """Comparisons of something that is called like a secret with something that is not written down right there."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Compare) and any(isinstance(one, ast.Eq | ast.NotEq) for one in node.ops):
            sides = [node.left, *node.comparators]
            is_secret = any(SECRET.search(name.lower()) for side in sides for name in names_in(side))
            if is_secret and not any(isinstance(side, ast.Constant) or ast.unparse(side).isupper() for side in sides):
                yield ast.unparse(node)


def test_the_search_finds_what_it_is_for():
    assert list(comparisons("if credential.secret_digest == digest: pass"))
    assert list(comparisons("ok = digest_of(given) != stored.digest"))
    assert list(comparisons("if token == request.cookies['x']: pass"))
    assert not list(comparisons("hmac.compare_digest(a.digest, digest)"))
    assert not list(comparisons("len(mac) == LENGTH"))


def test_secrets_are_compared_in_constant_time_or_looked_up_by_digest():
    found = {
        (str(file.relative_to(ROOT)), comparison)
        for folder in ("services", "shared")
        for file in (ROOT / folder).rglob("*.py")
        for comparison in comparisons(file.read_text("utf-8"))
    }

    assert found - HARMLESS.keys() == set()


def test_the_database_is_asked_for_digests_and_never_for_secrets():
    """No statement holds a column against a secret itself: what is stored of it is a digest, a MAC or a slow hash."""
    held = re.compile(r"\b(secret|token|password|phone|id_number)\s*=\s*(%|\$)", re.IGNORECASE)
    statements = {
        str(file.relative_to(ROOT)): held.findall(file.read_text("utf-8"))
        for pattern in ("services/*/storage/**/*.py", "services/*/migrations/*.sql", "shared/**/*.py")
        for file in ROOT.glob(pattern)
    }

    assert statements
    assert {file: found for file, found in statements.items() if found} == {}
