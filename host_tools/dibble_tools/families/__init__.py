"""Families of classifiers: each fits a model and turns it into integer tables."""
