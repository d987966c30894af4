"""How rows become what people read: words, charts, tables, exports."""
