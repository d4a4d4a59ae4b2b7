"""The words of the house: types that every floor above shares. Knows no method and no framework."""
