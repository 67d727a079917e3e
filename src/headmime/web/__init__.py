"""Local web page: images of a person and a motion in, a video out.

`request` is what a user asks for, `jobs` makes it through the Python API, `progress` tells how long
that takes and queues it, `uploads` checks files, `sessions` holds the state of open tabs, `layout`
defines the page's components and reads their values, `page` has their event handlers, `updates`
what these change, `previews` images and films of the inputs, `verdicts` what a file's marks say,
`guards` the HTTP middleware, `server` serves it on 127.0.0.1.
"""
