"""What several rules ask, of a View and of Facts. No rule is here."""
