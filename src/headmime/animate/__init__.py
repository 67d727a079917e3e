"""Animate a person, given source images and a driving motion.

The package is callable: `headmime.animate(person, driving)` calls `api.animate`, although
`headmime.animate` is also the name of this package.
"""

import inspect
import sys
from types import ModuleType
from typing import Any


class _Verb(ModuleType):
    @property
    def __signature__(self) -> inspect.Signature:
        from headmime.animate.api import animate

        return inspect.signature(animate)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        from headmime.animate.api import animate

        return animate(*args, **kwargs)


sys.modules[__name__].__class__ = _Verb
