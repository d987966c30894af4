"""Tests of roster_sync.feed: staging, checks, data docs."""
