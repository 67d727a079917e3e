"""Do the paper's claims hold?"""
