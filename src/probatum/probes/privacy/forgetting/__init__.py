"""What a repaired model still holds of what it was to forget, and what it lost of the rest."""
