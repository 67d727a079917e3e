"""The browser page: pictures of a person and a motion in, a video out; on this machine only.

`jobs` makes the video with the five names of the Python API, `uploads` looks at files, `sessions`
knows what belongs to an open tab, `layout` is what is seen, `page` what happens then, `server`
brings it to the browser.
"""
