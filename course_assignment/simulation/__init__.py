"""A school that lives on the simulation kit: what people do there, what happens to it, and whether every promise holds.

``python -m course_assignment.simulation --help`` runs it.
"""
