"""Fine-tuned rows whose settings are not those of the newest one: a page should say so."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from headmime.evaluation.results import Result


def unlike_newest(results: Sequence[Result]) -> list[str]:
    """For each result, what its fine-tuning's settings are where the newest fine-tuned row has
    other ones: "epochs=10, jitter.scale=0.1"; empty where nothing differs, or nothing was
    fine-tuned.
    """
    tuned = [one for one in results if one.row.get("finetune")]
    if not tuned:
        return [""] * len(results)
    newest = dict(_flat(max(tuned, key=lambda one: one.origin["date"]).row["finetune"]))
    return [_differences(dict(_flat(one.row.get("finetune") or newest)), newest) for one in results]


def _differences(settings: Mapping[str, Any], newest: Mapping[str, Any]) -> str:
    keys = {**newest, **settings}
    return ", ".join(
        f"{key}={settings.get(key)}" for key in keys if settings.get(key) != newest.get(key)
    )


def _flat(settings: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in settings.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{key}.")
        else:
            yield f"{before}{key}", value
