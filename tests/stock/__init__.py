"""Peers that lack this extension."""
