"""The second factor of the back office's log-in: codes by time (RFC 6238) and recovery codes.

django-otp keeps devices, refuses a code that was used and slows down who guesses. Who must have
one, and what a session may do before, is decided here.
"""

from config.second_factor.state import passed

__all__ = ["passed"]
