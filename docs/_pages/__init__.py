"""What writes the pages that are made from the package."""
