"""What is wrong with a library: facts that the doctor tells and the repair acts on."""
