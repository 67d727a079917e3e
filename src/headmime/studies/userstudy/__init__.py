"""The paper's user study: which of three images of a person is the generated one?

    triplets.py  sampling of frames                   server.py   local web server
    prepare.py   a study from models and a store      answers.py  SQLite, one row per answer
    study.py     files of a prepared study            report.py   USER with intervals, CSV

`study`, `answers`, `server` and `report` need neither networks nor the store.
"""
