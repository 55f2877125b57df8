"""What the OpenAPI document says beyond what drf-spectacular reads off the views.

Everything is made by rule, from the lifecycle, the policies and the table of errors, so that an
operation that is added falls into place and none can say what is not so.
"""
