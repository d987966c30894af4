"""Clever Secure Sync: the Data API v3 and its events."""
