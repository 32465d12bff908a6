"""Independent answers: written apart from the library, slowly and plainly."""
