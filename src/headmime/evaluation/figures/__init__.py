"""Pictures of a table's rows, for people to look at.

sheet.py     pictures in rows and columns, with words     scene.py    what is shown of a trial
grid.py      people x T x methods, as in the paper        quality.py  metrics against T
worst.py     the worst 5 % of a row by a metric           videos.py   methods side by side
"""
