"""What runs, builds and measures the book: for its makers."""
