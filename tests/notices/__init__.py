"""Tests of the digests and mails."""
