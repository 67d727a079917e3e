"""A person who moves as somebody does before the camera, at once.

Two processes: one looks (`camera`, `landmark_worker`: the newest picture -> landmarks), the other
makes frames of the newest landmarks (`live_animator`) and shows or writes them (`window`,
`video_writer`). Each takes what is newest when it is ready, so that frames are dropped and nothing
waits in a line.
"""
