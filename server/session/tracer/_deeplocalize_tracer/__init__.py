"""The Python side of DeepLocalize: runs in the user's process and reports how the training goes.

Nothing here may change what the script computes, prints or writes, and nothing here may raise into it.
"""
