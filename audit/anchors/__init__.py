"""Anchors: small signed statements about the heads of all chains, to be kept elsewhere.

``statement`` is the form, ``heads`` what it is about, ``making`` makes one, ``proofs`` proves that
one case is in it. Only ``making`` and ``proofs`` load Django.
"""
