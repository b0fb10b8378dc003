"""Readers of other people's files: each turns what a file says into Views for the rules.

A reader follows the program that the file is for, keeps the line of everything it reads, and
raises ProfileError for a text that is no such file at all. Only `disk` and `discover` read the
disk, and only `nixos.evaluate` runs a program.
"""
