"""The roster sync: reads district rosters and keeps the portal's people, classes and licenses right."""

__version__ = "1.0.0"
"""The product's version: at the foot of the pages, in mails' headers, in the User-Agent and in the OpenAPI text."""
