"""Storms: many alerts that are one incident."""
