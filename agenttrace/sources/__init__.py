"""What is read rather than recorded, written into the spool as if it had been; one package each."""
