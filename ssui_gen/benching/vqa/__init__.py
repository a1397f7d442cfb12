"""Somebody's visual questions with known answers: read, scored without a judge, and two models compared."""
