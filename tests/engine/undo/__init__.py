"""Tests of the Undo, the audit and housekeeping."""
