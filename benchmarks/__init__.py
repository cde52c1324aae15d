"""What a sync costs, ours beside stock Morango: ``make bench``."""
