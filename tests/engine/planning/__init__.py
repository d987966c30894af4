"""Tests of a plan: its stages."""
