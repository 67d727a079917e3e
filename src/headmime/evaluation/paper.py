"""The paper's reported numbers, for the tables that are comparable with it."""

# Table 1, rows "Ours": (FID, SSIM, CSIM) by data set, method and T.
OURS: dict[tuple[str, str, int], tuple[float, float, float]] = {
    ("voxceleb1", "ft", 1): (43.0, 0.67, 0.15),
    ("voxceleb1", "ft", 8): (38.0, 0.71, 0.17),
    ("voxceleb1", "ft", 32): (29.5, 0.74, 0.19),
    ("voxceleb2", "ff", 1): (46.1, 0.61, 0.42),
    ("voxceleb2", "ff", 8): (42.2, 0.64, 0.47),
    ("voxceleb2", "ff", 32): (40.4, 0.65, 0.48),
    ("voxceleb2", "ft", 1): (48.5, 0.64, 0.35),
    ("voxceleb2", "ft", 8): (42.2, 0.68, 0.42),
    ("voxceleb2", "ft", 32): (30.6, 0.72, 0.45),
}
CERTAIN = {("voxceleb1", "ft"), ("voxceleb2", "ft")}
"""Rows whose FID several sources confirm. All other numbers are quoted from memory and printed with
a question mark.
"""


def paper_numbers(dataset: str, method: str, T: int) -> tuple[str, str, str] | None:
    """Return the paper's FID, SSIM and CSIM, formatted; None if there is no such row."""
    numbers = OURS.get((dataset, method, T))
    if numbers is None:
        return None
    fid, ssim, csim = numbers
    doubt = "" if (dataset, method) in CERTAIN else "?"
    return f"{fid}{doubt}", f"{ssim}?", f"{csim}?"
