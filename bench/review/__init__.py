"""`make bench-review`: the review desk's figures, each beside its goal.

Every measurement runs in a process of its own over an empty installation of its own, once for each
database that it is about; what it serves is served by the web process that `manage.py up` starts.
"""
