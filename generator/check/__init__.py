"""What is beside the rules when files are checked: silence, mending, and the forms of a report."""
