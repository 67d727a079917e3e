"""Local web page: images of a person and a motion in, a video out.

`jobs` generates videos through the Python API, `uploads` checks files, `sessions` holds the state
of open tabs, `layout` defines the page's components, `page` their event handlers, `guards` the HTTP
middleware, `server` serves it on 127.0.0.1.
"""
