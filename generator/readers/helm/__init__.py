"""Values of the Helm chart."""
