"""The paper's user study: which of three pictures of a person is the generated one?

    triplets.py  which frames are shown together      server.py   the page, on this machine only
    prepare.py   a study from models and a store      answers.py  SQLite, one row per answer
    encode.py    all pictures alike                   report.py   USER, its intervals, CSV
    study.py     what a prepared study is

`study`, `answers`, `server` and `report` need neither networks nor the data they were made from.
"""
