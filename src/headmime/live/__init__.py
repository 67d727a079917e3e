"""A person who moves as somebody does before the camera, at once.

Two processes: one looks (`camera`, `eyes`: the newest picture -> landmarks), the other makes frames
of the newest landmarks (`mime`) and shows or writes them (`window`, `film`). Each takes what is
newest when it is ready, so that frames are dropped and nothing waits in a line.
"""
