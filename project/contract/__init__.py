"""What is generated from the features' contracts. `manage.py contract` writes it, `--check` compares."""
