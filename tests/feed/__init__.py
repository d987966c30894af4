"""Tests of the checks of a whole feed."""
