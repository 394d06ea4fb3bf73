"""Worked cases as input: read a file of schema infusion-cases/1 and play it through the operations of the screens."""
