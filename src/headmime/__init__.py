"""Few-shot adversarial learning of talking head models (Zakharov et al., ICCV 2019).

    model = headmime.load()
    person = headmime.personalise(model, ["photo.jpg", "holiday.mp4"], consent="own")
    headmime.save(headmime.animate(person, "talk"), "out.mp4")
    headmime.verify("out.mp4")

The functions are documented in `headmime.animate.api`; they load when they are first used. Import
headmime before torch, or set OMP_WAIT_POLICY=PASSIVE: see `headmime.threads.wait_passively`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from headmime.threads import wait_passively

if TYPE_CHECKING:  # for editors and type checkers; at run time see __getattr__
    from headmime.animate.api import Strength, animate, load, personalise, save, verify

__all__ = ["Strength", "animate", "load", "personalise", "save", "verify"]

wait_passively()


def __getattr__(name: str) -> Any:
    if name == "animate":
        return import_module("headmime.animate")
    if name in __all__:
        return getattr(import_module("headmime.animate.api"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return list(__all__)
