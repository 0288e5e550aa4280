"""The engine meets each lawful answer early, late, twice, not at all, and several of them in one piece.

The last of a piece may be the end of the link: an answer that came has come, whatever ends after it.
"""

from typing import Any, Final

from hypothesis import example, given, settings
from hypothesis import strategies as st

from devicectl.errors import LinkError
from protocols.language.units import MILLISECOND, Micros
from tests.world import Copies, Lab, Late, a_plan, assert_counted, last_words

PIECES: Final = 400
"""A little more than such a session has."""
ENOUGH_TO_GIVE_UP: Final = 5
"""So many tries of a frame, or losses of the link in a row, are too many; fewer mishaps are no reason to give up."""

MISHAPS: Final = st.dictionaries(
    st.integers(1, PIECES),
    st.one_of(
        st.just("at once"),
        st.just("twice"),
        st.just("lost"),
        st.just("held"),
        st.just("last word"),
        st.integers(1, 900).map(lambda late_ms: f"{late_ms} ms late"),
    ),
    max_size=40,
)


class Mishaps(Late):
    """Does to each piece what is in store for it. One that is held comes in one piece with the next of its sender."""

    def __init__(self, seed: int, mishaps: dict[int, str]) -> None:
        super().__init__(seed, least_ms=1, most_ms=8)
        self.lab: Lab
        self.taken_away = 0
        self._mishaps = mishaps
        self._held = {"host": b"", "device": b""}
        self.when = self._befall

    def _befall(self, piece: int, sender: str, due: Micros, data: Any) -> Copies:
        data, self._held[sender] = self._held[sender] + data, b""
        what = self._mishaps.get(piece, "")
        self.taken_away += what in ("held", "lost", "last word") or what.endswith("late")
        if what == "held":
            self._held[sender] = data
            return []
        if what == "last word" and sender == "device":
            data += last_words(self.lab)
        if what.endswith("late"):
            due = Micros(due + int(what.split()[0]) * MILLISECOND)
        copies = {"lost": 0, "twice": 2}.get(what, 1)
        return [(self.lab.now if what == "at once" else due, data)] * copies


@settings(max_examples=60)
@given(seed=st.integers(0, 2**16), mishaps=MISHAPS)
@example(seed=7, mishaps={66: "last word"})
@example(seed=7, mishaps=dict.fromkeys(range(1, PIECES), "twice"))
@example(seed=7, mishaps=dict.fromkeys(range(1, PIECES, 2), "held"))
@example(seed=7, mishaps=dict.fromkeys(range(1, PIECES), "at once"))
def test_every_lawful_answer_is_taken_however_it_comes(seed: int, mishaps: dict[int, str]) -> None:
    line = Mishaps(seed, mishaps)
    line.lab = lab = Lab(seed, plan=a_plan(16), line=line)
    lab.inject(clog_now={0, 2})
    try:
        lab.open()
        lab.numb()
        finish = lab.finish()
    except LinkError:
        assert line.taken_away >= ENOUGH_TO_GIVE_UP
    else:
        assert_counted(lab, finish)
        assert any(note.name == "purge" for note in lab.notes)
