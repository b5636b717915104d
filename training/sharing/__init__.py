"""What leaves the house: a version as a repository, a card as a page, pictures on a sheet.

`shown` alone reads rows and turns them into the few facts that may leave; everything beside it
writes those facts down. So what is private stays in by not being known here.
"""
