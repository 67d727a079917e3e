"""From pictures of a person and a motion to a video of that person moving.

The package is callable: `headmime.animate(person, driving)` is the API's verb (see `api.animate`),
and `headmime.animate` is also where this package has to be.
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
