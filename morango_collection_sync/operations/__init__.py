"""What runs at each of Morango's transfer stages, ahead of Morango's own operations."""
