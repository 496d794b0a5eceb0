"""Recipes: train or take a teacher, distil a student from it faithfully, and make a bundle of the two."""
