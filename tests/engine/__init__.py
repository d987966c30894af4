"""The rules of the Edit (docs/rules.md), each as a test that is named after it; rosters are a handful of records."""
