"""Fakes of providers: real servers with their wire formats, their states and their faults.

A test starts one in its own process and tells it what to do by `scenario` and `fail`. A developer starts one
with `memorable fake` and puts the same scenario, as JSON, to its `/_scenario`.
"""
