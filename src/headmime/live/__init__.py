"""Real-time animation from a webcam or a video.

Two processes: one detects landmarks in the latest camera frame (`camera`, `landmark_worker`), the
other generates frames from the latest landmarks (`live_animator`) and displays or writes them
(`window`, `video_writer`). Each takes the latest item when it is ready; older ones are dropped, so
that no queue adds latency.
"""
