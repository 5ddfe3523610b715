"""The listening room: the network in the reader's page.

Its sources are in `book/room`; here its weights are written out for it, its engine is compiled and
its page is made.
"""
