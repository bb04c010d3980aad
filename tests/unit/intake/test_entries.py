"""The burden that is counted: what a clerk fills in for a visit, by the form that is really served."""

import subprocess
import sys

from services.intake.web.entries import count_entries, render_empty_form

MOST_ENTRIES = 8


def test_a_visit_takes_at_most_eight_entries():
    entries = count_entries(render_empty_form())

    assert 0 < len(entries.needed) <= MOST_ENTRIES
    assert set(entries.required) < set(entries.needed)


def test_the_command_prints_the_count():
    done = subprocess.run(
        [sys.executable, "-m", "services.intake", "count-entries"], capture_output=True, text=True, check=True
    )

    count = len(count_entries(render_empty_form()).needed)
    assert done.stdout.startswith(f"{count} entries for a visit: cadre, kind,")


def test_every_kind_of_entry_is_counted_and_what_is_folded_or_hidden_apart():
    page = """
    <form><input type="hidden" name="a"><input name="b" required><select name="c"><option></select>
    <details><summary>more</summary><input name="d"></details><textarea name="e"></textarea>
    <button name="f"></button></form>
    """

    entries = count_entries(page)

    assert (entries.needed, entries.required, entries.on_request) == (["b", "c", "e"], ["b"], ["d"])
