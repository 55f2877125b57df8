"""Loading files: registers of new cases and logs of past ones, through the services."""
