"""The live view of a session; each panel is imported when it is wanted, since plots take seconds to load."""
