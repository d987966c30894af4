"""Tests of the Reset."""
