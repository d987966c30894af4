"""The roster sync: reads district rosters and keeps the portal's people, classes and licenses right."""
