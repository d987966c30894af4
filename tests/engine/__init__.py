"""The rules of the Edit (product.md), each as a test that bears its words; rosters are a handful of records."""
