"""The rules of the Edit (docs/rules.md), each as a test that bears its words; rosters are a handful of records."""
